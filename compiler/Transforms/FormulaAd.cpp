// One rule per operation of the alphabet: tangent of the result from the tangents of the operands. A null tangent is
// zero.
#include "compiler/Transforms/FormulaAd.h"
#include "compiler/Transforms/Formulas.h"
#include "dialects/Net/Net.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace sn {
SmallVector<Value> cloneFormula(OpBuilder &builder, Block &formula, ValueRange args) {
  IRMapping mapping;
  mapping.map(formula.getArguments(), args);
  for (Operation &op : formula.without_terminator())
    builder.clone(op, mapping);
  SmallVector<Value> results;
  for (Value value : formula.getTerminator()->getOperands())
    results.push_back(mapping.lookupOrDefault(value));
  return results;
}

bool isConstantOne(Value value) { return matchPattern(value, m_OneFloat()); }

namespace {
class Tangents {
public:
  Tangents(OpBuilder &builder, Location loc) : builder(builder), loc(loc) {}
  void seed(Value value) { tangents[value] = constant(1); }
  Value of(Value value) const { return tangents.lookup(value); }
  /// Visits one operation whose operands are in the cloned block.
  void visit(Operation *op);

private:
  Value constant(double value) { return buildConstant(builder, loc, value); }
  Value op(StringRef name, ValueRange args) { return buildScalar(builder, loc, name, SmallVector<Value>(args)); }
  /// a * b, with the constant one folded.
  Value times(Value a, Value b) { return isConstantOne(a) ? b : isConstantOne(b) ? a : op("mul", {a, b}); }
  Value negative(Value a) { return a ? op("neg", {a}) : a; }
  Value sum(Value a, Value b) { return !a ? b : !b ? a : op("add", {a, b}); }
  Value scaled(Value tangent, llvm::function_ref<Value()> factor) {
    return tangent ? times(tangent, factor()) : tangent;
  }
  Value quotient(arith::DivFOp div, Value da, Value db);
  Value rule(Operation *op);

  OpBuilder &builder;
  Location loc;
  DenseMap<Value, Value> tangents;
};

/// d(a/b) = (da - (a/b) db) / b.
Value Tangents::quotient(arith::DivFOp div, Value da, Value db) {
  if (!da && !db)
    return {};
  Value numerator = da;
  if (db) {
    Value second = times(div.getResult(), db);
    numerator = da ? op("sub", {da, second}) : op("neg", {second});
  }
  return op("div", {numerator, div.getRhs()});
}

Value Tangents::rule(Operation *operation) {
  auto d = [&](unsigned i) { return of(operation->getOperand(i)); };
  auto x = [&](unsigned i = 0) { return operation->getOperand(i); };
  Value y = operation->getResult(0);
  return TypeSwitch<Operation *, Value>(operation)
      .Case<arith::AddFOp>([&](auto) { return sum(d(0), d(1)); })
      .Case<arith::SubFOp>([&](auto) {
        return d(0) && d(1) ? op("sub", {d(0), d(1)}) : d(0) ? d(0) : negative(d(1));
      })
      .Case<arith::MulFOp>([&](auto) {
        Value left = d(0) ? times(d(0), x(1)) : Value(), right = d(1) ? times(x(0), d(1)) : Value();
        return sum(left, right);
      })
      .Case<arith::DivFOp>([&](arith::DivFOp div) { return quotient(div, d(0), d(1)); })
      .Case<arith::NegFOp>([&](auto) { return negative(d(0)); })
      .Case<arith::SelectOp>([&](auto) -> Value {
        if (!d(1) && !d(2))
          return {};
        return op("select", {x(0), d(1) ? d(1) : constant(0), d(2) ? d(2) : constant(0)});
      })
      .Case<math::ExpOp>([&](auto) { return scaled(d(0), [&] { return y; }); })
      .Case<math::LogOp>([&](auto) {
        return d(0) ? op("div", {d(0), x()}) : Value();
      })
      .Case<math::Log1pOp>([&](auto) {
        return d(0) ? op("div", {d(0), op("add", {constant(1), x()})}) : Value();
      })
      .Case<math::SqrtOp>([&](auto) {
        return d(0) ? op("div", {d(0), op("add", {y, y})}) : Value();
      })
      .Case<math::TanhOp>([&](auto) {
        return scaled(d(0), [&] { return op("sub", {constant(1), op("mul", {y, y})}); });
      })
      .Case<math::AbsFOp>([&](auto) {
        return d(0) ? op("select", {op("lt", {x(), constant(0)}), negative(d(0)), d(0)}) : Value();
      })
      .Case<math::PowFOp>([&](auto) -> Value {
        assert(!d(1) && "exponents are constants or hyper-parameters");
        return scaled(d(0), [&] { return op("mul", {x(1), op("pow", {x(), op("sub", {x(1), constant(1)})})}); });
      })
      .Case<math::FloorOp, arith::CmpFOp, arith::ConstantOp>([](auto) { return Value(); })
      .Default([](Operation *other) -> Value {
        other->emitError("no derivative rule for this operation");
        llvm_unreachable("operation outside the alphabet");
      });
}

void Tangents::visit(Operation *operation) {
  if (Value tangent = rule(operation))
    tangents[operation->getResult(0)] = tangent;
}
} // namespace

Value cloneDerivative(OpBuilder &builder, Block &formula, ValueRange args, unsigned result, unsigned argument) {
  Tangents tangents(builder, formula.getTerminator()->getLoc());
  IRMapping mapping;
  mapping.map(formula.getArguments(), args);
  tangents.seed(args[argument]);
  for (Operation &op : formula.without_terminator())
    tangents.visit(builder.clone(op, mapping));
  return tangents.of(mapping.lookupOrDefault(formula.getTerminator()->getOperand(result)));
}
} // namespace sn
