// Weight initialisers. Reference section 1.20: Xavier keeps half of the published range (T-34), Constant is +Scale
// (T-35 mended). a = {nin, nout, Scale}; nin and nout are the unit counts of source and layer.
#include "dialects/Vocabulary/Records.h"

namespace sn::vocab {
namespace {
Formula zero() {
  return formula([](const auto *a, const auto *p) { return 0.0; });
}
Formula scale() {
  return formula([](const auto *a, const auto *p) { return a[2]; });
}

std::vector<Initializer> table() {
  return {
      {.name = "Xavier",
       .draw = "uniform",
       .scale = formula([](const auto *a, const auto *p) { return a[2] * sqrt_(6 / (a[0] + a[1])); }),
       .shift = formula([](const auto *a, const auto *p) { return -0.5 * a[2] * sqrt_(6 / (a[0] + a[1])); }),
       .dsstneNumber = 0,
       .golden = {{{3, 5, 2}, {}, 1.73205080756887729, -0.866025403784438647}},
       .doc = "uniform on +-0.5 Scale sqrt(6 / (nin + nout))",
       .note = "1.20; T-34: half of the published range, as DSSTNE's"},
      {.name = "CaffeXavier",
       .draw = "uniform",
       .scale = formula([](const auto *a, const auto *p) { return 2 * (a[2] * sqrt_(3 / a[1])); }),
       .shift = formula([](const auto *a, const auto *p) { return -(a[2] * sqrt_(3 / a[1])); }),
       .dsstneNumber = 1,
       .golden = {{{3, 5, 2}, {}, 3.09838667696593351, -1.54919333848296675}},
       .doc = "uniform on +-Scale sqrt(3 / nout)",
       .note = "1.20; Caffe itself divides by the fan-in"},
      {.name = "Gaussian",
       .draw = "normal",
       .scale = scale(),
       .shift = zero(),
       .dsstneNumber = 2,
       .golden = {{{3, 5, 0.01}, {}, 0.01, 0}},
       .doc = "normal with mean 0 and standard deviation Scale",
       .note = "1.20; T-36: matrices of odd size too"},
      {.name = "Uniform",
       .draw = "uniform",
       .scale = formula([](const auto *a, const auto *p) { return 2 * a[2]; }),
       .shift = formula([](const auto *a, const auto *p) { return -a[2]; }),
       .dsstneNumber = 3,
       .golden = {{{3, 5, 0.25}, {}, 0.5, -0.25}},
       .doc = "uniform on +-Scale",
       .note = "1.20"},
      {.name = "UnitBall",
       .draw = "uniform",
       .scale = scale(),
       .shift = zero(),
       .dsstneNumber = 4,
       .golden = {{{3, 5, 0.25}, {}, 0.25, 0}},
       .doc = "uniform on [0, Scale)",
       .note = "1.20; not a ball, as DSSTNE's"},
      {.name = "SELU",
       .draw = "normal",
       .scale = formula([](const auto *a, const auto *p) { return 1 / a[0]; }),
       .shift = zero(),
       .dsstneNumber = 6,
       .golden = {{{3, 5, 0.25}, {}, 0.333333333333333333, 0}},
       .doc = "normal with mean 0 and standard deviation 1 / nin; Scale has no part in it",
       .note = "1.20; the published deviation is 1 / sqrt(nin); T-36: matrices of odd size too"},
      {.name = "Constant",
       .draw = "none",
       .scale = zero(),
       .shift = scale(),
       .dsstneNumber = 5,
       .dsstneShift = formula([](const auto *a, const auto *p) { return -a[2]; }),
       .golden = {{{3, 5, 0.25}, {}, 0, 0.25}},
       .dsstneGolden = {{{3, 5, 0.25}, {}, 0, -0.25}},
       .doc = "Scale",
       .note = "1.20; T-35: \"Compatibility\": \"dsstne\" makes it -Scale"},
  };
}
} // namespace

std::span<const Initializer> initializers() {
  static const std::vector<Initializer> records = table();
  return records;
}
} // namespace sn::vocab
