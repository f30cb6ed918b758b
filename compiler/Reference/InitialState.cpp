// Initial values, drawn as docs/spec/plan.md and runtime/plan/Philox.h say.
#include "compiler/Reference/Interpreter.h"
#include "dialects/Net/Net.h"
#include "runtime/plan/Expr.h"
#include "runtime/plan/Philox.h"
#include <stdexcept>

using namespace mlir;

namespace sn::reference {
namespace {
double draw(StringRef kind, const plan::RandomPoint &at, int64_t row, int64_t column) {
  if (kind == "uniform")
    return plan::uniform(at, row, column);
  if (kind == "normal")
    return plan::normal(at, row, column);
  if (kind == "none")
    return 0;
  throw std::logic_error("unknown draw " + kind.str());
}

Tensor initial(net::ParameterOp parameter, int64_t in, int64_t out, uint64_t seed) {
  auto evaluate = [&](StringRef text) {
    plan::Expr expr = nlohmann::json::parse(text.str());
    return expr.evaluate([&](std::string_view name) -> double {
      if (name == "nin")
        return static_cast<double>(in);
      if (name == "nout")
        return static_cast<double>(out);
      throw std::logic_error("unknown symbol of an initialiser: " + std::string(name));
    });
  };
  double scale = evaluate(parameter.getScale()), shift = evaluate(parameter.getShift());
  plan::RandomPoint at{seed, static_cast<uint32_t>(parameter.getStream()), 0};
  Tensor tensor(in, out);
  for (int64_t row = 0; row < in; ++row)
    for (int64_t column = 0; column < out; ++column)
      tensor(row, column) = scale * draw(parameter.getDraw(), at, row, column) + shift;
  return tensor;
}
} // namespace

State initialState(ModuleOp module, const std::map<std::string, int64_t> &extents, uint64_t seed, StringRef optimizer) {
  net::OptimizerOp rule;
  for (net::OptimizerOp op : module.getOps<net::OptimizerOp>())
    if (op.getSymName() == optimizer)
      rule = op;
  if (!rule)
    throw std::logic_error("no optimizer " + optimizer.str());
  auto extent = [&](Attribute dim) {
    auto symbol = dyn_cast<StringAttr>(dim);
    return symbol ? extents.at(symbol.str()) : cast<IntegerAttr>(dim).getInt();
  };
  State state;
  for (net::ParameterOp parameter : module.getOps<net::ParameterOp>()) {
    auto dims = cast<net::ValueType>(parameter.getType()).getDims();
    int64_t in = dims.size() == 2 ? extent(dims[0]) : 1, out = extent(dims.back());
    std::string name = parameter.getSymName().str();
    state.parameters[name] = initial(parameter, in, out, seed);
    if (!parameter.getFixed())
      state.states[name].assign(rule.getStates().size(), Tensor(in, out));
  }
  return rounded(std::move(state));
}

State rounded(State state) {
  auto round = [](Tensor &tensor) {
    for (double &value : tensor.values)
      value = static_cast<float>(value);
  };
  for (auto &[name, tensor] : state.parameters)
    round(tensor);
  for (auto &[name, tensors] : state.states)
    for (Tensor &tensor : tensors)
      round(tensor);
  return state;
}
} // namespace sn::reference
