// The gradients of random networks against central differences.
#include "test/support/Gradients.h"
#include <gtest/gtest.h>

namespace sn::test {
namespace {
constexpr int kNetworks = 60;
const CaseLimits kSmall{.parameters = 3000, .widest = 60};

TEST(FiniteDifferences, GradientsOfRandomNetworks) {
  GradientCounts total;
  int networks = 0;
  for (uint64_t seed = 0; networks < kNetworks && !HasFailure(); ++seed) {
    Case made = randomCase(seed, kSmall);
    Network network(made.json, "seed " + std::to_string(seed));
    if (hasDefinedDelta(network.spec()))
      continue;
    GradientCounts counts = checkGradients(network, made);
    networks += counts.checked > 0;
    total.checked += counts.checked;
    total.kinks += counts.kinks;
    ASSERT_LT(seed, 200u) << "too few networks could be checked";
  }
  // Kinks may swallow single directions, not the test.
  EXPECT_GT(total.checked, 5 * total.kinks);
  RecordProperty("directions", total.checked);
}
} // namespace
} // namespace sn::test
