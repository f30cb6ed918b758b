// Metrics files (docs/spec/metrics.md) read back: the runs they tell of.
#pragma once
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace sn::report {
/// A number that a line does not have, or has as null.
inline constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

/// A line that was left out.
struct Skipped {
  std::string file;
  int64_t line = 0; // 1-based
  std::string why;
};

/// A `batches` line. `at` = epochs done since the beginning, fractions included.
struct BatchPoint {
  int64_t epoch = 0, step = 0;
  double at = kMissing, examples = kMissing, training = kMissing, alpha = kMissing, seconds = kMissing;
  double rate = kMissing; // examples per second since an earlier line of the same epoch and session
  size_t session = 0;     // how often the run had been resumed
};
struct EpochPoint {
  int64_t epoch = 0; // 1-based
  double steps = kMissing, examples = kMissing, error = kMissing, training = kMissing, regularization = kMissing;
  double validation = kMissing, alpha = kMissing, seconds = kMissing, rate = kMissing;
  std::map<std::string, double> ranking, reports;
};
struct CheckpointPoint {
  std::string path;
  int64_t step = 0;
  double epoch = kMissing, example = kMissing, at = kMissing, seconds = kMissing;
};
/// One step of the plan as the profile counts it.
struct StepTime {
  std::string kernel, sweep, label;
  double launches = 0, seconds = 0;
  bool operator==(const StepTime &) const = default;
};
/// One step of the plan as the graph shows it.
struct GraphStep {
  std::string kernel, sweep, label, target;
  std::vector<std::string> reads, writes;
  bool operator==(const GraphStep &) const = default;
};
struct DataSetSize {
  std::string name;
  double rows = kMissing, columns = kMissing, entries = kMissing;
};
/// Where a run was taken up again: everything after this step had been lost.
struct Resumption {
  int64_t step = 0, epoch = 0;
  double example = 0, at = kMissing;
};
struct End {
  std::string reason, weights, message; // reason "" = no such line: it goes on, or was killed
  double step = kMissing, epoch = kMissing, seconds = kMissing;
};

/// One training, however often it was interrupted and resumed.
struct Run {
  std::string file;
  std::string network, plan, data, weights, device;
  std::vector<std::pair<std::string, std::string>> settings;              // as they are shown, in a fixed order
  double examples = kMissing, parameters = kMissing, estimate = kMissing; // estimate: seconds per epoch
  std::vector<DataSetSize> datasets;
  std::map<std::string, double> memory; // bytes by use, "total" too
  std::vector<GraphStep> graph;
  std::vector<Resumption> resumed;
  std::vector<BatchPoint> batches;
  std::vector<EpochPoint> epochs; // each epoch once, ascending; the last line counts
  std::vector<CheckpointPoint> checkpoints;
  std::string profiled; // the entry
  std::vector<StepTime> profile;
  End end;
  double trained = 0; // seconds of all sessions that said how long they took
};

struct Metrics {
  std::vector<Run> runs;        // in the order of the files
  std::vector<Skipped> skipped; // at most kSkippedKept of them
  int64_t skippedLines = 0;
};
inline constexpr size_t kSkippedKept = 100;

/// Reads the files. A damaged line is skipped and listed; kinds and members that are not known are passed over.
/// UserError (file:line where a line is to blame) if a file cannot be read, is empty or has no line of a metrics file.
Metrics readMetrics(const std::vector<std::string> &paths);
} // namespace sn::report
