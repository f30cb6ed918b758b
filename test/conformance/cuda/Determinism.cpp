// The same bits on any device: whatever the order in which blocks run, and the number of multiprocessors.
#include "test/emulator/EmulatedDriver.h"
#include "test/support/Check.h"
#include <cstring>
#include <gtest/gtest.h>

namespace sn::test {
namespace {
Case wideCase(uint64_t seed) { return randomCase(seed, {.parameters = 15000, .widest = 700, .largestBatch = 100}); }

TEST(Determinism, OrderOfBlocks) {
  for (uint64_t seed = 7000; seed < 7006; ++seed)
    checkThreads(wideCase(seed), {1, 2, 3}); // the order's seed, here
}

TEST(Determinism, NumberOfMultiprocessors) {
  for (uint64_t seed = 7000; seed < 7003; ++seed) {
    const Case made = wideCase(seed);
    Network network(made.json);
    const std::map<std::string, Program> programs = compileSchedules(network, 0);
    backend().expect(sessionsOf(programs, made.tables, static_cast<int64_t>(made.batches[0].size())));
    for (const auto &[schedule, program] : programs) {
      std::vector<std::vector<float>> bits;
      for (int multiprocessors : {1, 8, 132}) {
        emulator::configure({.multiprocessors = multiprocessors});
        bits.push_back(trainedBits(program, network, made, 1));
        EXPECT_GT(emulator::driverCounters().launches, 0) << "nothing ran on the emulated device";
      }
      emulator::configure({});
      for (size_t i = 1; i < bits.size(); ++i) {
        ASSERT_EQ(bits[i].size(), bits[0].size());
        EXPECT_EQ(std::memcmp(bits[i].data(), bits[0].data(), bits[0].size() * sizeof(float)), 0)
            << schedule << ", seed " << seed;
      }
    }
  }
}
} // namespace
} // namespace sn::test
