// The compiler's passes, in the order the pipeline runs them. Summaries and options: Passes.td.
#pragma once
#include "dialects/Kernel/Kernel.h"
#include "dialects/Net/Net.h"
#include "dialects/Plan/PlanOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace sn {
#define GEN_PASS_DECL
#include "compiler/Transforms/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "compiler/Transforms/Passes.h.inc"
} // namespace sn
