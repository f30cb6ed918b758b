// Optimizers whose update is w + rate * gradient, proved from their formulas: what factored outputs ask for.
#include "compiler/Conversion/PlanJson.h"
#include "compiler/Transforms/Polynomial.h"

using namespace mlir;

namespace sn {
namespace {
/// The scalar that the gradient is multiplied by, if the region yields (w + scalar * g, 0) once `zero` are zero.
std::optional<unsigned> rateOf(Region &region, ArrayRef<unsigned> zero) {
  Block &formula = region.front();
  std::vector<Polynomial> arguments;
  for (unsigned i = 0; i < formula.getNumArguments(); ++i)
    arguments.push_back(llvm::is_contained(zero, i) ? Polynomial() : Polynomial::unknown(i));
  PolynomialReader reader(formula, arguments);
  if (!reader.result(1).isZero())
    return std::nullopt;
  const Polynomial next = reader.result(0);
  for (unsigned i = 2; i < formula.getNumArguments(); ++i)
    if (next == arguments[0] + arguments[i] * arguments[1] && !arguments[i].isZero())
      return i;
  return std::nullopt;
}
} // namespace

std::optional<plan::PlainUpdate> plainUpdate(net::OptimizerOp op) {
  if (!op.getStates().empty())
    return std::nullopt;
  const std::vector<std::string> decay{"Lambda", "Lambda1"};
  SmallVector<unsigned> zero;
  for (auto [index, name] : llvm::enumerate(op.getScalarNames().getAsValueRange<StringAttr>()))
    if (llvm::is_contained(decay, name))
      zero.push_back(2 + index);
  const std::optional<unsigned> weights = rateOf(op.getWeights(), zero), bias = rateOf(op.getBias(), zero);
  if (!weights || weights != bias)
    return std::nullopt;
  auto value = cast<StringAttr>(op.getScalarValues()[*weights - 2]);
  return plan::PlainUpdate{nlohmann::json::parse(value.str()).get<plan::Expr>(), decay};
}
} // namespace sn
