// The CUDA target: a plan's steps as CUDA C++, compiled where the plan runs or ahead of time.
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include "runtime/plan/Plan.h"
#include "llvm/Support/Error.h"
#include <map>
#include <string>
#include <vector>

namespace sn::target {
/// What a plan carries for the CUDA device (runtime/plan/CudaManifest.h).
struct CudaText {
  std::map<std::string, std::string> entries; // of the archive, by name: "cuda/..."
  std::vector<std::string> remarks;           // why an entry of the plan has no text, for Plan::remarks
};

/// One text for each distinct step of `plan`, whose functions `slots` defines: the step's slots as functors and one
/// instantiation of the template of its schema. An entry with a step of more operands than a launch can hand over
/// (sn::cuda::kPointers) has no text and a remark. Equal plans give equal bytes. `slots` itself is left alone. Errors:
/// as compileSlots (compiler/Target/Cpu/Slots.h).
llvm::Expected<CudaText> emitCuda(const plan::Plan &plan, mlir::ModuleOp slots);

/// The texts of emitCuda for a reader: the optimizers' rules, then the kernels in the order of the steps, each under
/// its name and the steps that run it. The templates, the same in every plan, are left out.
llvm::Expected<std::string> emitCudaText(const plan::Plan &plan, mlir::ModuleOp slots);
} // namespace sn::target
