// The CPU target: a plan's slots compiled ahead of time, for every instruction set level that a plan carries.
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include "runtime/plan/Archive.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <map>
#include <string>

namespace sn::target {
/// Compiles the slots of a plan to one shared object per level (of sn::plan::kCpuLevels); the result maps the level to
/// the object's bytes.
///
/// Each slot is a func.func of one block over scalars: arguments f32 (the inputs, then the scalars), results f32 (the
/// outputs, then, if it carries the unit attribute `slot.sum`, one value that is accumulated in double precision). The
/// integer attributes `slot.inputs` and `slot.scalars` count the arguments. Operations: arith on f32 and i1; math absf,
/// sqrt, floor, ceil, copysign, exp, log, log1p, tanh, powf, cos.
///
/// The objects export each slot under its name with the sn_slot convention (runtime/plan/Abi.h), need no other library
/// and are position independent. Every element is computed by the same operations wherever it stands in the span, in
/// the order written; only the approximations of VectorMath.h use fused multiply-adds, so x86-64-v3 and x86-64-v4 give
/// the same bits. Equal modules give equal bytes. Errors: a function that is no slot, or an operation outside the list.
/// `slots` itself is left alone; the LLVM dialect is loaded into its context. Not to be called from inside a pass; may
/// be called from several threads with different contexts.
llvm::Expected<std::map<std::string, std::string>> compileSlots(mlir::ModuleOp slots,
                                                                llvm::ArrayRef<const char *> levels = plan::kCpuLevels);

/// The optimised LLVM IR of the slots for one level, as text. Errors as above, and an unknown level.
llvm::Expected<std::string> emitLlvmText(mlir::ModuleOp slots, llvm::StringRef level);
} // namespace sn::target
