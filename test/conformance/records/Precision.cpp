// Precisions on the CPU: rounded as they say where it has tile units, fp32 where it has none; fp32 in memory everywhere.
#include "runtime/hal/cpu/Amx.h"
#include "test/conformance/records/Rounding.h"
#include <gtest/gtest.h>

namespace sn::test {
namespace {
class CpuPrecision : public ::testing::TestWithParam<plan::Precision> {
protected:
  void SetUp() override {
    if (!rt::cpu::hasTileUnits())
      GTEST_SKIP() << "this machine has no AMX";
  }
};
INSTANTIATE_TEST_SUITE_P(Of, CpuPrecision, ::testing::ValuesIn(kNarrowPrecisions),
                         [](const auto &info) { return std::string(plan::nameOf(info.param)); });

TEST_P(CpuPrecision, EqualsOracle) { checkNetworks(casesOfPrecision(GetParam())); }

TEST_P(CpuPrecision, RoundsAsItSays) {
  if (GetParam() == plan::Precision::Tf32)
    GTEST_SKIP() << "computed as bf16x3, which is nearer to fp32";
  checkRounding(deepNetwork(keysOf(GetParam()), "Momentum"));
}

TEST_P(CpuPrecision, SameBitsWithAnyNumberOfThreadsAndOthersThanFp32) {
  const Case made = deepNetwork(keysOf(GetParam()), "Momentum");
  checkThreads(made, {1, 2, 3});
  EXPECT_FALSE(sameBits(bitsOf(made), bitsOf(deepNetwork(keysOf(plan::Precision::Fp32), "Momentum"))));
}

TEST(CpuWithoutTileUnits, ComputesInFp32) {
  if (rt::cpu::hasTileUnits())
    GTEST_SKIP() << "this machine has AMX";
  const std::vector<float> bits = bitsOf(deepNetwork(keysOf(plan::Precision::Fp32), "Momentum"));
  for (plan::Precision precision : kNarrowPrecisions)
    EXPECT_TRUE(sameBits(bits, bitsOf(deepNetwork(keysOf(precision), "Momentum")))) << plan::nameOf(precision);
}
} // namespace
} // namespace sn::test
