#include "runtime/plan/Expr.h"
#include <cmath>
#include <map>
#include <stdexcept>

namespace sn::plan {
namespace {
struct Operation {
  size_t arity;
  double (*apply)(const double *);
};
const std::map<std::string_view, Operation> &operations() {
  static const std::map<std::string_view, Operation> table = {
      {"add", {2, [](const double *a) { return a[0] + a[1]; }}},
      {"sub", {2, [](const double *a) { return a[0] - a[1]; }}},
      {"mul", {2, [](const double *a) { return a[0] * a[1]; }}},
      {"div", {2, [](const double *a) { return a[0] / a[1]; }}},
      {"min", {2, [](const double *a) { return std::fmin(a[0], a[1]); }}},
      {"max", {2, [](const double *a) { return std::fmax(a[0], a[1]); }}},
      {"pow", {2, [](const double *a) { return std::pow(a[0], a[1]); }}},
      {"neg", {1, [](const double *a) { return -a[0]; }}},
      {"abs", {1, [](const double *a) { return std::fabs(a[0]); }}},
      {"sqrt", {1, [](const double *a) { return std::sqrt(a[0]); }}},
      {"exp", {1, [](const double *a) { return std::exp(a[0]); }}},
      {"log", {1, [](const double *a) { return std::log(a[0]); }}},
      {"log1p", {1, [](const double *a) { return std::log1p(a[0]); }}},
      {"tanh", {1, [](const double *a) { return std::tanh(a[0]); }}},
      {"cos", {1, [](const double *a) { return std::cos(a[0]); }}},
      {"floor", {1, [](const double *a) { return std::floor(a[0]); }}},
      {"lt", {2, [](const double *a) { return double(a[0] < a[1]); }}},
      {"le", {2, [](const double *a) { return double(a[0] <= a[1]); }}},
      {"gt", {2, [](const double *a) { return double(a[0] > a[1]); }}},
      {"ge", {2, [](const double *a) { return double(a[0] >= a[1]); }}},
      {"select", {3, [](const double *a) { return a[0] != 0 ? a[1] : a[2]; }}},
  };
  return table;
}
} // namespace

bool isScalarOp(std::string_view op) { return operations().count(op) != 0; }

double applyScalar(std::string_view op, const std::vector<double> &args) {
  auto found = operations().find(op);
  if (found == operations().end() || found->second.arity != args.size())
    throw std::logic_error("no scalar operation '" + std::string(op) + "' of " + std::to_string(args.size()) +
                           " operands");
  return found->second.apply(args.data());
}

double Expr::evaluate(const std::function<double(std::string_view)> &lookup) const {
  if (!symbol.empty())
    return lookup(symbol);
  if (op.empty())
    return number;
  std::vector<double> values;
  for (const Expr &arg : args)
    values.push_back(arg.evaluate(lookup));
  return applyScalar(op, values);
}

void to_json(nlohmann::json &j, const Expr &e) {
  if (!e.symbol.empty()) {
    j = e.symbol;
  } else if (e.op.empty()) {
    j = e.number;
  } else {
    j = nlohmann::json::array({e.op});
    for (const Expr &arg : e.args)
      j.push_back(arg);
  }
}

void from_json(const nlohmann::json &j, Expr &e) {
  if (j.is_number()) {
    e = Expr(j.get<double>());
  } else if (j.is_string()) {
    e = Expr(j.get<std::string>());
  } else {
    e = Expr(j.at(0).get<std::string>(), {});
    for (size_t i = 1; i < j.size(); ++i)
      e.args.push_back(j[i].get<Expr>());
    if (!isScalarOp(e.op))
      throw std::out_of_range("unknown scalar operation '" + e.op + "'");
  }
}
} // namespace sn::plan
