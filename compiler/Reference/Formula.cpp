#include "compiler/Reference/Formula.h"
#include "dialects/Net/Net.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringSwitch.h"
#include <algorithm>
#include <cmath>
#include <stdexcept>

using namespace mlir;

namespace sn::reference {
namespace {
using Function = double (*)(double, double, double);

Function comparison(arith::CmpFPredicate predicate) {
  using P = arith::CmpFPredicate;
  switch (predicate) {
  case P::OLT:
    return [](double a, double b, double) -> double { return a < b; };
  case P::OLE:
    return [](double a, double b, double) -> double { return a <= b; };
  case P::OGT:
    return [](double a, double b, double) -> double { return a > b; };
  case P::OGE:
    return [](double a, double b, double) -> double { return a >= b; };
  case P::OEQ:
    return [](double a, double b, double) -> double { return a == b; };
  case P::UNE:
    return [](double a, double b, double) -> double { return a != b; };
  case P::ULT:
    return [](double a, double b, double) -> double { return !(a >= b); };
  case P::ULE:
    return [](double a, double b, double) -> double { return !(a > b); };
  case P::UGT:
    return [](double a, double b, double) -> double { return !(a <= b); };
  case P::UGE:
    return [](double a, double b, double) -> double { return !(a < b); };
  default:
    return nullptr;
  }
}

Function functionOf(Operation &op) {
  if (auto cmp = dyn_cast<arith::CmpFOp>(op))
    return comparison(cmp.getPredicate());
  return llvm::StringSwitch<Function>(op.getName().getStringRef())
      .Case("arith.addf", [](double a, double b, double) { return a + b; })
      .Case("arith.subf", [](double a, double b, double) { return a - b; })
      .Case("arith.mulf", [](double a, double b, double) { return a * b; })
      .Case("arith.divf", [](double a, double b, double) { return a / b; })
      .Case("arith.negf", [](double a, double, double) { return -a; })
      .Case("arith.select", [](double c, double a, double b) { return c != 0 ? a : b; })
      .Case("arith.andi", [](double a, double b, double) -> double { return a != 0 && b != 0; })
      .Case("arith.ori", [](double a, double b, double) -> double { return a != 0 || b != 0; })
      .Case("arith.xori", [](double a, double b, double) -> double { return (a != 0) != (b != 0); })
      .Case("math.absf", [](double a, double, double) { return std::fabs(a); })
      .Case("math.sqrt", [](double a, double, double) { return std::sqrt(a); })
      .Case("math.exp", [](double a, double, double) { return std::exp(a); })
      .Case("math.log", [](double a, double, double) { return std::log(a); })
      .Case("math.log1p", [](double a, double, double) { return std::log1p(a); })
      .Case("math.tanh", [](double a, double, double) { return std::tanh(a); })
      .Case("math.sin", [](double a, double, double) { return std::sin(a); })
      .Case("math.cos", [](double a, double, double) { return std::cos(a); })
      .Case("math.floor", [](double a, double, double) { return std::floor(a); })
      .Case("math.powf", [](double a, double b, double) { return std::pow(a, b); })
      .Default(nullptr);
}

double constantOf(arith::ConstantOp op) {
  if (auto number = dyn_cast<FloatAttr>(op.getValue()))
    return number.getValueAsDouble();
  return cast<IntegerAttr>(op.getValue()).getValue().isZero() ? 0 : 1;
}
} // namespace

double Arithmetic::random() {
  state = state * 6364136223846793005u + 1442695040888963407u; // Knuth's linear congruential generator
  return static_cast<double>(state >> 11) * 0x1p-52 - 1;
}

double Arithmetic::rounded(double value, double magnitude, double systematic) {
  return noise == 0 ? value : value + noise * magnitude * (random() + systematic);
}

Formula::Formula(Region &region, Arithmetic &arithmetic, std::vector<bool> exact) : arithmetic_(arithmetic) {
  Block &block = region.front();
  arguments_ = block.getNumArguments();
  exact.resize(arguments_);
  llvm::DenseMap<Value, size_t> registerOf;
  auto define = [&](Value value, double initial, bool isExact) {
    registerOf[value] = registers_.size();
    registers_.push_back(initial);
    exact.push_back(isExact);
  };
  for (BlockArgument argument : block.getArguments()) {
    registerOf[argument] = registers_.size();
    registers_.push_back(0);
  }
  for (Operation &op : block) {
    if (auto yield = dyn_cast<net::YieldOp>(op)) {
      for (Value value : yield.getValues())
        yielded_.push_back(registerOf.at(value));
      continue;
    }
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      define(constant, constantOf(constant), true);
      continue;
    }
    Instruction instruction{functionOf(op),         {0, 0, 0}, registers_.size(),
                            isa<arith::CmpFOp>(op), false,     arithmetic.random()};
    if (!instruction.function || op.getNumOperands() > 3)
      throw std::logic_error("the interpreter does not know " + op.getName().getStringRef().str());
    bool isExact = true;
    for (auto [i, operand] : llvm::enumerate(op.getOperands())) {
      instruction.operands[i] = registerOf.at(operand);
      isExact = isExact && exact[instruction.operands[i]];
    }
    instruction.isExact = isExact;
    define(op.getResult(0), 0, isExact);
    instructions_.push_back(instruction);
  }
  results_.resize(yielded_.size());
}

double Formula::compare(const Instruction &instruction, double a, double b) {
  double outcome = instruction.function(a, b, 0);
  if (instruction.isExact)
    return outcome;
  arithmetic_.branches = (arithmetic_.branches ^ static_cast<uint64_t>(outcome)) * 1099511628211u;
  double distance = std::fabs(a - b), scale = std::max({1.0, std::fabs(a), std::fabs(b)});
  // Equal operands are equal for a reason (nothing stored, a dead unit), also in float.
  if (distance == 0 || !(distance <= arithmetic_.nearness * scale))
    return outcome;
  ++arithmetic_.near;
  return arithmetic_.invertNear ? 1 - outcome : outcome;
}

std::span<const double> Formula::operator()(std::span<const double> arguments) {
  if (arguments.size() != arguments_)
    throw std::logic_error("a formula of " + std::to_string(arguments_) + " arguments got " +
                           std::to_string(arguments.size()));
  std::copy(arguments.begin(), arguments.end(), registers_.begin());
  for (const Instruction &instruction : instructions_) {
    double a = registers_[instruction.operands[0]], b = registers_[instruction.operands[1]];
    double &result = registers_[instruction.result];
    if (instruction.isComparison) {
      result = compare(instruction, a, b);
      continue;
    }
    result = instruction.function(a, b, registers_[instruction.operands[2]]);
    if (!instruction.isExact)
      result = arithmetic_.rounded(result, std::fabs(result), instruction.systematic);
  }
  for (size_t i = 0; i < yielded_.size(); ++i)
    results_[i] = registers_[yielded_[i]];
  return results_;
}
} // namespace sn::reference
