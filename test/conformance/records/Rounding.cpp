#include "test/conformance/records/Rounding.h"
#include "compiler/Reference/Rounding.h"
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

namespace sn::test {
namespace {
constexpr int64_t kExamples = 90;

double distance(const reference::Tensor &a, const reference::Tensor &b) {
  double squares = 0;
  for (size_t i = 0; i < a.values.size(); ++i)
    squares += (a.values[i] - b.values[i]) * (a.values[i] - b.values[i]);
  return std::sqrt(squares);
}
} // namespace

nlohmann::ordered_json keysOf(plan::Precision precision) { return {{"Precision", plan::nameOf(precision)}}; }

void checkRounding(const Case &made) {
  Network network(made.json);
  const std::map<std::string, Program> programs = compileSchedules(network, made.seed);
  backend().expect(sessionsOf(programs, made.tables, kExamples));
  const std::set<std::string> narrow = storedNarrow(programs.begin()->second.plan);
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

std::vector<float> bitsOf(const Case &made) {
  Network network(made.json);
  const std::map<std::string, Program> programs = compileSchedules(network, made.seed, {"single"});
  backend().expect(sessionsOf(programs, made.tables, static_cast<int64_t>(made.batches[0].size())));
  return trainedBits(programs.begin()->second, network, made, 1);
}
bool sameBits(const std::vector<float> &a, const std::vector<float> &b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}
} // namespace sn::test
