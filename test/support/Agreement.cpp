#include "test/support/Agreement.h"
#include "compiler/Reference/Rounding.h"
#include "dialects/Net/Net.h"
#include "test/support/Tolerance.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>

namespace sn::test {
namespace {
// Gradients of float sums are this exact relative to the tensor's largest one, if they are well conditioned;
// pre-activations relative to the larger of 1 and themselves. Ill-conditioned gradients are found by noise in every
// operation.
constexpr double kGradientError = 3e-6, kNearness = 3e-6, kNoise = 0x1p-23;
constexpr uint64_t kSamples = 6; // of the errors of factors

reference::Tensor difference(const reference::Tensor &a, const reference::Tensor &b) {
  reference::Tensor to = a;
  for (size_t i = 0; i < to.values.size(); ++i)
    to.values[i] = std::abs(a.values[i] - b.values[i]);
  return to;
}
/// How far the three lie apart: an even function of the gradient is the same for errors of either sign.
reference::Tensor spreadOf(const reference::Tensor &low, const reference::Tensor &middle,
                           const reference::Tensor &high) {
  reference::Tensor to = middle;
  for (size_t i = 0; i < to.values.size(); ++i)
    to.values[i] = std::max({low.values[i], middle.values[i], high.values[i]}) -
                   std::min({low.values[i], middle.values[i], high.values[i]});
  return to;
}

/// A column that is scaled to a norm: what moves one of its entries moves the others.
void couple(reference::Tensor &spread, const reference::Tensor &value, double norm) {
  for (int64_t column = 0; column < value.columns; ++column) {
    double squares = 0;
    for (int64_t row = 0; row < value.rows; ++row)
      squares += spread(row, column) * spread(row, column);
    for (int64_t row = 0; row < value.rows; ++row)
      spread(row, column) += std::abs(value(row, column)) / norm * std::sqrt(squares);
  }
}

/// The worst entry seen so far.
struct Worst {
  double ratio = 1; // of the error to its tolerance
  std::string text;
};

void compareTensor(const std::string &name, const reference::Tensor &before, const reference::Tensor &nominal,
                   const reference::Tensor &flipped, const reference::Tensor &spread, const reference::Tensor &actual,
                   Strictness &strictness, Worst &worst) {
  const Tolerance tolerance = toleranceOf(before, nominal, flipped, spread);
  const double base = tolerance.plain;
  for (size_t i = 0; i < nominal.values.size(); ++i) {
    double extra = tolerance.extra[i];
    ++(extra > base ? strictness.wide : strictness.strict);
    double error = std::abs(actual.values[i] - nominal.values[i]), ratio = error / (base + extra);
    if (std::isnan(ratio))
      ratio = std::numeric_limits<double>::infinity();
    if (ratio <= worst.ratio)
      continue;
    worst.ratio = ratio;
    worst.text = fmt::format(
        "{} [{}, {}]: {:.9g}, the oracle has {:.9g} (before: {:.9g}); error {:.3g}, allowed {:.3g} + {:.3g}", name,
        static_cast<int64_t>(i) / nominal.columns, static_cast<int64_t>(i) % nominal.columns, actual.values[i],
        nominal.values[i], before.values[i], error, base, extra);
  }
}
} // namespace

double coarsestRounding(mlir::ModuleOp net) {
  double most = 0;
  net.walk([&](net::ContractOp product) {
    if (std::optional<llvm::StringRef> precision = product.getPrecision())
      most = std::max(most, plan::unitRoundoff(plan::precisionNamed(*precision).value()));
  });
  return most;
}

std::vector<reference::Result> noisyRuns(mlir::ModuleOp net, llvm::StringRef entry, const Tables &tables,
                                         const reference::State &before, reference::Run run) {
  std::vector<reference::Result> samples;
  run.noise = kNoise;
  run.factors = reference::Factors::Noisy;
  const uint64_t count = coarsestRounding(net) > 0 ? kSamples : 1;
  for (run.noiseSeed = 1; run.noiseSeed <= count; ++run.noiseSeed)
    samples.push_back(reference::interpret(net, entry, tables, before, run));
  return samples;
}

/// Stochastic rounding leaves a value at one of its neighbours; a bound on a column's norm is another rounding, by a
/// norm of rounded values.
static void addStorage(reference::Tensor &spread, const reference::Tensor &value, bool bounded) {
  for (size_t i = 0; i < spread.values.size(); ++i)
    spread.values[i] += (bounded ? 3 : 1) * reference::bf16Spacing(std::abs(value.values[i]) + spread.values[i]);
}

Expected expect(mlir::ModuleOp net, const Tables &tables, const reference::State &before, reference::Run run,
                const std::set<std::string> &narrow) {
  Expected expected{before, {}, {}, {}, {}};
  run.nearness = std::max(kNearness, 2 * coarsestRounding(net));
  const reference::Result &nominal = expected.nominal = reference::interpret(net, "train", tables, before, run);
  run.invertNear = true;
  expected.flipped = nominal.near == 0 ? nominal : reference::interpret(net, "train", tables, before, run);
  run.nearness = 0;
  expected.noisy = noisyRuns(net, "train", tables, before, run);
  for (const auto &[name, gradient] : nominal.gradients) {
    double error = kGradientError * largest(gradient);
    for (const reference::Result &noisy : expected.noisy)
      error = std::max(error, 4 * largestDifference(noisy.gradients.at(name), gradient));
    reference::Tensor more = gradient, less = gradient;
    for (size_t i = 0; i < gradient.values.size(); ++i)
      more.values[i] += error, less.values[i] -= error;
    reference::Updated high = reference::update(net, name, more, before, run),
                       low = reference::update(net, name, less, before, run);
    expected.spread.parameters[name] = spreadOf(low.value, nominal.after.parameters.at(name), high.value);
    auto parameter = net.lookupSymbol<net::ParameterOp>(name);
    if (auto norm = parameter.getNorm())
      couple(expected.spread.parameters[name], nominal.after.parameters.at(name), norm->convertToDouble());
    if (narrow.contains(name))
      addStorage(expected.spread.parameters[name], nominal.after.parameters.at(name), parameter.getNorm().has_value());
    for (size_t i = 0; i < high.states.size(); ++i)
      expected.spread.states[name].push_back(spreadOf(low.states[i], nominal.after.states.at(name)[i], high.states[i]));
  }
  for (const auto &[name, tensor] : nominal.after.parameters)
    if (!nominal.gradients.contains(name)) { // assigned, not updated
      reference::Tensor &spread = expected.spread.parameters[name] =
          difference(expected.noisy[0].after.parameters.at(name), tensor);
      for (size_t sample = 1; sample < expected.noisy.size(); ++sample)
        for (size_t i = 0; i < spread.values.size(); ++i)
          spread.values[i] =
              std::max(spread.values[i],
                       std::abs(expected.noisy[sample].after.parameters.at(name).values[i] - tensor.values[i]));
      for (double &value : spread.values)
        value = 4 * value + 1e-12; // a variance of equal values is the square of a rounding error
    }
  return expected;
}

std::string compareStates(const Expected &expected, const reference::State &actual, Strictness &strictness) {
  Worst worst;
  const reference::State &after = expected.nominal.after, &flipped = expected.flipped.after, &before = expected.before;
  for (const auto &[name, tensor] : after.parameters) {
    compareTensor(name, before.parameters.at(name), tensor, flipped.parameters.at(name),
                  expected.spread.parameters.at(name), actual.parameters.at(name), strictness, worst);
    auto found = after.states.find(name);
    if (found == after.states.end())
      continue; // not trained
    const std::vector<reference::Tensor> &states = found->second;
    for (size_t i = 0; i < states.size(); ++i)
      compareTensor(fmt::format("{} state {}", name, i), before.states.at(name)[i], states[i],
                    flipped.states.at(name)[i], expected.spread.states.at(name)[i], actual.states.at(name)[i],
                    strictness, worst);
  }
  return worst.text;
}

std::string compareSum(const std::string &what, double expected, double atKinks, double actual) {
  double tolerance = 1e-5 * std::abs(expected) + std::abs(atKinks - expected) + 1e-6;
  if (std::abs(actual - expected) <= tolerance)
    return "";
  return fmt::format("{}: {:.9g}, the oracle has {:.9g}; error {:.3g}, allowed {:.3g}", what, actual, expected,
                     std::abs(actual - expected), tolerance);
}

double roundingOfLoss(const Expected &expected) {
  double most = 0;
  for (const reference::Result &noisy : expected.noisy)
    most = std::max(most, 4 * std::abs(noisy.loss - expected.nominal.loss));
  return most;
}

std::string compareLoss(const Expected &expected, double actual) {
  double nominal = expected.nominal.loss;
  return compareSum("loss", nominal, nominal + std::abs(expected.flipped.loss - nominal) + roundingOfLoss(expected),
                    actual);
}

std::string compareLists(const std::string &layer, const reference::Tensor &scores, const Ranked &ranked,
                         double rounding) {
  for (int64_t row = 0; row < scores.rows; ++row) {
    std::vector<double> best(scores.values.begin() + row * scores.columns,
                             scores.values.begin() + (row + 1) * scores.columns);
    std::sort(best.begin(), best.end(), std::greater<>());
    double tolerance = 1e-5 * std::max(1.0, std::max(std::abs(best.front()), std::abs(best.back()))) + rounding;
    std::vector<bool> listed(best.size());
    for (int64_t place = 0; place < ranked.k; ++place) {
      int32_t column = ranked.columns[static_cast<size_t>(row * ranked.k + place)];
      double score = ranked.scores[static_cast<size_t>(row * ranked.k + place)];
      std::string where =
          fmt::format("{} row {} place {}: column {} with score {:.9g}", layer, row, place, column, score);
      if (place >= scores.columns) {
        if (column != -1)
          return where + ", but there are no more columns";
        continue;
      }
      if (column < 0 || column >= scores.columns || listed[static_cast<size_t>(column)])
        return where + ": no column, or one listed before";
      listed[static_cast<size_t>(column)] = true;
      if (!(std::abs(score - scores(row, column)) <= tolerance))
        return where + fmt::format(", the oracle has {:.9g}", scores(row, column));
      if (!(std::abs(score - best[static_cast<size_t>(place)]) <= tolerance))
        return where + fmt::format(", the oracle's score in this place is {:.9g}", best[static_cast<size_t>(place)]);
    }
  }
  return "";
}
} // namespace sn::test
