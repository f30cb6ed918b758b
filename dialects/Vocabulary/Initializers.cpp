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
       .golden = {{{3, 5, 2}, {}, 1.73205080756887729, -0.866025403784438647}},
       .doc = "uniform on +-0.5 Scale sqrt(6 / (nin + nout))"},
      {.name = "Gaussian",
       .draw = "normal",
       .scale = scale(),
       .shift = zero(),
       .golden = {{{3, 5, 0.01}, {}, 0.01, 0}},
       .doc = "normal with mean 0 and standard deviation Scale"},
      {.name = "Uniform",
       .draw = "uniform",
       .scale = formula([](const auto *a, const auto *p) { return 2 * a[2]; }),
       .shift = formula([](const auto *a, const auto *p) { return -a[2]; }),
       .golden = {{{3, 5, 0.25}, {}, 0.5, -0.25}},
       .doc = "uniform on +-Scale"},
      {.name = "Constant",
       .draw = "none",
       .scale = zero(),
       .shift = scale(),
       .golden = {{{3, 5, 0.25}, {}, 0, 0.25}},
       .doc = "Scale"},
  };
}
} // namespace

std::span<const Initializer> initializers() {
  static const std::vector<Initializer> records = table();
  return records;
}
} // namespace sn::vocab
