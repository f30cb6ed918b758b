// Formulas of records as the compiler sees them: regions of IR, evaluated by the oracle.
#pragma once
#include "compiler/Reference/Formula.h"
#include "compiler/Transforms/FormulaAd.h"
#include "compiler/Transforms/Formulas.h"
#include "dialects/Net/Net.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

namespace sn::test {
/// Regions of one test.
class Regions {
public:
  Regions() : context_(mlir::MLIRContext::Threading::DISABLED), builder_(&context_) {
    context_.loadDialect<net::NetDialect, mlir::arith::ArithDialect, mlir::math::MathDialect>();
    module_ = mlir::ModuleOp::create(builder_.getUnknownLoc());
  }
  using Build = llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::OpBuilder &, llvm::ArrayRef<mlir::Value>)>;
  /// A region of `arguments` values that yields what `build` makes.
  mlir::Region &make(unsigned arguments, Build build) {
    builder_.setInsertionPointToEnd(module_->getBody());
    mlir::Location loc = builder_.getUnknownLoc();
    auto op = builder_.create<net::MapOp>(loc, mlir::TypeRange(), mlir::ValueRange());
    mlir::Block *block = builder_.createBlock(&op.getFormula());
    for (unsigned i = 0; i < arguments; ++i)
      block->addArgument(builder_.getF32Type(), loc);
    llvm::SmallVector<mlir::Value> args(block->getArguments());
    builder_.create<net::YieldOp>(loc, build(builder_, args));
    return op.getFormula();
  }
  /// The derivative of a region's first result by one of its arguments.
  mlir::Region &derivative(mlir::Region &of, unsigned argument) {
    return make(of.getNumArguments(), [&](mlir::OpBuilder &b, llvm::ArrayRef<mlir::Value> args) {
      mlir::Value slope = cloneDerivative(b, of.front(), args, 0, argument);
      return llvm::SmallVector<mlir::Value>{slope ? slope : buildConstant(b, b.getUnknownLoc(), 0)};
    });
  }
  double evaluate(mlir::Region &region, std::initializer_list<double> arguments) {
    reference::Arithmetic plain;
    return reference::Formula(region, plain)(std::span(arguments.begin(), arguments.size()))[0];
  }

private:
  mlir::MLIRContext context_;
  mlir::OpBuilder builder_;
  mlir::OwningOpRef<mlir::ModuleOp> module_;
};
} // namespace sn::test
