// The oracle itself, on net IR written by hand and numbers worked out by hand.
#include "compiler/Reference/Interpreter.h"
#include "dialects/Net/Net.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "runtime/plan/Philox.h"
#include <cmath>
#include <gtest/gtest.h>
#include <limits>

namespace sn::reference {
namespace {
class Interpreter : public ::testing::Test {
protected:
  Interpreter() : context(mlir::MLIRContext::Threading::DISABLED) {
    context.loadDialect<net::NetDialect, mlir::arith::ArithDialect, mlir::math::MathDialect>();
    data["x"].values = tensor(3, 2, {1, 2, 3, 4, 5, 6});
    data["t"] = {.values = tensor(3, 2, {0, 1, 0, 0, 1, 1}),
                 .sparse = true,
                 .binary = true,
                 .stored = {false, true, false, false, true, true}};
    run.ids = {2, 0};
    run.hyper = {{"Alpha", 0.5}, {"Lambda", 0.1}, {"Lambda1", 0}, {"Mu", 0}, {"Mu1", 0}};
    run.optimizer = "Plain";
    run.seed = 11;
    run.epoch = 3;
  }
  static Tensor tensor(int64_t rows, int64_t columns, std::vector<double> values) {
    Tensor to(rows, columns);
    to.values = std::move(values);
    return to;
  }
  Result interpret(const std::string &body, const std::string &around = "") {
    std::string text = around + "net.entry @e {\n" + body + "\n}";
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    EXPECT_TRUE(module) << text;
    return reference::interpret(*module, "e", data, state, run);
  }
  /// What `body` ranks.
  std::vector<double> values(const std::string &body) { return interpret(body).scores.at("L").values; }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::map<std::string, DataTable> data;
  State state;
  reference::Run run;
};
using Values = std::vector<double>;
const std::string kX = R"(%x = net.data "x" : !net.value<"B" x 3>
)";
const std::string kRank = R"(
net.rank %r layers ["L"] : !net.value<"B" x 3>)";

TEST_F(Interpreter, DataIsTheBatchsRowsWithZerosBeyondTheColumns) {
  EXPECT_EQ(values(kX + R"(net.rank %x layers ["L"] : !net.value<"B" x 3>)"), (Values{5, 6, 0, 1, 2, 0}));
}

TEST_F(Interpreter, ContractionsAddProductsOfEitherTransposition) {
  state.parameters["w"] = tensor(3, 3, {1, 0, 2, 0, 1, 0, 7, 7, 7});
  const std::string read = kX + R"(%w = net.read @w : !net.value<3 x 3>
)";
  EXPECT_EQ(
      values(
          read +
          R"(%r = net.contract (%x, %x) by (%w, %w) : (!net.value<"B" x 3>, !net.value<"B" x 3>) by (!net.value<3 x 3>, !net.value<3 x 3>) -> !net.value<"B" x 3>)" +
          kRank),
      (Values{10, 12, 20, 2, 4, 4}));
  EXPECT_EQ(
      values(
          read +
          R"(%r = net.contract (%x) by (%w) transpose_b : (!net.value<"B" x 3>) by (!net.value<3 x 3>) -> !net.value<"B" x 3>)" +
          kRank),
      (Values{5, 6, 77, 1, 2, 21}));
  EXPECT_EQ(
      values(
          kX +
          R"(%r = net.contract (%x) by (%x) transpose_a : (!net.value<"B" x 3>) by (!net.value<"B" x 3>) -> !net.value<3 x 3>
net.rank %r layers ["L"] : !net.value<3 x 3>)"),
      (Values{26, 32, 0, 32, 40, 0, 0, 0, 0}));
}

TEST_F(Interpreter, MapsBroadcastRowsColumnsAndScalars) {
  state.parameters["b"] = tensor(1, 3, {10, 20, 30});
  EXPECT_EQ(values(kX + R"(%b = net.read @b : !net.value<3>
%s = net.scalar "[\22div\22,1.0,\22B\22]" : !net.value<>
%m = net.row_reduce "max" (%x) detached {
^bb0(%v: f32):
  net.yield %v : f32
} : (!net.value<"B" x 3>) -> !net.value<"B">
%r = net.map (%x, %b, %s, %m) {
^bb0(%v: f32, %c: f32, %k: f32, %row: f32):
  %0 = arith.mulf %v, %k : f32
  %1 = arith.addf %0, %c : f32
  %2 = arith.subf %1, %row : f32
  net.yield %2 : f32
} : (!net.value<"B" x 3>, !net.value<3>, !net.value<>, !net.value<"B">) -> !net.value<"B" x 3>)" +
                   kRank),
            (Values{2.5 + 10 - 6, 3 + 20 - 6, 30 - 6, 0.5 + 10 - 2, 1 + 20 - 2, 30 - 2}));
}

