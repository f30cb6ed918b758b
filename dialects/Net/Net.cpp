#include "dialects/Net/Net.h"
#include "mlir/IR/DialectImplementation.h"
#include "runtime/plan/Precision.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

#include "dialects/Net/NetDialect.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/Net/NetTypes.cpp.inc"
#define GET_OP_CLASSES
#include "dialects/Net/Net.cpp.inc"

namespace sn::net {
void NetDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/Net/NetTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/Net/Net.cpp.inc"
      >();
}

Type ValueType::parse(AsmParser &parser) {
  SmallVector<Attribute> dims;
  if (parser.parseLess())
    return {};
  while (failed(parser.parseOptionalGreater())) {
    if (!dims.empty() && parser.parseKeyword("x"))
      return {};
    std::string symbol;
    int64_t extent;
    if (succeeded(parser.parseOptionalString(&symbol)))
      dims.push_back(parser.getBuilder().getStringAttr(symbol));
    else if (succeeded(parser.parseInteger(extent)))
      dims.push_back(parser.getBuilder().getI64IntegerAttr(extent));
    else
      return {};
  }
  return get(parser.getContext(), dims);
}

void ValueType::print(AsmPrinter &printer) const {
  printer << "<";
  llvm::interleave(
      getDims(),
      [&](Attribute dim) {
        if (auto extent = llvm::dyn_cast<IntegerAttr>(dim))
          printer << extent.getInt();
        else
          printer << dim;
      },
      [&] { printer << " x "; });
  printer << ">";
}

bool ValueType::isRow() const {
  auto dims = getDims();
  auto symbol = dims.size() == 1 ? llvm::dyn_cast<StringAttr>(dims[0]) : StringAttr();
  return symbol && symbol.getValue() == kBatch;
}

ValueType valueType(MLIRContext *context, ArrayRef<Attribute> dims) { return ValueType::get(context, dims); }

Attribute unitsOf(ValueType type) {
  assert(type.isMatrix() && "units of something that is no matrix");
  return type.getDims()[1];
}

EntryOp findEntry(ModuleOp module, StringRef name) {
  for (EntryOp entry : module.getOps<EntryOp>())
    if (entry.getSymName() == name)
      return entry;
  return {};
}

LogicalResult ContractOp::verify() {
  if (getLhs().empty())
    return emitOpError("needs at least one product");
  if (std::optional<StringRef> precision = getPrecision(); precision && !plan::precisionNamed(*precision))
    return emitOpError("has the unknown precision '") << *precision << "'";
  auto want = typeOf(getResult()).getDims();
  for (auto [lhs, rhs] : llvm::zip(getLhs(), getRhs())) {
    auto a = typeOf(lhs).getDims(), b = typeOf(rhs).getDims();
    if (a.size() != 2 || b.size() != 2 || want.size() != 2)
      return emitOpError("contracts matrices only");
    Attribute m = a[getTransposeA() ? 1 : 0], ka = a[getTransposeA() ? 0 : 1];
    Attribute n = b[getTransposeB() ? 0 : 1], kb = b[getTransposeB() ? 1 : 0];
    if (ka != kb || m != want[0] || n != want[1])
      return emitOpError("extents do not fit: ") << lhs.getType() << " by " << rhs.getType() << " -> " << getType();
  }
  return success();
}

/// A formula region takes `arguments` f32 values and yields `results` of them.
static LogicalResult verifyFormula(Operation *op, Region &region, unsigned arguments, unsigned results) {
  Block &block = region.front();
  auto yield = dyn_cast_or_null<YieldOp>(block.empty() ? nullptr : &block.back());
  if (!yield || block.getNumArguments() != arguments || yield.getNumOperands() != results)
    return op->emitOpError("formula takes ") << arguments << " values and yields " << results;
  for (Type type : block.getArgumentTypes())
    if (!type.isF32())
      return op->emitOpError("formulas are over f32");
  return success();
}

LogicalResult MapOp::verify() {
  if (!getFromOutput().empty() && (getNumOperands() != 1 || getNumResults() != 1))
    return emitOpError("from_output needs one operand and one result");
  if (!getFromOutput().empty() && failed(verifyFormula(*this, getFromOutput(), 2, 1)))
    return failure();
  return verifyFormula(*this, getFormula(), getNumOperands(), getNumResults());
}

LogicalResult LossOp::verify() {
  unsigned arguments = getInputs().size() + 1;
  if (!getDelta().empty() && failed(verifyFormula(*this, getDelta(), arguments, 1)))
    return failure();
  if (getDeltaResult() && getDelta().empty())
    return emitOpError("a delta result needs a delta formula");
  return verifyFormula(*this, getValue(), arguments, 1);
}
} // namespace sn::net
