// From records to IR: a formula of the vocabulary becomes arith and math operations on f32.
#pragma once
#include "dialects/Vocabulary/Records.h"
#include "mlir/IR/Builders.h"
#include "runtime/plan/Plan.h"
#include <optional>

namespace sn {
/// Inlines `formula` at the builder's insertion point and returns its `results` values. `params` become constants.
llvm::SmallVector<mlir::Value> inlineFormula(mlir::OpBuilder &builder, mlir::Location loc,
                                             const vocab::Formula &formula, llvm::ArrayRef<mlir::Value> args,
                                             llvm::ArrayRef<double> params, unsigned results = 1);
/// The same with parameters that are values themselves (an optimizer's scalars).
llvm::SmallVector<mlir::Value> inlineFormulaWith(mlir::OpBuilder &builder, mlir::Location loc,
                                                 const vocab::Formula &formula, llvm::ArrayRef<mlir::Value> args,
                                                 llvm::ArrayRef<mlir::Value> params, unsigned results = 1);
/// A formula as a plan expression over named symbols.
plan::Expr formulaExpr(const vocab::Formula &formula, llvm::ArrayRef<plan::Expr> args,
                       llvm::ArrayRef<double> params = {});
/// What the optimizer makes of an untouched weight, over Lambda and the names of its scalars; nothing where that is not
/// linear (dialects/Vocabulary/Untouched.h).
std::optional<plan::Untouched> untouchedExprs(const vocab::Optimizer &record);
std::string exprText(const plan::Expr &expr);

/// One f32 operation of the alphabet; comparisons give i1.
mlir::Value buildScalar(mlir::OpBuilder &builder, mlir::Location loc, llvm::StringRef op,
                        llvm::ArrayRef<mlir::Value> args);
mlir::Value buildConstant(mlir::OpBuilder &builder, mlir::Location loc, double value);
} // namespace sn
