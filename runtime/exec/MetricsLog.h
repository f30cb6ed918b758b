// The metrics file (docs/spec/metrics.md): what happened in a run, one JSON object a line.
#pragma once
#include "runtime/exec/StepWork.h"
#include "runtime/exec/Trainer.h"
#include <fstream>

namespace sn::rt {
class MetricsLog {
public:
  /// Appends to the file `path`; a last line that a kill has cut off is closed first. With `echo` each line also goes
  /// to stdout. UserError if the file cannot be written.
  MetricsLog(std::string path, bool echo);
  /// One line, out of the process at once. A disk that has become full costs lines, not the run: said once on stderr.
  void write(const nlohmann::json &line);

private:
  std::string path;
  std::ofstream file;
  bool echo, failed = false;
};

/// {"step", "epoch", "example"}.
nlohmann::json recordOf(const Position &at);
/// The member `settings` of a line of kind `run`.
nlohmann::json recordOf(const Settings &settings);
/// The member `datasets`.
nlohmann::json recordOf(const Binding &data);
/// A line of kind `epoch`, without `weights`, `validation` and `ranking`.
nlohmann::json recordOf(const EpochReport &report);
/// A line of kind `profile`; `work` as from workOf.
nlohmann::json profileOf(const EntryRun &run, const std::vector<StepWork> &work = {});
/// The members of a step's line that say what it did.
nlohmann::json recordOf(const StepWork &work);
/// The member `graph`: the steps of an entry with what they read and write, in the order in which they run.
nlohmann::json graphOf(const plan::Entry &entry);
} // namespace sn::rt
