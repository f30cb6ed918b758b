#include "runtime/exec/GradientCheck.h"
#include "runtime/exec/EntryRun.h"
#include "runtime/plan/Philox.h"
#include <algorithm>
#include <cmath>
#include <numeric>

namespace sn::rt {
namespace {
constexpr double kShare = 0.02;                // of the gradient
constexpr double kNoise = 4e-7, kLeast = 1e-5; // of a sum of float32 terms; of the updated float32 weights
/// Tried in turn: a kink inside one may be none inside another. After the last one the slopes to either side count,
/// too: where a kink is (L1 at 0), the derivative lies between them.
constexpr double kSteps[] = {1e-2, 3e-2, 1e-3};

/// The one whose update is the gradient at a learning rate of 1.
const plan::Optimizer &plainOptimizer(const plan::Plan &plan) {
  for (const plan::Optimizer &optimizer : plan.optimizers)
    if (optimizer.states.empty())
      return optimizer;
  userError("the plan has no optimizer without states, by which gradients can be looked at");
}

/// How many layers use the matrix: its gradient is their average (T-17).
double usersOf(const plan::Plan &plan, const std::string &parameter) {
  double scale = 1;
  for (const plan::Entry &entry : plan.entries)
    for (const plan::Step &step : entry.steps)
      for (const plan::Source &source : step.sources)
        if (source.weights == parameter)
          scale = std::min(scale, source.scale);
  return std::round(1 / scale);
}

class Check {
public:
  Check(Model &model, const Settings &settings, const Binding &data)
      : model(model), settings(settings), rows(std::min(settings.batch, data.rows)), order(static_cast<size_t>(rows)),
        entry(model, "train", data, rows, &plainOptimizer(model.plan())) {
    std::iota(order.begin(), order.end(), 0);
    for (const char *name : {"Lambda", "Lambda1"})
      this->settings.hyper[name] = 0;
    this->settings.alpha = plan::Expr("Alpha");
  }

  GradientReport run(int64_t each) {
    std::map<std::string, std::vector<float>> before = values();
    report.loss = loss(1);
    std::map<std::string, std::vector<float>> after = values();
    restore(before);
    for (const plan::Parameter &parameter : model.plan().parameters)
      if (parameter.trained)
        compare(parameter, before.at(parameter.name), after.at(parameter.name), each);
    restore(before); // running statistics, too
    return std::move(report);
  }

private:
  /// Of the batch, summed; updates with this learning rate. At 0 weights keep their bits.
  double loss(double alpha) {
    settings.hyper["Alpha"] = alpha;
    Batch batch{rows, order.data(), settings.seed, 1};
    return entry.run(batch, stepScalars(settings, 1, 1, 1, rows)).reports["loss"];
  }
  std::map<std::string, std::vector<float>> values() {
    std::map<std::string, std::vector<float>> all;
    for (const plan::Parameter &parameter : model.plan().parameters)
      all[parameter.name] = model.parameter(parameter.name);
    return all;
  }
  void restore(const std::map<std::string, std::vector<float>> &all) {
    for (const auto &[name, values] : all)
      model.setParameter(name, values);
  }
  /// Positions in [in, out] order: the largest gradients, then others by chance.
  std::vector<size_t> chosen(const std::vector<double> &gradients, int64_t each) const {
    std::vector<size_t> all(gradients.size());
    std::iota(all.begin(), all.end(), 0);
    const size_t half = std::min(all.size(), static_cast<size_t>(each + 1) / 2);
    std::partial_sort(all.begin(), all.begin() + static_cast<int64_t>(half), all.end(), [&](size_t a, size_t b) {
      const double x = std::fabs(gradients[a]), y = std::fabs(gradients[b]);
      return x != y ? x > y : a < b;
    });
    for (size_t i = half; i < std::min(all.size(), static_cast<size_t>(each)); ++i) {
      const uint32_t word = plan::randomWord({settings.seed, 0, 0}, i, 0);
      std::swap(all[i], all[i + word % (all.size() - i)]);
    }
    all.resize(std::min(all.size(), static_cast<size_t>(each)));
    return all;
  }

  void compare(const plan::Parameter &parameter, const std::vector<float> &before, const std::vector<float> &after,
               int64_t each) {
    std::vector<double> gradients(before.size());
    for (size_t i = 0; i < before.size(); ++i)
      gradients[i] = static_cast<double>(after[i]) - static_cast<double>(before[i]);
    const double share = 1 / (static_cast<double>(rows) * usersOf(model.plan(), parameter.name));
    const int64_t out = model.extents(0).of(parameter.out);
    for (size_t i : chosen(gradients, each)) {
      GradientSample best;
      for (double step : kSteps) {
        GradientSample sample =
            measured(parameter, before, i, step * std::max(1.0, std::fabs(double(before[i]))), share);
        sample.in = static_cast<int64_t>(i) / out;
        sample.out = static_cast<int64_t>(i) % out;
        sample.analytic = gradients[i];
        sample.tolerance += kShare * std::max(std::fabs(sample.analytic), std::fabs(sample.numeric));
        best = sample;
        if (best.agrees())
          break;
      }
      if (!best.agrees()) // of the last step
        best.numeric = std::clamp(best.analytic, best.slopes.first, best.slopes.second);
      report.failures += !best.agrees();
      report.samples.push_back(best);
    }
  }

  GradientSample measured(const plan::Parameter &parameter, const std::vector<float> &before, size_t at, double step,
                          double share) {
    std::vector<float> moved = before;
    auto lossAt = [&](double by) {
      moved[at] = static_cast<float>(before[at] + by);
      model.setParameter(parameter.name, moved);
      return loss(0);
    };
    const double up = lossAt(step), upAt = moved[at], down = lossAt(-step), downAt = moved[at];
    model.setParameter(parameter.name, before);
    GradientSample sample{parameter.name};
    sample.numeric = -(up - down) / (upAt - downAt) * share;
    const double right = -(up - report.loss) / (upAt - before[at]) * share,
                 left = -(report.loss - down) / (before[at] - downAt) * share;
    sample.slopes = {std::min(left, right), std::max(left, right)};
    sample.tolerance = kLeast + kNoise * (std::fabs(up) + std::fabs(down)) / (upAt - downAt) * share;
    return sample;
  }

  Model &model;
  Settings settings;
  int64_t rows;
  std::vector<int64_t> order;
  EntryRun entry;
  GradientReport report;
};
} // namespace

bool GradientSample::agrees() const { return std::fabs(analytic - numeric) <= tolerance; }

GradientReport checkGradients(Model &model, const Settings &settings, const Binding &data, int64_t each) {
  model.allocateStates(plainOptimizer(model.plan()));
  return Check(model, settings, data).run(each);
}
} // namespace sn::rt
