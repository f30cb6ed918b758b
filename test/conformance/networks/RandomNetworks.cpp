// 300 random networks, compiled and run on the CPU under every schedule, against the oracle.
// --gtest_filter='*EqualsOracle/17' repeats seed 17.
#include "test/support/Check.h"
#include "test/support/Features.h"
#include <gtest/gtest.h>

namespace sn::test {
namespace {
constexpr uint64_t kNetworks = 300;
uint64_t checked = 0;

uint64_t firstSeed() {
  const char *given = std::getenv("SN_FIRST_SEED");
  return given ? std::strtoull(given, nullptr, 10) : 0;
}

/// Wider tolerances are for exceptions, and everything has been met.
class WholeRun : public ::testing::Environment {
  void TearDown() override {
    if (checked < kNetworks)
      return;
    const auto &[strictness, schedules, kernels, features] = coverage();
    for (const auto &[optimizer, counts] : strictness)
      std::cout << optimizer << ": " << counts.strict << " entries held to the plain tolerance, " << counts.wide
                << " to a wider one\n";
    for (const auto &counts : {kernels, features})
      for (const auto &[what, count] : counts)
        std::cout << count << " x " << what << "\n";
    // Rules that divide by the gradient's size are sensitive where it is about zero; the others are not. Shares are by
    // entries, so that one large matrix counts: bounds are those of the usual seeds.
    size_t strict = 0;
    for (const auto &[optimizer, counts] : strictness) {
      EXPECT_TRUE(firstSeed() != 0 || counts.wide * 2 <= counts.strict) << optimizer;
      strict += counts.wide * 30 <= counts.strict;
    }
    EXPECT_TRUE(firstSeed() != 0 || strict >= 3) << strict;
    for (const char *kernel : neededKernels())
      EXPECT_TRUE(kernels.contains(kernel)) << kernel;
    for (const std::string &feature : neededFeatures())
      EXPECT_TRUE(features.contains(feature)) << feature;
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

} // namespace
} // namespace sn::test
