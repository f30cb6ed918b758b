// Activations. Reference section 1.12 with true functions and derivatives everywhere (T-19, T-20, T-21).
// Golden rows: Python's decimal module at 60 digits, rounded to 18.
#include "dialects/Vocabulary/Clamps.h"
#include "dialects/Vocabulary/Records.h"

namespace sn::vocab {
namespace {
const RowFormula &softMax() {
  static const RowFormula row{
      .reductions = {{Reduce::Max, formula([](const auto *a, const auto *p) { return a[0]; })},
                     {Reduce::Sum, formula([](const auto *a, const auto *p) { return exp_(a[0] - a[1]); })}},
      .value = formula([](const auto *a, const auto *p) { return exp_(a[0] - a[1]) / a[2]; }),
      .adjointReductions = {{Reduce::Sum, formula([](const auto *a, const auto *p) { return a[0] * a[1]; })}},
      .adjoint = formula([](const auto *a, const auto *p) { return a[1] * (a[0] - a[2]); })};
  return row;
}

/// e^x - 1 to full relative precision for x <= 0 or small: 2 t / (1 - t) with t = tanh(x / 2).
template <typename T> T expMinus1(T x) {
  T t = tanh_(0.5 * x);
  return 2 * t / (1 - t);
}

Param eluAlpha(std::string_view caution) {
  return {.name = "alpha", .byDefault = 1, .key = "ELUAlpha", .layerKey = true, .low = 0, .caution = caution};
}

Activation leakyRectifiedLinear() {
  return {
      .name = "LeakyRectifiedLinear",
      .aliases = {"LRelu"},
      .params = {{.name = "slope",
                  .byDefault = 1,
                  .key = "RELUSlope",
                  .layerKey = true,
                  .low = 0,
                  .aliases = {"Slope"},
                  .caution = "with its default of 1 LeakyRectifiedLinear is the identity (T-10)"}},
      .forward = formula([](const auto *a, const auto *p) { return select(a[0] <= 0, p[0] * a[0], a[0]); }),
      .gradFromOutput = formula([](const auto *a, const auto *p) {
        using T = std::decay_t<decltype(a[0])>;
        return select(a[0] <= 0, p[0], T(1));
      }),
      .dsstneNumber = 11,
      .probe = {.kinks = {0}},
      .golden =
          {{{-2}, {0.1}, -0.2, 0.1}, {{0}, {0.1}, 0, 0.1}, {{1.5}, {0.1}, 1.5, 1}, {{3}, {2}, 3, 1}, {{-2}, {}, -2, 1}},
      .doc = "x > 0: x; else slope x",
      .note =
          "1.12; T-10: the default slope is kept, and warned of; a slope above 1 is the slope of the negative side"};
}

Activation exponentialLinear() {
  return {.name = "ExponentialLinear",
          .aliases = {"ELU"},
          .params = {eluAlpha("")},
          .forward =
              formula([](const auto *a, const auto *p) { return select(a[0] <= 0, p[0] * expMinus1(a[0]), a[0]); }),
          .gradFromOutput = formula([](const auto *a, const auto *p) {
            using T = std::decay_t<decltype(a[0])>;
            return select(a[0] <= 0, a[0] + p[0], T(1));
          }),
          .dsstneNumber = 10,
          .probe = {.kinks = {0}},
          .golden = {{{-1.5}, {}, -0.776869839851570171, 0.223130160148429829},
                     {{-0.001}, {}, -0.000999500166625008332, 0.999000499833374992},
                     {{0}, {}, 0, 1},
                     {{2}, {}, 2, 1},
                     {{-0.7}, {0.5}, -0.251707348104295243, 0.248292651895704757},
                     {{0}, {0.5}, 0, 0.5}},
          .doc = "x > 0: x; else alpha (exp(x) - 1)",
          .note = "1.12; T-27"};
}

Activation scaledExponentialLinear() {
  return {
      .name = "ScaledExponentialLinear",
      .aliases = {"SELU"},
      .params = {eluAlpha("its default of 1 is not the 1.6732632 of the published SELU (T-11)"),
                 {.name = "lambda", .byDefault = 1.050701, .key = "SELULambda", .layerKey = true, .low = 0}},
      .forward =
          formula([](const auto *a, const auto *p) { return p[1] * select(a[0] <= 0, p[0] * expMinus1(a[0]), a[0]); }),
      .gradFromOutput =
          formula([](const auto *a, const auto *p) { return select(a[0] <= 0, a[0] + p[1] * p[0], p[1]); }),
      .dropped = formula([](const auto *a, const auto *p) { return -(p[1] * p[0]); }),
      .dsstneNumber = 12,
      .probe = {.kinks = {0}},
      .golden = {{{-1.5}, {}, -0.81625791760188463, 0.23444308239811537},
                 {{2}, {}, 2.101402, 1.050701},
                 {{-1.5}, {1.6732632, 1.050701}, -1.3658143352318658, 0.392284982271334197},
                 {{0.25}, {1.6732632, 1.050701}, 0.26267525, 1.050701},
                 {{0}, {1.6732632, 1.050701}, 0, 1.7580993175032}},
      .doc = "lambda x for x > 0; else lambda alpha (exp(x) - 1)",
      .note = "1.12; T-11: DSSTNE's default alpha is kept, and warned of; T-21: the true derivative at outputs too; "
              "T-30: alpha dropout"};
}

// Symmetric about 0, so that the derivative there is 1/2 whatever the slope of |x| is taken to be.
Activation softPlus() {
  return {.name = "SoftPlus",
          .forward =
              formula([](const auto *a, const auto *p) { return 0.5 * a[0] + 0.5 * abs_(a[0]) + softplusTail(a[0]); }),
          .gradFromOutput = formula([](const auto *a, const auto *p) { return -expMinus1(-a[0]); }),
          .dsstneNumber = 5,
          .probe = {.low = -6, .high = 6},
          .golden = {{{-30}, {}, 9.35762296883973678e-14, 9.35762296883929895e-14},
                     {{-2.5}, {}, 0.0788897342925496233, 0.0758581800212435512},
                     {{0}, {}, 0.693147180559945309, 0.5},
                     {{0.75}, {}, 1.13687100611489994, 0.679178699175392973},
                     {{3}, {}, 3.04858735157374206, 0.952574126822433219},
                     {{50}, {}, 50, 1}},
          .doc = "ln(1 + exp(x)), formed as max(0, x) + ln(1 + exp(-|x|))",
          .note = "1.12; T-19: DSSTNE parses the name and computes the identity"};
}

Activation softSign() {
  return {.name = "SoftSign",
          .forward = formula([](const auto *a, const auto *p) { return a[0] / (1 + abs_(a[0])); }),
          .gradFromOutput = formula([](const auto *a, const auto *p) { return (1 - abs_(a[0])) * (1 - abs_(a[0])); }),
          .dsstneNumber = 6,
          .probe = {.kinks = {0}},
          .golden = {{{-1.25}, {}, -0.555555555555555556, 0.197530864197530864},
                     {{0}, {}, 0, 1},
                     {{0.5}, {}, 0.333333333333333333, 0.444444444444444444},
                     {{2}, {}, 0.666666666666666667, 0.111111111111111111}},
          .doc = "x / (1 + |x|)",
          .note = "1.12; T-19: DSSTNE parses the name and computes the identity"};
}

std::vector<Activation> table() {
  return {
      {.name = "Sigmoid",
       .forward = formula([](const auto *a, const auto *p) { return 1 / (1 + exp_(-a[0])); }),
       .gradFromOutput = formula([](const auto *a, const auto *p) { return a[0] * (1 - a[0]); }),
       .unitInterval = true,
       .dsstneNumber = 0,
       .probe = {.low = -6, .high = 6},
       .golden = {{{-2.5}, {}, 0.0758581800212435512, 0.0701037165451081569},
                  {{0.75}, {}, 0.679178699175392973, 0.217894993761814029},
                  {{3}, {}, 0.952574126822433219, 0.0451766597309121326},
                  {{-20}, {}, 2.06115361819020358e-9, 2.06115361394184934e-9}},
       .doc = "1 / (1 + exp(-x))",
       .note = "1.12"},
      {.name = "Tanh",
       .forward = formula([](const auto *a, const auto *p) { return tanh_(a[0]); }),
       .gradFromOutput = formula([](const auto *a, const auto *p) { return 1 - a[0] * a[0]; }),
       .dsstneNumber = 1,
       .golden = {{{-1.25}, {}, -0.848283639957512898, 0.280414866180432628},
                  {{0.5}, {}, 0.462117157260009759, 0.786447732965927410},
                  {{2}, {}, 0.964027580075816884, 0.0706508248531644657}},
       .doc = "tanh(x)",
       .note = "1.12"},
      // Written with <= so that a NaN is passed on and the derivative at 0 is 0.
      {.name = "RectifiedLinear",
       .aliases = {"Relu"},
       .forward = formula([](const auto *a, const auto *p) { return select(a[0] <= 0, 0, a[0]); }),
       .gradFromOutput = formula([](const auto *a, const auto *p) { return select(a[0] <= 0, 0.0, 1.0); }),
       .dsstneNumber = 2,
       .probe = {.kinks = {0}},
       .golden = {{{-2}, {}, 0, 0}, {{0}, {}, 0, 0}, {{1.5}, {}, 1.5, 1}},
       .doc = "max(0, x); the derivative at 0 is 0",
       .note = "1.12"},
      {.name = "Linear",
       .forward = formula([](const auto *a, const auto *p) { return a[0]; }),
       .gradFromOutput = formula([](const auto *a, const auto *p) { return 1.0; }),
       .dsstneNumber = 3,
       .golden = {{{-2}, {}, -2, 1}, {{1.5}, {}, 1.5, 1}},
       .doc = "x",
       .note = "1.12"},
      leakyRectifiedLinear(),
      exponentialLinear(),
      scaledExponentialLinear(),
      softPlus(),
      softSign(),
      {.name = "SoftMax",
       .row = &softMax(),
       .unitInterval = true,
       .dsstneNumber = 7,
       .golden = {{{0.5, -1, 2}, {}, 0.175290392140036690, 0.144563670563428853},
                  {{3, 1, 0, -2}, {}, 0.839024507462531993, 0.135062383339787589}},
       .doc = "exp(x - max) / sum of exp(x - max), over all units of the layer",
       .note = "1.12; T-20: the Jacobian is applied in hidden layers and behind losses without a multinomial form"},
  };
}
} // namespace

std::span<const Activation> activations() {
  static const std::vector<Activation> records = table();
  return records;
}
} // namespace sn::vocab
