#include "compiler/Target/Slots/Simplify.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace sn::target {
bool isNegatedMagnitude(Value value) {
  auto negation = value.getDefiningOp<arith::NegFOp>();
  return negation && negation.getOperand().getDefiningOp<math::AbsFOp>();
}

bool isExpOfNegatedMagnitude(Value value) {
  auto exp = value.getDefiningOp<math::ExpOp>();
  return exp && isNegatedMagnitude(exp.getOperand());
}

namespace {
/// exp(-|x|) in the same block, if it is computed there.
math::ExpOp findExpOfNegatedMagnitude(Value x) {
  for (Operation *magnitude : x.getUsers())
    if (isa<math::AbsFOp>(magnitude))
      for (Operation *negation : magnitude->getUsers())
        if (isa<arith::NegFOp>(negation))
          for (Operation *exp : negation->getUsers())
            if (auto found = dyn_cast<math::ExpOp>(exp))
              return found;
  return nullptr;
}

/// The x of the logistic function 1 / (1 + exp(-x)), or null.
Value argumentOfLogistic(arith::DivFOp op) {
  auto sum = op.getRhs().getDefiningOp<arith::AddFOp>();
  if (!matchPattern(op.getLhs(), m_OneFloat()) || !sum)
    return nullptr;
  for (auto [exponential, one] : {std::pair(sum.getLhs(), sum.getRhs()), std::pair(sum.getRhs(), sum.getLhs())}) {
    auto exp = exponential.getDefiningOp<math::ExpOp>();
    auto negation = exp ? exp.getOperand().getDefiningOp<arith::NegFOp>() : nullptr;
    if (negation && matchPattern(one, m_OneFloat()))
      return negation.getOperand();
  }
  return nullptr;
}

struct ShareExponential : OpRewritePattern<arith::DivFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::DivFOp op, PatternRewriter &rewriter) const override {
    Value x = argumentOfLogistic(op);
    math::ExpOp shared = x ? findExpOfNegatedMagnitude(x) : nullptr;
    if (!shared)
      return failure();
    // The shared exponential may stand further down; it depends on x alone and can move up.
    Operation *negation = shared.getOperand().getDefiningOp(), *magnitude = negation->getOperand(0).getDefiningOp();
    if (op->isBeforeInBlock(shared)) {
      magnitude->moveBefore(op);
      negation->moveBefore(op);
      shared->moveBefore(op);
    }
    Location loc = op.getLoc();
    Value one = op.getLhs(), zero = rewriter.create<arith::ConstantOp>(loc, rewriter.getZeroAttr(op.getType()));
    Value positive = rewriter.create<arith::CmpFOp>(loc, arith::CmpFPredicate::OGE, x, zero);
    Value numerator = rewriter.create<arith::SelectOp>(loc, positive, one, shared);
    Value denominator = rewriter.create<arith::AddFOp>(loc, shared, one);
    rewriter.replaceOpWithNewOp<arith::DivFOp>(op, numerator, denominator);
    return success();
  }
};
} // namespace

llvm::Error simplifySlots(ModuleOp slots) {
  auto tidy = [&] {
    PassManager passes(slots.getContext());
    passes.addPass(createCanonicalizerPass());
    passes.addPass(createCSEPass());
    return passes.run(slots);
  };
  if (failed(tidy()))
    return llvm::createStringError("the slots do not pass the verifier");
  RewritePatternSet patterns(slots.getContext());
  patterns.add<ShareExponential>(slots.getContext());
  if (failed(applyPatternsAndFoldGreedily(slots, std::move(patterns))) || failed(tidy()))
    return llvm::createStringError("the slots cannot be simplified");
  return llvm::Error::success();
}
} // namespace sn::target
