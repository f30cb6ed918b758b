// Each rule of verify() broken once, and nothing else with it.
#include "test/unit/plan/SmallPlan.h"
#include <functional>
#include <gtest/gtest.h>

namespace sn::plan {
namespace {
using test::arg;
using test::smallPlan;
using test::symbol;

struct Fault {
  const char *name;
  std::function<void(Plan &)> spoil;
  const char *says; // part of one of the problems
};
void PrintTo(const Fault &fault, std::ostream *out) { *out << fault.name; }

Step &step(Plan &plan, size_t i) { return plan.entries[0].steps[i]; }

const Fault kFaults[] = {
    {"lanes", [](Plan &p) { p.lanes = 8; }, "8 lanes"},
    {"schema", [](Plan &p) { p.schema = 0; }, "schema 0 is not the schema 4 of this program"},
    {"duplicateParameter", [](Plan &p) { p.parameters.push_back(p.parameters[0]); },
     "parameter 'Input->Hidden/weights' is listed twice or has no name"},
    {"duplicateBuffer", [](Plan &p) { p.entries[0].buffers.push_back(p.entries[0].buffers[0]); },
     "buffer 'h' is listed twice or has no name"},
    {"namelessFunction", [](Plan &p) { p.functions[0].name = ""; }, "slot function '' is listed twice or has no name"},
    {"duplicateOptimizer", [](Plan &p) { p.optimizers.push_back(p.optimizers[0]); },
     "optimizer 'Momentum' is listed twice"},
    {"duplicateEntry", [](Plan &p) { p.entries.push_back(p.entries[1]); }, "entry 'predict' is listed twice"},
    {"symbolOfNothing", [](Plan &p) { p.symbols[0].dataset = "nothing"; }, "no data set 'nothing'"},
    {"symbolNamedB", [](Plan &p) { p.symbols[0].name = "B"; }, "symbol B is the batch"},
    {"unknownSymbol", [](Plan &p) { p.parameters[0].in = symbol("width"); }, "extent 'width'"},
    {"zeroExtent", [](Plan &p) { p.parameters[0].out = {}; }, "extent '0', which is neither positive nor a symbol"},
    {"batchInParameter", [](Plan &p) { p.parameters[0].in = symbol("B"); }, "extent 'B'"},
    {"layout", [](Plan &p) { p.parameters[0].layout = "diagonal"; },
     "has layout 'diagonal'; \"rows\" or \"columns\" is expected"},
    {"draw", [](Plan &p) { p.parameters[0].init.draw = "cauchy"; },
     "draws 'cauchy'; \"uniform\", \"normal\" or \"none\" is expected"},
    {"initSymbol", [](Plan &p) { p.parameters[0].init.scale = Expr("fan"); }, "symbol 'fan'"},
    {"exprArity", [](Plan &p) { p.training.alpha = Expr("div", {Expr(1.0)}); }, "no scalar operation 'div' of 1"},
    {"scheduleSymbol", [](Plan &p) { p.training.alpha = Expr("Mu"); }, "learning rate uses the symbol 'Mu'"},
    {"optimizerUnknown", [](Plan &p) { p.training.optimizer = "Guess"; }, "training optimizer 'Guess'"},
    {"optimizerArity", [](Plan &p) { p.optimizers[0].states.clear(); }, "2, 1 and 2 are expected"},
    {"optimizerSymbol", [](Plan &p) { p.optimizers[0].scalars[0].value = Expr("Steps"); }, "symbol 'Steps'"},
    {"idleName", [](Plan &p) { p.optimizers[0].idleWhenZero->push_back("Gamma"); },
     "optimizer 'Momentum' names an unknown hyper-parameter 'Gamma'"},
    {"untouchedName", [](Plan &p) { p.optimizers[0].untouched->whenZero.push_back("Gamma"); },
     "the untouched update of optimizer 'Momentum' names an unknown hyper-parameter 'Gamma'"},
    {"untouchedSize", [](Plan &p) { p.optimizers[0].untouched->matrix.pop_back(); },
     "the untouched update of optimizer 'Momentum' has a matrix of 3 elements; 2 x 2 are expected"},
    {"untouchedSymbol", [](Plan &p) { p.optimizers[0].untouched->matrix[1] = Expr("Rate"); },
     "the untouched update of optimizer 'Momentum' uses the symbol 'Rate'"},
    {"plainName", [](Plan &p) { p.optimizers[0].plain = {Expr("Alpha"), {"Gamma"}}; },
     "optimizer 'Momentum' names an unknown hyper-parameter 'Gamma'"},
    {"plainRate", [](Plan &p) { p.optimizers[0].plain = {Expr("Steps"), {}}; }, "symbol 'Steps'"},
    {"plainStates", [](Plan &p) { p.optimizers[0].plain = {Expr("Alpha"), {}}; },
     "optimizer 'Momentum' has states, so its update is not plain"},
    {"factoredGather", [](Plan &p) { step(p, 0).factored = Factored{}; },
     "cannot be factored: only a single sweep with one matrix of its own, and one bias, can"},
    {"factoredBiases",
     [](Plan &p) {
       step(p, 1).factored = Factored{};
       step(p, 1).biases.push_back("Hidden->Output/bias");
     },
     "cannot be factored"},
    {"factoredSlope", [](Plan &p) { step(p, 1).factored = {-1, false}; }, "is factored with the slope -1, which is not positive"},
    {"batch", [](Plan &p) { p.training.batch = 0; }, "a batch of 0 examples for 40 epochs"},
    {"unknownSchema", [](Plan &p) { step(p, 2).kernel = "fold"; }, "no schema 'fold'"},
    {"unknownSweep", [](Plan &p) { step(p, 1).sweep = "twice"; }, "sweep 'twice'"},
    {"afterItself", [](Plan &p) { step(p, 2).after = {2}; }, "waits for step 2"},
    {"noSource", [](Plan &p) { step(p, 0).sources.clear(); }, "has 0 sources"},
    {"bufferAsData", [](Plan &p) { step(p, 0).sources[0].data = false; }, "where a data set is expected"},
    {"unknownData", [](Plan &p) { step(p, 0).sources[0].ref = "clicks"; }, "no data set 'clicks'"},
    {"notAnInput", [](Plan &p) { p.datasets[0].input = false; },
     "data set 'input' is no input as wide as parameter 'Input->Hidden/weights'"},
    {"notATarget", [](Plan &p) { p.datasets[1].target = false; }, "not declared a target"},
    {"noTarget", [](Plan &p) { step(p, 1).target.clear(); }, "needs a target"},
    {"strayTarget", [](Plan &p) { step(p, 0).target = "output"; }, "(csr_gather Hidden): does not take a target"},
    {"unknownWeights", [](Plan &p) { step(p, 0).sources[0].weights = "W"; }, "no parameter 'W'"},
    {"corruption", [](Plan &p) { step(p, 0).sources[0].corruption[0].p = 1; }, "corruption of probability 1"},
    {"gradientOfGather", [](Plan &p) { step(p, 0).sources[0].gradient = "dh"; }, "does not give the gradient"},
    {"width",
     [](Plan &p) {
       step(p, 0).columns = {5, ""};
     },
     "does not have the step's width"},
    {"noDelta", [](Plan &p) { step(p, 4).delta.clear(); }, "names no delta"},
    {"strayDelta", [](Plan &p) { step(p, 0).delta = "h"; }, "does not take a delta"},
    {"updateMissing", [](Plan &p) { step(p, 4).update = false; }, "must update"},
    {"updateForbidden", [](Plan &p) { step(p, 0).update = true; }, "cannot update parameters"},
    {"strayBias", [](Plan &p) { step(p, 2).biases = {"Input->Hidden/bias"}; }, "does not update biases"},
    {"biasShape", [](Plan &p) { step(p, 1).biases = {"Input->Hidden/bias"}; }, "is not [1, outputs]"},
    {"strayReduction", [](Plan &p) { step(p, 2).reductions = {"sum"}; }, "does not take reductions"},
    {"strayRows", [](Plan &p) { step(p, 2).rows = {"h"}; }, "has 1 row buffers; 0 are expected"},
    {"missingSlot", [](Plan &p) { step(p, 0).slots.clear(); }, "slot 'epilogue' is missing"},
    {"missingTargetSlot", [](Plan &p) { step(p, 1).slots.erase("stored_only"); }, "slot 'stored_only' is missing"},
    {"straySlot", [](Plan &p) { step(p, 0).slots["prologue"] = step(p, 0).slots["epilogue"]; }, "slot 'prologue'"},
    {"unknownFunction", [](Plan &p) { step(p, 0).slots["epilogue"].function = "gone"; }, "no slot function 'gone'"},
    {"slotInputs", [](Plan &p) { step(p, 0).slots["epilogue"].in.pop_back(); },
     "slot 'epilogue' binds 1 inputs, 1 outputs and 0 scalars to 'sigmoid', which has 2, 1 and 0"},
    {"slotSum", [](Plan &p) { step(p, 0).slots["epilogue"].sum = true; }, "adds to the sum"},
    {"spanRole", [](Plan &p) { step(p, 0).slots["epilogue"].in[0] = arg(Role::Row, "h"); },
     "cannot read the role \"row\" as a span"},
    {"scalarRole", [](Plan &p) { step(p, 1).slots["dense"].scalars[0] = arg(Role::Element, "h"); }, "as a scalar"},
    {"outRole", [](Plan &p) { step(p, 0).slots["epilogue"].out[0] = arg(Role::Mask); }, "cannot write to the role"},
    {"maskProbability",
     [](Plan &p) { step(p, 2).slots["body"].in[1] = arg(Role::Mask), step(p, 2).slots["body"].in[1].p = 1; },
     "mask of probability 1"},
    {"targetOfNone", [](Plan &p) { step(p, 2).slots["body"].in[1] = arg(Role::Target); }, "the step has none"},
    {"targetResults", [](Plan &p) { step(p, 1).slots["dense"].out[0] = arg(Role::Column, "x"); },
     "has other results than the other target slots"},
    {"columnWidth", [](Plan &p) { step(p, 0).slots["epilogue"].in[1].ref = "Hidden->Output/bias"; },
     "reads parameter 'Hidden->Output/bias' as a column vector, but it is not as wide as the step"},
    {"unknownBuffer", [](Plan &p) { step(p, 2).slots["body"].in[1].ref = "z"; }, "no buffer 'z'"},
    {"bufferShape", [](Plan &p) { p.entries[0].buffers[1].dims.pop_back(); }, "does not have the shape"},
    {"bufferRank", [](Plan &p) { p.entries[0].buffers[0].dims = {}; }, "has 0 dimensions"},
    {"bufferName",
     [](Plan &p) {
       p.entries[0].buffers.push_back({"input", {symbol("B")}, 0, 0});
     },
     "name of a parameter or a data set"},
    {"lifetimeOrder", [](Plan &p) { p.entries[0].buffers[0].first = 3; }, "lives from step 3 to 2"},
    {"lifetimeUse", [](Plan &p) { p.entries[0].buffers[0].last = 1; }, "lives only from step 0 to 1"},
    {"readBeforeWrite", [](Plan &p) { step(p, 1).sources[0].gradient.clear(); }, "'dh' is read before it is written"},
    {"hazardRead",
     [](Plan &p) { std::swap(step(p, 2).after, step(p, 3).after), p.entries[0].steps.push_back(step(p, 0)); },
     "reads parameter 'Input->Hidden/weights' after step 4"},
    {"updatedTwice", [](Plan &p) { p.entries[0].steps.push_back(step(p, 4)), p.entries[0].buffers[1].last = 5; },
     "updates parameter 'Input->Hidden/weights', which step 4 has already updated"},
    {"updatedTwiceInOneStep",
     [](Plan &p) {
       Step &s = step(p, 1);
       s.sources.push_back(s.sources[0]);
     },
     "updates parameter 'Hidden->Output/weights', which step 1 has already updated"},
    {"neverUpdated", [](Plan &p) { p.entries[0].steps.pop_back(), p.entries[0].buffers[1].last = 3; },
     "'Input->Hidden/weights' is never updated"},
    {"updateInPredict", [](Plan &p) { p.entries[0].name = "evaluate"; }, "only the entry 'train' may"},
    {"finishReadsUpdated",
     [](Plan &p) {
       step(p, 3).slots["finish"] = {"sigmoid",
                                     {arg(Role::Accumulator), arg(Role::Column, "Input->Hidden/bias")},
                                     {arg(Role::Column, "s")},
                                     {},
                                     false};
       p.entries[0].buffers.push_back({"s", {{4, ""}}, 3, 3});
     },
     "after its update"},
    {"storage", [](Plan &p) { p.parameters[0].storage = Precision::Tf32; },
     "'Input->Hidden/weights' is stored as tf32; \"fp32\" or \"bf16\" is expected"},
    {"precisionOfNothing", [](Plan &p) { step(p, 3).precision = Precision::Tf32; },
     "(column_reduce Hidden bias): has the precision tf32 and no products"},
    {"narrowWeightsOfAWideProduct",
     [](Plan &p) {
       p.parameters[0].storage = Precision::Bf16;
       step(p, 4).precision = Precision::Bf16;
     },
     "(csr_gather Hidden): multiplies by 'Input->Hidden/weights' in fp32, which is stored in bf16"},
    {"narrowBias", [](Plan &p) { p.parameters[3].storage = Precision::Bf16; },
     "takes 'Hidden->Output/bias' by columns, which is stored in bf16"},
    {"mixedStorage",
     [](Plan &p) {
       p.parameters.push_back(test::parameter("other", {4, ""}, symbol("outputs"), "columns"));
       step(p, 1).sources.push_back(test::source(false, "h", "other"));
       step(p, 1).precision = p.parameters[4].storage = Precision::Bf16;
     },
     "reads 'Hidden->Output/weights' and 'other', which are stored differently"},
    {"purposeless", [](Plan &p) { step(p, 3).biases.clear(), step(p, 3).update = false; }, "slot 'finish' is missing"},
    {"reductionIndex",
     [](Plan &p) {
       Step &s = step(p, 2);
       s.kernel = "row_reduce";
       s.reductions = {"max"};
       s.slots["reduce0"] = {"scaled", {arg(Role::Element, "dh")}, {arg(Role::Delta)}, {arg(Role::Reduction)}, false};
       p.functions.push_back({"scaled", 1, 1, 1, false});
     },
     "reads reduction 0, of which 0 are done"},
    {"reductionName",
     [](Plan &p) {
       Step &s = step(p, 2);
       s.kernel = "row_reduce";
       s.reductions = {"mean"};
       s.slots["reduce0"] = {"copy", {arg(Role::Element, "dh")}, {arg(Role::Delta)}, {}, false};
     },
     "reduces by 'mean'"},
};

class Faults : public testing::TestWithParam<Fault> {};
TEST_P(Faults, AreFound) {
  Plan plan = smallPlan();
  GetParam().spoil(plan);
  std::vector<std::string> problems = verify(plan);
  bool found = false;
  std::string all;
  for (const std::string &problem : problems) {
    found = found || problem.find(GetParam().says) != std::string::npos;
    all += problem + "\n";
  }
  EXPECT_TRUE(found) << "expected: " << GetParam().says << "\nfound:\n" << all;
}
INSTANTIATE_TEST_SUITE_P(Verify, Faults, testing::ValuesIn(kFaults), [](const auto &info) { return info.param.name; });

TEST(Verify, AcceptsACorrectPlan) { EXPECT_EQ(verify(smallPlan()), std::vector<std::string>{}); }

TEST(Verify, AcceptsNarrowWeights) {
  Plan plan = smallPlan();
  for (size_t parameter : {0, 2})
    plan.parameters[parameter].storage = Precision::Bf16;
  for (Entry &entry : plan.entries)
    for (Step &step : entry.steps)
      if (!step.sources.empty())
        step.precision = Precision::Bf16;
  EXPECT_EQ(verify(plan), std::vector<std::string>{});
}

TEST(Verify, AcceptsRowStatisticsAcrossSweeps) {
  Plan plan = smallPlan();
  Entry &train = plan.entries[0];
  Step statistics = train.steps[1];
  statistics.kernel = "wide_softmax", statistics.sweep = "statistics", statistics.update = false,
  statistics.report.clear();
  statistics.biases.clear(), statistics.sources[0].gradient.clear(), statistics.rows = {"max", "sum"};
  statistics.slots = {{"logit", {"loss1", {arg(Role::Accumulator)}, {arg(Role::Delta)}, {}, false}}};
  train.steps.insert(train.steps.begin() + 1, statistics);
  train.steps[2].kernel = "wide_softmax";
  for (auto &[name, use] : train.steps[2].slots)
    use.scalars = {arg(Role::Row, "max")};
  train.buffers = {{"h", {symbol("B"), {4, ""}}, 0, 3},
                   {"dh", {symbol("B"), {4, ""}}, 2, 5},
                   {"max", {symbol("B")}, 1, 2},
                   {"sum", {symbol("B")}, 1, 2}};
  for (Step &step : train.steps)
    step.after.clear();
  EXPECT_EQ(verify(plan), std::vector<std::string>{});
  std::swap(train.steps[1], train.steps[2]);
  ASSERT_FALSE(verify(plan).empty());
}
} // namespace
} // namespace sn::plan
