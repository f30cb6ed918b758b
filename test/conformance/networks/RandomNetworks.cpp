// 300 random networks, compiled and run on the CPU under every schedule, against the oracle.
// --gtest_filter='*EqualsOracle/17' repeats seed 17.
#include "test/support/Check.h"
#include <gtest/gtest.h>

namespace sn::test {
namespace {
constexpr uint64_t kNetworks = 300;
uint64_t checked = 0;

uint64_t firstSeed() {
  const char *given = std::getenv("SN_FIRST_SEED");
  return given ? std::strtoull(given, nullptr, 10) : 0;
}

/// Wider tolerances are for exceptions, and every kernel and sweep has been run.
class WholeRun : public ::testing::Environment {
  void TearDown() override {
    if (checked < kNetworks)
      return;
    const auto &[strictness, kernels] = coverage();
    std::cout << strictness.strict << " entries held to the plain tolerance, " << strictness.wide
              << " to a wider one\n";
    for (const auto &[what, count] : kernels)
      std::cout << count << " x " << what << "\n";
    EXPECT_LE(strictness.wide * 10, strictness.strict);
    for (const char *needed :
         {"single wide_output single", "recompute wide_output forward", "recompute wide_output update",
          "single wide_softmax statistics", "single wide_softmax single", "recompute wide_softmax forward",
          "recompute wide_softmax update", "single csr_gather", "single csc_update", "single gemm",
          "single gemm_update", "single wide_topk", "unfused map", "single column_reduce", "single row_reduce",
          "single wide_output loss", "single wide_softmax loss"})
      EXPECT_TRUE(kernels.contains(needed)) << needed << " was not run";
  }
};
[[maybe_unused]] const auto *const wholeRun = ::testing::AddGlobalTestEnvironment(new WholeRun);

class RandomNetwork : public ::testing::TestWithParam<uint64_t> {};
TEST_P(RandomNetwork, EqualsOracle) {
  checkNetwork(randomCase(GetParam()));
  ++checked;
}
INSTANTIATE_TEST_SUITE_P(Seeds, RandomNetwork, ::testing::Range<uint64_t>(firstSeed(), firstSeed() + kNetworks),
                         [](const auto &info) { return std::to_string(info.param); });

// The comparison itself: one entry a little off is seen.
TEST(Agreement, SeesOneWrongEntry) {
  Case made = randomCase(3, {.parameters = 2000, .widest = 40});
  Network network(made.json);
  reference::State before = network.initialState(made.tables);
  Expected expected = expect(network.differentiated(), made.tables, before, network.run(made.batches[0], 1, 1, 3));
  Strictness strictness;
  reference::State actual = expected.nominal.after;
  ASSERT_EQ(compareStates(expected, actual, strictness), "");
  for (auto &[name, tensor] : actual.parameters) {
    double moved = 0;
    for (size_t i = 0; i < tensor.values.size(); ++i)
      moved = std::max(moved, std::abs(tensor.values[i] - before.parameters.at(name).values[i]));
    ASSERT_GT(moved, 0);
    double kept = tensor.values[0];
    tensor.values[0] += 1e-3 * moved + 1e-5 * std::abs(kept);
    EXPECT_NE(compareStates(expected, actual, strictness).find(name), std::string::npos);
    tensor.values[0] = kept;
  }
  EXPECT_EQ(compareSum("loss", 100, 100, 100.0005), "");
  EXPECT_NE(compareSum("loss", 100, 100, 100.005), "");
}
} // namespace
} // namespace sn::test
