#include "runtime/exec/Trainer.h"
#include <algorithm>
#include <chrono>
#include <numeric>

namespace sn::rt {
namespace {
constexpr const char *kLoss = "loss"; // Step::report of the training error
int64_t batchesOf(int64_t examples, int64_t batch) { return (examples + batch - 1) / batch; }
} // namespace

Trainer::Trainer(Model &model, const Settings &settings, const Binding &data)
    : theSettings(settings), shuffleStream(model.plan().shuffleStream), examples(data.rows),
      entry(model, "train", data, std::min(settings.batch, data.rows), settings.optimizer) {}

EpochReport Trainer::trainEpoch(const OnBatch &onBatch) {
  auto begin = std::chrono::steady_clock::now();
  EpochReport report;
  report.epoch = at.epoch + 1;
  std::vector<int64_t> order = exampleOrder(theSettings, shuffleStream, report.epoch, examples);
  int64_t steps = batchesOf(examples, theSettings.batch);
  while (at.example < examples) {
    int64_t rows = std::min(theSettings.batch, examples - at.example);
    BatchSums sums = step(order, rows, steps, report);
    for (const auto &[name, sum] : sums.reports)
      report.reports[name] += sum;
    report.regularization += sums.regularization * static_cast<double>(rows);
    report.examples += rows;
    ++report.steps;
    at.example += rows;
    ++at.step;
    if (onBatch)
      onBatch(at.example);
  }
  at.example = 0;
  ++at.epoch;
  for (auto &[name, sum] : report.reports)
    sum /= static_cast<double>(report.examples);
  report.regularization /= static_cast<double>(report.examples);
  report.training = report.reports[kLoss];
  report.reports.erase(kLoss);
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return report;
}

BatchSums Trainer::step(const std::vector<int64_t> &order, int64_t rows, int64_t steps, EpochReport &report) {
  StepScalars scalars = stepScalars(theSettings, at.step + 1, report.epoch, steps, rows);
  report.alpha = scalars("Alpha");
  Batch batch{rows, order.data() + at.example, theSettings.seed, static_cast<uint32_t>(report.epoch)};
  try {
    return entry.run(batch, scalars);
  } catch (const NotFinite &problem) {
    userError("training has diverged in step {} (epoch {}): {}. The learning rate was {:g}; try a smaller --alpha (a "
              "tenth of it) or "
              "another --optimizer. No weights were written",
              at.step + 1, report.epoch, problem.what(), report.alpha);
  }
}

double averageLoss(EntryRun &entry, const Settings &settings, const Position &at) {
  std::vector<int64_t> order(static_cast<size_t>(entry.data().rows));
  std::iota(order.begin(), order.end(), 0);
  int64_t examples = entry.data().rows, steps = batchesOf(examples, settings.batch);
  double sum = 0;
  for (int64_t first = 0; first < examples; first += settings.batch) {
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
} // namespace sn::rt
