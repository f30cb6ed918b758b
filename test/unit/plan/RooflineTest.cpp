#include "runtime/plan/CostRoofline.h"
#include "runtime/plan/Error.h"
#include <gtest/gtest.h>
#include <set>

namespace sn::plan {
namespace {
TEST(Roofline, TheLongerOfMovingAndComputing) {
  const Machine &machine = machineNamed("h200"); // 4.8 TB/s; 67, 494.5 and 989.5 Tflop/s
  const Roofline moving = rooflineOf({.flops = 67e12 / 4, .bytes = 4.8e12 / 2}, machine, Precision::Fp32);
  EXPECT_NEAR(moving.floor, 0.5, 1e-12);
  EXPECT_TRUE(moving.byMemory);
  const Roofline computing = rooflineOf({.flops = 67e12, .bytes = 4.8e12 / 2}, machine, Precision::Fp32);
  EXPECT_NEAR(computing.floor, 1, 1e-12);
  EXPECT_FALSE(computing.byMemory);
  EXPECT_GT(computing.expected, computing.floor);
  EXPECT_NEAR(rooflineOf({.flops = 494.5e12}, machine, Precision::Tf32).floor, 1, 1e-12);
  EXPECT_NEAR(rooflineOf({.flops = 989.5e12}, machine, Precision::Bf16).floor, 1, 1e-12);
}

TEST(Roofline, SlotsRunOnTheFp32UnitsWhateverThePrecision) {
  const Machine &machine = machineNamed("a100");
  const Cost cost{.elements = 1e12};
  EXPECT_GT(rooflineOf(cost, machine, Precision::Fp32).floor, 0);
  EXPECT_EQ(rooflineOf(cost, machine, Precision::Fp32).floor, rooflineOf(cost, machine, Precision::Bf16).floor);
}

/// Of an input layer of 1,000 features and 10 units, in some precision.
struct InputLayer {
  Plan plan;
  Step step;
  CostModel model;
  explicit InputLayer(double density) {
    plan.parameters.resize(1);
    plan.parameters[0].name = "w";
    plan.parameters[0].in.value = 1000;
    plan.parameters[0].out.value = 10;
    plan.parameters[0].storage = step.precision = Precision::Bf16;
    step.kernel = "csr_gather";
    step.sources.resize(1);
    step.sources[0].data = true;
    step.sources[0].weights = "w";
    step.columns.value = 10;
    model.extent = [](const Dim &dim) { return dim.symbol.empty() ? static_cast<double>(dim.value) : 64.0; };
    model.density = [density](const std::string &) { return density; };
  }
};

TEST(Roofline, TensorCoresMultiplyWhatIsDense) {
  const InputLayer sparse(10), dense(1000);
  const Machine &h200 = machineNamed("h200"), &t4 = machineNamed("t4");
  EXPECT_EQ(precisionOn(h200, dense.plan, dense.step, dense.model), Precision::Bf16);
  EXPECT_EQ(precisionOn(h200, sparse.plan, sparse.step, sparse.model), Precision::Fp32);
  EXPECT_EQ(precisionOn(t4, dense.plan, dense.step, dense.model), Precision::Fp32) << "it has no such units";
  EXPECT_EQ(rooflineOf(dense.plan, {}, dense.step, dense.model, h200).floor,
            rooflineOf(costOf(dense.plan, {}, dense.step, dense.model), h200, Precision::Bf16).floor);
}

TEST(Roofline, OneSweepOfManyRowsFormsItsDeltasTwice) {
  InputLayer layer(10);
  Step &step = layer.step;
  step.kernel = "wide_output";
  step.sweep = "single";
  step.update = true;
  step.precision = Precision::Fp32;
  step.sources[0].data = false;
  step.sources[0].ref = "x";
  double rows = 64;
  layer.model.extent = [&](const Dim &dim) { return dim.symbol.empty() ? static_cast<double>(dim.value) : rows; };
  const Machine &machine = machineNamed("a100");
  const auto plain = [&] { return rooflineOf(costOf(layer.plan, {}, step, layer.model), machine, Precision::Fp32); };
  const auto asRun = [&] { return rooflineOf(layer.plan, {}, step, layer.model, machine); };
  EXPECT_EQ(asRun().expected, plain().expected);
  rows = 1 << 20;
  EXPECT_GT(asRun().expected, 1.3 * plain().expected) << "three products where there were two";
  EXPECT_EQ(asRun().floor, plain().floor);
  layer.plan.allowDeltaBuffer = true;
  EXPECT_LT(asRun().expected, 1.3 * plain().expected);
}

TEST(Cost, ParametersHaveTheBytesThatTheDeviceStores) {
  InputLayer dense(1000);
  const double bytes = costOf(dense.plan, {}, dense.step, dense.model).bytes;
  dense.model.asStored = true;
  EXPECT_EQ(parameterBytes(dense.plan, dense.model), 2 * 10 * 1000);
  EXPECT_EQ(bytes - parameterBytes(dense.plan, dense.model), costOf(dense.plan, {}, dense.step, dense.model).bytes)
      << "half of the table is read";
  dense.plan.parameters[0].storage = Precision::Fp32;
  EXPECT_EQ(costOf(dense.plan, {}, dense.step, dense.model).bytes, bytes);
  // An update reads and writes weights as they are stored, and states in fp32.
  dense.step.kernel = "csc_update";
  dense.step.update = true;
  dense.model.states = 2;
  const double whole = costOf(dense.plan, {}, dense.step, dense.model).bytes;
  dense.plan.parameters[0].storage = Precision::Bf16;
  EXPECT_EQ(whole - costOf(dense.plan, {}, dense.step, dense.model).bytes, 2 * 2 * 10 * 1000);
}

TEST(Roofline, NoWorkTakesNoTime) {
  const Roofline nothing = rooflineOf({}, machineNamed("t4"), Precision::Fp32);
  EXPECT_EQ(nothing.floor, 0);
  EXPECT_EQ(nothing.expected, 0);
}

TEST(Roofline, MachinesHaveNamesOfTheirOwnAndFp32) {
  std::set<std::string_view> names;
  for (const Machine &machine : machines()) {
    EXPECT_TRUE(names.insert(machine.name).second) << machine.name;
    EXPECT_GT(machine.peak(Precision::Fp32), 0) << machine.name;
    EXPECT_GT(machine.bandwidth, 0) << machine.name;
    EXPECT_EQ(&machineNamed(machine.name), &machine);
  }
  EXPECT_THROW(machineNamed("abacus"), UserError);
  EXPECT_EQ(machineOfDevice("NVIDIA H200"), &machineNamed("h200"));
  EXPECT_EQ(machineOfDevice("Tesla T4"), &machineNamed("t4"));
  for (const char *unknown : {"", "Emulated GPU", "NVIDIA H20", "NVIDIA A100-SXM"}) // no sheet of another product
    EXPECT_EQ(machineOfDevice(unknown), nullptr) << unknown;
}

TEST(Roofline, RowsStayOnlyWhereAllTheirHyperParametersAreZero) {
  Optimizer optimizer;
  EXPECT_FALSE(keepsUntouched(optimizer, {}));
  optimizer.idleWhenZero = std::vector<std::string>{"Lambda", "Mu"};
  EXPECT_TRUE(keepsUntouched(optimizer, {{"Lambda", 0}, {"Mu", 0}, {"Alpha", 1}}));
  EXPECT_FALSE(keepsUntouched(optimizer, {{"Lambda", 0}, {"Mu", 0.9}}));
  EXPECT_FALSE(keepsUntouched(optimizer, {{"Lambda", 0}}));
}
} // namespace
} // namespace sn::plan
