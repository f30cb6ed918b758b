#include "test/unit/vocabulary/Support.h"

namespace sn::vocab::test {
TEST(Initializer, GoldenRows) {
  for (const Initializer &initializer : initializers()) {
    ASSERT_FALSE(initializer.golden.empty()) << initializer.name;
    EXPECT_TRUE(initializer.draw == "uniform" || initializer.draw == "normal" || initializer.draw == "none");
    for (const Golden &golden : initializer.golden) {
      expectClose(value(initializer.scale, golden.args), golden.value, 1e-15, std::string(initializer.name));
      expectClose(value(initializer.shift, golden.args), golden.derivative, 1e-15, std::string(initializer.name));
      expectAllInstantiationsAgree(initializer.scale, golden.args, {});
      expectAllInstantiationsAgree(initializer.shift, golden.args, {});
    }
  }
}

TEST(Initializer, UniformDrawsAreSymmetricButForOne) {
  for (const Initializer &initializer : initializers())
    if (initializer.draw == "uniform" && initializer.name != "UnitBall") // reference 1.20
      EXPECT_DOUBLE_EQ(value(initializer.scale, {30, 50, 0.7}), -2 * value(initializer.shift, {30, 50, 0.7}));
}

TEST(Initializer, GoldenRowsOfDsstne) {
  for (const Initializer &initializer : initializers()) {
    EXPECT_EQ(static_cast<bool>(initializer.dsstneShift), !initializer.dsstneGolden.empty()) << initializer.name;
    for (const Golden &golden : initializer.dsstneGolden) {
      EXPECT_EQ(value(initializer.scale, golden.args), golden.value) << initializer.name;
      EXPECT_EQ(value(initializer.dsstneShift, golden.args), golden.derivative) << initializer.name;
      expectAllInstantiationsAgree(initializer.dsstneShift, golden.args, {});
    }
  }
  EXPECT_TRUE(find(initializers(), "Constant")->dsstneShift); // T-35
}
} // namespace sn::vocab::test
