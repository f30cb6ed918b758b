// Every schema in every precision on the emulated device: against the oracle, whose factors get errors of the size that
// the precision allows; and nearer to an oracle that rounds as the device says it does than to an exact one.
#include "compiler/Reference/Rounding.h"
#include "test/support/Check.h"
#include "test/support/PrecisionCases.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace sn::test {
namespace {
using Json = nlohmann::ordered_json;
constexpr int64_t kExamples = 90;

Json keysOf(plan::Precision precision) { return {{"Precision", plan::nameOf(precision)}}; }

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

double distance(const reference::Tensor &a, const reference::Tensor &b) {
  double squares = 0;
  for (size_t i = 0; i < a.values.size(); ++i)
    squares += (a.values[i] - b.values[i]) * (a.values[i] - b.values[i]);
  return std::sqrt(squares);
}

/// What a step's weight gradients are is seen in Momentum's states, which are fp32: they lie nearer to those of an
/// oracle that rounds factors than that lies to the exact one.
void checkRounding(const Case &made) {
  Network network(made.json);
  const std::map<std::string, Program> programs = compileSchedules(network, 0);
  expectSessions(programs, made.tables, kExamples);
  const std::set<std::string> narrow = narrowOf(programs.begin()->second.plan);
  reference::State before = network.initialState(made.tables);
  Random random(11);
  network.shake(before, random, 0.02);
  before = storable(before, narrow);
  reference::Run run = network.run(made.batches[0], 1, 1, 3);
  const reference::State exact =
      reference::interpret(network.differentiated(), "train", made.tables, before, run).after;
  run.factors = reference::Factors::Rounded;
  const reference::State rounded =
      reference::interpret(network.differentiated(), "train", made.tables, before, run).after;
  for (const auto &[schedule, program] : programs) {
    Session session(program, made.tables, "Momentum", 1, kExamples);
    const reference::State after = session.trainFrom(before, run, 3).after;
    for (const auto &[name, states] : rounded.states) {
      if (states[0].rows == 1)
        continue; // a bias's gradient is no product: what rounding changes in it is lost in its sum
      const double all = distance(exact.states.at(name)[0], states[0]),
                   left = distance(after.states.at(name)[0], states[0]);
      EXPECT_GT(all, 0) << name;
      EXPECT_LT(left, 0.25 * all) << schedule << ": " << name << " is not rounded as its precision says";
    }
    for (const std::string &name : narrow) {
      bool moved = false;
      for (size_t i = 0; i < after.parameters.at(name).values.size(); ++i) {
        const double value = after.parameters.at(name).values[i];
        ASSERT_EQ(value, reference::nearest(value, 8)) << schedule << ": " << name << " is not stored as BF16";
        moved = moved || value != before.parameters.at(name).values[i];
      }
      EXPECT_TRUE(moved) << schedule << ": " << name;
    }
  }
}

TEST_P(Precision, RoundsAsItSays) { checkRounding(deepNetwork(keysOf(GetParam()), "Momentum")); }

/// A layer's own: the output's products and what they hand back alone.
TEST(PrecisionOfLayers, OneLayerAlone) {
  checkRounding(deepNetwork(keysOf(plan::Precision::Tf32), "Momentum", keysOf(plan::Precision::Bf16)));
}

std::vector<float> bitsOf(const Case &made) {
  Network network(made.json);
  const std::map<std::string, Program> programs = compileSchedules(network, 0, {"single"});
  expectSessions(programs, made.tables, static_cast<int64_t>(made.batches[0].size()));
  return trainedBits(programs.begin()->second, network, made, 1);
}
bool sameBits(const std::vector<float> &a, const std::vector<float> &b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
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
