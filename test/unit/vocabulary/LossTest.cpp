#include "test/unit/vocabulary/Support.h"
#include <map>

namespace sn::vocab::test {
namespace {
const Doubles kTargets{0, 0.25, 1};
} // namespace

TEST(Loss, GoldenRows) {
  for (const Loss &loss : losses()) {
    ASSERT_FALSE(loss.golden.empty()) << loss.name;
    for (const Golden &golden : loss.golden) {
      Doubles params = paramsOf(golden, loss.params);
      std::string where = std::string(loss.name) + " at y = " + std::to_string(golden.args[0]);
      expectClose(value(loss.value, golden.args, params), golden.value, 1e-15, where);
      expectClose(derivative(loss.value, golden.args, params), golden.derivative, 1e-15, where);
    }
  }
}

TEST(Loss, DerivativeEqualsFiniteDifference) {
  for (const Loss &loss : losses()) {
    Doubles params = defaults(loss.params);
    for (double t : kTargets)
      for (double y : grid(loss.probe)) {
        auto f = [&](double at) { return value(loss.value, {at, t}, params); };
        expectClose(derivative(loss.value, {y, t}, params), slope(f, y), 1e-7, std::string(loss.name));
      }
  }
}

TEST(Loss, InstantiationsAgree) {
  for (const Loss &loss : losses()) {
    SCOPED_TRACE(loss.name);
    for (double t : kTargets)
      for (double y : grid(loss.probe))
        expectAllInstantiationsAgree(loss.value, {y, t}, defaults(loss.params));
  }
}

TEST(Loss, NeverNegativeAndFiniteAtTheEnds) {
  for (const Loss &loss : losses())
    for (double t : {0.0, 1.0})
      for (double y : {0.0, 0.5, 1.0}) {
        double l = value(loss.value, {y, t}, defaults(loss.params));
        EXPECT_TRUE(std::isfinite(l) && l >= 0) << loss.name << " " << y << " " << t;
      }
}

// Sums over examples would hide a unit whose loss is not a number (the margins of SMCE are asked by its pairs).
TEST(Loss, NotANumberShows) {
  for (const Loss &loss : losses())
    if (!loss.indicator)
      for (double t : {0.0, 1.0})
        EXPECT_TRUE(std::isnan(value(loss.value, {NAN, t}, defaults(loss.params)))) << loss.name << " " << t;
}

TEST(Loss, AStoredZeroIsTheSameToArithmetic) {
  for (const Loss &loss : losses())
    for (double y : grid(loss.probe)) {
      double stored = value(loss.value, {y, -0.0}, defaults(loss.params));
      if (loss.name == "DataScaledMarginalCrossEntropy")
        EXPECT_EQ(stored, 0) << y; // its weight is 0, and it is not a unit to push down
      else
        EXPECT_EQ(stored, value(loss.value, {y, 0.0}, defaults(loss.params))) << loss.name;
    }
}

// Reference 1.15, the columns of d0 and d1 (T-68).
TEST(Loss, Boosts) {
  std::map<std::string_view, Boost> boosts{{"L1", Boost::Always},
                                           {"L2", Boost::UnitInterval},
                                           {"L2Hinge", Boost::UnitInterval},
                                           {"Hinge", Boost::Never},
                                           {"CrossEntropy", Boost::Always},
                                           {"ScaledMarginalCrossEntropy", Boost::Never},
                                           {"DataScaledMarginalCrossEntropy", Boost::Never}};
  for (auto [name, boost] : boosts) {
    const Loss *loss = find(losses(), name);
    ASSERT_NE(loss, nullptr) << name;
    EXPECT_EQ(loss->boost, boost) << name;
  }
}

TEST(Loss, LogarithmsAreClamped) {
  const Loss *loss = find(losses(), "Cross Entropy");
  EXPECT_DOUBLE_EQ(value(loss->value, {0, 1}), value(loss->value, {1e-13, 1}));
  EXPECT_TRUE(std::isnan(value(loss->value, {NAN, 1})));
}

TEST(Loss, MarginsAreParameters) {
  const Loss *loss = find(losses(), "scaledmarginalcrossentropy");
  ASSERT_EQ(loss->params.size(), 4u);
  EXPECT_EQ(defaults(loss->params), (Doubles{0.9, 0.1, 1, 1}));
  EXPECT_EQ(value(loss->value, {0.9, 1}, {0.9, 0.1, 1, 1}), 0); // y < oneTarget is strict
  EXPECT_EQ(value(loss->value, {0.1, 0}, {0.9, 0.1, 1, 1}), 0);
  EXPECT_GT(value(loss->value, {0.89, 1}, {0.9, 0.1, 1, 1}), 0);
}
} // namespace sn::vocab::test
