// Expressions, lanes and random numbers.
#include "runtime/plan/Expr.h"
#include "runtime/plan/Lanes.h"
#include "runtime/plan/Philox.h"
#include <gtest/gtest.h>

namespace sn::plan {
namespace {
TEST(Expr, EvaluatesUnderAnEnvironment) {
  // alpha / (1 + decay * (Step - 1))
  Expr e = nlohmann::json::parse(R"(["div", "Alpha", ["add", 1, ["mul", 0.5, ["sub", "Step", 1]]]])").get<Expr>();
  auto at = [&](double step) {
    return e.evaluate([&](std::string_view name) -> double {
      if (name == "Alpha")
        return 0.3;
      if (name == "Step")
        return step;
      throw std::out_of_range(std::string(name));
    });
  };
  EXPECT_DOUBLE_EQ(at(1), 0.3);
  EXPECT_DOUBLE_EQ(at(5), 0.1);
  EXPECT_THROW(
      Expr("Beta").evaluate([](std::string_view name) -> double { throw std::out_of_range(std::string(name)); }),
      std::out_of_range);
  EXPECT_EQ(applyScalar("select", {0, 1, 2}), 2);
  EXPECT_THROW(applyScalar("add", {1}), std::logic_error);
}

TEST(Philox, KnownAnswers) { // the three vectors published with the Random123 library
  EXPECT_EQ(philox({0, 0, 0, 0}, 0), (PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({~0u, ~0u, ~0u, ~0u}, ~0ull), (PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0x299f31d0a4093822ull),
            (PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, MomentsOfDraws) {
  RandomPoint at{7, 3, 0};
  double uniformSum = 0, normalSum = 0, normalSquares = 0;
  constexpr int kRows = 400, kColumns = 250;
  for (int r = 0; r < kRows; ++r)
    for (int c = 0; c < kColumns; ++c) {
      uniformSum += uniform(at, r, c);
      double z = normal(at, r, c);
      normalSum += z, normalSquares += z * z;
    }
  double n = double(kRows) * kColumns;
  EXPECT_NEAR(uniformSum / n, 0.5, 0.005);
  EXPECT_NEAR(normalSum / n, 0, 0.015);
  EXPECT_NEAR(normalSquares / n, 1, 0.02);
}

TEST(Lanes, CoverTheExtentOnce) {
  for (int64_t extent : {1, 5, 15, 16, 17, 511, 27278})
    for (int64_t i = 0, lane = 0; i < extent; ++i) {
      while (i >= laneRange(extent, static_cast<int>(lane)).end)
        ++lane;
      ASSERT_EQ(laneOf(extent, i), lane) << extent << " " << i;
    }
  EXPECT_EQ(batchLanes(1), 1);
  EXPECT_EQ(batchLanes(128), 2);
  EXPECT_EQ(batchLanes(100000), 16);
}

TEST(Lanes, TreeAddsEveryPartialOnce) {
  for (int lanes : {1, 2, 3, 5, 8, 16}) {
    std::vector<int> sums(static_cast<size_t>(lanes), 1);
    combineLanes(lanes, [&](int into, int from) { sums[into] += sums[from]; });
    EXPECT_EQ(sums[0], lanes);
  }
}
} // namespace
} // namespace sn::plan
