#include "compiler/Transforms/Formulas.h"
#include "dialects/Vocabulary/Untouched.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace sn {
Value buildConstant(OpBuilder &builder, Location loc, double value) {
  return builder.create<arith::ConstantOp>(loc, builder.getF32FloatAttr(static_cast<float>(value)));
}

static Value buildCompare(OpBuilder &builder, Location loc, arith::CmpFPredicate predicate, ArrayRef<Value> args) {
  return builder.create<arith::CmpFOp>(loc, predicate, args[0], args[1]);
}

Value buildScalar(OpBuilder &builder, Location loc, StringRef op, ArrayRef<Value> args) {
  using P = arith::CmpFPredicate;
  auto smaller = [&](P predicate) {
    return builder.create<arith::SelectOp>(loc, buildCompare(builder, loc, predicate, args), args[0], args[1]);
  };
  using Build = std::function<Value()>;
  Build build = llvm::StringSwitch<Build>(op)
                    .Case("add", [&] { return builder.create<arith::AddFOp>(loc, args[0], args[1]); })
                    .Case("sub", [&] { return builder.create<arith::SubFOp>(loc, args[0], args[1]); })
                    .Case("mul", [&] { return builder.create<arith::MulFOp>(loc, args[0], args[1]); })
                    .Case("div", [&] { return builder.create<arith::DivFOp>(loc, args[0], args[1]); })
                    .Case("neg", [&] { return builder.create<arith::NegFOp>(loc, args[0]); })
                    .Case("min", [&] { return smaller(P::OLT); })
                    .Case("max", [&] { return smaller(P::OGT); })
                    .Case("abs", [&] { return builder.create<math::AbsFOp>(loc, args[0]); })
                    .Case("sqrt", [&] { return builder.create<math::SqrtOp>(loc, args[0]); })
                    .Case("exp", [&] { return builder.create<math::ExpOp>(loc, args[0]); })
                    .Case("log", [&] { return builder.create<math::LogOp>(loc, args[0]); })
                    .Case("log1p", [&] { return builder.create<math::Log1pOp>(loc, args[0]); })
                    .Case("tanh", [&] { return builder.create<math::TanhOp>(loc, args[0]); })
                    .Case("cos", [&] { return builder.create<math::CosOp>(loc, args[0]); })
                    .Case("floor", [&] { return builder.create<math::FloorOp>(loc, args[0]); })
                    .Case("pow", [&] { return builder.create<math::PowFOp>(loc, args[0], args[1]); })
                    .Case("lt", [&] { return buildCompare(builder, loc, P::OLT, args); })
                    .Case("le", [&] { return buildCompare(builder, loc, P::OLE, args); })
                    .Case("gt", [&] { return buildCompare(builder, loc, P::OGT, args); })
                    .Case("ge", [&] { return buildCompare(builder, loc, P::OGE, args); })
                    .Case("select", [&] { return builder.create<arith::SelectOp>(loc, args[0], args[1], args[2]); });
  assert(build && "operation outside the alphabet");
  return build();
}

namespace {
class MlirScalarBuilder final : public vocab::ScalarBuilder {
public:
  MlirScalarBuilder(OpBuilder &builder, Location loc) : builder(builder), loc(loc) {}
  Id add(Value value) {
    values.push_back(value);
    return static_cast<Id>(values.size()) - 1;
  }
  Id constant(double value) override { return add(buildConstant(builder, loc, value)); }
  Id apply(std::string_view op, std::initializer_list<Id> args) override {
    SmallVector<Value> operands;
    for (Id arg : args)
      operands.push_back(values[arg]);
    return add(buildScalar(builder, loc, op, operands));
  }
  Value value(vocab::Term term) { return values[term.builder ? term.id : constant(term.literal)]; }

private:
  OpBuilder &builder;
  Location loc;
  std::vector<Value> values;
};

class ExprScalarBuilder final : public vocab::ScalarBuilder {
public:
  Id add(plan::Expr expr) {
    exprs.push_back(std::move(expr));
    return static_cast<Id>(exprs.size()) - 1;
  }
  Id constant(double value) override { return add(plan::Expr(value)); }
  Id apply(std::string_view op, std::initializer_list<Id> args) override {
    std::vector<plan::Expr> operands;
    for (Id arg : args)
      operands.push_back(exprs[arg]);
    return add(plan::Expr(std::string(op), std::move(operands)));
  }
  std::vector<plan::Expr> exprs;
};
} // namespace

static SmallVector<Value> inlineTerms(MlirScalarBuilder &scalars, const vocab::Formula &formula, ArrayRef<Value> args,
                                      ArrayRef<vocab::Term> params, unsigned results) {
  SmallVector<vocab::Term> terms, out(results);
  for (Value arg : args)
    terms.emplace_back(scalars, scalars.add(arg));
  formula.term(terms.data(), params.data(), out.data());
  SmallVector<Value> values;
  for (vocab::Term term : out)
    values.push_back(scalars.value(term));
  return values;
}

SmallVector<Value> inlineFormula(OpBuilder &builder, Location loc, const vocab::Formula &formula, ArrayRef<Value> args,
                                 ArrayRef<double> params, unsigned results) {
  MlirScalarBuilder scalars(builder, loc);
  SmallVector<vocab::Term> constants(params.begin(), params.end());
  return inlineTerms(scalars, formula, args, constants, results);
}

SmallVector<Value> inlineFormulaWith(OpBuilder &builder, Location loc, const vocab::Formula &formula,
                                     ArrayRef<Value> args, ArrayRef<Value> params, unsigned results) {
  MlirScalarBuilder scalars(builder, loc);
  SmallVector<vocab::Term> terms;
  for (Value param : params)
    terms.emplace_back(scalars, scalars.add(param));
  return inlineTerms(scalars, formula, args, terms, results);
}

plan::Expr formulaExpr(const vocab::Formula &formula, ArrayRef<plan::Expr> args, ArrayRef<double> params) {
  ExprScalarBuilder builder;
  SmallVector<vocab::Term> terms, constants(params.begin(), params.end());
  for (const plan::Expr &arg : args)
    terms.emplace_back(builder, builder.add(arg));
  vocab::Term out;
  formula.term(terms.data(), constants.data(), &out);
  return out.builder ? builder.exprs[out.id] : plan::Expr(out.literal);
}

std::optional<plan::Untouched> untouchedExprs(const vocab::Optimizer &record) {
  ExprScalarBuilder builder;
  std::vector<vocab::Term> scalars;
  auto symbol = [&](std::string_view name) {
    scalars.emplace_back(builder, builder.add(plan::Expr(std::string(name))));
  };
  symbol("Lambda");
  for (const auto &[name, formula] : record.scalars)
    symbol(name);
  const std::optional<vocab::UntouchedUpdate> found = vocab::untouchedUpdate(record, scalars);
  if (!found)
    return std::nullopt;
  plan::Untouched untouched;
  untouched.whenZero =
      found->withDecay ? std::vector<std::string>{"Lambda1"} : std::vector<std::string>{"Lambda", "Lambda1"};
  for (vocab::Term element : found->matrix)
    untouched.matrix.push_back(element.builder ? builder.exprs[element.id] : plan::Expr(element.literal));
  return untouched;
}

std::string exprText(const plan::Expr &expr) { return nlohmann::json(expr).dump(); }
} // namespace sn
