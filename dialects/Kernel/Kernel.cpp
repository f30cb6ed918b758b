#include "dialects/Kernel/Kernel.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

#include "dialects/Kernel/KernelDialect.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/Kernel/KernelAttrs.cpp.inc"
#define GET_OP_CLASSES
#include "dialects/Kernel/Kernel.cpp.inc"

namespace sn::kernel {
void KernelDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/Kernel/KernelAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/Kernel/Kernel.cpp.inc"
      >();
}

Attribute ArgAttr::parse(AsmParser &parser, Type) {
  std::string role, ref;
  int64_t index = -1;
  double p = 0;
  if (parser.parseLess() || parser.parseKeywordOrString(&role))
    return {};
  if (auto parsed = parser.parseOptionalInteger(index); parsed.has_value() && failed(*parsed))
    return {};
  (void)parser.parseOptionalString(&ref);
  if (succeeded(parser.parseOptionalKeyword("p")) && parser.parseFloat(p))
    return {};
  if (parser.parseGreater())
    return {};
  return get(parser.getContext(), role, index, ref, p == 0 ? FloatAttr() : parser.getBuilder().getF64FloatAttr(p));
}

void ArgAttr::print(AsmPrinter &printer) const {
  printer << "<";
  printer.printKeywordOrString(getRole());
  if (getIndex() >= 0)
    printer << " " << getIndex();
  if (!getRef().empty())
    printer << " " << StringAttr::get(getContext(), getRef());
  if (getP()) {
    printer << " p ";
    printer.printFloat(getP().getValue());
  }
  printer << ">";
}

LogicalResult verifySchema(Operation *op) {
  auto names = op->getAttrOfType<ArrayAttr>("slotNames"), bindings = op->getAttrOfType<ArrayAttr>("bindings"),
       outputs = op->getAttrOfType<ArrayAttr>("outputs"), sums = op->getAttrOfType<ArrayAttr>("sums");
  if (names.size() != op->getNumRegions() || bindings.size() != names.size() || outputs.size() != names.size())
    return op->emitOpError("has ") << op->getNumRegions() << " slots but names, bindings or outputs for another number";
  for (auto [index, region] : llvm::enumerate(op->getRegions())) {
    auto name = cast<StringAttr>(names[index]);
    auto args = cast<ArrayAttr>(bindings[index]), places = cast<ArrayAttr>(outputs[index]);
    Block &block = region.front();
    auto yield = dyn_cast_or_null<net::YieldOp>(block.empty() ? nullptr : &block.back());
    bool sum = llvm::is_contained(sums, name);
    if (!yield || block.getNumArguments() != args.size() || yield.getNumOperands() != places.size() + (sum ? 1 : 0))
      return op->emitOpError("slot '") << name.getValue() << "' does not fit its bindings";
    for (Attribute arg : args) {
      auto binding = dyn_cast<ArgAttr>(arg);
      if (!binding)
        return op->emitOpError("slot '") << name.getValue() << "' has a binding that is no #kernel.arg";
    }
  }
  return success();
}
} // namespace sn::kernel
