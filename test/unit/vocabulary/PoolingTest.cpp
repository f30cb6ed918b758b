#include "test/unit/vocabulary/Support.h"

namespace sn::vocab::test {
namespace {
/// The pooled value of two sources of one width.
double pooled(const Pooling &pooling, const Doubles &x, const Doubles &y) {
  Doubles sums;
  for (const Formula &product : pooling.products) {
    double sum = 0;
    for (size_t i = 0; i < x.size(); ++i)
      sum += value(product, {x[i], y[i]});
    sums.push_back(sum);
  }
  return value(pooling.value, sums);
}
/// Its derivative by x[0], by the chain rule over the sums.
double slopeAtFirst(const Pooling &pooling, const Doubles &x, const Doubles &y) {
  Doubles sums;
  for (const Formula &product : pooling.products) {
    double sum = 0;
    for (size_t i = 0; i < x.size(); ++i)
      sum += value(product, {x[i], y[i]});
    sums.push_back(sum);
  }
  double total = 0;
  for (size_t k = 0; k < sums.size(); ++k)
    total += derivative(pooling.value, sums, {}, k) * derivative(pooling.products[k], {x[0], y[0]});
  return total;
}
Doubles half(const Doubles &args, bool second) {
  auto middle = args.begin() + static_cast<std::ptrdiff_t>(args.size() / 2);
  return second ? Doubles(middle, args.end()) : Doubles(args.begin(), middle);
}
} // namespace

TEST(Pooling, EitherAFoldOrAComparison) {
  for (const Pooling &pooling : poolings()) {
    EXPECT_NE(static_cast<bool>(pooling.fold), static_cast<bool>(pooling.value)) << pooling.name;
    EXPECT_EQ(static_cast<bool>(pooling.value), !pooling.products.empty()) << pooling.name;
  }
}

TEST(Pooling, GoldenRows) {
  for (const Pooling &pooling : poolings()) {
    ASSERT_FALSE(pooling.golden.empty()) << pooling.name;
    for (const Golden &golden : pooling.golden) {
      std::string where(pooling.name);
      if (pooling.fold) {
        EXPECT_EQ(value(pooling.fold, golden.args), golden.value) << where;
        EXPECT_EQ(derivative(pooling.fold, golden.args), golden.derivative) << where;
        expectAllInstantiationsAgree(pooling.fold, golden.args, {});
        continue;
      }
      Doubles x = half(golden.args, false), y = half(golden.args, true);
      expectClose(pooled(pooling, x, y), golden.value, 1e-15, where);
      expectClose(slopeAtFirst(pooling, x, y), golden.derivative, 1e-15, where);
    }
  }
}

TEST(Pooling, DerivativeEqualsFiniteDifference) {
  Doubles x{0.3, -1.2, 2.1}, y{0.5, 0.4, -0.7};
  for (const Pooling &pooling : poolings()) {
    auto along = [&](double moved) {
      Doubles at = x;
      at[0] = moved;
      return pooling.fold ? value(pooling.fold, {moved, y[0]}) : pooled(pooling, at, y);
    };
    double derived = pooling.fold ? derivative(pooling.fold, {x[0], y[0]}) : slopeAtFirst(pooling, x, y);
    expectClose(derived, slope(along, x[0]), 1e-8, std::string(pooling.name));
  }
}

TEST(Pooling, InstantiationsAgree) {
  for (const Pooling &pooling : poolings()) {
    SCOPED_TRACE(pooling.name);
    for (const Formula &product : pooling.products)
      expectAllInstantiationsAgree(product, {0.3, -1.5}, {});
    if (pooling.value)
      expectAllInstantiationsAgree(pooling.value, Doubles(pooling.products.size(), 1.5), {});
  }
}

TEST(Pooling, ZeroVectorsHaveFiniteValuesAndSlopes) {
  for (const Pooling &pooling : poolings())
    for (double tiny : {0.0, 1e-20, 1e-15, 1e-12, 1e-8})
      for (double other : {0.0, 1e-15, 1.0})
        if (!pooling.fold) {
          EXPECT_TRUE(std::isfinite(pooled(pooling, {tiny, 0}, {other, 0}))) << pooling.name << " " << tiny;
          EXPECT_TRUE(std::isfinite(slopeAtFirst(pooling, {tiny, 0}, {other, 0}))) << pooling.name << " " << tiny;
        }
}

TEST(Pooling, NotANumberShows) {
  for (const Pooling &pooling : poolings())
    for (const Doubles &args : {Doubles{NAN, 1}, Doubles{1, NAN}})
      EXPECT_TRUE(std::isnan(pooling.fold ? value(pooling.fold, args) : pooled(pooling, {args[0]}, {args[1]})))
          << pooling.name;
}
} // namespace sn::vocab::test
