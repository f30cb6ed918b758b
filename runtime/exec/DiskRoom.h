// Whether the checkpoints of a run fit on the disk: asked before it, not in its last hour.
#pragma once
#include "runtime/exec/Model.h"

namespace sn::rt {
/// Bytes of a weights file of this model, states included, to within a few percent and not less.
int64_t checkpointBytes(const Model &model, const CheckpointHeader &header);

/// Throws UserError with the numbers if files of `bytes` cannot be written to `path` (a new one stands beside the old
/// one until it is whole). `again`: more than one will be written. `available` on that disk; `standing`: what is at
/// `path` now and goes with the first one.
void requireDiskRoom(const std::string &path, int64_t bytes, bool again, int64_t available, int64_t standing);
/// The same, with what the disk says.
void requireDiskRoom(const std::string &path, int64_t bytes, bool again);
} // namespace sn::rt
