// Random networks on the emulated device under every schedule, against the oracle, several compiled at a time.
// SN_FIRST_SEED takes others, SN_NETWORKS another number of them; SN_WITHOUT leaves features out.
#include "test/emulator/EmulatedLibrary.h"
#include "test/support/Check.h"
#include "test/support/Program.h"
#include <cstdlib>
#include <gtest/gtest.h>

namespace sn::test {
namespace {
constexpr uint64_t kTogether = 10, kNetworks = 40, kFirstSeed = 5000;

uint64_t number(const char *variable, uint64_t otherwise) {
  const char *given = std::getenv(variable);
  return given ? std::strtoull(given, nullptr, 10) : otherwise;
}

uint64_t checked = 0;
const uint64_t firstSeed = number("SN_FIRST_SEED", kFirstSeed), networks = number("SN_NETWORKS", kNetworks);

/// Every network has run under every schedule, every schema and sweep, and products by the library.
class WholeRun : public ::testing::Environment {
  void TearDown() override {
    const std::map<std::string, int> &under = coverage().schedules;
    for (const char *schedule :
         under.empty() ? std::vector<const char *>() : std::vector<const char *>(kSchedules.begin(), kSchedules.end()))
      EXPECT_TRUE(under.contains(schedule) && under.at(schedule) == under.begin()->second)
          << "not every network ran under " << schedule;
    if (firstSeed == kFirstSeed && checked >= kNetworks)
      for (const char *kernel : neededKernels())
        EXPECT_TRUE(coverage().kernels.contains(kernel)) << kernel;
    if (checked >= kNetworks) // EmulatedBackend
      EXPECT_GT(emulator::libraryCounters().products, 0) << "no dense product went to the library";
  }
};
[[maybe_unused]] const auto *const wholeRun = ::testing::AddGlobalTestEnvironment(new WholeRun);

class RandomNetworks : public ::testing::TestWithParam<uint64_t> {};
TEST_P(RandomNetworks, EqualOracle) {
  std::vector<Case> cases;
  for (uint64_t seed = GetParam(); seed < GetParam() + kTogether; ++seed)
    cases.push_back(randomCase(seed, {.parameters = 20000, .widest = 700}));
  checkNetworks(cases);
  checked += kTogether;
}
INSTANTIATE_TEST_SUITE_P(Seeds, RandomNetworks, ::testing::Range(firstSeed, firstSeed + networks, kTogether),
                         [](const auto &info) { return std::to_string(info.param); });
} // namespace
} // namespace sn::test
