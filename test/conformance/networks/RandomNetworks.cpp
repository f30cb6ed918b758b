// Random networks, compiled and run on the CPU under every schedule, against the oracle: each step from the oracle's
// state.
#include "test/support/Agreement.h"
#include "test/support/RandomNetwork.h"
#include <cstring>
#include <gtest/gtest.h>

namespace sn::test {
namespace {
constexpr uint64_t kNetworks = 300;
constexpr int64_t kPlaces = 7; // of the lists of the best columns

Strictness total; // over all networks of this process

/// Wider tolerances are for exceptions.
class MostlyStrict : public ::testing::Environment {
  void TearDown() override {
    std::cout << total.strict << " entries held to the plain tolerance, " << total.wide << " to a wider one\n";
    EXPECT_LE(total.wide * 10, total.strict);
  }
};
[[maybe_unused]] const auto *const mostlyStrict = ::testing::AddGlobalTestEnvironment(new MostlyStrict);

/// Weights that have run away say nothing about the next step.
bool isModerate(const reference::State &state) {
  for (const auto &[name, tensor] : state.parameters)
    for (double value : tensor.values)
      if (!(std::abs(value) < 20))
        return false;
  return true;
}

class RandomNetwork : public ::testing::TestWithParam<uint64_t> {
protected:
  void SetUp() override {
    made = randomCase(GetParam());
    network = std::make_unique<Network>(made.json, "seed " + std::to_string(made.seed));
    before = network->initialState(made.tables);
    Random random(made.seed + 5000);
    for (auto &[name, tensor] : before.parameters)
      for (double &value : tensor.values)
        value += random.real(-0.02, 0.02);
    before = reference::rounded(before);
  }
  /// 1-based.
  reference::Run run(int64_t step) const {
    return network->run(made.batches[static_cast<size_t>(step - 1)], step, 1 + step / 2, 3);
  }

  void checkTraining(Session &session, const std::string &how);
  void checkInference(Session &session, const std::string &how);

  Case made;
  std::unique_ptr<Network> network;
  reference::State before;
  std::vector<Expected> steps;
  reference::Result evaluated, predicted;
};

void RandomNetwork::checkTraining(Session &session, const std::string &how) {
  for (size_t i = 0; i < steps.size(); ++i) {
    const Expected &expected = steps[i];
    Trained trained = session.trainFrom(expected.before, run(static_cast<int64_t>(i) + 1), 3);
    std::string where = how + ", step " + std::to_string(i + 1) + ": ";
    for (const std::string &problem : {compareStates(expected, trained.after, total),
                                       compareSum("loss", expected.nominal.loss, expected.flipped.loss, trained.loss),
                                       compareSum("regularisation", expected.nominal.regularization,
                                                  expected.nominal.regularization, trained.regularization)})
      if (!problem.empty())
        ADD_FAILURE() << where << problem;
  }
}

void RandomNetwork::checkInference(Session &session, const std::string &how) {
  session.set(before);
  std::string problem = compareSum("loss of evaluate", evaluated.loss, evaluated.loss, session.evaluate(run(1)));
  EXPECT_EQ(problem, "") << how;
  std::map<std::string, Ranked> lists = session.predict(run(1), kPlaces);
  EXPECT_EQ(lists.size(), predicted.scores.size()) << how;
  for (const auto &[layer, scores] : predicted.scores) {
    ASSERT_TRUE(lists.contains(layer)) << how << ": no list for " << layer;
    EXPECT_EQ(compareLists(layer, scores, lists.at(layer)), "") << how;
  }
}

TEST_P(RandomNetwork, EqualsOracle) {
  reference::State state = before;
  for (int64_t step = 1; step <= static_cast<int64_t>(made.batches.size()); ++step) {
    steps.push_back(expect(network->differentiated(), made.tables, state, run(step)));
    reference::State after = reference::rounded(steps.back().nominal.after);
    state = isModerate(after) ? after : before;
  }
  evaluated = reference::interpret(network->differentiated(), "evaluate", made.tables, before, run(1));
  predicted = reference::interpret(network->differentiated(), "predict", made.tables, before, run(1));
  for (const auto &[schedule, program] : compileSchedules(*network, made.seed)) {
    Session session(program, made.tables, network->spec().optimizer.record->name.data());
    checkTraining(session, schedule);
    checkInference(session, schedule);
  }
  if (HasFailure())
    std::cerr << "--gtest_filter='*EqualsOracle/" << made.seed << "' repeats this network:\n" << made.json << "\n";
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomNetwork, ::testing::Range<uint64_t>(0, kNetworks));
} // namespace
} // namespace sn::test
