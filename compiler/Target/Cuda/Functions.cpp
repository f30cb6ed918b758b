#include "compiler/Target/Cuda/Functions.h"
#include "compiler/Target/Slots/Signature.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/TypeSwitch.h"
#include <charconv>
#include <cmath>

using namespace mlir;

namespace sn::target::cuda {
std::string literal(float value) {
  if (std::isnan(value))
    return "sn::cuda::notANumber()";
  if (std::isinf(value))
    return value > 0 ? "sn::cuda::infinity()" : "-sn::cuda::infinity()";
  char text[32];
  char *end = std::to_chars(text, text + sizeof text, value).ptr;
  std::string shortest(text, end);
  if (shortest.find_first_of(".e") == std::string::npos)
    shortest += ".0";
  return shortest + "f";
}

namespace {
using llvm::StringRef;
using llvm::Twine;

/// Comparisons as IEEE 754 has them: ordered ones are false if an operand is not a number, unordered ones true.
std::string comparison(arith::CmpFPredicate predicate, const std::string &a, const std::string &b) {
  using P = arith::CmpFPredicate;
  auto infix = [&](const char *sign) { return a + " " + sign + " " + b; };
  auto negated = [&](const char *sign) { return "!(" + infix(sign) + ")"; };
  const std::string different = infix("<") + " || " + infix(">");
  switch (predicate) {
  case P::AlwaysFalse:
    return "false";
  case P::AlwaysTrue:
    return "true";
  case P::OEQ:
    return infix("==");
  case P::OGT:
    return infix(">");
  case P::OGE:
    return infix(">=");
  case P::OLT:
    return infix("<");
  case P::OLE:
    return infix("<=");
  case P::ONE:
    return different;
  case P::ORD:
    return a + " == " + a + " && " + b + " == " + b;
  case P::UEQ:
    return "!(" + different + ")";
  case P::UGT:
    return negated("<=");
  case P::UGE:
    return negated("<");
  case P::ULT:
    return negated(">=");
  case P::ULE:
    return negated(">");
  case P::UNE:
    return infix("!=");
  case P::UNO:
    return a + " != " + a + " || " + b + " != " + b;
  }
  llvm_unreachable("no such comparison");
}

/// Operations between floats and the signs of C++.
StringRef infixOf(Operation *op) {
  return llvm::TypeSwitch<Operation *, StringRef>(op)
      .Case([](arith::AddFOp) { return "+"; })
      .Case([](arith::SubFOp) { return "-"; })
      .Case([](arith::MulFOp) { return "*"; })
      .Case([](arith::DivFOp) { return "/"; })
      .Default(StringRef());
}
/// The same between truth values.
StringRef logicOf(Operation *op) {
  return llvm::TypeSwitch<Operation *, StringRef>(op)
      .Case([](arith::AndIOp) { return "&&"; })
      .Case([](arith::OrIOp) { return "||"; })
      .Case([](arith::XOrIOp) { return "!="; })
      .Default(StringRef());
}
/// Operations that are functions: CUDA's, or the prelude's.
StringRef callOf(Operation *op) {
  return llvm::TypeSwitch<Operation *, StringRef>(op)
      .Case([](math::AbsFOp) { return "fabsf"; })
      .Case([](math::SqrtOp) { return "sqrtf"; })
      .Case([](math::FloorOp) { return "floorf"; })
      .Case([](math::CeilOp) { return "ceilf"; })
      .Case([](math::CopySignOp) { return "copysignf"; })
      .Case([](math::ExpOp) { return "expf"; })
      .Case([](math::LogOp) { return "logf"; })
      .Case([](math::Log1pOp) { return "log1pf"; })
      .Case([](math::TanhOp) { return "tanhf"; })
      .Case([](math::PowFOp) { return "powf"; })
      .Case([](math::CosOp) { return "cosf"; })
      .Case([](arith::MinNumFOp) { return "fminf"; })
      .Case([](arith::MaxNumFOp) { return "fmaxf"; })
      .Case([](arith::MinimumFOp) { return "sn::cuda::minimum"; })
      .Case([](arith::MaximumFOp) { return "sn::cuda::maximum"; })
      .Default(StringRef());
}

class FunctionWriter {
public:
  FunctionWriter(func::FuncOp slot, const Signature &signature) : slot(slot), signature(signature) {
    for (unsigned i = 0; i < signature.inputs; ++i)
      names[slot.getArgument(i)] = "in[" + std::to_string(i) + "]";
    for (unsigned i = 0; i < signature.scalars; ++i)
      names[slot.getArgument(signature.inputs + i)] = "scalars[" + std::to_string(i) + "]";
  }

