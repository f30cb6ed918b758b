// C++ declarations of the kernel dialect.
#pragma once
#include "dialects/Net/Net.h"

#include "dialects/Kernel/KernelDialect.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/Kernel/KernelAttrs.h.inc"

namespace sn::kernel {
/// What every schema must hold: each slot has bindings for its arguments and places for its results.
mlir::LogicalResult verifySchema(mlir::Operation *op);
} // namespace sn::kernel

#define GET_OP_CLASSES
#include "dialects/Kernel/Kernel.h.inc"
