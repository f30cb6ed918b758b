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

constexpr std::string_view kMargins = "ScaledMarginalCrossEntropy", kDataMargins = "DataScaledMarginalCrossEntropy";

// Sides are asked as "on the good side?", so that a NaN answers no and shows.
Loss l2Hinge() {
  return {.name = "L2Hinge",
          .value = formula([](const auto *a, const auto *p) {
            using T = std::decay_t<decltype(a[0])>;
            T d = a[0] - abs_(a[1]), square = 0.5 * (d * d);
            return select(a[1] > 0, select(d >= 0, T(0), square), select(d <= 0, T(0), square));
          }),
          .boost = Boost::UnitInterval,
          .dsstneNumber = 6,
          .probe = {.kinks = {0, 0.25, 0.75, 1}},
          .golden = {{{0.25, 1}, {}, 0.28125, -0.75},
                     {{1.5, 1}, {}, 0, 0},
                     {{0.75, 0}, {}, 0.28125, 0.75},
                     {{-0.5, 0}, {}, 0, 0},
                     {{0.5, -2}, {}, 0, 0},
                     {{2.5, -2}, {}, 0.125, 0.5},
                     {{0.5, 0.75}, {}, 0.03125, -0.25}},
          .doc = "t > 0: min(0, y - t)^2 / 2; else max(0, y - |t|)^2 / 2",
          .note = "1.14; T-24, T-27: one half and max(0, y) everywhere"};
}

Loss hinge() {
  return {.name = "Hinge",
          .value = formula([](const auto *a, const auto *p) {
            using T = std::decay_t<decltype(a[0])>;
            T margin = 1 - a[1] * a[0];
            return select(margin <= 0, T(0), margin);
          }),
          .dsstneNumber = 5,
          .probe = {.kinks = {1, 1 / 0.75}},
          .golden = {{{0.25, 1}, {}, 0.75, -1},
                     {{1.5, 1}, {}, 0, 0},
                     {{-0.5, -1}, {}, 0.5, 1},
                     {{0.5, -2}, {}, 2, 2},
                     {{0.75, 0}, {}, 1, 0},
                     {{1, 1}, {}, 0, 0}},
          .doc = "max(0, 1 - t y)",
          .note = "1.14; T-26: the true derivative, t y < 1: -t; sparse targets too, where a unit that is not stored "
                  "counts 1 and has no gradient"};
}

Loss dataScaledMargins() {
  return {
      .name = kDataMargins,
      .object = kMargins,
      .objectAliases = {kDataMargins},
      .params = margins(),
      .value = formula([](const auto *a, const auto *p) {
        using T = std::decay_t<decltype(a[0])>;
        T y = a[0], t = a[1];
        T stored = select(y >= p[0], T(0), -(p[2] * t) * clampedLog(y));
        T zero = select(y <= p[1], T(0), -p[3] * clampedLog(1 - y));
        return whereStored(t, stored, zero);
      }),
      .unitInterval = true,
      .rowWise = false,
      .dsstneNumber = 4,
      .probe = {.low = 0.02, .high = 0.98, .kinks = {0.1, 0.9}},
      .golden = {{{0.3, 1}, {}, 1.20397280432593599, -3.33333333333333333},
                 {{0.3, 2.5}, {}, 3.00993201081483998, -8.33333333333333333},
                 {{0.3, 0}, {}, 0.356674943938732379, 1.42857142857142857},
                 {{0.3, -0.0}, {}, 0, 0},
                 {{0.95, 2.5}, {}, 0, 0},
                 {{0.05, 0}, {}, 0, 0},
                 {{0.2, 0.5}, {1, 0, 30, 2}, 24.1415686865115056, -75}},
      .doc = "stored and y < oneTarget: -oneScale t ln y; not stored and y > zeroTarget: -zeroScale ln(1 - y); else 0",
      .note = "1.14; T-25: binary targets count 1; a stored 0 is stored; of a dense target what is not 0 is stored; "
              "not behind SoftMax; T-52: weights multiply the loss"};
}

std::vector<Loss> table() {
  return {
      {.name = "L1",
       .value = formula([](const auto *a, const auto *p) {
         auto d = a[0] - a[1]; // the last branch lets a NaN through and has the derivative 0
         return select(a[0] < a[1], -d, select(a[0] > a[1], d, d * 0));
       }),
       .boost = Boost::Always,
       .dsstneNumber = 0,
       .probe = {.kinks = {0, 0.25, 0.75, 1}},
       .golden = {{{0.75, 0.25}, {}, 0.5, 1}, {{-1.5, 2}, {}, 3.5, -1}, {{0.5, 0.5}, {}, 0, 0}},
       .doc = "|y - t|; the derivative at y = t is 0",
       .note = "1.14; T-27: the sign is that of y - t, stored values count"},
      {.name = "L2",
       .value = formula([](const auto *a, const auto *p) { return (a[0] - a[1]) * (a[0] - a[1]) * 0.5; }),
       .boost = Boost::UnitInterval,
       .dsstneNumber = 1,
       .golden = {{{0.75, 0.25}, {}, 0.125, 0.5}, {{-1.5, 2}, {}, 6.125, -3.5}},
       .doc = "(y - t)^2 / 2",
       .note = "1.14; T-24: one half everywhere; behind SoftMax the true gradient, not y - t"},
      l2Hinge(),
      {.name = "CrossEntropy",
       .aliases = {"Cross Entropy"},
       .value = formula(
           [](const auto *a, const auto *p) { return -(a[1] * clampedLog(a[0]) + (1 - a[1]) * clampedLog(1 - a[0])); }),
       .unitInterval = true,
       .indicator = true,
       .boost = Boost::Always,
       .dsstneNumber = 2,
       .probe = {.low = 0.02, .high = 0.98},
       .golden = {{{0.3, 1}, {}, 1.20397280432593599, -3.33333333333333333},
                  {{0.3, 0}, {}, 0.356674943938732379, 1.42857142857142857},
                  {{0.8, 0.25}, {}, 1.26286432215412772, 3.4375},
                  {{0, 1}, {}, 27.6310211159285482, 0}},
       .doc = "-(t ln y + (1 - t) ln(1 - y)), logarithms clamped at 1e-12; -t ln y behind SoftMax",
       .note = "1.14"},
      // The targets are margins: a unit already on the good side has neither loss nor gradient. With oneTarget 1 and
      // zeroTarget 0 this is the binary cross-entropy with a scale per class.
      {.name = "ScaledMarginalCrossEntropy",
       .object = kMargins,
       .objectAliases = {kDataMargins},
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
       .dsstneNumber = 3,
       .probe = {.low = 0.02, .high = 0.98, .kinks = {0.1, 0.9}},
       .golden = {{{0.3, 1}, {}, 1.20397280432593599, -3.33333333333333333},
                  {{0.3, 0}, {}, 0.356674943938732379, 1.42857142857142857},
                  {{0.95, 1}, {}, 0, 0},
                  {{0.05, 0}, {}, 0, 0},
                  {{0.3, 0.5}, {}, 0, 0},
                  {{0.2, 1}, {1, 0, 30, 1}, 48.2831373730230112, -150}},
       .doc = "t = 1 and y < oneTarget: -oneScale ln y; t = 0 and y > zeroTarget: -zeroScale ln(1 - y); else 0",
       .note = "1.14; the targets are margins; T-52: weights multiply the loss"},
      dataScaledMargins(),
      hinge(),
  };
}
} // namespace

std::span<const Loss> losses() {
  static const std::vector<Loss> records = table();
  return records;
}
} // namespace sn::vocab
