// Losses. Reference section 1.14: summed over examples, units and output layers; `t` is 0 for units a sparse target
// does not store. The importer multiplies by the example's weight. Golden rows: Python's decimal module at 60 digits,
// rounded to 18.
#include "dialects/Vocabulary/Clamps.h"
#include "dialects/Vocabulary/Records.h"

namespace sn::vocab {
namespace {
std::vector<Param> margins() {
  return {{.name = "oneTarget", .byDefault = 0.9, .key = "oneTarget", .low = 0, .high = 1},
          {.name = "zeroTarget", .byDefault = 0.1, .key = "zeroTarget", .low = 0, .high = 1},
          {.name = "oneScale", .byDefault = 1, .key = "oneScale", .low = 0},
          {.name = "zeroScale", .byDefault = 1, .key = "zeroScale", .low = 0}};
}

std::vector<Loss> table() {
  return {
      {.name = "L2",
       .value = formula([](const auto *a, const auto *p) { return (a[0] - a[1]) * (a[0] - a[1]) * 0.5; }),
       .golden = {{{0.75, 0.25}, {}, 0.125, 0.5}, {{-1.5, 2}, {}, 6.125, -3.5}},
       .doc = "(y - t)^2 / 2"},
      {.name = "CrossEntropy",
       .aliases = {"Cross Entropy"},
       .value = formula(
           [](const auto *a, const auto *p) { return -(a[1] * clampedLog(a[0]) + (1 - a[1]) * clampedLog(1 - a[0])); }),
       .unitInterval = true,
       .indicator = true,
       .probe = {.low = 0.02, .high = 0.98},
       .golden = {{{0.3, 1}, {}, 1.20397280432593599, -3.33333333333333333},
                  {{0.3, 0}, {}, 0.356674943938732379, 1.42857142857142857},
                  {{0.8, 0.25}, {}, 1.26286432215412772, 3.4375},
                  {{0, 1}, {}, 27.6310211159285482, 0}},
       .doc = "-(t ln y + (1 - t) ln(1 - y)), logarithms clamped at 1e-12; -t ln y behind SoftMax"},
      // The targets are margins: a unit already on the good side has neither loss nor gradient. With oneTarget 1 and
      // zeroTarget 0 this is the binary cross-entropy with a scale per class.
      {.name = "ScaledMarginalCrossEntropy",
       .object = "ScaledMarginalCrossEntropy",
       .params = margins(),
       .value = formula([](const auto *a, const auto *p) {
         using T = std::decay_t<decltype(a[0])>;
         T y = a[0], t = a[1];
         T one = select(y < p[0], -p[2] * clampedLog(y), T(0));
         T zero = select(y > p[1], -p[3] * clampedLog(1 - y), T(0));
         return whereEqual(t, T(1), one, whereEqual(t, T(0), zero, T(0)));
       }),
       .unitInterval = true,
       .indicator = true,
       .probe = {.low = 0.02, .high = 0.98, .kinks = {0.1, 0.9}},
       .golden = {{{0.3, 1}, {}, 1.20397280432593599, -3.33333333333333333},
                  {{0.3, 0}, {}, 0.356674943938732379, 1.42857142857142857},
                  {{0.95, 1}, {}, 0, 0},
                  {{0.05, 0}, {}, 0, 0},
                  {{0.3, 0.5}, {}, 0, 0},
                  {{0.2, 1}, {1, 0, 30, 1}, 48.2831373730230112, -150}},
       .doc = "t = 1 and y < oneTarget: -oneScale ln y; t = 0 and y > zeroTarget: -zeroScale ln(1 - y); else 0"},
  };
}
} // namespace

std::span<const Loss> losses() {
  static const std::vector<Loss> records = table();
  return records;
}
} // namespace sn::vocab
