// The rules of verify() for gradient buffers, updates from them, norm limits, vector maps and expanded data, on a tied
// autoencoder: each broken once.
#include "runtime/plan/Cost.h"
#include "test/unit/plan/SmallPlan.h"
#include <functional>
#include <gtest/gtest.h>

namespace sn::plan {
namespace {
using test::arg;
using test::source;
using test::symbol;

Step stepOf(std::string kernel, std::string label) {
  Step step;
  step.kernel = std::move(kernel);
  step.label = std::move(label);
  return step;
}

/// csr_gather, wide_output of the transposed matrix, backward, both gradients into one buffer, its update, its norm;
/// running is assigned, the input expanded.
Plan tiedPlan() {
  Plan plan = test::smallPlan();
  const Dim inputs = symbol("inputs"), four{4, ""};
  plan.symbols = {{"inputs", "input"}};
  plan.datasets = {{"input", inputs, true, true}};
  plan.parameters = {test::parameter("W", inputs, four, "rows"), test::parameter("hidden/bias", {1, ""}, four, "rows"),
                     test::parameter("output/bias", {1, ""}, inputs, "rows"),
                     test::parameter("running", {1, ""}, four, "rows")};
  plan.parameters[3].trained = false;
  Step gather = test::gatherStep(), output = test::outputStep();
  gather.sources[0].weights = "W";
  gather.slots["epilogue"].in[1].ref = "hidden/bias";
  output.sources = {source(false, "h", "W")};
  output.sources[0].transposed = true;
  output.sources[0].gradient = "dh";
  output.sources[0].weightGradient = "dW";
  output.sources[0].scale = 0.5;
  output.target = "input", output.columns = inputs, output.biases = {"output/bias"};
  for (auto &[name, use] : output.slots)
    use.in[1].ref = "output/bias", use.scalars[0].role = Role::TargetBinary;
  std::vector<Step> back = test::backwardSteps();
  back[1].biases = {"hidden/bias"};
  back[2].sources[0].weights = "W";
  back[2].sources[0].weightGradient = "dW";
  back[2].sources[0].accumulate = true;
  back[2].sources[0].scale = 0.5;
  back[2].update = false;
  Step assign = stepOf("map", "running");
  assign.columns = four;
  assign.slots["body"] = {
      "times", {arg(Role::Column, "running"), arg(Role::Index)}, {arg(Role::Column, "running")}, {}, false};
  Step update = stepOf("update", "W"), limit = stepOf("limit_norm", "W"), expand = stepOf("expand", "input");
  update.sources = limit.sources = {source(false, "", "W")};
  update.sources[0].weightGradient = "dW";
  update.update = true;
  limit.limit = 1;
  expand.sources = {source(true, "input", "")};
  expand.columns = inputs;
  expand.slots["epilogue"] = {"loss1", {arg(Role::Accumulator)}, {arg(Role::Element, "x")}, {}, false};
  plan.entries.pop_back();
  Entry &train = plan.entries[0];
  train.steps = {gather, output, back[0], back[1], back[2], assign, update, limit, expand};
  train.buffers = {{"h", {symbol("B"), four}, 0, 2},
                   {"dh", {symbol("B"), four}, 1, 4},
                   {"dW", {inputs, four}, 1, 6},
                   {"x", {symbol("B"), inputs}, 8, 8}};
  for (Step &step : train.steps)
    step.after.clear();
  return plan;
}

struct Fault {
  const char *name;
  std::function<void(Plan &)> spoil;
  const char *says;
};
void PrintTo(const Fault &fault, std::ostream *out) { *out << fault.name; }
Step &step(Plan &plan, size_t i) { return plan.entries[0].steps[i]; }
Source &from(Plan &plan, size_t i) { return plan.entries[0].steps[i].sources[0]; }

const Fault kFaults[] = {
    {"gradientShape", [](Plan &p) { std::swap(p.entries[0].buffers[2].dims[0], p.entries[0].buffers[2].dims[1]); },
     "weight gradient: buffer 'dW' does not have the shape"},
    {"gradientUnknown", [](Plan &p) { from(p, 1).weightGradient = "dV"; }, "there is no buffer 'dV'"},
    {"accumulateFirst", [](Plan &p) { from(p, 1).accumulate = true; },
     "accumulated weight gradient: buffer 'dW' is read before it is written"},
    {"accumulateNothing", [](Plan &p) { from(p, 4).weightGradient.clear(); },
     "names no buffer for the gradient of 'W'"},
    {"applyNothing", [](Plan &p) { from(p, 6).weightGradient.clear(); }, "names no buffer for the gradient of 'W'"},
    {"gradientOfGather", [](Plan &p) { from(p, 0).weightGradient = "dW"; }, "does not write the weight gradient 'dW'"},
    {"gradientOfForward",
     [](Plan &p) { step(p, 1).sweep = "forward", step(p, 1).biases.clear(), step(p, 1).update = false; },
     "does not write the weight gradient 'dW'"},
    {"gradientOfExpand", [](Plan &p) { from(p, 8).weightGradient = "dW"; }, "the weight gradient 'dW' of no parameter"},
    {"lateContribution", [](Plan &p) { std::swap(step(p, 4), step(p, 6)), p.entries[0].buffers[1].last = 6; },
     "writes the weight gradient 'dW' after step 4 has applied it"},
    {"updateWithoutBias", [](Plan &p) { step(p, 1).biases.clear(); }, "cannot update parameters"},
    {"gradientAndUpdate", [](Plan &p) { step(p, 4).update = true; }, "cannot update parameters"},
    {"updateNotSet", [](Plan &p) { step(p, 6).update = false; }, "must update"},
    {"applyTransposed", [](Plan &p) { from(p, 6).transposed = true; }, "it neither accumulates nor transposes"},
    {"scaleZero", [](Plan &p) { from(p, 1).scale = 0; }, "scales the gradient of 'W' by 0"},
    {"scaleOfGather", [](Plan &p) { from(p, 0).scale = 0.5; }, "scales the gradient of 'W' by 0.5"},
    {"sourceOfUpdate", [](Plan &p) { from(p, 6).ref = "h"; },
     "has the source 'h', where a parameter alone is expected"},
    {"transposedWidth", [](Plan &p) { from(p, 1).transposed = false; }, "'W' does not have the step's width"},
    {"noLimit", [](Plan &p) { step(p, 7).limit = 0; }, "has the norm limit 0, where a positive number is expected"},
    {"strayLimit", [](Plan &p) { step(p, 6).limit = 2; }, "has the norm limit 2, where none is expected"},
    {"limitFirst", [](Plan &p) { std::swap(step(p, 6), step(p, 7)), p.entries[0].buffers[2].last = 7; },
     "limits the norm of parameter 'W' before its update"},
    {"limitTwice", [](Plan &p) { step(p, 8) = step(p, 7), p.entries[0].buffers.pop_back(); },
     "updates parameter 'W', which step 7 has already updated"},
    {"readBetween", [](Plan &p) { std::swap(step(p, 7), step(p, 0)), p.entries[0].buffers[0].first = 1; },
     "limits the norm of parameter 'W' before its update"},
    {"neverApplied", [](Plan &p) { step(p, 6) = step(p, 8), step(p, 7) = step(p, 8); },
     "parameter 'W' is never updated"},
    {"assignTrained", [](Plan &p) { p.parameters[3].trained = true; },
     "assigns parameter 'running', which the optimizer trains"},
    {"assignByReduction",
     [](Plan &p) {
       step(p, 3).slots["finish"] = {"loss1", {arg(Role::Accumulator)}, {arg(Role::Column, "running")}, {}, false};
     },
     "cannot assign parameter 'running'"},
    {"assignWidth",
     [](Plan &p) {
       p.parameters[3].out = {5, ""};
     },
     "assigns parameter 'running', which is not as wide as the step"},
    {"assignTwice", [](Plan &p) { step(p, 8) = step(p, 5), p.entries[0].buffers.pop_back(); },
     "updates parameter 'running', which step 5 has already updated"},
    {"updateUntrained", [](Plan &p) { p.parameters[1].trained = false; },
     "updates parameter 'hidden/bias', which is not trained"},
    {"vectorOfMatrix", [](Plan &p) { step(p, 5).slots["body"].in[1] = arg(Role::Element, "h"); },
     "gives vectors, but reads the role \"element\""},
    {"vectorOfRow", [](Plan &p) { step(p, 5).slots["body"].scalars = {arg(Role::Row, "h")}; },
     "gives vectors, but reads the role \"row\""},
    {"vectorOfTarget", [](Plan &p) { step(p, 5).target = "input"; }, "gives vectors, but has a target"},
    {"expandByMatrix", [](Plan &p) { from(p, 8).weights = "W"; }, "multiplies by 'W'"},
    {"expandWidth",
     [](Plan &p) {
       step(p, 8).columns = {4, ""};
     },
     "'input' is no input as wide as the step"},
    {"binaryOfNone", [](Plan &p) { step(p, 8).slots["epilogue"].scalars = {arg(Role::TargetBinary)}; },
     "slot 'epilogue' reads a target, but the step has none"},
    {"normWithoutRows", [](Plan &p) { step(p, 1).sweep = "norm"; }, "has 0 row buffers; 1 are expected"},
    {"brakeWithoutTrial", [](Plan &p) { p.training.brake = true; },
     "the divergence brake needs an entry 'trial', which is missing"},
};

class SharedFaults : public testing::TestWithParam<Fault> {};
TEST_P(SharedFaults, AreFound) {
  Plan plan = tiedPlan();
  GetParam().spoil(plan);
  std::string all;
  for (const std::string &problem : verify(plan))
    all += problem + "\n";
  EXPECT_NE(all.find(GetParam().says), std::string::npos) << "expected: " << GetParam().says << "\nfound:\n" << all;
}
INSTANTIATE_TEST_SUITE_P(Verify, SharedFaults, testing::ValuesIn(kFaults),
                         [](const auto &info) { return info.param.name; });

TEST(VerifyShared, AcceptsATiedAutoencoder) { EXPECT_EQ(verify(tiedPlan()), std::vector<std::string>{}); }

TEST(VerifyShared, AcceptsOneStepThatAddsBothContributions) {
  Plan plan = tiedPlan();
  step(plan, 1).sources.push_back(from(plan, 1));
  step(plan, 1).sources[1].accumulate = true;
  step(plan, 1).sources[1].gradient.clear();
  EXPECT_EQ(verify(plan), std::vector<std::string>{});
}

TEST(VerifyShared, AcceptsAVectorsGradientFromABuffer) {
  Plan plan = tiedPlan();
  Entry &train = plan.entries[0];
  Step product = stepOf("map", "gradient"), update = stepOf("update", "hidden/bias");
  product.columns = {4, ""};
  product.slots["body"] = {
      "times", {arg(Role::Column, "hidden/bias"), arg(Role::Index)}, {arg(Role::Column, "db")}, {}, false};
  update.sources = {source(false, "", "hidden/bias")};
  update.sources[0].weightGradient = "db";
  update.update = true;
  train.steps[3] = product, train.steps[8] = update;
  train.buffers.back() = {"db", {{4, ""}}, 3, 8};
  EXPECT_EQ(verify(plan), std::vector<std::string>{});
}

TEST(VerifyShared, AcceptsABoundedDelta) {
  Plan plan = tiedPlan();
  Entry &train = plan.entries[0];
  Step norm = train.steps[1];
  norm.sweep = "norm", norm.update = false, norm.report.clear(), norm.biases.clear(), norm.rows = {"norm"};
  norm.sources[0].gradient.clear(), norm.sources[0].weightGradient.clear(), norm.sources[0].scale = 1;
  train.steps.pop_back(); // expand
  train.steps.insert(train.steps.begin() + 1, norm);
  for (auto &[name, use] : train.steps[2].slots)
    use.scalars = {arg(Role::Row, "norm")};
  train.buffers = {{"h", {symbol("B"), {4, ""}}, 0, 3},
                   {"dh", {symbol("B"), {4, ""}}, 2, 5},
                   {"dW", {symbol("inputs"), {4, ""}}, 2, 7},
                   {"norm", {symbol("B")}, 1, 2}};
  EXPECT_EQ(verify(plan), std::vector<std::string>{});
  std::swap(train.steps[1], train.steps[2]);
  EXPECT_FALSE(verify(plan).empty());
}

TEST(VerifyShared, WhatStepsReadAndUpdate) {
  Plan plan = tiedPlan();
  EXPECT_EQ(parametersUpdated(step(plan, 1)), std::vector<std::string>{"output/bias"});
  EXPECT_TRUE(parametersUpdated(step(plan, 4)).empty());
  EXPECT_EQ(parametersUpdated(step(plan, 5)), std::vector<std::string>{"running"});
  EXPECT_EQ(parametersUpdated(step(plan, 6)), std::vector<std::string>{"W"});
  EXPECT_TRUE(parametersRead(step(plan, 6)).empty());
  EXPECT_EQ(parametersUpdated(step(plan, 7)), std::vector<std::string>{"W"});
  EXPECT_TRUE(parametersRead(step(plan, 8)).empty());
}

/// By hand: 10 examples, 100 features, 5 entries in a row, one optimizer state.
TEST(Cost, OfGradientBuffersAndVectors) {
  Plan plan = tiedPlan();
  CostModel model;
  model.extent = [](const Dim &dim) { return dim.symbol.empty() ? dim.value : dim.symbol == "B" ? 10.0 : 100.0; };
  model.density = [](const std::string &) { return 5.0; };
  model.states = 1;
  auto cost = [&](size_t i) { return costOf(plan, plan.entries[0], step(plan, i), model); };
  EXPECT_EQ(cost(1).flops, 2 * 10 * 4 * 100 * 3);
  EXPECT_EQ(cost(1).bytes, 4 * (400 /* W read */ + 40 + 40 + 400 /* dW */));
  EXPECT_EQ(cost(4).flops, 2 * 10 * 5 * 4);
  EXPECT_EQ(cost(4).bytes, 10 * 5 * 8 + 4 * (40 + 400));
  EXPECT_EQ(cost(4).elements, 0);
  EXPECT_EQ(cost(5).elements, 4);
  EXPECT_EQ(cost(6).elements, 400);
  EXPECT_EQ(cost(6).bytes, 4 * (400 * 4 + 400));
  EXPECT_EQ(cost(7).flops, 1200);
  EXPECT_EQ(cost(7).bytes, 4 * 800);
  EXPECT_EQ(cost(8).elements, 1000);
  EXPECT_EQ(cost(8).bytes, 10 * 5 * 8 + 4 * 1000);
}
} // namespace
} // namespace sn::plan
