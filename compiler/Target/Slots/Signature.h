// What every target asks of a slot, the func.func of one block that kernel-to-plan writes.
#pragma once
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/Error.h"

namespace sn::target {
/// Arguments: the inputs, then the scalars. Results: the outputs, then the term of the sum if there is one.
struct Signature {
  unsigned inputs = 0, scalars = 0, outputs = 0;
  bool sum = false;
};
/// Errors: a function that is no slot (compiler/Target/Cpu/Slots.h says what one is), but for its operations.
llvm::Expected<Signature> signatureOf(mlir::func::FuncOp slot);

/// "slot 'NAME': WHY".
llvm::Error malformed(mlir::func::FuncOp slot, const llvm::Twine &why);
} // namespace sn::target
