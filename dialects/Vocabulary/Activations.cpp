// Activations. Reference section 1.12; SoftMax hidden layers get their true Jacobian (T-20).
// Golden rows: Python's decimal module at 60 digits, rounded to 18.
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

std::vector<Activation> table() {
  return {
      {.name = "Sigmoid",
       .forward = formula([](const auto *a, const auto *p) { return 1 / (1 + exp_(-a[0])); }),
       .gradFromOutput = formula([](const auto *a, const auto *p) { return a[0] * (1 - a[0]); }),
       .unitInterval = true,
       .probe = {.low = -6, .high = 6},
       .golden = {{{-2.5}, {}, 0.0758581800212435512, 0.0701037165451081569},
                  {{0.75}, {}, 0.679178699175392973, 0.217894993761814029},
                  {{3}, {}, 0.952574126822433219, 0.0451766597309121326},
                  {{-20}, {}, 2.06115361819020358e-9, 2.06115361394184934e-9}},
       .doc = "1 / (1 + exp(-x))"},
      {.name = "Tanh",
       .forward = formula([](const auto *a, const auto *p) { return tanh_(a[0]); }),
       .gradFromOutput = formula([](const auto *a, const auto *p) { return 1 - a[0] * a[0]; }),
       .golden = {{{-1.25}, {}, -0.848283639957512898, 0.280414866180432628},
                  {{0.5}, {}, 0.462117157260009759, 0.786447732965927410},
                  {{2}, {}, 0.964027580075816884, 0.0706508248531644657}},
       .doc = "tanh(x)"},
      // Written with <= so that a NaN is passed on and the derivative at 0 is 0.
      {.name = "RectifiedLinear",
       .aliases = {"Relu"},
       .forward = formula([](const auto *a, const auto *p) { return select(a[0] <= 0, 0, a[0]); }),
       .gradFromOutput = formula([](const auto *a, const auto *p) { return select(a[0] <= 0, 0.0, 1.0); }),
       .probe = {.kinks = {0}},
       .golden = {{{-2}, {}, 0, 0}, {{0}, {}, 0, 0}, {{1.5}, {}, 1.5, 1}},
       .doc = "max(0, x); the derivative at 0 is 0"},
      {.name = "Linear",
       .forward = formula([](const auto *a, const auto *p) { return a[0]; }),
       .gradFromOutput = formula([](const auto *a, const auto *p) { return 1.0; }),
       .golden = {{{-2}, {}, -2, 1}, {{1.5}, {}, 1.5, 1}},
       .doc = "x"},
      {.name = "SoftMax",
       .row = &softMax(),
       .unitInterval = true,
       .golden = {{{0.5, -1, 2}, {}, 0.175290392140036690, 0.144563670563428853},
                  {{3, 1, 0, -2}, {}, 0.839024507462531993, 0.135062383339787589}},
       .doc = "exp(x - max) / sum of exp(x - max), over all units of the layer"},
  };
}
} // namespace

std::span<const Activation> activations() {
  static const std::vector<Activation> records = table();
  return records;
}
} // namespace sn::vocab
