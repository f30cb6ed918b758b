// Pooling functions that need no image. Reference section 1.7. Golden rows: Python's decimal module at 60 digits,
// rounded to 18.
#include "dialects/Vocabulary/Records.h"

namespace sn::vocab {
namespace {
/// Euclidean norm + 1e-8 from the sum of squares. The floor keeps the slope of the root finite for a zero vector, in
/// float too; its order of arguments lets a NaN through.
template <typename T> T norm(T squares) { return sqrt_(max_(T(1e-30), squares)) + 1e-8; }

Formula product() {
  return formula([](const auto *a, const auto *p) { return a[0] * a[1]; });
}

std::vector<Pooling> table() {
  return {
      {.name = "Maxout",
       .dsstneNumber = 4,
       .fold = formula([](const auto *a, const auto *p) { // the sum lets a NaN of either through
         return select(a[0] >= a[1], a[0], select(a[0] < a[1], a[1], a[0] + a[1]));
       }),
       .golden = {{{2, -1}, {}, 2, 1}, {{-1, 2}, {}, 2, 0}, {{0.5, 0.5}, {}, 0.5, 1}},
       .doc = "unit i is the greatest of the sources' units i",
       .note = "1.7; equal units: the gradient goes to the first source alone; T-14"},
      {.name = "DotProduct",
       .dsstneNumber = 5,
       .products = {product()},
       .value = formula([](const auto *a, const auto *p) { return a[0]; }),
       .golden = {{{1, 2, -3, 0.5, -1, 4}, {}, -13.5, 0.5}, {{0, 0, 1, 2}, {}, 0, 1}},
       .doc = "unit j is the sum over the units of x0 x(j+1), where x0, x1, ... are the sources",
       .note = "1.7; T-14"},
      {.name = "Cosine",
       .dsstneNumber = 6,
       .products = {product(), formula([](const auto *a, const auto *p) { return a[0] * a[0]; }),
                    formula([](const auto *a, const auto *p) { return a[1] * a[1]; })},
       .value = formula([](const auto *a, const auto *p) { return a[0] / (norm(a[1]) * norm(a[2])); }),
       .golden = {{{1, 2, -3, 0.5, -1, 4}, {}, -0.868710755905175418, 0.0942252405540358707},
                  {{1, 2, 2, 4}, {}, 0.999999993291796103, 8.94427180999915955e-10},
                  {{0, 0, 1, 2}, {}, 0, 4.4721354877860307e+7}},
       .doc = "unit j is x0 x(j+1) / ((|x0| + 1e-8) (|x(j+1)| + 1e-8)): the sum of products over the units, |x| the "
              "Euclidean norm",
       .note = "1.7"},
  };
}
} // namespace

std::span<const Pooling> poolings() {
  static const std::vector<Pooling> records = table();
  return records;
}
} // namespace sn::vocab
