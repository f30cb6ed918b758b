// The training loop: epochs of batches in a drawn order; optimizer states live on from epoch to epoch.
#pragma once
#include "runtime/exec/EntryRun.h"

namespace sn::rt {
/// What an epoch did. Averages are per example (reference 5.2).
struct EpochReport {
  int64_t epoch = 0; // 1-based
  int64_t steps = 0, examples = 0;
  double training = 0;       // sum of the losses / examples, each batch measured before its update
  double regularization = 0; // sum over batches of (term at that time * rows) / examples
  double alpha = 0;          // of the last step
  double seconds = 0;
  std::map<std::string, double, std::less<>> reports; // other sums reported by the plan, per example
};

class Trainer {
public:
  /// Prepares the entry "train". Position starts at zero. `model` and `data` must outlive the trainer.
  Trainer(Model &model, const Settings &settings, const Binding &data);

  /// Called after each batch with the examples done of the epoch.
  using OnBatch = std::function<void(int64_t examples)>;
  /// Runs what is left of the current epoch. UserError naming step and epoch, with advice, if a sum is NaN or infinite.
  EpochReport trainEpoch(const OnBatch &onBatch = {});

  const Position &position() const { return at; }
  void setPosition(const Position &position) { at = position; }
  const Settings &settings() const { return theSettings; }
  EntryRun &run() { return entry; }

private:
  BatchSums step(const std::vector<int64_t> &order, int64_t rows, int64_t steps, EpochReport &report);

  Settings theSettings;
  uint32_t shuffleStream;
  int64_t examples;
  EntryRun entry;
  Position at;
};

/// Average loss per example of an entry over all rows in file order, without updates. `epoch` and `step` feed the
/// scalars.
double averageLoss(EntryRun &entry, const Settings &settings, const Position &at);
} // namespace sn::rt