  llvm::Expected<std::string> write(StringRef name) {
    for (Operation &op : slot.front().without_terminator())
      if (llvm::Error error = writeOperation(&op))
        return std::move(error);
    writeResults(slot.front().getTerminator()->getOperands());
    return ("struct " + name + " {\n  static constexpr int kInputs = " + Twine(signature.inputs) +
            ", kOutputs = " + Twine(signature.outputs) + ", kScalars = " + Twine(signature.scalars) +
            ";\n  static constexpr bool kSum = " + (signature.sum ? "true" : "false") +
            ";\n  static __device__ __forceinline__ void run(const float *in, const float *scalars, float *out, "
            "double &sum) {\n" +
            body + "  }\n};\n")
        .str();
  }

private:
  /// The operand as it may stand beside any sign.
  const std::string &named(Value value) const { return names.find(value)->second; }

  void define(Value value, const std::string &expression) {
    bool isTruth = value.getType().isInteger(1);
    std::string name = (isTruth ? "is" : "v") + std::to_string(isTruth ? truths++ : floats++);
    body += std::string("    const ") + (isTruth ? "bool " : "float ") + name + " = " + expression + ";\n";
    names[value] = name;
  }

  llvm::Error writeOperation(Operation *op) {
    auto refused = [&] { return malformed(slot, "the CUDA target has no " + op->getName().getStringRef()); };
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      if (auto value = dyn_cast<FloatAttr>(constant.getValue()); value && value.getType().isF32())
        names[constant] = literal(value.getValue().convertToFloat());
      else if (constant.getType().isInteger(1))
        names[constant] = matchPattern(constant.getResult(), m_One()) ? "true" : "false";
      else
        return refused();
      return llvm::Error::success();
    }
    auto known = [](Type type) { return type.isF32() || type.isInteger(1); };
    if (op->getNumResults() != 1 || !known(op->getResult(0).getType()) || !llvm::all_of(op->getOperandTypes(), known))
      return refused();
    std::string text = expression(op);
    if (text.empty())
      return refused();
    define(op->getResult(0), text);
    return llvm::Error::success();
  }

  /// "" for an operation that is none of ours.
  std::string expression(Operation *op) const {
    if (StringRef call = callOf(op); !call.empty()) {
      std::string text = call.str() + "(";
      for (auto [i, operand] : llvm::enumerate(op->getOperands()))
        text += (i ? ", " : "") + named(operand);
      return text + ")";
    }
    StringRef infix = infixOf(op);
    if (infix.empty() && op->getNumOperands() > 0 && op->getOperand(0).getType().isInteger(1))
      infix = logicOf(op);
    if (!infix.empty())
      return named(op->getOperand(0)) + " " + infix.str() + " " + named(op->getOperand(1));
    if (auto negation = dyn_cast<arith::NegFOp>(op)) {
      const std::string &operand = named(negation.getOperand());
      return operand[0] == '-' ? "-(" + operand + ")" : "-" + operand;
    }
    if (auto compare = dyn_cast<arith::CmpFOp>(op))
      return comparison(compare.getPredicate(), named(compare.getLhs()), named(compare.getRhs()));
    if (auto select = dyn_cast<arith::SelectOp>(op))
      return named(select.getCondition()) + " ? " + named(select.getTrueValue()) + " : " +
             named(select.getFalseValue());
    return "";
  }

  void writeResults(ValueRange results) {
    for (unsigned i = 0; i < signature.outputs; ++i)
      body += "    out[" + std::to_string(i) + "] = " + named(results[i]) + ";\n";
    if (signature.sum && !matchPattern(results.back(), m_AnyZeroFloat()))
      body += "    sum += static_cast<double>(" + named(results.back()) + ");\n";
  }

  func::FuncOp slot;
  Signature signature;
  llvm::DenseMap<Value, std::string> names; // C++ primary expressions
  std::string body;
  unsigned floats = 0, truths = 0;
};
} // namespace

llvm::Expected<std::string> functionText(func::FuncOp slot, StringRef name) {
  auto signature = signatureOf(slot);
  if (!signature)
    return signature.takeError();
  return FunctionWriter(slot, *signature).write(name);
}
} // namespace sn::target::cuda
