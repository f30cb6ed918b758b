// What a plan that does not fit together is told by the device: each message provoked by one edit of steps that
// prepare. (Plans from files pass verify() first; this is the device's own guard.)
#include "test/unit/kernels/Rig.h"

namespace sn::test {
namespace {
/// Steps that prepare as they are: x [B, 3] * W [3, 5] -> y [B, 5], its target and its gradients.
class Steps : public Rig {
public:
  Steps() : Rig(1), data(4, 5, 0.5, 1) {
    for (const char *name : {"x", "y", "dy"})
      buffer(name, std::vector<float>(20));
    for (const char *name : {"max", "sum"})
      buffer(name, std::vector<float>(4));
    parameter("W", 3, 5, "columns", std::vector<float>(15));
    parameter("V", 5, 3, "rows", std::vector<float>(15));
    parameter("b", 1, 5, "rows", std::vector<float>(5));
    buffer("gW", std::vector<float>(15));
    memory.data["clicks"] = data.view(Loader::CsrBinary);
    step.columns.value = 5;
  }
  void gemm() {
    step.kernel = "gemm";
    step.sources = {source("x", "W")};
    step.slots["epilogue"] =
        use("addBias", {arg(Role::Accumulator), arg(Role::Column, "b")}, {arg(Role::Element, "y")}, {});
  }
  void wideOutput() {
    step.kernel = "wide_output";
    step.sweep = "single";
    step.sources = {source("x", "W")};
    step.biases = {"b"};
    step.update = true;
    step.target = "clicks";
    step.slots["background"] = use("crossBackground", {arg(Role::Accumulator), arg(Role::Column, "b")},
                                   {arg(Role::Delta)}, {arg(Role::TargetWeight)});
    step.slots["stored"] = use("crossStored", {arg(Role::Accumulator), arg(Role::Column, "b"), arg(Role::Target)},
                               {arg(Role::Delta)}, {arg(Role::TargetWeight)});
  }
  void statistics() {
    step.kernel = "wide_softmax";
    step.sweep = "statistics";
    step.sources = {source("x", "W")};
    step.rows = {"max", "sum"};
    step.slots["logit"] = use("copy", {arg(Role::Accumulator)}, {arg(Role::Delta)});
  }
  void cscUpdate() {
    step.kernel = "csc_update";
    step.sources = {source("clicks", "V")};
    step.sources[0].data = true;
    step.delta = "x";
    step.update = true;
  }
  void gemmUpdate() {
    step.kernel = "gemm_update";
    step.sources = {source("x", "W")};
    step.delta = "y";
    step.update = true;
  }
  void expand() {
    step.kernel = "expand";
    step.sources = {source("clicks", "")};
    step.sources[0].data = true;
    step.slots["epilogue"] = use("copy", {arg(Role::Accumulator)}, {arg(Role::Element, "y")});
  }
  void update() {
    step.kernel = "update";
    step.sources = {source("", "W")};
    step.sources[0].weightGradient = "gW";
    step.update = true;
  }
  void limitNorm() {
    step.kernel = "limit_norm";
    step.sources = {source("", "W")};
    step.limit = 1;
  }
  void vectorMap() {
    step.kernel = "map";
    step.slots["body"] = use("copy", {arg(Role::Column, "b")}, {arg(Role::Column, "b")});
  }
  void rowReduce() {
    step.kernel = "row_reduce";
    step.reductions = {"max", "sum"};
    step.rows = {"max", "sum"};
    step.slots["reduce0"] = use("copy", {arg(Role::Element, "y")}, {arg(Role::Delta)});
    step.slots["reduce1"] = use("expMinus", {arg(Role::Element, "y")}, {arg(Role::Delta)}, {reduction(0)});
  }
  /// What preparing the step, and measuring its workspace, is refused with; "" if it is not.
  std::string refusal() {
    plan::Entry entry;
    entry.steps = {step};
    const plan::Optimizer *updates = step.update ? &optimizer : nullptr;
    extents.maxRows = 4;
    std::string prepared = said([&] { device->prepare(plan, step, updates, memory, extents); });
    EXPECT_EQ(said([&] { device->workspaceNeed(plan, entry, updates, memory, extents); }), prepared);
    return prepared;
  }

private:
  template <typename Call> static std::string said(Call call) {
    try {
      call();
    } catch (const UserError &error) {
      return error.what();
    }
    return "";
  }
  TestData data;
};

struct Refusal {
  const char *name;
  void (Steps::*start)();
  void (*spoil)(Steps &);
  const char *says; // the whole message
};
void PrintTo(const Refusal &refusal, std::ostream *out) { *out << refusal.name; }

const Refusal kRefusals[] = {
    {"buffer", &Steps::gemm, [](Steps &s) { s.step.sources[0].ref = "z"; },
     "step 'test' of the plan names the buffer 'z', which does not exist"},
    {"gradient", &Steps::wideOutput, [](Steps &s) { s.step.sources[0].gradient = "dx"; },
     "step 'test' of the plan names the buffer 'dx', which does not exist"},
    {"data", &Steps::cscUpdate, [](Steps &s) { s.step.sources[0].ref = "views"; },
     "step 'test' of the plan reads the data set 'views', which is not bound"},
    {"target", &Steps::wideOutput, [](Steps &s) { s.memory.data.clear(); },
     "step 'test' of the plan reads the data set 'clicks', which is not bound"},
    {"parameter", &Steps::gemm, [](Steps &s) { s.step.sources[0].weights = "U"; },
     "step 'test' of the plan names the parameter 'U', which does not exist"},
    {"parameterWithoutMemory", &Steps::gemm, [](Steps &s) { s.memory.parameters.erase("W"); },
     "step 'test' of the plan names the parameter 'W', which has no memory"},
    {"spanOfScalar", &Steps::gemm, [](Steps &s) { s.step.slots["epilogue"].in[1] = hyper("Alpha"); },
     "step 'test' of the plan binds a scalar where a slot reads a span"},
    {"scalarOfSpan", &Steps::gemm, [](Steps &s) { s.step.slots["epilogue"].scalars = {arg(Role::Element, "y")}; },
     "step 'test' of the plan binds a span where a slot reads a scalar"},
    {"reductionOfFew", &Steps::rowReduce, [](Steps &s) { s.step.slots["reduce1"].scalars = {reduction(2)}; },
     "step 'test' of the plan reads reduction 2 of 2"},
    {"negativeReduction", &Steps::rowReduce, [](Steps &s) { s.step.slots["reduce1"].scalars = {reduction(-1)}; },
     "step 'test' of the plan reads reduction -1 of 2"},
    {"slot", &Steps::gemm, [](Steps &s) { s.step.slots.clear(); },
     "step 'test' of the plan has no slot 'epilogue', which gemm needs"},
    {"targetSlot", &Steps::wideOutput, [](Steps &s) { s.step.slots.erase("stored"); },
     "step 'test' of the plan has no slot 'stored', which wide_output needs"},
    {"operands", &Steps::gemm, [](Steps &s) { s.step.slots["epilogue"].in.resize(33); },
     "step 'test' of the plan: slot 'epilogue' has more than 32 operands"},
    {"function", &Steps::gemm, [](Steps &s) { s.step.slots["epilogue"].function = "gone"; },
     "the plan uses the slot 'gone', which is not among its functions"},
    {"twoSources", &Steps::gemmUpdate, [](Steps &s) { s.step.sources.push_back(s.step.sources[0]); },
     "step 'test' of the plan: gemm_update takes one source, not 2"},
    {"noSource", &Steps::cscUpdate, [](Steps &s) { s.step.sources.clear(); },
     "step 'test' of the plan: csc_update takes one source, not 0"},
    {"dataAsBuffer", &Steps::gemm, [](Steps &s) { s.step.sources[0].data = true, s.step.sources[0].ref = "clicks"; },
     "step 'test' of the plan: gemm reads buffers, not the data set 'clicks'"},
    {"optimizerScalars", &Steps::gemmUpdate, [](Steps &s) { s.optimizer.scalars.resize(33); },
     "the optimizer 'SGD' has too many states or scalars (at most 30)"},
    {"optimizerStates", &Steps::gemmUpdate,
     [](Steps &s) {
       s.optimizer.states.resize(31);
       s.memory.states["W"].resize(31);
     },
     "the optimizer 'SGD' has too many states or scalars (at most 30)"},
    {"sweep", &Steps::wideOutput, [](Steps &s) { s.step.sweep = "twice"; },
     "step 'test' of the plan has the unknown sweep 'twice'"},
    {"statisticsRows", &Steps::statistics, [](Steps &s) { s.step.rows.pop_back(); },
     "step 'test' of the plan: a statistics sweep writes two row buffers, not 1"},
    {"normRows", &Steps::wideOutput, [](Steps &s) { s.step.sweep = "norm"; },
     "step 'test' of the plan: a norm sweep writes one row buffer, not 0"},
    {"idleCscUpdate", &Steps::cscUpdate, [](Steps &s) { s.step.update = false; },
     "step 'test' of the plan: csc_update updates nothing"},
    {"idleGemmUpdate", &Steps::gemmUpdate, [](Steps &s) { s.step.update = false; },
     "step 'test' of the plan: gemm_update updates nothing"},
    {"cscGradient", &Steps::cscUpdate, [](Steps &s) { s.step.sources[0].weightGradient = "gV"; },
     "step 'test' of the plan names the buffer 'gV', which does not exist"},
    {"gemmGradient", &Steps::gemmUpdate, [](Steps &s) { s.step.sources[0].weightGradient = "gV"; },
     "step 'test' of the plan names the buffer 'gV', which does not exist"},
    {"wideGradient", &Steps::wideOutput, [](Steps &s) { s.step.sources[0].weightGradient = "gV"; },
     "step 'test' of the plan names the buffer 'gV', which does not exist"},
    {"expandedData", &Steps::expand, [](Steps &s) { s.step.sources[0].ref = "views"; },
     "step 'test' of the plan reads the data set 'views', which is not bound"},
    {"expandedBuffer", &Steps::expand, [](Steps &s) { s.step.sources[0].ref = "x"; },
     "step 'test' of the plan reads the data set 'x', which is not bound"},
    {"expandOfTwo", &Steps::expand, [](Steps &s) { s.step.sources.push_back(s.step.sources[0]); },
     "step 'test' of the plan: expand takes one source, not 2"},
    {"expandSlot", &Steps::expand, [](Steps &s) { s.step.slots.clear(); },
     "step 'test' of the plan has no slot 'epilogue', which expand needs"},
    {"updateWithoutGradient", &Steps::update, [](Steps &s) { s.step.sources[0].weightGradient = ""; },
     "step 'test' of the plan: update applies no gradient"},
    {"updateWithoutOptimizer", &Steps::update, [](Steps &s) { s.step.update = false; },
     "step 'test' of the plan: update applies no gradient"},
    {"updateOfNothing", &Steps::update, [](Steps &s) { s.step.sources[0].weights = "U"; },
     "step 'test' of the plan names the parameter 'U', which does not exist"},
    {"noLimit", &Steps::limitNorm, [](Steps &s) { s.step.limit = 0; },
     "step 'test' of the plan limits norms to 0, which is not positive"},
    {"limitOfNothing", &Steps::limitNorm, [](Steps &s) { s.step.sources.clear(); },
     "step 'test' of the plan: limit_norm takes one source, not 0"},
    {"mixedMap", &Steps::vectorMap, [](Steps &s) { s.step.slots["body"].out.push_back(arg(Role::Element, "y")); },
     "step 'test' of the plan writes vectors and matrices at once"},
    {"vectorMapOfRows", &Steps::vectorMap, [](Steps &s) { s.step.slots["body"].in[0] = arg(Role::Element, "y"); },
     "step 'test' of the plan is a map of vectors and reads what belongs to rows"},
    {"vectorMapOfRowScalars", &Steps::vectorMap,
     [](Steps &s) { s.step.slots["body"].scalars = {arg(Role::Row, "max")}; },
     "step 'test' of the plan is a map of vectors and reads what belongs to rows"},
    {"indexAsScalar", &Steps::gemm, [](Steps &s) { s.step.slots["epilogue"].scalars = {arg(Role::Index)}; },
     "step 'test' of the plan binds a span where a slot reads a scalar"},
    {"binaryAsSpan", &Steps::gemm, [](Steps &s) { s.step.slots["epilogue"].in[1] = arg(Role::TargetBinary); },
     "step 'test' of the plan binds a scalar where a slot reads a span"},
    {"reductions", &Steps::rowReduce, [](Steps &s) { s.step.reductions.resize(33, "sum"); },
     "step 'test' of the plan has more than 32 reductions"},
    {"reductionName", &Steps::rowReduce, [](Steps &s) { s.step.reductions[1] = "mean"; },
     "step 'test' of the plan has the unknown reduction 'mean'"},
    {"schema", &Steps::gemm, [](Steps &s) { s.step.kernel = "conv"; },
     "step 'test' of the plan needs the kernel schema 'conv', which the CPU device does not have"},
    {"noLanes", &Steps::gemm, [](Steps &s) { s.plan.lanes = 0; },
     "the plan asks for 0 lanes; the CPU device walks 1 to 64"},
    {"manyLanes", &Steps::gemm, [](Steps &s) { s.plan.lanes = 65; },
     "the plan asks for 65 lanes; the CPU device walks 1 to 64"},
};

class Refused : public testing::TestWithParam<Refusal> {};
TEST_P(Refused, ByItsMessage) {
  Steps steps;
  (steps.*GetParam().start)();
  ASSERT_EQ(steps.refusal(), "") << "the step is right before the edit";
  GetParam().spoil(steps);
  EXPECT_EQ(steps.refusal(), GetParam().says);
}
INSTANTIATE_TEST_SUITE_P(Device, Refused, testing::ValuesIn(kRefusals),
                         [](const auto &info) { return info.param.name; });
} // namespace
} // namespace sn::test
