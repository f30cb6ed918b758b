// Every schema in every precision on the emulated device: against the oracle, whose factors get errors of the size that
// the precision allows; and nearer to an oracle that rounds as the device says it does than to an exact one.
#include "test/conformance/records/Rounding.h"
#include <gtest/gtest.h>

namespace sn::test {
namespace {
class Precision : public ::testing::TestWithParam<plan::Precision> {};
INSTANTIATE_TEST_SUITE_P(Of, Precision, ::testing::ValuesIn(kNarrowPrecisions),
                         [](const auto &info) { return std::string(plan::nameOf(info.param)); });

TEST_P(Precision, EqualsOracle) {
  checkNetworks(casesOfPrecision(GetParam()));
  for (const char *kernel :
       {"csc_update", "csr_gather", "gemm", "gemm_update", "wide_output forward", "wide_output loss",
        "wide_output norm", "wide_output single", "wide_output update", "wide_softmax forward", "wide_softmax loss",
        "wide_softmax single", "wide_softmax statistics", "wide_softmax update", "wide_topk"})
    EXPECT_TRUE(coverage().kernels.contains(std::string(plan::nameOf(GetParam())) + " " + kernel)) << kernel;
}

TEST_P(Precision, RoundsAsItSays) { checkRounding(deepNetwork(keysOf(GetParam()), "Momentum")); }

/// A layer's own: the output's products and what they hand back alone.
TEST(PrecisionOfLayers, OneLayerAlone) {
  checkRounding(deepNetwork(keysOf(plan::Precision::Tf32), "Momentum", keysOf(plan::Precision::Bf16)));
}

TEST(PrecisionOfLayers, SameBitsInAnyOrderOfBlocksAndOthersInEachPrecision) {
  std::vector<std::vector<float>> bits{bitsOf(deepNetwork(keysOf(plan::Precision::Fp32), "Momentum"))};
  for (plan::Precision precision : kNarrowPrecisions) {
    const Case made = deepNetwork(keysOf(precision), "Momentum");
    checkThreads(made, {1, 2}); // the order's seed, here
    bits.push_back(bitsOf(made));
  }
  for (size_t i = 0; i < bits.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      EXPECT_FALSE(sameBits(bits[i], bits[j])) << i << " and " << j;
}
} // namespace
} // namespace sn::test
