// What update rules must satisfy, and expressions everywhere.
#include "runtime/plan/PlanVerifier.h"
#include <fmt/ranges.h>

namespace sn::plan {
void Verifier::checkOptimizer(const Optimizer &optimizer) {
  for (const NamedExpr &scalar : optimizer.scalars)
    checkExpr(scalar.value, kHyperSymbols, "optimizer '" + optimizer.name + "'");
  int64_t states = static_cast<int64_t>(optimizer.states.size());
  for (const std::string &name : {optimizer.weights, optimizer.bias}) {
    const SlotFunction *function = find(functions, name, "slot function");
    if (function && (function->inputs != 2 + states || function->outputs != 1 + states ||
                     function->scalars != static_cast<int64_t>(optimizer.scalars.size())))
      problem(
          "slot function '{}' of optimizer '{}' has {} inputs, {} outputs and {} scalars; {}, {} and {} are expected",
          name, optimizer.name, function->inputs, function->outputs, function->scalars, 2 + states, 1 + states,
          optimizer.scalars.size());
  }
  const PlainUpdate plain = optimizer.plain.value_or(PlainUpdate{});
  for (const auto &names : {optimizer.idleWhenZero.value_or(std::vector<std::string>{}), plain.whenZero})
    for (const std::string &hyper : names)
      if (!kHyperSymbols.count(hyper))
        problem("optimizer '{}' names an unknown hyper-parameter '{}'", optimizer.name, hyper);
  checkExpr(plain.rate, kHyperSymbols, "optimizer '" + optimizer.name + "'");
  if (optimizer.plain && states > 0)
    problem("optimizer '{}' has states, so its update is not plain", optimizer.name);
  if (optimizer.untouched)
    checkUntouched(optimizer);
}

void Verifier::checkUntouched(const Optimizer &optimizer) {
  const std::string what = "the untouched update of optimizer '" + optimizer.name + "'";
  for (const std::string &hyper : optimizer.untouched->whenZero)
    if (!kHyperSymbols.count(hyper))
      problem("{} names an unknown hyper-parameter '{}'", what, hyper);
  const size_t size = 1 + optimizer.states.size();
  if (optimizer.untouched->matrix.size() != size * size)
    problem("{} has a matrix of {} elements; {} x {} are expected", what, optimizer.untouched->matrix.size(), size,
            size);
  Names scalars;
  for (const NamedExpr &scalar : optimizer.scalars)
    scalars.insert(scalar.name);
  for (const Expr &element : optimizer.untouched->matrix)
    checkExpr(element, scalars, what);
}

void Verifier::checkExpr(const Expr &expr, const Verifier::Names &known, const std::string &what) {
  if (!expr.symbol.empty() && !known.count(expr.symbol))
    problem("{} uses the symbol '{}', which is none of {}", what, expr.symbol, fmt::join(known, ", "));
  for (const Expr &arg : expr.args)
    checkExpr(arg, known, what);
  if (expr.op.empty())
    return;
  try {
    applyScalar(expr.op, std::vector<double>(expr.args.size(), 1));
  } catch (const std::logic_error &error) {
    problem("{}: {}", what, error.what());
  }
}
} // namespace sn::plan
