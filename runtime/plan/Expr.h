// Scalar expressions that travel in a plan: symbolic extents, learning-rate schedules, bias corrections, initialiser
// ranges. JSON form: a number, a symbol name as a string, or ["op", operand...]. Evaluated on the host in double
// precision.
#pragma once
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace sn::plan {
struct Expr {
  /// "" for a number or a symbol; else add sub mul div neg min max abs sqrt exp log log1p tanh floor cos pow lt le gt
  /// ge select.
  std::string op;
  double number = 0;
  std::string symbol; // non-empty: a symbol
  std::vector<Expr> args;

  Expr() = default;
  Expr(double value) : number(value) {}
  explicit Expr(std::string name) : symbol(std::move(name)) {}
  Expr(std::string opName, std::vector<Expr> operands) : op(std::move(opName)), args(std::move(operands)) {}
  bool operator==(const Expr &) const = default;

  /// Value under an environment; throws std::out_of_range from `lookup` for an unknown symbol.
  double evaluate(const std::function<double(std::string_view)> &lookup) const;
};
/// Comparisons evaluate to 1 or 0; select(c, a, b) is a where c != 0.
double applyScalar(std::string_view op, const std::vector<double> &args);
bool isScalarOp(std::string_view op);

void to_json(nlohmann::json &j, const Expr &e);
void from_json(const nlohmann::json &j, Expr &e);
} // namespace sn::plan
