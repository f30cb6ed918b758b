// Ways to run a formula: as doubles, as dual numbers, and through its Term instantiation.
#pragma once
#include "dialects/Vocabulary/Records.h"
#include "runtime/plan/Expr.h"
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <string>

namespace sn::vocab::test {
using Doubles = std::vector<double>;

/// Records the graph a formula builds, and evaluates it with the scalar operations of plans.
class Interpreter final : public ScalarBuilder {
public:
  Id constant(double value) override {
    values.push_back(value);
    return static_cast<Id>(values.size()) - 1;
  }
  Id apply(std::string_view op, std::initializer_list<Id> args) override {
    EXPECT_TRUE(plan::isScalarOp(op)) << op;
    Doubles operands;
    for (Id id : args)
      operands.push_back(values.at(id));
    return constant(plan::applyScalar(op, operands));
  }
  std::vector<Term> symbols(const Doubles &given) {
    std::vector<Term> terms;
    for (double value : given)
      terms.emplace_back(*this, constant(value));
    return terms;
  }
  double read(const Term &term) const { return term.builder ? values.at(term.id) : term.literal; }

private:
  Doubles values;
};

inline Doubles runTerms(const Formula &formula, const Doubles &args, const Doubles &params, size_t results = 1) {
  Interpreter interpreter;
  std::vector<Term> a = interpreter.symbols(args), p = interpreter.symbols(params), out(results);
  formula.term(a.data(), p.data(), out.data());
  Doubles values;
  for (const Term &term : out)
    values.push_back(interpreter.read(term));
  return values;
}
inline Doubles run(const Formula &formula, const Doubles &args, const Doubles &params, size_t results = 1) {
  Doubles out(results);
  formula.value(args.data(), params.data(), out.data());
  return out;
}
inline double value(const Formula &formula, const Doubles &args, const Doubles &params = {}) {
  return run(formula, args, params)[0];
}
/// Derivative with respect to one argument.
inline double derivative(const Formula &formula, const Doubles &args, const Doubles &params = {}, size_t with = 0) {
  std::vector<Dual> a(args.begin(), args.end()), p(params.begin(), params.end());
  a[with].derivative = 1;
  Dual out;
  formula.dual(a.data(), p.data(), &out);
  return out.derivative;
}
/// The Term and Dual instantiations give the double's value, to rounding.
inline void expectAllInstantiationsAgree(const Formula &formula, const Doubles &args, const Doubles &params,
                                         size_t results = 1) {
  Doubles expected = run(formula, args, params, results), terms = runTerms(formula, args, params, results);
  std::vector<Dual> a(args.begin(), args.end()), p(params.begin(), params.end()), out(results);
  formula.dual(a.data(), p.data(), out.data());
  for (size_t i = 0; i < results; ++i) {
    EXPECT_DOUBLE_EQ(terms[i], expected[i]);
    EXPECT_DOUBLE_EQ(out[i].value, expected[i]);
  }
}

/// Central difference of a scalar function, about 1e-9 accurate for values near 1.
template <typename Function> double slope(Function f, double x) {
  double h = 1e-5;
  return (-f(x + 2 * h) + 8 * f(x + h) - 8 * f(x - h) + f(x - 2 * h)) / (12 * h);
}
inline void expectClose(double actual, double expected, double tolerance, const std::string &where) {
  EXPECT_NEAR(actual, expected, tolerance * (1 + std::fabs(expected))) << where;
}

inline Doubles defaults(const std::vector<Param> &params) {
  Doubles values;
  for (const Param &param : params)
    values.push_back(param.byDefault);
  return values;
}
/// Values that are no defaults, inside the accepted ranges.
inline Doubles offDefaults(const std::vector<Param> &params) {
  Doubles values;
  for (const Param &param : params)
    values.push_back(std::min(std::max(param.byDefault * 0.6, param.low), param.high));
  return values;
}
inline Doubles paramsOf(const Golden &golden, const std::vector<Param> &params) {
  return golden.params.empty() ? defaults(params) : golden.params;
}
/// Points of the probe interval, none of them near a kink.
inline Doubles grid(const Probe &probe, int points = 41) {
  Doubles xs;
  for (int i = 0; i < points; ++i) {
    double x = probe.low + (probe.high - probe.low) * (i + 0.5) / points;
    bool clear = true;
    for (double kink : probe.kinks)
      clear &= std::fabs(x - kink) > 1e-3;
    if (clear)
      xs.push_back(x);
  }
  return xs;
}

/// A row-wise activation applied to a whole row.
struct Row {
  Doubles y, reductions;
};
inline double reduced(Reduce reduce, const Formula &formula, const std::vector<Doubles> &args) {
  double total = reduce == Reduce::Sum ? 0 : -INFINITY;
  for (const Doubles &a : args)
    total = reduce == Reduce::Sum ? total + value(formula, a) : std::max(total, value(formula, a));
  return total;
}
inline Row forward(const RowFormula &formula, const Doubles &x) {
  Row row;
  auto argsOf = [&](double element) {
    Doubles args{element};
    args.insert(args.end(), row.reductions.begin(), row.reductions.end());
    return args;
  };
  for (auto &[reduce, body] : formula.reductions) {
    std::vector<Doubles> args;
    for (double element : x)
      args.push_back(argsOf(element));
    row.reductions.push_back(reduced(reduce, body, args));
  }
  for (double element : x)
    row.y.push_back(value(formula.value, argsOf(element)));
  return row;
}
inline Doubles adjoint(const RowFormula &formula, const Doubles &g, const Doubles &y) {
  Doubles reductions, result;
  auto argsOf = [&](size_t i) {
    Doubles args{g[i], y[i]};
    args.insert(args.end(), reductions.begin(), reductions.end());
    return args;
  };
  for (auto &[reduce, body] : formula.adjointReductions) {
    std::vector<Doubles> args;
    for (size_t i = 0; i < y.size(); ++i)
      args.push_back(argsOf(i));
    reductions.push_back(reduced(reduce, body, args));
  }
  for (size_t i = 0; i < y.size(); ++i)
    result.push_back(value(formula.adjoint, argsOf(i)));
  return result;
}
} // namespace sn::vocab::test
