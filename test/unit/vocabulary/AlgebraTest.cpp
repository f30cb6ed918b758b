// Each primitive: dual numbers against finite differences, Term against the scalar operations of plans, literals
// folded.
#include "test/unit/vocabulary/Support.h"

namespace sn::vocab::test {
namespace {
struct Primitive {
  const char *name;
  Formula formula; // a = {x, y}
};

std::vector<Primitive> primitives() {
  return {
      {"add", formula([](const auto *a, const auto *p) { return a[0] + a[1]; })},
      {"sub", formula([](const auto *a, const auto *p) { return a[0] - a[1]; })},
      {"mul", formula([](const auto *a, const auto *p) { return a[0] * a[1]; })},
      {"div", formula([](const auto *a, const auto *p) { return a[0] / a[1]; })},
      {"neg", formula([](const auto *a, const auto *p) { return -a[0]; })},
      {"min", formula([](const auto *a, const auto *p) { return min_(a[0], a[1]); })},
      {"max", formula([](const auto *a, const auto *p) { return max_(a[0], a[1]); })},
      {"abs", formula([](const auto *a, const auto *p) { return abs_(a[0]); })},
      {"exp", formula([](const auto *a, const auto *p) { return exp_(a[0]); })},
      {"sqrt", formula([](const auto *a, const auto *p) { return sqrt_(abs_(a[0]) + 1); })},
      {"log", formula([](const auto *a, const auto *p) { return log_(abs_(a[0]) + 1); })},
      {"log1p", formula([](const auto *a, const auto *p) { return log1p_(abs_(a[0])); })},
      {"tanh", formula([](const auto *a, const auto *p) { return tanh_(a[0]); })},
      {"cos", formula([](const auto *a, const auto *p) { return cos_(a[0]); })},
      {"floor", formula([](const auto *a, const auto *p) { return floor_(a[0] * 3); })},
      {"pow", formula([](const auto *a, const auto *p) { return pow_(abs_(a[0]), a[1]); })},
      {"select", formula([](const auto *a, const auto *p) { return select(a[0] < a[1], a[0] * 2, a[1] * 3); })},
      {"le", formula([](const auto *a, const auto *p) { return select(a[0] <= a[1], 1.0, 2.0) * a[0]; })},
      {"ge", formula([](const auto *a, const auto *p) { return select(a[0] >= a[1], 1.0, 2.0) * a[0]; })},
      {"gt", formula([](const auto *a, const auto *p) { return select(a[0] > a[1], 1.0, 2.0) * a[0]; })},
  };
}
} // namespace

TEST(Algebra, DualNumbersDifferentiateEachPrimitive) {
  for (const Primitive &primitive : primitives())
    for (double x : {-1.3, 0.4, 2.7})
      for (double y : {0.55, 1.9})
        for (size_t with : {0, 1}) {
          Doubles args{x, y};
          auto along = [&](double moved) {
            Doubles at = args;
            at[with] = moved;
            return value(primitive.formula, at);
          };
          expectClose(derivative(primitive.formula, args, {}, with), slope(along, args[with]), 1e-8, primitive.name);
        }
}

TEST(Algebra, TermsMeanWhatPlansCompute) {
  for (const Primitive &primitive : primitives())
    for (double x : {-1.3, 0.4, 2.7})
      for (double y : {0.4, 1.9}) {
        SCOPED_TRACE(primitive.name);
        expectAllInstantiationsAgree(primitive.formula, {x, y}, {});
      }
}

TEST(Algebra, LiteralsNeedNoBuilder) {
  for (const Primitive &primitive : primitives()) {
    Term args[] = {Term(0.4), Term(1.9)}, out;
    primitive.formula.term(args, nullptr, &out);
    EXPECT_EQ(out.builder, nullptr) << primitive.name;
    EXPECT_DOUBLE_EQ(out.literal, value(primitive.formula, {0.4, 1.9})) << primitive.name;
  }
}
} // namespace sn::vocab::test
