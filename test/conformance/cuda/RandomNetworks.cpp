// Random networks on the emulated device under every schedule, against the oracle, several compiled at a time.
// SN_FIRST_SEED takes others, SN_NETWORKS another number of them; SN_WITHOUT leaves features out.
#include "test/support/Check.h"
#include <cstdlib>
#include <gtest/gtest.h>

namespace sn::test {
namespace {
constexpr uint64_t kTogether = 10;

uint64_t number(const char *variable, uint64_t otherwise) {
  const char *given = std::getenv(variable);
  return given ? std::strtoull(given, nullptr, 10) : otherwise;
}

class RandomNetworks : public ::testing::TestWithParam<uint64_t> {};
TEST_P(RandomNetworks, EqualOracle) {
  std::vector<Case> cases;
  for (uint64_t seed = GetParam(); seed < GetParam() + kTogether; ++seed)
    cases.push_back(randomCase(seed, {.parameters = 20000, .widest = 700}));
  checkNetworks(cases);
}
const uint64_t firstSeed = number("SN_FIRST_SEED", 5000), networks = number("SN_NETWORKS", 40);
INSTANTIATE_TEST_SUITE_P(Seeds, RandomNetworks, ::testing::Range(firstSeed, firstSeed + networks, kTogether),
                         [](const auto &info) { return std::to_string(info.param); });
} // namespace
} // namespace sn::test
