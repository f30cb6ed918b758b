// Steps as CUDA C++ kernels.
#pragma once
#include "kernels-templates/cuda/Variants.h"
#include "mlir/IR/BuiltinOps.h"
#include "runtime/plan/Plan.h"
#include "llvm/Support/Error.h"
#include <string>

namespace sn::target::cuda {
/// `text` for a comment that goes to the end of its line.
std::string commentOf(llvm::StringRef text);

/// The name of the step's kernel: plan::kernelNameOf(step), with that of the variant unless it is the plain one.
std::string kernelNameOf(const plan::Step &step, const sn::cuda::Variant *variant);

/// The translation unit of a step: its slot functions, the slots bound to operands, and the kernel, a template over
/// the loader kind, the optimizer and the pass, under the name kernelNameOf(step, variant). `slots` defines the
/// functions, simplified. Errors: a slot that is missing, and those of functionText.
llvm::Expected<std::string> kernelText(const plan::Plan &plan, const plan::Step &step, const sn::cuda::Variant *variant,
                                       mlir::ModuleOp slots);

/// The header "optimizers.cuh" of a plan: its update rules as struct optimizer::NAME for the kernels' parameter
/// `Optimizer`.
llvm::Expected<std::string> optimizersText(const plan::Plan &plan, mlir::ModuleOp slots);
} // namespace sn::target::cuda
