// The comparison with the oracle sees each of the language's features: a plan, or data, in which one of them is a
// little off does not agree.
#include "test/conformance/language/Cases.h"
#include <gtest/gtest.h>

namespace sn::test {
namespace {
/// A layer with everything, in front of an output that shares its matrix.
std::string layers(const std::string &norms, const std::string &share, const std::string &skip) {
  return R"({ "Kind": "Input", "Name": "X", "N": "auto", "DataSet": "x", "Sparse": true },
  { "Kind": "Hidden", "Name": "H", "N": 7, "Activation": "Tanh")" +
         norms + R"( },
  { "Kind": "Hidden", "Name": "G", "N": 7, "Source": "X")" +
         share + skip + R"( },
  { "Kind": "Output", "Name": "Out", "N": "auto", "DataSet": "t", "Source": ["G", "H"] })";
}
const std::string kShare =
    R"(, "SharedWeights": { "InputLayer": "X", "SourceInputLayer": "X", "SourceOutputLayer": "H" })";

class Faults : public ::testing::Test {
protected:
  Case caseOf(const std::string &layers, const std::string &keys = R"("DeltaBoost": { "one": 2, "zero": 1 })") {
    return languageCase(layers,
                        {{"x", {.columns = 11, .storage = Storage::CsrBinary, .weighted = true, .indexed = true}},
                         {"t",
                          {.columns = 13,
                           .storage = Storage::CsrAnalog,
                           .unitInterval = true,
                           .weighted = true,
                           .indexed = true,
                           .ignoreZeros = true}}},
                        keys);
  }
  /// Whether the plan of `other` (its parameters are those of `asked`) on `other`'s data agrees with the oracle's step
  /// of `asked`, after `change`.
  bool agrees(const Case &asked, const Case &other, const std::function<void(plan::Plan &)> &change = {}) {
    Network network(asked.json), compiled(other.json);
    reference::State before = network.initialState(asked.tables);
    reference::Run run = network.run(asked.batches[0], 1, 1, 3);
    Expected expected = expect(network.differentiated(), asked.tables, before, run);
    Program program = compileSchedules(compiled, 0, {"single"}).at("single");
    if (change)
      change(program.plan);
    Session session(program, other.tables, program.plan.training.optimizer);
    Trained trained = session.trainFrom(before, run, 3);
    Strictness strictness;
    return compareStates(expected, trained.after, strictness).empty() && compareLoss(expected, trained.loss).empty();
  }
};

TEST_F(Faults, InNetworks) {
  Case made = caseOf(layers(R"(, "WeightNorm": 0.4, "DeltaNorm": 0.03)", kShare, R"(, "Skip": "H")"));
  EXPECT_TRUE(agrees(made, made));
  for (const std::string &other : {layers(R"(, "WeightNorm": 0.401, "DeltaNorm": 0.03)", kShare, R"(, "Skip": "H")"),
                                   layers(R"(, "WeightNorm": 0.4, "DeltaNorm": 0.0301)", kShare, R"(, "Skip": "H")"),
                                   layers(R"(, "WeightNorm": 0.4, "DeltaNorm": 0.03)", kShare, "")})
    EXPECT_FALSE(agrees(made, caseOf(other))) << other;
  EXPECT_FALSE(agrees(made, caseOf(layers(R"(, "WeightNorm": 0.4, "DeltaNorm": 0.03)", kShare, R"(, "Skip": "H")"),
                                   R"("DeltaBoost": { "one": 2.01, "zero": 1 })")));
}

TEST_F(Faults, InPlans) {
  Case shared = caseOf(layers("", kShare, ""));
  EXPECT_TRUE(agrees(shared, shared));
  EXPECT_FALSE(agrees(shared, shared, [](plan::Plan &plan) { // the sum over the users, not the average
    for (plan::Entry &entry : plan.entries)
      for (plan::Step &step : entry.steps)
        for (plan::Source &source : step.sources)
          source.scale = 1;
  }));
  Case normalized = caseOf(layers(R"(, "BatchNormalization": true)", "", ""));
  EXPECT_TRUE(agrees(normalized, normalized));
  int averages = 0;
  EXPECT_FALSE(agrees(normalized, normalized, [&](plan::Plan &plan) { // another weight of the running averages
    std::set<std::string> running;
    for (const plan::Parameter &parameter : plan.parameters)
      if (!parameter.trained)
        running.insert(parameter.name);
    for (plan::Entry &entry : plan.entries)
      for (plan::Step &step : entry.steps)
        for (auto &[slot, use] : step.slots)
          if (std::any_of(use.out.begin(), use.out.end(),
                          [&](const plan::SlotArg &out) { return running.contains(out.ref); }))
            for (plan::SlotArg &scalar : use.scalars)
              if (scalar.role == plan::Role::Hyper && ++averages)
                scalar.value = plan::Expr("mul", {scalar.value, plan::Expr(0.99)});
  }));
  EXPECT_GT(averages, 0);
}

TEST_F(Faults, InData) {
  Case made = caseOf(layers("", "", ""));
  EXPECT_TRUE(agrees(made, made));
  for (const char *name : {"x", "t"}) {
    Case other = made;
    for (double &weight : other.tables.at(name).weights)
      weight += 0.02;
    EXPECT_FALSE(agrees(made, other)) << "a weight of " << name;
  }
  Case counted = made;
  counted.tables.at("t").ignoreZeros = false;
  EXPECT_FALSE(agrees(made, counted)) << "zeros that are not ignored";
}
} // namespace
} // namespace sn::test
