// Steps as CUDA C++ kernels.
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include "runtime/plan/Plan.h"
#include "llvm/Support/Error.h"
#include <string>

namespace sn::target::cuda {
/// `text` for a comment that goes to the end of its line.
std::string commentOf(llvm::StringRef text);

/// The translation unit of a step: its slot functions, the slots bound to operands, and the kernel, a template over
/// the loader kind, the optimizer and the pass, under the name plan::kernelNameOf(step). `slots` defines the functions,
/// simplified. Errors: a slot that is missing, and those of functionText.
llvm::Expected<std::string> kernelText(const plan::Plan &plan, const plan::Step &step, mlir::ModuleOp slots);

/// The header "optimizers.cuh" of a plan: its update rules as struct optimizer::NAME for the kernels' parameter
/// `Optimizer`.
llvm::Expected<std::string> optimizersText(const plan::Plan &plan, mlir::ModuleOp slots);
} // namespace sn::target::cuda
