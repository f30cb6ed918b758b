// The knobs of a training run: the plan's defaults, overridden by what the user asks for.
#pragma once
#include "runtime/plan/Untouched.h"
#include <optional>

namespace sn::rt {
/// What the user set on the command line; everything else comes from the plan.
struct Overrides {
  std::optional<std::string> optimizer = {}; // any spelling of case
  std::map<std::string, double> hyper = {};  // Alpha, Lambda, Lambda1, Mu, Mu1
  std::optional<int64_t> batch = {}, epochs = {};
  std::optional<uint64_t> seed = {};
  std::optional<bool> shuffle = {};
  std::optional<plan::Expr> schedule = {}; // of the learning rate
};

struct Settings {
  const plan::Optimizer *optimizer = nullptr;       // of the plan; null in a plan without optimizers
  std::map<std::string, double, std::less<>> hyper; // all five, Alpha nominal
  plan::Expr alpha;                                 // the schedule
  int64_t batch = 0, epochs = 0;
  uint64_t seed = 0;
  bool shuffle = true;
  /// Dense: updates are never put off; Lazy: wherever they can be; unset: where it pays.
  std::optional<plan::UntouchedWay> untouched = {};
};

/// A hyper-parameter comes from the command line, else from the plan (Training::hyper; for another optimizer than the
/// plan's only those in Training::given), else from the optimizer's own defaults, else it is DSSTNE's (reference 4.4).
/// UserError for an unknown optimizer or a value out of range.
Settings settle(const plan::Plan &plan, const Overrides &overrides);

/// A schedule as people write it: "Alpha * pow(0.5, floor((Epoch - 1) / 10))".
std::string textOf(const plan::Expr &expr);

/// How far training is. Steps and epochs done; `example` counts the examples done of the epoch begun. All of them done
/// is a position too: the epoch's report is then still to come.
struct Position {
  int64_t step = 0, epoch = 0, example = 0;
  bool operator==(const Position &) const = default;
};

/// The divergence brake (reference 5.3): where it stands in an epoch.
struct BrakeState {
  double average = 0;        // of the batches' losses: 0.9 of it and a tenth of the next one
  int64_t warmUp = 100;      // batches that only feed the average
  int64_t braked = 0;        // steps still to be made at a tenth of the learning rate
  double regularization = 0; // of the last batch: what a skipped one counts with
  bool operator==(const BrakeState &) const = default;
};

/// What has been done of the epoch begun, as exact sums: part of a checkpoint, so that the epoch's report does not
/// depend on where training was resumed.
struct EpochSums {
  int64_t steps = 0, examples = 0;
  double alpha = 0;                                   // of the last step
  double regularization = 0;                          // sum over batches of term at that time * rows
  std::map<std::string, double, std::less<>> reports; // by Step::report: sums over examples and units
  BrakeState brake;                                   // in plans with the brake
};

/// The scalars of one step. Counts are 1-based; `steps` is per epoch.
struct StepScalars {
  std::map<std::string, double, std::less<>> values; // Alpha (scheduled), Lambda, Lambda1, Mu, Mu1, Step, Epoch, B
  double operator()(std::string_view name) const;    // std::out_of_range for an unknown name
};
StepScalars stepScalars(const Settings &settings, int64_t step, int64_t epoch, int64_t steps, int64_t rows);

/// The order of the examples of an epoch: data-set rows sorted by (Philox word of (seed, stream, epoch, row, column 0),
/// row); the identity without shuffling. The same on every machine and for every batch size.
std::vector<int64_t> exampleOrder(const Settings &settings, uint32_t stream, int64_t epoch, int64_t rows);
} // namespace sn::rt
