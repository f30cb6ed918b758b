// Forward-mode differentiation inside a formula region.
#pragma once
#include "mlir/IR/Block.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"

namespace sn {
/// Clones the operations of `formula` (without its yield) at the builder's insertion point, its arguments mapped by
/// `args`. Returns the yielded values.
llvm::SmallVector<mlir::Value> cloneFormula(mlir::OpBuilder &builder, mlir::Block &formula, mlir::ValueRange args);
/// The derivative of yielded value `result` with respect to argument `argument`, built after cloning the formula in the
/// same way. Null: it is zero.
mlir::Value cloneDerivative(mlir::OpBuilder &builder, mlir::Block &formula, mlir::ValueRange args, unsigned result,
                            unsigned argument);
/// True if the value is the constant 1.
bool isConstantOne(mlir::Value value);
} // namespace sn
