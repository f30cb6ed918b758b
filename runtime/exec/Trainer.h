// The training loop: epochs of batches in a drawn order. Optimizer states live on from epoch to epoch, unless the plan
// says otherwise.
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
  /// The divergence brake was pulled: the loss exceeded twice this moving average, and the update was left out.
  std::optional<double> diverging;
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
  /// Prepares the entry "train", and "trial" in plans with the divergence brake. Position starts at zero. `model` and
  /// `data` must outlive the trainer.
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
  /// Floats that the buffers of its entries need for batches of `maxRows`.
  static int64_t bufferCount(const plan::Plan &plan, const Extents &extents);

private:
  BatchReport step();
  void drawOrder(int64_t epoch);
  void announceNext(int64_t epoch, int64_t after);
  StepScalars scalarsOf(int64_t rows) const;
  BatchSums runBatch(const Batch &batch, StepScalars &scalars, BrakeState &brake, BatchReport &report);

  Model &model;

  Settings theSettings;
  uint32_t shuffleStream;
  int64_t examples;
  bool clears; // the optimizer's states and Step begin anew every epoch
  EntryRun entry;
  std::optional<EntryRun> trial; // with the brake
  Position at;
  EpochSums epochSums;
  std::vector<int64_t> order; // of the examples in this epoch:
  int64_t orderedEpoch = 0;
  int64_t ownExamples = 0; // of the epoch, done by this process
  double ownSeconds = 0;
};

/// Average loss per example of an entry over all rows in file order, without updates. `epoch` and `step` feed the
/// scalars. Nothing if `stop`, asked after each batch, says so.
std::optional<double> averageLoss(EntryRun &entry, const Settings &settings, const Position &at,
                                  const std::function<bool()> &stop);
double averageLoss(EntryRun &entry, const Settings &settings, const Position &at);
} // namespace sn::rt
