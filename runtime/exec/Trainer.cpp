#include "runtime/exec/Trainer.h"
#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <stdexcept>

namespace sn::rt {
namespace {
constexpr const char *kLoss = "loss"; // Step::report of the training error
constexpr const char *kTrial = "trial";
/// Of the divergence brake: steps at a tenth of the learning rate after one that is left out.
constexpr int64_t kBraked = 25;

/// The entries share the model's arena, which must be large enough for all of them before the first is prepared; and
/// they must know then which updates are put off.
int64_t prepared(Model &model, const Settings &settings, const Binding &data) {
  const int64_t rows = std::min(settings.batch, data.rows);
  model.factor(settings, data);
  model.arena(Trainer::bufferCount(model.plan(), model.extents(rows)));
  model.defer(
      parametersToDefer(model.plan(), model.device(), settings, data, batchModel(settings, data, model.extents(rows))));
  return rows;
}
int64_t batchesOf(int64_t examples, int64_t batch) { return (examples + batch - 1) / batch; }
} // namespace

std::string divergenceAdvice(double alpha) {
  return fmt::format(
      "The learning rate was {:g}; try a smaller --alpha (a tenth of it), another --optimizer, or, where "
      "the data hold large values, values scaled to about 1",
      alpha);
}

Trainer::Trainer(Model &model, const Settings &settings, const Binding &data)
    : model(model), theSettings(settings), shuffleStream(model.plan().shuffleStream), examples(data.rows),
      // Without states there is nothing to clear, and Step goes on (reference 5.1).
      clears(model.plan().training.clearState && settings.optimizer && !settings.optimizer->states.empty()),
      entry(model, "train", data, prepared(model, settings, data), settings.optimizer) {
  if (model.plan().training.brake)
    trial.emplace(model, kTrial, data, std::min(settings.batch, data.rows), nullptr, entry.feed());
}

int64_t Trainer::bufferCount(const plan::Plan &plan, const Extents &extents) {
  int64_t count = 0;
  for (const char *name : {"train", kTrial})
    if (const plan::Entry *found = plan::findEntry(plan, name))
      count = std::max(count, EntryRun::bufferCount(*found, extents));
  return count;
}

int64_t Trainer::stepsPerEpoch() const { return batchesOf(examples, theSettings.batch); }

void Trainer::resume(const Position &position, const EpochSums &sums) {
  at = position;
  epochSums = sums;
  ownExamples = 0;
  ownSeconds = 0;
}

bool Trainer::runEpoch(const OnBatch &onBatch) {
  if (at.example >= examples)
    return true;
  if (clears && at.example == 0)
    model.clearStates();
  bool going = true;
  while (going && at.example < examples) {
    auto begin = std::chrono::steady_clock::now();
    BatchReport batch = step();
    if (at.example >= examples)
      model.fold(); // whoever looks at an epoch's end finds weights
    ownExamples += batch.rows;
    ownSeconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    going = !onBatch || onBatch(batch);
  }
  return at.example >= examples;
}

StepScalars Trainer::scalarsOf(int64_t rows) const {
  return stepScalars(theSettings, (clears ? epochSums.steps : at.step) + 1, at.epoch + 1, stepsPerEpoch(), rows);
}

/// While the average warms up, the loss of the training step itself feeds it: no trial is needed.
BatchSums Trainer::runBatch(const Batch &batch, StepScalars &scalars, BrakeState &brake, BatchReport &report) {
  std::optional<BatchSums> tried;
  if (trial && brake.warmUp == 0) {
    tried = trial->run(batch, scalars);
    const double loss = tried->reports[kLoss];
    brake.average = 0.9 * brake.average + 0.1 * loss;
    if (loss > 2 * brake.average) {
      brake.braked = kBraked;
      report.diverging = brake.average;
    }
  }
  if (brake.braked > 0) {
    scalars.values["Alpha"] *= 0.1;
    --brake.braked;
  }
  report.alpha = scalars("Alpha");
  if (report.diverging) { // weights stay, and with them the regularisation
    tried->regularization = brake.regularization;
    return *tried;
  }
  Deferrals *const putOff = model.deferrals();
  if (putOff)
    putOff->beginStep(scalars);
  BatchSums sums = entry.run(batch, scalars);
  if (putOff)
    putOff->endStep();
  if (trial && brake.warmUp > 0) {
    brake.average = 0.9 * brake.average + 0.1 * sums.reports[kLoss];
    --brake.warmUp;
  }
  brake.regularization = sums.regularization;
  return sums;
}

void Trainer::drawOrder(int64_t epoch) {
  if (orderedEpoch == epoch)
    return;
  order = {}; // before the next one is made: they are as long as the data
  order = exampleOrder(theSettings, shuffleStream, epoch, examples);
  orderedEpoch = epoch;
}

/// Says which batch comes after this one. After an epoch's last that is the next epoch's first, of another order.
void Trainer::announceNext(int64_t epoch, int64_t after) {
  const bool over = after >= examples;
  if (entry.feed()->empty() || (over && epoch >= theSettings.epochs))
    return;
  if (over)
    drawOrder(epoch + 1);
  const int64_t first = over ? 0 : after;
  entry.announce(order.data() + first, std::min(theSettings.batch, examples - first));
}

BatchReport Trainer::step() {
  int64_t epoch = at.epoch + 1, rows = std::min(theSettings.batch, examples - at.example);
  StepScalars scalars = scalarsOf(rows);
  BatchReport report{rows, 0, scalars("Alpha"), {}};
  EpochSums next = epochSums;
  drawOrder(epoch);
  const std::vector<int64_t> ids(order.begin() + at.example, order.begin() + at.example + rows);
  announceNext(epoch, at.example + rows);
  try {
    BatchSums sums = runBatch({rows, ids.data(), theSettings.seed, static_cast<uint32_t>(epoch), at.step + 1}, scalars,
                              next.brake, report);
    for (const auto &[name, sum] : sums.reports)
      if (!std::isfinite(next.reports[name] += sum))
        throw NotFinite(fmt::format("the sum of '{}' over the epoch is {}", name, next.reports[name]));
    next.regularization += sums.regularization * static_cast<double>(rows);
    report.loss = sums.reports[kLoss];
  } catch (const NotFinite &problem) {
    throw Diverged(fmt::format("training has diverged in step {} (epoch {}): {}. {}", at.step + 1, epoch,
                               problem.what(), divergenceAdvice(report.alpha)));
  }
  next.alpha = report.alpha;
  next.examples += rows;
  ++next.steps;
  epochSums = std::move(next);
  at.example += rows;
  ++at.step;
  if (at.example >= examples) // whatever follows reads the weights
    model.settle();
  return report;
}

EpochReport Trainer::closeEpoch() {
  if (at.example < examples)
    throw std::logic_error("the epoch is not over");
  EpochReport report;
  report.epoch = at.epoch + 1;
  report.steps = epochSums.steps;
  report.examples = epochSums.examples;
  report.alpha = epochSums.alpha;
  report.seconds = ownSeconds;
  report.examplesPerSecond = ownSeconds > 0 ? static_cast<double>(ownExamples) / ownSeconds : 0;
  double count = static_cast<double>(epochSums.examples);
  for (const auto &[name, sum] : epochSums.reports)
    report.reports[name] = sum / count;
  report.regularization = epochSums.regularization / count;
  report.training = report.reports[kLoss];
  report.reports.erase(kLoss);
  resume({at.step, at.epoch + 1, 0}, {});
  return report;
}

EpochReport Trainer::trainEpoch() {
  runEpoch();
  return closeEpoch();
}

std::optional<double> averageLoss(EntryRun &entry, const Settings &settings, const Position &at,
                                  const std::function<bool()> &stop) {
  std::vector<int64_t> order(static_cast<size_t>(entry.data().rows));
  std::iota(order.begin(), order.end(), 0);
  int64_t examples = entry.data().rows, steps = batchesOf(examples, settings.batch);
  double sum = 0;
  for (int64_t first = 0; first < examples; first += settings.batch) {
    if (stop && stop())
      return std::nullopt;
    int64_t rows = std::min(settings.batch, examples - first);
    StepScalars scalars =
        stepScalars(settings, std::max<int64_t>(1, at.step), std::max<int64_t>(1, at.epoch), steps, rows);
    Batch batch{rows, order.data() + first, settings.seed, static_cast<uint32_t>(at.epoch)};
    if (const int64_t after = first + rows; after < examples)
      entry.announce(order.data() + after, std::min(settings.batch, examples - after));
    try {
      sum += entry.run(batch, scalars).reports[kLoss];
    } catch (const NotFinite &problem) {
      userError("'{}': {} for rows {} to {}; the weights hold numbers that are too large or not numbers at all",
                entry.data().path, problem.what(), first, first + rows - 1);
    }
  }
  return sum / static_cast<double>(examples);
}

double averageLoss(EntryRun &entry, const Settings &settings, const Position &at) {
  return *averageLoss(entry, settings, at, {});
}
} // namespace sn::rt