TEST_F(Interpreter, ReductionsOfRowsAndColumns) {
  EXPECT_EQ(values(kX + R"(%c = net.column_sum %x : !net.value<"B" x 3> -> !net.value<3>
%q = net.row_reduce "sum" (%x) {
^bb0(%v: f32):
  %0 = arith.mulf %v, %v : f32
  net.yield %0 : f32
} : (!net.value<"B" x 3>) -> !net.value<"B">
%r = net.map (%c, %q) {
^bb0(%a: f32, %b: f32):
  %0 = arith.addf %a, %b : f32
  net.yield %0 : f32
} : (!net.value<3>, !net.value<"B">) -> !net.value<"B" x 3>)" +
                   kRank),
            (Values{6 + 61, 8 + 61, 61, 6 + 5, 8 + 5, 5}));
}

TEST_F(Interpreter, MasksAreThoseOfTheContract) {
  Values corrupted =
      values(kX + R"(%r = net.corrupt %x p 0.5 stream 9 : !net.value<"B" x 3> -> !net.value<"B" x 3>)" + kRank);
  Values mask = values(R"(%r = net.mask p 0.5 stream 9 : !net.value<"B" x 3>)" + kRank);
  for (int64_t row = 0; row < 2; ++row)
    for (int64_t column = 0; column < 3; ++column) {
      size_t at = static_cast<size_t>(3 * row + column);
      double expected =
          plan::maskValue(plan::randomWord({11, 9, 3}, static_cast<uint64_t>(run.ids[static_cast<size_t>(row)]),
                                           static_cast<uint64_t>(column)),
                          0.5f);
      EXPECT_EQ(mask[at], expected);
      EXPECT_EQ(corrupted[at],
                expected * (column < 2 ? data["x"].values(run.ids[static_cast<size_t>(row)], column) : 0));
    }
}

const std::string kLoss = R"(%y = net.data "x" : !net.value<"B" x 3>
%sum, %d = net.loss (%y) target "t" layers ["L"] value {
^bb0(%v: f32, %t: f32):
  %c = arith.constant 10.0 : f32
  %0 = arith.mulf %c, %t : f32
  %1 = arith.addf %v, %0 : f32
  net.yield %1 : f32
} delta {
^bb0(%v: f32, %t: f32):
  %0 = arith.subf %v, %t : f32
  net.yield %0 : f32
} : (!net.value<"B" x 3>) -> (!net.value<>, !net.value<"B" x 3>)
net.report "loss", %sum : !net.value<>
net.rank %d layers ["L"] : !net.value<"B" x 3>)";

TEST_F(Interpreter, LossesCountEveryUnitUnlessZerosAreIgnored) {
  // Rows 2 and 0: y = 5 6 0 and 1 2 0, t = 1 1 0 and 0 1 0.
  Result result = interpret(kLoss);
  EXPECT_EQ(result.loss, 5 + 6 + 0 + 1 + 2 + 0 + 10 * 3);
  EXPECT_EQ(result.scores.at("L").values, (Values{4, 5, 0, 1, 1, 0}));
  data["t"].ignoreZeros = true;
  result = interpret(kLoss);
  EXPECT_EQ(result.loss, 5 + 6 + 2 + 10 * 3);
  EXPECT_EQ(result.scores.at("L").values, (Values{4, 5, 0, 0, 1, 0}));
}

TEST_F(Interpreter, IndicatorsCountStoredEntriesAsOne) {
  std::string indicator = kLoss;
  indicator.replace(indicator.find("layers"), 0, "indicator ");
  data["t"].binary = false;
  for (double &value : data["t"].values.values)
    value *= 0.5;
  EXPECT_EQ(interpret(kLoss).loss, 14 + 10 * 1.5);
  EXPECT_EQ(interpret(indicator).loss, 14 + 10 * 3);
  data["t"].sparse = false; // dense values are what they are
  EXPECT_EQ(interpret(indicator).loss, 14 + 10 * 1.5);
}

