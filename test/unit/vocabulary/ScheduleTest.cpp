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
} // namespace sn::vocab::test
