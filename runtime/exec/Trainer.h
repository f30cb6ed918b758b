// The training loop: epochs of batches in a drawn order; optimizer states live on from epoch to epoch.
#pragma once
#include "runtime/exec/EntryRun.h"

namespace sn::rt {
/// What an epoch did. Averages are per example (reference 5.2).
struct EpochReport {
  int64_t epoch = 0; // 1-based
  int64_t steps = 0, examples = 0;
  double training = 0;                       // sum of the losses / examples, each batch measured before its update
  double regularization = 0;                 // sum over batches of (term at that time * rows) / examples
  double alpha = 0;                          // of the last step
  double seconds = 0, examplesPerSecond = 0; // of the part that this process ran
  std::map<std::string, double, std::less<>> reports; // other sums reported by the plan, per example
};

/// What a batch did.
struct BatchReport {
  int64_t rows = 0;
  double loss = 0; // sum over its rows, before the update
  double alpha = 0;
};

/// What to try after a divergence at this learning rate.
std::string divergenceAdvice(double alpha);
/// A sum of a step became NaN or infinite. The parameters are of no use any more.
class Diverged : public UserError {
public:
  using UserError::UserError;
};

class Trainer {
public:
  /// Prepares the entry "train". Position starts at zero. `model` and `data` must outlive the trainer.
  Trainer(Model &model, const Settings &settings, const Binding &data);

  /// Called after each batch; false stops there.
  using OnBatch = std::function<bool(const BatchReport &)>;
  /// Runs what is left of the current epoch, or up to where `onBatch` stops it. True if all its examples are done.
  /// Throws Diverged, with step, epoch, layer and advice, if a sum is NaN or infinite.
  bool runEpoch(const OnBatch &onBatch = {});
  /// Reports an epoch whose examples are all done, and goes to the start of the next one.
  EpochReport closeEpoch();
  /// Both.
  EpochReport trainEpoch();

  const Position &position() const { return at; }
  /// Of the epoch begun.
  const EpochSums &sums() const { return epochSums; }
  /// Goes on from a checkpoint, whose parameters and states the model must hold.
  void resume(const Position &position, const EpochSums &sums);
  const Settings &settings() const { return theSettings; }
  int64_t stepsPerEpoch() const;
  EntryRun &run() { return entry; }

private:
  BatchReport step(const std::vector<int64_t> &order);

  Settings theSettings;
  uint32_t shuffleStream;
  int64_t examples;
  EntryRun entry;
  Position at;
  EpochSums epochSums;
  int64_t ownExamples = 0; // of the epoch, done by this process
  double ownSeconds = 0;
};

/// Average loss per example of an entry over all rows in file order, without updates. `epoch` and `step` feed the
/// scalars. Nothing if `stop`, asked after each batch, says so.
std::optional<double> averageLoss(EntryRun &entry, const Settings &settings, const Position &at,
                                  const std::function<bool()> &stop);
double averageLoss(EntryRun &entry, const Settings &settings, const Position &at);
} // namespace sn::rt