TEST_F(Interpreter, TargetScalars) {
  auto scalar = [&](const std::string &what) {
    return values("%s = net.target_scalar \"t\" \"" + what + R"(" : !net.value<"B">
%r = net.map (%s) {
^bb0(%v: f32):
  net.yield %v : f32
} : (!net.value<"B">) -> !net.value<"B" x 1>
net.rank %r layers ["L"] : !net.value<"B" x 1>)");
  };
  EXPECT_EQ(scalar("scale"), (Values{0.5, 1}));
  EXPECT_EQ(scalar("sum"), (Values{1, 1}));
  EXPECT_EQ(scalar("weight"), (Values{1, 1}));
  run.ids = {1};
  EXPECT_EQ(scalar("scale"), (Values{0}));
  EXPECT_EQ(scalar("sum"), (Values{0}));
  run.ids = {2};
  data["t"].binary = false;
  data["t"].values(2, 0) = 0.25;
  EXPECT_EQ(scalar("scale"), (Values{1}));
  EXPECT_EQ(scalar("sum"), (Values{1.25}));
}

TEST_F(Interpreter, UpdatesDescendTheMeanGradientAndDecayWeightsOnly) {
  const std::string around = R"(net.parameter @w : !net.value<1 x 2> decays init "none" "0.0" "0.0" stream 1
net.parameter @b : !net.value<2> init "none" "0.0" "0.0" stream 2
net.optimizer @Plain states ["n"] scalars ["Rate", "Decay"] = ["[\22mul\22,\22Alpha\22,\22Step\22]", "\22Lambda\22"] defaults {} weights {
^bb0(%w: f32, %g: f32, %n: f32, %rate: f32, %decay: f32):
  %0 = arith.mulf %rate, %g : f32
  %1 = arith.mulf %decay, %w : f32
  %2 = arith.addf %w, %0 : f32
  %3 = arith.subf %2, %1 : f32
  %4 = arith.addf %n, %g : f32
  net.yield %3, %4, %1 : f32, f32, f32
} bias {
^bb0(%w: f32, %g: f32, %n: f32, %rate: f32, %decay: f32):
  %c = arith.constant 0.0 : f32
  %0 = arith.mulf %rate, %g : f32
  %1 = arith.addf %w, %0 : f32
  net.yield %1, %g, %c : f32, f32, f32
}
)";
  run.step = 2; // Rate 1
  state.parameters = {{"w", tensor(1, 2, {10, 20})}, {"b", tensor(1, 2, {1, 2})}};
  state.states = {{"w", {tensor(1, 2, {100, 0})}}, {"b", {tensor(1, 2, {0, 0})}}};
  Result result = interpret(R"(%w = net.read @w : !net.value<1 x 2>
%b = net.read @b : !net.value<2>
net.update @w, %w : !net.value<1 x 2>
net.update @b, %b : !net.value<2>)",
                            around);
  // Gradients are the values themselves here, halved by the batch of two, downhill; decay takes a tenth of a weight.
  EXPECT_EQ(result.after.parameters.at("w").values, (Values{10 - 5 - 1, 20 - 10 - 2}));
  EXPECT_EQ(result.after.states.at("w")[0].values, (Values{95, -10}));
  EXPECT_EQ(result.after.parameters.at("b").values, (Values{0.5, 1}));
  EXPECT_EQ(result.regularization, 3);
  EXPECT_EQ(result.gradients.at("b").values, (Values{1, 2}));
}

const std::string kShared = R"(net.parameter @w : !net.value<2 x 2> norm 5.0 share 2 init "none" "0.0" "0.0" stream 1
net.parameter @m : !net.value<2> fixed init "none" "0.0" "0.25" stream 2
net.optimizer @Plain states ["n"] scalars [] = [] defaults {} weights {
^bb0(%w: f32, %g: f32, %n: f32):
  net.yield %w, %n, %w : f32, f32, f32
} bias {
^bb0(%w: f32, %g: f32, %n: f32):
  %0 = arith.addf %w, %g : f32
  %c = arith.constant 0.0 : f32
  net.yield %0, %g, %c : f32, f32, f32
}
)";

