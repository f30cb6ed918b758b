#include "runtime/exec/Trainer.h"
#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <stdexcept>

namespace sn::rt {
namespace {
constexpr const char *kLoss = "loss"; // Step::report of the training error
int64_t batchesOf(int64_t examples, int64_t batch) { return (examples + batch - 1) / batch; }
} // namespace

std::string divergenceAdvice(double alpha) {
  return fmt::format(
      "The learning rate was {:g}; try a smaller --alpha (a tenth of it), another --optimizer, or, where "
      "the data hold large values, values scaled to about 1",
      alpha);
}

Trainer::Trainer(Model &model, const Settings &settings, const Binding &data)
    : theSettings(settings), shuffleStream(model.plan().shuffleStream), examples(data.rows),
      entry(model, "train", data, std::min(settings.batch, data.rows), settings.optimizer) {}

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
  std::vector<int64_t> order = exampleOrder(theSettings, shuffleStream, at.epoch + 1, examples);
  bool going = true;
  while (going && at.example < examples) {
    auto begin = std::chrono::steady_clock::now();
    BatchReport batch = step(order);
    ownExamples += batch.rows;
    ownSeconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    going = !onBatch || onBatch(batch);
  }
  return at.example >= examples;
}

BatchReport Trainer::step(const std::vector<int64_t> &order) {
  int64_t epoch = at.epoch + 1, rows = std::min(theSettings.batch, examples - at.example);
  StepScalars scalars = stepScalars(theSettings, at.step + 1, epoch, stepsPerEpoch(), rows);
  BatchReport report{rows, 0, scalars("Alpha")};
  EpochSums next = epochSums;
  try {
    BatchSums sums =
        entry.run({rows, order.data() + at.example, theSettings.seed, static_cast<uint32_t>(epoch)}, scalars);
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
