#include "compiler/Transforms/Polynomial.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace sn {
namespace {
/// Unknowns from here on are values that are no polynomials.
constexpr unsigned kOthers = 1u << 16;
constexpr size_t kMostTerms = 64;
} // namespace

Polynomial Polynomial::unknown(unsigned number) {
  Polynomial result;
  result.terms[{number}] = 1;
  return result;
}

Polynomial Polynomial::operator+(const Polynomial &other) const {
  Polynomial sum = *this;
  for (const auto &[product, coefficient] : other.terms)
    if ((sum.terms[product] += coefficient) == 0)
      sum.terms.erase(product);
  return sum;
}

Polynomial Polynomial::operator*(const Polynomial &other) const {
  Polynomial result;
  for (const auto &[left, a] : terms)
    for (const auto &[right, b] : other.terms) {
      Product product = left;
      product.insert(product.end(), right.begin(), right.end());
      llvm::sort(product);
      if ((result.terms[product] += a * b) == 0)
        result.terms.erase(product);
    }
  return result;
}

double Polynomial::coefficient(const Product &product) const {
  auto found = terms.find(product);
  return found == terms.end() ? 0 : found->second;
}

bool Polynomial::isConstant(double &value) const {
  value = coefficient({});
  return terms.size() == (value != 0);
}

Polynomial PolynomialReader::read(Value value) {
  if (auto found = known.find(value); found != known.end())
    return found->second;
  Polynomial result = compute(value);
  known[value] = result;
  return result;
}

Polynomial PolynomialReader::compute(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return arguments[argument.getArgNumber()];
  Operation *op = value.getDefiningOp();
  auto operand = [&](unsigned index) { return read(op->getOperand(index)); };
  auto other = [&] { return Polynomial::unknown(kOthers + others++); };
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    if (auto number = dyn_cast<FloatAttr>(constant.getValue()))
      return number.getValueAsDouble();
  if (isa<arith::AddFOp>(op))
    return operand(0) + operand(1);
  if (isa<arith::SubFOp>(op))
    return operand(0) - operand(1);
  if (isa<arith::NegFOp>(op))
    return operand(0) * -1;
  if (isa<arith::MulFOp>(op)) {
    const Polynomial a = operand(0), b = operand(1);
    return a.size() * b.size() > kMostTerms ? other() : a * b;
  }
  if (isa<arith::DivFOp>(op)) {
    double divisor = 0;
    if (operand(1).isConstant(divisor) && divisor != 0)
      return operand(0) * (1 / divisor);
  }
  return other();
}
} // namespace sn
