// What snrt train does, from opened files to the weights file.
#pragma once
#include "runtime/data/AtomicFile.h"
#include "runtime/exec/Cadence.h"
#include "runtime/exec/HeldOut.h"
#include "runtime/exec/MetricsLog.h"
#include "runtime/exec/Resume.h"
#include "tools/snrt/Interrupt.h"
#include "tools/snrt/Options.h"

namespace sn::snrt {
struct TrainOptions {
  std::string plan, data, out, from, resume, validation, checkpointEvery;
  rt::HeldOutWish heldOut; // truth "" = not measured
  bool force = false;
  RunOptions run;
  rt::Overrides overrides;
  bool passing = false; // the weights file is not what the user asked for, and goes unmentioned
  std::function<void(const rt::EpochReport &)> onEpoch;   // in place of the line on stdout
  std::function<void(const rt::Position &)> onCheckpoint; // after the weights file was written; the last time too
};

class TrainingRun {
public:
  /// Opens and checks everything, and prepares the model. UserError before any long work.
  explicit TrainingRun(const TrainOptions &options);
  /// Trains, reports, saves. 0 when training is finished, 128 + its number when a signal ended it. UserError when it
  /// diverges, or the weights cannot be written.
  int run();

private:
  using Clock = std::chrono::steady_clock;
  rt::Start makeStart();
  void loadWeights();
  bool isFinished() const;
  void prepareMeasures();
  void bindValidation();
  std::vector<std::string> remarks();
  void announce(rt::Trainer &trainer);
  nlohmann::json runRecord(rt::Trainer &trainer);
  void sayBraked(const rt::Position &at, const rt::BatchReport &batch, class Progress &progress);
  rt::Trainer::OnBatch watcher(rt::Trainer &trainer, class Progress &progress);
  /// What is left of an epoch, its report and its checkpoint. False if a signal asks to stop.
  bool trainEpoch(rt::Trainer &trainer);
  /// Measures after an epoch: members of its line in the metrics file. Nothing if a signal came meanwhile.
  std::optional<nlohmann::json> measure(const rt::Position &at);
  bool measureValidation(const rt::Position &at, nlohmann::json &measured);
  bool measureHeldOut(nlohmann::json &measured);
  void reportEpoch(const rt::EpochReport &report, const nlohmann::json &measured);
  /// Writes the weights file, unless what it would hold is there already.
  void save(rt::Trainer &trainer);
  /// The same between others: a failure is said and training goes on, since the next one may succeed.
  void checkpoint(rt::Trainer &trainer);
  int finish(rt::Trainer &trainer);
  [[noreturn]] void diverged(rt::Trainer &trainer, const std::string &what);
  std::string goOnCommand() const;
  double secondsSinceStart() const;

  const TrainOptions &options;
  Clock::time_point start = Clock::now(), lastSave = start;
  rt::Cadence cadence;
  std::string out;
  bool replace; // what stands at `out`
  rt::OutputLock lock;
  Interrupt interrupt;
  rt::DataFile file;
  rt::Session session;
  std::optional<rt::CheckpointReader> weights; // of --from or --resume, until they are loaded
  rt::Start begin;
  const rt::Settings &settings;
  RunForecast forecast; // before anything large is loaded
  rt::Binding data;
  rt::Model model;
  rt::Binding validationData; // a second data file whose loss is measured after every epoch
  std::optional<rt::EntryRun> validation;
  std::optional<rt::HeldOut> heldOut;
  rt::MetricsLog metrics;
  std::optional<rt::Position> saved; // what `out` holds, once this run has written it
  double lastAlpha = 0;
};
} // namespace sn::snrt
