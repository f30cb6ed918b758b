// Training taken up where a weights file stopped.
#pragma once
#include "runtime/exec/Model.h"

namespace sn::rt {
/// Where training begins: at zero, or where a checkpoint stopped.
struct Start {
  Settings settings;
  Position position;
  EpochSums sums;                 // of the epoch begun
  std::vector<std::string> notes; // what differs from the run that is taken up, a sentence each, for the user
};

/// The start that a weights file holds, for a plan of the same network (requireSameNetwork is the caller's business).
/// Settings are the file's; the user's overrides replace them where training can go on so. UserError if the file was
/// never trained or lacks states, if an override contradicts what has been done (a batch, seed or order inside an
/// epoch; another optimizer's states), or if more epochs are done than asked for.
Start resumeFrom(const plan::Plan &plan, const CheckpointReader &weights, const Overrides &overrides);

/// An epoch begun goes on with the data it began with: UserError if they have another number of rows. A new one may
/// begin with other data, which is worth a note.
void checkExamples(const CheckpointReader &weights, const Binding &data, Start &start);

/// Sums as they are stored in CheckpointHeader::sums: exact.
nlohmann::json storedSums(const EpochSums &sums);
} // namespace sn::rt
