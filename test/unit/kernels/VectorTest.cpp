// The vector loops of every level this machine runs, against the formulas.
#include "kernels-templates/cpu/Products.h"
#include "test/unit/kernels/Rig.h"

namespace sn::test {
namespace {
template <typename Check> void forEachLevel(Check check) {
  for (const char *level : plan::kCpuLevels)
    if (rt::cpu::machineRuns(level))
      check(rt::cpu::vectorOps(level));
}
} // namespace

TEST(Vector, MasksAreThoseOfTheSpec) {
  forEachLevel([](const rt::cpu::VectorOps &ops) {
    plan::RandomPoint at{0x123456789abcdefULL, 9, 4};
    for (int64_t row : {int64_t(0), int64_t(7), int64_t(1) << 40})
      for (int64_t first : {0, 1, 2, 3, 4, 63, 1001})
        for (int64_t n : {0, 1, 5, 64, 65, 130}) {
          std::vector<float> range(static_cast<size_t>(n + 1), 7), scattered(static_cast<size_t>(n + 1), 7);
          std::vector<int32_t> columns;
          for (int64_t i = 0; i < n; ++i)
            columns.push_back(static_cast<int32_t>(first + i * 3));
          ops.maskRange(at, row, first, n, 0.3f, range.data());
          ops.maskAt(at, row, columns.data(), n, 0.3f, scattered.data());
          for (int64_t i = 0; i < n; ++i) {
            auto wanted = [&](int64_t column) {
              return plan::maskValue(plan::randomWord(at, static_cast<uint64_t>(row), static_cast<uint64_t>(column)),
                                     0.3f);
            };
            ASSERT_EQ(range[static_cast<size_t>(i)], wanted(first + i));
            ASSERT_EQ(scattered[static_cast<size_t>(i)], wanted(first + i * 3));
          }
          ASSERT_EQ(range.back(), 7);
          ASSERT_EQ(scattered.back(), 7);
        }
  });
}

TEST(Vector, SumsMaximaAndExponentials) {
  forEachLevel([](const rt::cpu::VectorOps &ops) {
    EXPECT_EQ(ops.maximum(0, nullptr), -INFINITY);
    EXPECT_EQ(ops.sum(0, nullptr), 0);
    for (int64_t n : {1, 3, 15, 16, 17, 100}) {
      auto x = randomValues(n, static_cast<unsigned>(n), 50);
      float most = *std::max_element(x.begin(), x.end());
      double sum = 0, exponentials = 0;
      for (float value : x) {
        sum += static_cast<double>(value);
        exponentials += std::exp(static_cast<double>(value) - static_cast<double>(most));
      }
      EXPECT_EQ(ops.maximum(n, x.data()), most);
      EXPECT_NEAR(ops.sum(n, x.data()), sum, 1e-4);
      EXPECT_NEAR(ops.expSum(n, x.data(), most), exponentials, 2e-6 * exponentials);
    }
  });
}

TEST(Vector, SquaresAndProducts) {
  forEachLevel([](const rt::cpu::VectorOps &ops) {
    EXPECT_EQ(ops.sumSquares(0, nullptr), 0);
    for (int64_t n : {1, 3, 15, 16, 17, 100}) {
      auto x = randomValues(n, static_cast<unsigned>(n), 50), factor = randomValues(n, 7);
      std::vector<double> into(static_cast<size_t>(n), 0.5), squares;
      double sum = 0;
      for (float value : x) {
        squares.push_back(static_cast<double>(value) * static_cast<double>(value));
        sum += squares.back();
      }
      EXPECT_NEAR(ops.sumSquares(n, x.data()), sum, 1e-12 * sum);
      ops.addSquares(n, x.data(), into.data());
      auto multiplied = x;
      ops.multiply(n, factor.data(), multiplied.data());
      for (size_t i = 0; i < x.size(); ++i) {
        EXPECT_NEAR(into[i], squares[i] + 0.5, 1e-12 * (1 + squares[i]));
        EXPECT_EQ(multiplied[i], x[i] * factor[i]);
      }
    }
  });
}

TEST(Vector, NextAboveFindsEveryPlace) {
  forEachLevel([](const rt::cpu::VectorOps &ops) {
    for (int64_t n : {0, 1, 16, 40}) {
      std::vector<float> x(static_cast<size_t>(n), 1);
      EXPECT_EQ(ops.nextAbove(0, n, x.data(), 1), n); // equal is not above
      for (int64_t place = 0; place < n; ++place) {
        x[static_cast<size_t>(place)] = 2;
        EXPECT_EQ(ops.nextAbove(0, n, x.data(), 1), place);
        EXPECT_EQ(ops.nextAbove(place, n, x.data(), 1), place);
        EXPECT_EQ(ops.nextAbove(place + 1, n, x.data(), 1), n);
        x[static_cast<size_t>(place)] = 1;
      }
    }
  });
}

TEST(Products, LaneSumsFollowTheTreeAndSkipEmptyLanes) {
  const rt::cpu::VectorOps &ops = rt::cpu::vectorOps("x86-64-v2");
  for (int lanes : {1, 2, 3, 5, 6, 7, 8, 16})
    for (unsigned empty : {0u, 1u, 5u, 0xFFFEu, 0xFFFFu}) {
      auto values = randomValues(16, 3, 1e4);
      std::vector<float> buffers(static_cast<size_t>(rt::cpu::treeDepth(lanes)));
      float *got = rt::cpu::sumLanes(lanes, buffers.data(), 1, 1, ops, [&](int lane, float *out) {
        *out = values[static_cast<size_t>(lane)];
        return ((empty >> lane) & 1) == 0;
      });
      auto tree = values;
      bool any = false;
      for (int lane = 0; lane < lanes; ++lane) {
        any = any || ((empty >> lane) & 1) == 0;
        if ((empty >> lane) & 1)
          tree[static_cast<size_t>(lane)] = 0; // x + 0 = x
      }
      plan::combineLanes(
          lanes, [&](int into, int from) { tree[static_cast<size_t>(into)] += tree[static_cast<size_t>(from)]; });
      ASSERT_EQ(got != nullptr, any);
      if (got) {
        EXPECT_EQ(*got, tree[0]) << lanes << " " << empty;
      }
    }
}
} // namespace sn::test
