// Factors of products as the precisions have them, on numbers worked out by hand.
#include "compiler/Reference/Rounding.h"
#include "compiler/Reference/Interpreter.h"
#include "dialects/Net/Net.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include <cmath>
#include <gtest/gtest.h>

namespace sn::reference {
namespace {
using plan::Precision;

TEST(Rounding, OfFactors) {
  EXPECT_EQ(nearest(1 + 0x1p-8, 8), 1); // halfway: to even
  EXPECT_EQ(nearest(1 + 0x3p-8, 8), 1 + 0x1p-6);
  EXPECT_EQ(nearest(-1 - 0x1.8p-8, 8), -1 - 0x1p-7);
  EXPECT_EQ(nearest(0, 8), 0);
  EXPECT_EQ(roundedFactor(1 + 0x1.8p-11, Precision::Tf32).value(), 1 + 0x1p-10);
  EXPECT_EQ(roundedFactor(1 + 0x1p-9, Precision::Bf16).value(), 1);
  EXPECT_EQ(roundedFactor(1 + 0x1p-23, Precision::Fp32).value(), 1 + 0x1p-23);
  const Factor two = roundedFactor(1 + 0x1.01p-9, Precision::Bf16x3);
  EXPECT_EQ(two.high, 1);
  EXPECT_EQ(two.low, 0x1p-9); // 0x1.01p-9, halfway
  for (Precision precision : {Precision::Tf32, Precision::Bf16x3, Precision::Bf16})
    for (double value = 0.37; value < 40; value *= 1.0973) {
      const double error = std::abs(roundedFactor(value, precision).value() - value);
      EXPECT_LE(error, plan::unitRoundoff(precision) * value);
    }
}

TEST(Rounding, DistanceOfNeighbours) {
  EXPECT_EQ(bf16Spacing(1), 0x1p-7);
  EXPECT_EQ(bf16Spacing(-1.99), 0x1p-7);
  EXPECT_EQ(bf16Spacing(0.99), 0x1p-8);
  EXPECT_EQ(bf16Spacing(0), 0x1p-133); // of the numbers about zero
}

/// x by w in a precision, x dense or sparse.
double product(const char *precision, Factors factors, bool sparse, uint64_t seed = 1) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  context.loadDialect<net::NetDialect, mlir::arith::ArithDialect>();
  auto module = mlir::parseSourceString<mlir::ModuleOp>(
      R"(
net.entry @e {
  %x = net.data "x" : !net.value<"B" x 1>
  %w = net.read @w : !net.value<1 x 1>
  %z = net.contract(%x) by(%w) precision ")" +
          std::string(precision) +
          R"(" : (!net.value<"B" x 1>) by (!net.value<1 x 1>) -> !net.value<"B" x 1>
  net.rank %z layers ["L"] : !net.value<"B" x 1>
})",
      &context);
  DataTable x{.values = Tensor(1, 1, 1 + 0x1.3p-8), .sparse = sparse};
  if (sparse)
    x.stored = {true};
  State state;
  state.parameters["w"] = Tensor(1, 1, 3 + 0x1.8p-8);
  Run run;
  run.ids = {0};
  run.factors = factors;
  run.noiseSeed = seed;
  return interpret(*module, "e", {{"x", x}}, state, run).scores.at("L").values[0];
}

TEST(Rounding, OfProducts) {
  const double x = 1 + 0x1.3p-8, w = 3 + 0x1.8p-8;
  EXPECT_EQ(product("bf16", Factors::Exact, false), x * w);
  EXPECT_EQ(product("fp32", Factors::Rounded, false), x * w);
  EXPECT_EQ(product("bf16", Factors::Rounded, false), (1 + 0x1p-7) * 3);
  EXPECT_EQ(product("tf32", Factors::Rounded, false), (1 + 0x1p-8 + 0x1p-10) * w);
  EXPECT_EQ(product("bf16x3", Factors::Rounded, false), x * w - (x - (1 + 0x1p-7)) * (w - 3)); // low by low is left out
  EXPECT_EQ(product("bf16", Factors::Rounded, true), x * w);                                   // entry by entry
  for (uint64_t seed = 1; seed < 20; ++seed) {
    const double noisy = product("bf16", Factors::Noisy, false, seed), error = std::abs(noisy / (x * w) - 1);
    EXPECT_NE(noisy, x * w);
    EXPECT_LE(error, 0x1.01p-7);
    EXPECT_EQ(product("bf16", Factors::Noisy, true, seed), x * w);
    EXPECT_LE(std::abs(product("tf32", Factors::Noisy, false, seed) / (x * w) - 1), 0x1.01p-10);
  }
}
} // namespace
} // namespace sn::reference
