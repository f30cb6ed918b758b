// Precisions on the CPU: rounded as they say where it has tile units, fp32 where it has none; fp32 in memory everywhere.
#include "runtime/hal/cpu/Amx.h"
#include "test/conformance/records/Rounding.h"
#include <algorithm>
#include <gtest/gtest.h>

namespace sn::test {
namespace {
/// Tile units go with the richest instruction set level, which is this seed's turn.
Case richest(Case made) {
  made.seed = 5;
  return made;
}
Case deepIn(plan::Precision precision) { return richest(deepNetwork(keysOf(precision), "Momentum")); }

class CpuPrecision : public ::testing::TestWithParam<plan::Precision> {
protected:
  void SetUp() override {
    if (!rt::cpu::hasTileUnits())
      GTEST_SKIP() << "this machine has no AMX";
  }
};
INSTANTIATE_TEST_SUITE_P(Of, CpuPrecision, ::testing::ValuesIn(kNarrowPrecisions),
                         [](const auto &info) { return std::string(plan::nameOf(info.param)); });

TEST_P(CpuPrecision, EqualsOracle) {
  std::vector<Case> cases = casesOfPrecision(GetParam());
  std::transform(cases.begin(), cases.end(), cases.begin(), richest);
  checkNetworks(cases);
}

TEST_P(CpuPrecision, RoundsAsItSays) {
  if (GetParam() == plan::Precision::Tf32)
    GTEST_SKIP() << "computed as bf16x3, which is nearer to fp32";
  checkRounding(deepIn(GetParam()));
}

TEST_P(CpuPrecision, SameBitsWithAnyNumberOfThreadsAndOthersThanFp32) {
  const Case made = deepIn(GetParam());
  checkThreads(made, {1, 2, 3});
  EXPECT_FALSE(sameBits(bitsOf(made), bitsOf(deepIn(plan::Precision::Fp32))));
}

TEST(CpuWithoutTileUnits, ComputesInFp32) {
  if (rt::cpu::hasTileUnits())
    GTEST_SKIP() << "this machine has AMX";
  const std::vector<float> bits = bitsOf(deepIn(plan::Precision::Fp32));
  for (plan::Precision precision : kNarrowPrecisions)
    EXPECT_TRUE(sameBits(bits, bitsOf(deepIn(precision)))) << plan::nameOf(precision);
}
} // namespace
} // namespace sn::test
