// The comparison itself: it sees one entry that is off, and plans that compute something else.
#include "test/support/Agreement.h"
#include "test/support/RandomNetwork.h"
#include <functional>
#include <gtest/gtest.h>

namespace sn::test {
namespace {
class Agreement : public ::testing::Test {
protected:
  /// A small case whose JSON contains `word` and which is trained by plain descent.
  void choose(const std::string &word) {
    for (uint64_t seed = 2000; seed < 2800; ++seed) {
      made = randomCase(seed, {.parameters = 2000, .widest = 40});
      if (made.json.find(word) == std::string::npos || made.json.find("\"SGD\"") == std::string::npos ||
          made.tables.size() < 2)
        continue;
      network = std::make_unique<Network>(made.json);
      before = network->initialState(made.tables);
      run = network->run(made.batches[0], 1, 1, 3);
      expected = expect(network->differentiated(), made.tables, before, run);
      return;
    }
    FAIL() << "no case with " << word;
  }
  /// Whether a step of the plan agrees with the oracle after `change`.
  bool agrees(const std::function<void(plan::Plan &)> &change) {
    Program program = compileSchedules(*network, 0).at("single");
    change(program.plan);
    Session session(program, made.tables, program.plan.training.optimizer, 1, 200);
    Trained trained = session.trainFrom(before, run, 3);
    Strictness strictness;
    return compareStates(expected, trained.after, strictness).empty() &&
           compareSum("loss", expected.nominal.loss, expected.flipped.loss, trained.loss).empty();
  }

  Case made;
  std::unique_ptr<Network> network;
  reference::State before;
  reference::Run run;
  Expected expected;
};

TEST_F(Agreement, SeesOneWrongEntry) {
  choose("SGD");
  Strictness strictness;
  reference::State actual = expected.nominal.after;
  ASSERT_EQ(compareStates(expected, actual, strictness), "");
  int tried = 0;
  for (auto &[name, tensor] : actual.parameters) {
    double moved = 0;
    for (size_t i = 0; i < tensor.values.size(); ++i)
      moved = std::max(moved, std::abs(tensor.values[i] - before.parameters.at(name).values[i]));
    if (moved == 0)
      continue;
    ++tried;
    double kept = tensor.values[0];
    tensor.values[0] += 1e-3 * moved + 1e-5 * std::max(1.0, std::abs(kept));
    EXPECT_NE(compareStates(expected, actual, strictness).find(name), std::string::npos);
    tensor.values[0] = std::nan("");
    EXPECT_NE(compareStates(expected, actual, strictness), "");
    tensor.values[0] = kept;
  }
  EXPECT_GT(tried, 0);
}

TEST_F(Agreement, SeesWrongSums) {
  EXPECT_EQ(compareSum("loss", 100, 100, 100.0005), "");
  EXPECT_NE(compareSum("loss", 100, 100, 100.005), "");
  EXPECT_NE(compareSum("loss", 100, 100, std::nan("")), "");
}

TEST_F(Agreement, SeesWrongLists) {
  reference::Tensor scores(1, 3);
  scores.values = {0.25, 0.75, 0.5};
  Ranked ranked{4, {1, 2, 0, -1}, {0.75f, 0.5f, 0.25f, -INFINITY}};
  EXPECT_EQ(compareLists("L", scores, ranked), "");
  ranked.columns = {2, 1, 0, -1};
  EXPECT_NE(compareLists("L", scores, ranked), "");
  ranked = {2, {1, 1}, {0.75f, 0.75f}};
  EXPECT_NE(compareLists("L", scores, ranked), "");
  ranked = {2, {1, 0}, {0.75f, 0.25f}};
  EXPECT_NE(compareLists("L", scores, ranked), "");
}

TEST_F(Agreement, SeesPlansThatComputeSomethingElse) {
  choose("Denoising");
  EXPECT_TRUE(agrees([](plan::Plan &) {}));
  choose("\"Sparse\": true");
  EXPECT_FALSE(agrees([](plan::Plan &plan) { // no bias is updated
    for (plan::Entry &entry : plan.entries)
      for (plan::Step &step : entry.steps)
        step.biases.clear();
  }));
  EXPECT_FALSE(agrees([](plan::Plan &plan) { // a slightly larger learning rate
    for (plan::NamedExpr &scalar : plan.optimizers[0].scalars)
      if (scalar.name == "Alpha" || scalar.name == "Rate")
        scalar.value = plan::Expr("mul", {scalar.value, plan::Expr(1.001)});
  }));
}
} // namespace
} // namespace sn::test
