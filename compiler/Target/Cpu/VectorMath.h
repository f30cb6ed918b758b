// Elementary functions on vectors of 16 floats, built from arith operations: no library calls, the same bits on every
// machine of a level. Polynomials are minimax fits made for this file (Remez exchange at 40 digits), rounded to single
// precision where they are used so. Relative errors against double precision, checked by test/unit/target: exp and log
// 9e-8, log1p 1.2e-7, tanh 1.8e-7, pow 6.5e-8; cos 3.5e-8 absolute. (Half an ulp is between 3e-8 and 6e-8.)
// Results and arguments below the normal range count as zero, as everywhere on the CPU target (workers flush
// denormals).
#pragma once
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace sn::target {
inline constexpr int64_t kBlock = 16; // elements per vector

mlir::VectorType floatVector(mlir::MLIRContext *context);

/// Inf and NaN as IEEE 754 says; 0 below -87.336, inf above 88.722.
mlir::Value buildExp(mlir::ImplicitLocOpBuilder &builder, mlir::Value x);
/// The same for x <= 0 or NaN, shorter.
mlir::Value buildExpOfNegative(mlir::ImplicitLocOpBuilder &builder, mlir::Value x);
/// -inf at 0, NaN below.
mlir::Value buildLog(mlir::ImplicitLocOpBuilder &builder, mlir::Value x);
/// log(1 + x) with full relative precision near 0.
mlir::Value buildLog1p(mlir::ImplicitLocOpBuilder &builder, mlir::Value x);
/// The same for 0 <= x <= 1 or NaN, shorter.
mlir::Value buildLog1pOfFraction(mlir::ImplicitLocOpBuilder &builder, mlir::Value x);
mlir::Value buildTanh(mlir::ImplicitLocOpBuilder &builder, mlir::Value x);
/// The special cases are those of C's pow.
mlir::Value buildPow(mlir::ImplicitLocOpBuilder &builder, mlir::Value base, mlir::Value exponent);
/// NaN where |x| > 2^26: neighbouring floats lie further apart there than a period.
mlir::Value buildCos(mlir::ImplicitLocOpBuilder &builder, mlir::Value x);
} // namespace sn::target
