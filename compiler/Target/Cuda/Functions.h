// Slots as CUDA C++.
#pragma once
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/Error.h"
#include <string>

namespace sn::target::cuda {
/// The slot as `struct NAME`, the `Function` of kernels-templates/cuda/slot.cuh: one statement for each operation, the
/// literals those of the constants. Errors: a function that is no slot, or an operation that the CPU target refuses,
/// too.
llvm::Expected<std::string> functionText(mlir::func::FuncOp slot, llvm::StringRef name);

/// The float as a literal that reads back the same: "0.1f", "-0.0f", "sn::cuda::infinity()", and for every NaN the
/// quiet one.
std::string literal(float value);
} // namespace sn::target::cuda
