// Formulas as polynomials in their arguments: what two formulas have in common is proved by their normal forms.
#pragma once
#include "mlir/IR/Block.h"
#include "llvm/ADT/DenseMap.h"
#include <map>
#include <vector>

namespace sn {
/// A sum of products of unknowns with coefficients; none of them is zero, so equal polynomials are equal maps. Unknowns
/// are numbers.
class Polynomial {
public:
  /// Unknowns of a product, ascending, as often as they occur.
  using Product = std::vector<unsigned>;

  Polynomial() = default;
  Polynomial(double constant) {
    if (constant != 0)
      terms[{}] = constant;
  }
  static Polynomial unknown(unsigned number);

  Polynomial operator+(const Polynomial &other) const;
  Polynomial operator-(const Polynomial &other) const { return *this + other * -1; }
  Polynomial operator*(const Polynomial &other) const;
  bool operator==(const Polynomial &) const = default;
  size_t size() const { return terms.size(); }
  bool isZero() const { return terms.empty(); }
  double coefficient(const Product &product) const;
  /// The constant that it is.
  bool isConstant(double &value) const;

private:
  std::map<Product, double> terms;
};

/// Reads the values of a formula. What is no polynomial (or too long a one) is an unknown of its own, so that it still
/// vanishes where it is multiplied by zero.
class PolynomialReader {
public:
  /// `arguments`: what stands for the block's arguments.
  PolynomialReader(mlir::Block &formula, std::vector<Polynomial> arguments)
      : formula(formula), arguments(std::move(arguments)) {}
  Polynomial read(mlir::Value value);
  /// Of a value that the formula yields.
  Polynomial result(unsigned index) { return read(formula.getTerminator()->getOperand(index)); }

private:
  Polynomial compute(mlir::Value value);
  mlir::Block &formula;
  std::vector<Polynomial> arguments;
  llvm::DenseMap<mlir::Value, Polynomial> known;
  unsigned others = 0;
};
} // namespace sn
