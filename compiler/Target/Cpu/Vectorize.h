// From a scalar slot to the vector loop with the sn_slot convention.
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"

namespace sn::target {
/// The LLVM dialect module of all slots (see compileSlots). `slots` is left alone.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> vectorizeSlots(mlir::ModuleOp slots);
} // namespace sn::target
