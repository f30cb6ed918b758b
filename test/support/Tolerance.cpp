#include "test/support/Tolerance.h"
#include <algorithm>
#include <cmath>

namespace sn::test {
namespace {
constexpr double kFloatUnit = 0x1p-24;
} // namespace

double largest(const reference::Tensor &tensor) {
  double most = 0;
  for (double value : tensor.values)
    most = std::max(most, std::abs(value));
  return most;
}
double largestDifference(const reference::Tensor &a, const reference::Tensor &b) {
  double most = 0;
  for (size_t i = 0; i < a.values.size(); ++i)
    most = std::max(most, std::abs(a.values[i] - b.values[i]));
  return most;
}

Tolerance toleranceOf(const reference::Tensor &before, const reference::Tensor &nominal,
                      const reference::Tensor &flipped, const reference::Tensor &spread) {
  Tolerance tolerance{1e-4 * largestDifference(nominal, before) + 4 * kFloatUnit * largest(before) + 1e-30,
                      spread.values};
  const double kinks = largestDifference(flipped, nominal);
  for (double &extra : tolerance.extra)
    extra += kinks;
  return tolerance;
}

namespace {
reference::Tensor whole(const reference::Tensor &before, const reference::Tensor &nominal,
                        const reference::Tensor &flipped, const reference::Tensor &spread) {
  const Tolerance tolerance = toleranceOf(before, nominal, flipped, spread);
  reference::Tensor to = nominal;
  for (size_t i = 0; i < to.values.size(); ++i)
    to.values[i] = tolerance.plain + tolerance.extra[i];
  return to;
}
} // namespace

reference::State tolerancesOf(const Expected &expected) {
  const reference::State &before = expected.before, &nominal = expected.nominal.after,
                         &flipped = expected.flipped.after, &spread = expected.spread;
  reference::State to;
  for (const auto &[name, tensor] : nominal.parameters)
    to.parameters[name] =
        whole(before.parameters.at(name), tensor, flipped.parameters.at(name), spread.parameters.at(name));
  for (const auto &[name, states] : nominal.states)
    for (size_t i = 0; i < states.size(); ++i)
      to.states[name].push_back(
          whole(before.states.at(name)[i], states[i], flipped.states.at(name)[i], spread.states.at(name)[i]));
  return to;
}
} // namespace sn::test
