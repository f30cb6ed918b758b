// The weights are the same to the last bit with any number of threads.
#include "test/support/Program.h"
#include "test/support/RandomNetwork.h"
#include <cstring>
#include <gtest/gtest.h>

namespace sn::test {
namespace {
/// All parameters and optimizer states after the case's batches, from the runtime's own initial values.
std::vector<float> trained(const Program &program, Network &network, const Case &made, int threads) {
  Session session(program, made.tables, program.plan.training.optimizer, threads,
                  static_cast<int64_t>(made.batches[0].size()));
  session.model().initialize(network.spec().seed);
  for (size_t i = 0; i < made.batches.size(); ++i)
    session.train(network.run(made.batches[i], static_cast<int64_t>(i) + 1, 1, 3), 3);
  std::vector<float> all;
  auto append = [&](const std::vector<float> &values) { all.insert(all.end(), values.begin(), values.end()); };
  for (const plan::Parameter &parameter : program.plan.parameters) {
    append(session.model().parameter(parameter.name));
    for (size_t i = 0; parameter.trained && i < session.model().optimizer()->states.size(); ++i)
      append(session.model().state(parameter.name, i));
  }
  return all;
}

class Threads : public ::testing::TestWithParam<uint64_t> {};
TEST_P(Threads, GiveTheSameBits) {
  Case made = randomCase(GetParam(), {.parameters = 100000, .largestBatch = 300});
  Network network(made.json);
  for (const auto &[schedule, program] : compileSchedules(network, made.seed)) {
    std::vector<float> one = trained(program, network, made, 1);
    for (int threads : {1, 2, 3, 5}) {
      std::vector<float> other = trained(program, network, made, threads);
      ASSERT_EQ(one.size(), other.size());
      EXPECT_EQ(std::memcmp(one.data(), other.data(), one.size() * sizeof(float)), 0)
          << threads << " threads, schedule " << schedule << ", seed " << made.seed << "\n"
          << made.json;
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, Threads, ::testing::Range<uint64_t>(1000, 1024));
} // namespace
} // namespace sn::test