TEST_F(Interpreter, ContributionsAddUpAreAveragedOverUsersAndNormsAreBoundedByColumn) {
  state.parameters = {{"w", tensor(2, 2, {4, 30, 5, 44})}};
  Result result = interpret(R"(%w = net.read @w : !net.value<2 x 2>
net.update @w, %w, %w : !net.value<2 x 2>, !net.value<2 x 2>)",
                            kShared);
  EXPECT_EQ(result.gradients.at("w").values, (Values{8, 60, 10, 88}));
  // A batch of two and two users: descents of a quarter. Columns 2, 2.5 and 15, 22; the second is longer than 5.
  double norm = std::sqrt(15.0 * 15 + 22 * 22);
  EXPECT_EQ(result.after.states.at("w")[0].values, (Values{-2, -15, -2.5, -22}));
  for (auto [i, expected] : {std::pair{0, 2.0}, {1, 15 * 5 / norm}, {2, 2.5}, {3, 22 * 5 / norm}})
    EXPECT_NEAR(result.after.parameters.at("w").values[static_cast<size_t>(i)], expected, 1e-12);
}

TEST_F(Interpreter, AssignedValuesAreOfTheNextStep) {
  const std::string body = R"(%i = net.iota : !net.value<2>
net.assign @m, %i : !net.value<2>
%m = net.read @m : !net.value<2>
%r = net.map (%m) {
^bb0(%v: f32):
  net.yield %v : f32
} : (!net.value<2>) -> !net.value<"B" x 2>
net.rank %r layers ["L"] : !net.value<"B" x 2>)";
  state.parameters = {{"m", tensor(1, 2, {7, 8})}};
  Result result = interpret(body, kShared);
  EXPECT_EQ(result.scores.at("L").values, (Values{7, 8, 7, 8}));
  EXPECT_EQ(result.after.parameters.at("m").values, (Values{0, 1}));
  State initial = initialState(*module, {}, 1, "Plain");
  EXPECT_EQ(initial.parameters.at("m").values, (Values{0.25, 0.25}));
  EXPECT_FALSE(initial.states.contains("m"));
  EXPECT_EQ(initial.states.at("w").size(), 1u);
}

TEST_F(Interpreter, WeightsOffsetsAndBoosts) {
  const std::string rank = kX + R"(net.rank %x layers ["L"] : !net.value<"B" x 3>)";
  data["x"].inputOffset = -0.5;
  data["x"].weights = {10, 20, 30};
  EXPECT_EQ(values(rank), (Values{4.5, 5.5, 0, 0.5, 1.5, 0})); // dense: the offset and no weight
  data["x"].sparse = true;
  data["x"].stored.assign(6, true);
  EXPECT_EQ(values(rank), (Values{150, 180, 0, 10, 20, 0}));
  data["x"] = {.values = tensor(3, 2, {1, 2, 3, 4, 5, 6})};
  data["t"].weights = {2, 3, 4};
  EXPECT_EQ(values(R"(%s = net.target_scalar "t" "weight" : !net.value<"B">
%r = net.map (%s) {
^bb0(%v: f32):
  net.yield %v : f32
} : (!net.value<"B">) -> !net.value<"B" x 1>
net.rank %r layers ["L"] : !net.value<"B" x 1>)"),
            (Values{4, 2}));
  std::string boosted = kLoss;
  boosted.insert(boosted.find("layers"), "boost [0.5, 3.0, 7.0] ");
  EXPECT_EQ(interpret(boosted).loss, interpret(kLoss).loss);
  EXPECT_EQ(values(boosted), (Values{4 * 3, 5 * 3, 0, 0.5, 3, 0}));
  data["t"].binary = false;
  EXPECT_EQ(values(boosted), (Values{4 * 7, 5 * 7, 0, 0.5, 7, 0}));
  data["t"].sparse = false;
  EXPECT_EQ(values(boosted), (Values{4, 5, 0, 1, 1, 0}));
}

