// What is done to scalar slots before a target writes them down.
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"

namespace sn::target {
/// Canonicalises, removes common subexpressions, and lets a sigmoid and a softplus of the same value share one
/// exponential:
///   1 / (1 + exp(-x))  ->  select(x >= 0, 1, e) / (1 + e)   where the slot computes e = exp(-|x|) anyway.
/// Values change by rounding errors only.
llvm::Error simplifySlots(mlir::ModuleOp slots);

/// -|x| for some x.
bool isNegatedMagnitude(mlir::Value value);
/// exp(-|x|) for some x: between 0 and 1, or NaN.
bool isExpOfNegatedMagnitude(mlir::Value value);
} // namespace sn::target
