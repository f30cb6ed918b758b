// Schedules and initialisers: the formulas evaluated on the host.
#include "test/unit/vocabulary/Support.h"

namespace sn::vocab::test {
TEST(Schedule, GoldenRows) {
  for (const Schedule &schedule : schedules()) {
    ASSERT_FALSE(schedule.golden.empty()) << schedule.name;
    for (const Golden &golden : schedule.golden) {
      Doubles params = paramsOf(golden, schedule.params);
      expectClose(value(schedule.rate, golden.args, params), golden.value, 1e-15, std::string(schedule.name));
      expectClose(derivative(schedule.rate, golden.args, params), golden.derivative, 1e-14, std::string(schedule.name));
      expectAllInstantiationsAgree(schedule.rate, golden.args, params);
    }
  }
}

TEST(Schedule, NeverAboveAlphaNorNegative) {
  for (const Schedule &schedule : schedules())
    for (double step : {1, 2, 100, 1000, 5000}) {
      double rate = value(schedule.rate, {0.02, step, 1 + std::floor(step / 100), 100, 40}, defaults(schedule.params));
      EXPECT_TRUE(rate >= 0 && rate <= 0.02) << schedule.name << " at step " << step;
    }
}

TEST(Initializer, GoldenRows) {
  for (const Initializer &initializer : initializers()) {
    ASSERT_FALSE(initializer.golden.empty()) << initializer.name;
    for (const Golden &golden : initializer.golden) {
      expectClose(value(initializer.scale, golden.args), golden.value, 1e-15, std::string(initializer.name));
      expectClose(value(initializer.shift, golden.args), golden.derivative, 1e-15, std::string(initializer.name));
      expectAllInstantiationsAgree(initializer.scale, golden.args, {});
      expectAllInstantiationsAgree(initializer.shift, golden.args, {});
    }
  }
}

TEST(Initializer, UniformDrawsAreSymmetric) {
  for (const Initializer &initializer : initializers()) {
    EXPECT_TRUE(initializer.draw == "uniform" || initializer.draw == "normal" || initializer.draw == "none");
    if (initializer.draw == "uniform") {
      EXPECT_DOUBLE_EQ(value(initializer.scale, {30, 50, 0.7}), -2 * value(initializer.shift, {30, 50, 0.7}));
    }
  }
}
} // namespace sn::vocab::test