TEST_F(Interpreter, StoredZerosAreNegative) {
  data["t"].binary = false;
  data["t"].values(2, 1) = 0; // stored all the same
  std::string inverse = kLoss;
  inverse.replace(inverse.find("%0 = arith.subf %v, %t"), 22, "%0 = arith.divf %v, %t");
  double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(values(inverse)[1], -infinity);
  EXPECT_EQ(values(inverse)[3], infinity); // not stored
}

TEST_F(Interpreter, InitialValuesAreDrawnByStreamRowAndColumn) {
  const std::string around =
      R"(net.parameter @u : !net.value<"x" x 3> decays init "uniform" "[\22mul\22,2.0,\22nin\22]" "\22nout\22" stream 4
net.parameter @n : !net.value<2 x 2> decays init "normal" "1.0" "0.5" stream 5
net.parameter @c : !net.value<3> init "none" "0.0" "0.1" stream 6
net.optimizer @Plain states ["m"] scalars [] = [] defaults {} weights {
^bb0(%w: f32, %g: f32, %m: f32):
  net.yield %w, %m, %w : f32, f32, f32
} bias {
^bb0(%w: f32, %g: f32, %m: f32):
  net.yield %w, %m, %w : f32, f32, f32
}
)";
  interpret("", around);
  State drawn = initialState(*module, {{"x", 2}}, 77, "Plain");
  EXPECT_EQ(drawn.parameters.at("u")(1, 2), static_cast<float>(4 * plan::uniform({77, 4, 0}, 1, 2) + 3));
  EXPECT_EQ(drawn.parameters.at("n")(1, 0), static_cast<float>(plan::normal({77, 5, 0}, 1, 0) + 0.5));
  EXPECT_EQ(drawn.parameters.at("c").values, (Values{0.1f, 0.1f, 0.1f}));
  EXPECT_EQ(drawn.states.at("u")[0].values, Values(6, 0));
}

const std::string kKink = kX + R"(%r = net.map (%z) {
^bb0(%v: f32):
  %c = arith.constant 30.0 : f32
  %0 = arith.cmpf ogt, %v, %c : f32
  %1 = arith.select %0, %v, %c : f32
  net.yield %1 : f32
} : (!net.value<"B" x 3>) -> !net.value<"B" x 3>)";

TEST_F(Interpreter, NearComparisonsAreCountedAndInvertedOnRequest) {
  std::string body = kKink;
  body.insert(body.find("%r ="), R"(%z = net.map (%x) {
^bb0(%v: f32):
  %s = arith.constant 5.0 : f32
  %0 = arith.mulf %v, %s : f32
  %k = arith.constant 0.0009765625 : f32
  %1 = arith.addf %0, %k : f32
  net.yield %1 : f32
} : (!net.value<"B" x 3>) -> !net.value<"B" x 3>
)");
  body += kRank; // one value is 30 + 2^-10
  uint64_t branches = interpret(body).branches;
  run.nearness = 1e-3;
  Result nominal = interpret(body);
  EXPECT_EQ(nominal.near, 1);
  EXPECT_EQ(nominal.branches, branches);
  EXPECT_EQ(nominal.scores.at("L").values[1], 30.0009765625);
  run.invertNear = true;
  EXPECT_EQ(interpret(body).scores.at("L").values[1], 30);
  run.nearness = 0;
  run.noise = 1e-6;
  double noisy = interpret(body).scores.at("L").values[1];
  EXPECT_NE(noisy, 30.0009765625);
  EXPECT_NEAR(noisy, 30.0009765625, 2e-4);
  data["x"].values(2, 1) = 5.9;
  EXPECT_NE(interpret(body).branches, branches);
}

TEST_F(Interpreter, WhatItDoesNotKnowIsAnError) {
  EXPECT_THROW(reference::interpret(*mlir::parseSourceString<mlir::ModuleOp>("net.entry @e {}", &context), "f", data,
                                    state, run),
               std::logic_error);
  EXPECT_THROW(interpret(R"(%x = net.data "absent" : !net.value<"B" x 3>)"), std::logic_error);
  EXPECT_THROW(interpret(kX + R"(%r = net.map (%x) {
^bb0(%v: f32):
  %0 = math.erf %v : f32
  net.yield %0 : f32
} : (!net.value<"B" x 3>) -> !net.value<"B" x 3>)"),
               std::logic_error);
}
} // namespace
} // namespace sn::reference
