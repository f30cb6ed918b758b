// The scalar algebra of formulas ("finally tagless"): a formula is a generic lambda, instantiated with
//   double  - the oracle's value,
//   Dual    - forward-mode derivative, the derivative oracle,
//   Term    - a handle into an abstract ScalarBuilder: MLIR, plan expressions, documentation.
// The alphabet is closed: + - * / unary-, min max abs sqrt exp log log1p tanh pow floor cos, comparisons and select.
#pragma once
#include <cmath>
#include <initializer_list>
#include <string_view>

namespace sn::vocab {
/// Receives a formula operation by operation. Names are those of runtime/plan/Expr.h.
class ScalarBuilder {
public:
  using Id = int;
  virtual ~ScalarBuilder() = default;
  virtual Id constant(double value) = 0;
  virtual Id apply(std::string_view op, std::initializer_list<Id> args) = 0;
};

struct Term {
  ScalarBuilder *builder = nullptr;
  ScalarBuilder::Id id = -1;
  double literal = 0; // without a builder: a constant
  Term() = default;
  Term(double value) : literal(value) {}
  Term(ScalarBuilder &b, ScalarBuilder::Id i) : builder(&b), id(i) {}
};
namespace detail {
inline Term build(std::string_view op, Term a) { return {*a.builder, a.builder->apply(op, {a.id})}; }
inline Term lift(ScalarBuilder *b, Term a) { return a.builder ? a : Term(*b, b->constant(a.literal)); }
inline Term build(std::string_view op, Term a, Term b) {
  ScalarBuilder *builder = a.builder ? a.builder : b.builder;
  return {*builder, builder->apply(op, {lift(builder, a).id, lift(builder, b).id})};
}
} // namespace detail

struct Dual {
  double value = 0, derivative = 0;
  Dual() = default;
  Dual(double v, double d = 0) : value(v), derivative(d) {}
};

#define SN_BINARY(symbol, name)                                                                                        \
  inline Term operator symbol(Term a, Term b) {                                                                        \
    if (!a.builder && !b.builder)                                                                                      \
      return Term(a.literal symbol b.literal);                                                                         \
    return detail::build(name, a, b);                                                                                  \
  }
SN_BINARY(+, "add")
SN_BINARY(-, "sub")
SN_BINARY(*, "mul")
SN_BINARY(/, "div")
SN_BINARY(<, "lt")
SN_BINARY(<=, "le")
SN_BINARY(>, "gt")
SN_BINARY(>=, "ge")
#undef SN_BINARY
inline Term operator-(Term a) { return a.builder ? detail::build("neg", a) : Term(-a.literal); }

inline Dual operator+(Dual a, Dual b) { return {a.value + b.value, a.derivative + b.derivative}; }
inline Dual operator-(Dual a, Dual b) { return {a.value - b.value, a.derivative - b.derivative}; }
inline Dual operator*(Dual a, Dual b) { return {a.value * b.value, a.derivative * b.value + a.value * b.derivative}; }
inline Dual operator/(Dual a, Dual b) {
  return {a.value / b.value, (a.derivative * b.value - a.value * b.derivative) / (b.value * b.value)};
}
inline Dual operator-(Dual a) { return {-a.value, -a.derivative}; }
inline bool operator<(Dual a, Dual b) { return a.value < b.value; }
inline bool operator<=(Dual a, Dual b) { return a.value <= b.value; }
inline bool operator>(Dual a, Dual b) { return a.value > b.value; }
inline bool operator>=(Dual a, Dual b) { return a.value >= b.value; }

#define SN_UNARY(name, dualDerivative)                                                                                 \
  inline double name##_(double x) { return std::name(x); }                                                             \
  inline Dual name##_(Dual x) {                                                                                        \
    double v = x.value, y = std::name(v);                                                                              \
    (void)v, (void)y;                                                                                                  \
    return {y, x.derivative * (dualDerivative)};                                                                       \
  }                                                                                                                    \
  inline Term name##_(Term x) { return x.builder ? detail::build(#name, x) : Term(std::name(x.literal)); }
SN_UNARY(exp, y)
SN_UNARY(log, 1 / v)
SN_UNARY(log1p, 1 / (1 + v))
SN_UNARY(sqrt, 0.5 / y)
SN_UNARY(tanh, 1 - y * y)
SN_UNARY(cos, -std::sin(v))
SN_UNARY(floor, 0.0)
#undef SN_UNARY
inline double abs_(double x) { return std::fabs(x); }
inline Dual abs_(Dual x) { return {std::fabs(x.value), x.value < 0 ? -x.derivative : x.derivative}; }
inline Term abs_(Term x) { return x.builder ? detail::build("abs", x) : Term(std::fabs(x.literal)); }

// Formulas call exp_, log_, ... so that the same text serves double, Dual and Term.
inline double select(bool c, double a, double b) { return c ? a : b; }
inline Dual select(bool c, Dual a, Dual b) { return c ? a : b; }
inline Term select(Term c, Term a, Term b) {
  ScalarBuilder *builder = c.builder ? c.builder : a.builder ? a.builder : b.builder;
  if (!c.builder)
    return c.literal != 0 ? a : b;
  using detail::lift;
  return {*builder, builder->apply("select", {c.id, lift(builder, a).id, lift(builder, b).id})};
}
inline double min_(double a, double b) { return a < b ? a : b; }
inline double max_(double a, double b) { return a > b ? a : b; }
inline Dual min_(Dual a, Dual b) { return a.value < b.value ? a : b; }
inline Dual max_(Dual a, Dual b) { return a.value > b.value ? a : b; }
inline Term min_(Term a, Term b) {
  return a.builder || b.builder ? detail::build("min", a, b) : Term(min_(a.literal, b.literal));
}
inline Term max_(Term a, Term b) {
  return a.builder || b.builder ? detail::build("max", a, b) : Term(max_(a.literal, b.literal));
}
inline double pow_(double a, double b) { return std::pow(a, b); }
inline Dual pow_(Dual a, double b) { return {std::pow(a.value, b), a.derivative * b * std::pow(a.value, b - 1)}; }
inline Dual pow_(Dual a, Dual b) {
  if (b.derivative == 0)
    return pow_(a, b.value);
  double y = std::pow(a.value, b.value);
  return {y, a.derivative * b.value * std::pow(a.value, b.value - 1) + b.derivative * std::log(a.value) * y};
}
inline Term pow_(Term a, Term b) {
  return a.builder || b.builder ? detail::build("pow", a, b) : Term(std::pow(a.literal, b.literal));
}
} // namespace sn::vocab
