// A formula region as a list of scalar instructions, evaluated in double precision.
#pragma once
#include "mlir/IR/Region.h"
#include <cstdint>
#include <span>
#include <vector>

namespace sn::reference {
/// The arithmetic of one run: exact up to double precision unless Run asks otherwise (nearness, invertNear, noise), and
/// what its comparisons were like.
struct Arithmetic {
  double nearness = 0;
  bool invertNear = false;
  double noise = 0;
  uint64_t branches = 14695981039346656037u; // FNV-1a over the outcomes
  int64_t near = 0;
  uint64_t state = 1; // of the noise

  /// Between -1 and 1.
  double random();
  /// `value` with an error of 2 `noise` times `magnitude` at the most. One half of it is `systematic` (-1 to 1): the
  /// approximation of a function is off in the same direction for equal arguments.
  double rounded(double value, double magnitude, double systematic);
};

class Formula {
public:
  /// Translates a region of arith and math operations that ends in net.yield. Arguments marked exact (targets, masks)
  /// carry no rounding error, nor does what follows from exact values alone: comparisons of exact values are not
  /// recorded. std::logic_error for an operation outside the alphabet.
  Formula(mlir::Region &region, Arithmetic &arithmetic, std::vector<bool> exactArguments = {});

  /// `arguments` holds one value per block argument. The result is valid until the next call.
  std::span<const double> operator()(std::span<const double> arguments);

private:
  using Function = double (*)(double, double, double);
  struct Instruction {
    Function function;
    size_t operands[3];
    size_t result;
    bool isComparison, isExact; // exact: follows from exact values alone
    double systematic;          // see Arithmetic::rounded
  };
  double compare(const Instruction &instruction, double a, double b);

  Arithmetic &arithmetic_;
  size_t arguments_;
  std::vector<double> registers_; // arguments, then constants and results
  std::vector<Instruction> instructions_;
  std::vector<size_t> yielded_;
  std::vector<double> results_;
};
} // namespace sn::reference
