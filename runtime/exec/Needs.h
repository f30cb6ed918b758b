// What a run needs, known before anything large is allocated: memory by kind, about how long an epoch takes, and what
// there is. docs/decisions/0008-memory-prediction.md says what is counted.
#pragma once
#include "runtime/exec/Binding.h"
#include "runtime/exec/Factoring.h"
#include "runtime/exec/MemoryRoom.h"
#include "runtime/exec/Settings.h"
#include "runtime/plan/Cost.h"

namespace sn::rt {
/// Data sets as bindData will bind them, known from the file's header.
struct Outline {
  Binding binding; // data sets with kind and extents, without contents
  std::map<std::string, DataShape, std::less<>> shapes;
  int64_t bytes = 0;   // once loaded; a data set bound to two names counts once; streamed: of what stays in memory
  int64_t loading = 0; // beside them while they are read
  Streaming streaming;
};
/// UserError as from bindData for what a header shows. For what the file streams, all but the rows is loaded: how many
/// entries a batch can have is known exactly then.
Outline outlineData(const plan::Plan &plan, const std::set<std::string> &names, DataFile &file, const Aliases &aliases);

/// Bytes by kind.
struct Needs {
  int64_t parameters = 0, states = 0; // parameters: as the device stores them (plan::Parameter::storage)
  int64_t buffers = 0;                // the arena that the entries share
  int64_t workspace = 0;              // of the kernels: prepared, grown while running; the order of the examples
  int64_t data = 0;                   // data sets and names
  int64_t program = 0;                // the process before: code, libraries, plan
  int64_t passing = 0; // the most that comes and goes beside the others: reading data, initial values, saving
  /// The predicted peak of resident memory.
  int64_t total() const { return parameters + states + buffers + workspace + data + program + passing; }
};
/// "312.4 MiB: 26.7 MiB parameters, ...", without kinds that are zero.
std::string describe(const Needs &needs);
void to_json(nlohmann::json &json, const Needs &needs); // as in docs/spec/metrics.md

/// Which memory is meant, where a device has its own (runtime/hal/OwnMemory.h): data are in both.
enum class MemoryShare { All, Device, Host };

/// A forecast of a command on a plan: which entries it runs on which data.
class Forecast {
public:
  /// `plan` and `device` must outlive it. `symbols` as from resolveSymbols.
  Forecast(const plan::Plan &plan, Device &device, SymbolValues symbols);
  /// The command runs `entry` on data in memory. The entries of one command share buffers and workspace. `outline` must
  /// outlive the forecast.
  void add(const std::string &entry, const Outline &outline);
  /// The command holds these data besides. An outline counts once.
  void addData(const Outline &outline);
  void addData(int64_t bytes) { data += bytes; }
  void setProgram(int64_t bytes) { program = bytes; }
  /// The command has measured the device's rates, which takes memory for a moment.
  void setCalibrates() { calibrates = true; }
  /// For each step of "train" that the plan lets be factored.
  std::vector<FactoringAnswer> factoring(int64_t batch, const plan::Optimizer *optimizer) const;
  /// The command saves weights.
  void setSaves() { saves = true; }

  /// The hyper-parameters of the run, by which updates may be put off (runtime/exec/Deferrals.h) and outputs be
  /// factored (Factoring.h); without them none are.
  void setHyper(plan::HyperValues values) { hyper = std::move(values); }

  /// Of which memory needs() speaks from now on; All to begin with, which is right for a device in the host's memory.
  void setShare(MemoryShare which) { share = which; }

  /// With batches of `batch` rows; `optimizer` null: no states.
  Needs needs(int64_t batch, const plan::Optimizer *optimizer) const;
  /// About how long one pass of an added entry over its data takes; 0 without rows.
  double seconds(const std::string &entry, const Settings &settings, const Rates &rates) const;
  plan::CostModel costModel(const Outline &outline, int64_t batch, const Settings &settings) const;

  const plan::Plan &plan() const { return thePlan; }
  /// The most bytes of rows that one batch brings along, of all streamed data sets together.
  int64_t batchBytes(int64_t batch) const;
  /// The data set with the most rows; no batch is larger.
  int64_t rows() const;

private:
  struct Run {
    const plan::Entry *entry;
    const Outline *outline;
  };
  Extents extents(int64_t maxRows) const { return {symbols, maxRows}; }
  int64_t dataBytes(int64_t batch) const;
  int64_t deferredBytes(int64_t batch, const plan::Optimizer *optimizer) const;
  std::vector<std::string> putOff(const Outline &outline, int64_t batch, const plan::Optimizer *optimizer,
                                  const plan::HyperValues &values) const;
  Memory emptyMemory(const Run &run, const plan::Optimizer *optimizer, const Extents &extents) const;

  const plan::Plan &thePlan;
  Device &device;
  SymbolValues symbols;
  std::vector<Run> runs;
  std::vector<const Outline *> counted;
  int64_t data = 0, loading = 0, program = 0;
  plan::HyperValues hyper;
  bool saves = false, calibrates = false;
  MemoryShare share = MemoryShare::All;
};

/// What is missing, with the numbers and with what would help, if the needs exceed the room; else "". `what`:
/// "training", ...
std::string shortage(const Forecast &forecast, const Settings &settings, const plan::Optimizer *optimizer,
                     const MemoryRoom &room, const std::string &what);
/// What a process of snrt holds before its data and its model: for forecasts of it from elsewhere.
inline constexpr int64_t kProgramBytes = int64_t(20) << 20;
} // namespace sn::rt
