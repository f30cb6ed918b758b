#include "compiler/Target/Slots/Signature.h"

using namespace mlir;

namespace sn::target {
llvm::Error malformed(func::FuncOp slot, const llvm::Twine &why) {
  return llvm::createStringError(("slot '" + slot.getName() + "': " + why).str());
}

llvm::Expected<Signature> signatureOf(func::FuncOp slot) {
  auto inputs = slot->getAttrOfType<IntegerAttr>("slot.inputs"),
       scalars = slot->getAttrOfType<IntegerAttr>("slot.scalars");
  if (!inputs || !scalars)
    return malformed(slot, "slot.inputs and slot.scalars are missing");
  Signature s;
  s.inputs = inputs.getInt();
  s.scalars = scalars.getInt();
  s.sum = slot->hasAttr("slot.sum");
  if (s.inputs + s.scalars != slot.getNumArguments())
    return malformed(slot, "slot.inputs and slot.scalars do not add up to the number of arguments");
  if (s.sum && slot.getNumResults() == 0)
    return malformed(slot, "slot.sum without a result to add up");
  s.outputs = slot.getNumResults() - s.sum;
  auto isFloat = [](Type type) { return type.isF32(); };
  if (!llvm::all_of(slot.getArgumentTypes(), isFloat) || !llvm::all_of(slot.getResultTypes(), isFloat))
    return malformed(slot, "arguments and results are f32");
  if (!llvm::hasSingleElement(slot.getBody()))
    return malformed(slot, "the body is one block");
  return s;
}
} // namespace sn::target
