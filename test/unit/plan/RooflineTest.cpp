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
