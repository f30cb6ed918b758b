// What snrt train does, from opened files to the weights file.
#pragma once
#include "runtime/exec/MetricsLog.h"
#include "tools/snrt/Options.h"

namespace sn::snrt {
struct TrainOptions {
  std::string plan, data, out, from, validation;
  bool force = false;
  RunOptions run;
  rt::Overrides overrides;
};

class TrainingRun {
public:
  /// Opens and checks everything, and prepares the model. UserError before any long work.
  explicit TrainingRun(const TrainOptions &options);
  /// Trains, reports, saves.
  void run();

private:
  rt::Model makeModel();
  void prepareValidation();
  void announce(rt::Trainer &trainer);
  nlohmann::json runRecord(rt::Trainer &trainer);
  rt::Trainer::OnBatch watcher(rt::Trainer &trainer, class Progress &progress);
  /// Measures after an epoch: members of its line in the metrics file.
  nlohmann::json measure(const rt::Position &at);
  void reportEpoch(const rt::EpochReport &report, const nlohmann::json &measured);
  double secondsSinceStart() const;

  const TrainOptions &options;
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  rt::DataFile file;
  std::string out;
  rt::Session session;
  rt::Settings settings;
  rt::Binding data;
  std::optional<rt::CheckpointReader> from;
  rt::Model model;
  rt::Binding validationData; // a second data file whose loss is measured after every epoch
  std::optional<rt::EntryRun> validation;
  rt::MetricsLog metrics;
};
} // namespace sn::snrt
