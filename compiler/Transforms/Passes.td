// Every pass of the compiler: what it does, before and after. Each has a .cpp and a lit test of the same name.
#ifndef SN_PASSES_TD
#define SN_PASSES_TD

include "mlir/Pass/PassBase.td"

def NetDifferentiate : Pass<"net-differentiate", "::sn::net::EntryOp"> {
  let summary = "Makes backprop and updates of a training entry explicit";
  let description = [{
    Reverse mode over the entry's operations, forward mode inside formulas. A derivative stated beside a formula (`from_output`, `delta`) is used
    in place of the derived one. Before: `net.loss`, `net.report`. After: deltas, transposed contractions, batch sums and one `net.update` for
    each parameter, with every contribution to its gradient. Entries without a loss or named otherwise than `train` are left alone.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}
def NetFuseMaps : Pass<"net-fuse-maps", "::sn::net::EntryOp"> {
  let summary = "Merges pointwise formulas into their consumers";
  let description = [{
    A map whose result has one user is inlined into it (map, loss, row reduction); row vectors and additions of vectors are inlined into every user,
    other formulas of one value per unit only into their like: a map over units alone runs once. A map that feeds
    another map and later readers becomes one map of two results. Before: add, then sigmoid, then mask. After: one formula.
  }];
}
def NetToKernel : Pass<"net-to-kernel", "::sn::net::EntryOp"> {
  let summary = "Groups operations into kernel schemas";
  let description = [{
    Contraction + formula + loss + delta + source gradient + update become one `kernel.wide_output` where the legality rules allow (design.md
    section 3); the rest become csr_gather, gemm, csc_update, gemm_update, row_reduce, column_reduce, wide_topk and map.
  }];
  let options = [Option<"schedule", "schedule", "std::string", "\"\"", "force single, recompute, unfused or factored; empty = best legal">];
  let dependentDialects = ["::sn::kernel::KernelDialect"];
}
def FactorOutputs : Pass<"factor-outputs", "::mlir::ModuleOp"> {
  let summary = "Finds wide outputs that can be trained without touching all of their matrix";
  let description = [{
    A `kernel.wide_output` of schedule single whose loss is proved, from its slots, to be a multiple of (y - t)^2 of y = product + bias, and whose matrix
    and bias nothing else in the entry `train` reads, gets `factored`: where the run's optimizer, data and extents allow it, the step then takes the form of
    docs/spec/plan.md, "Factored outputs". Before: the kernel. After: the kernel with `factored`, or a remark that says why not.
  }];
  let options = [Option<"schedule", "schedule", "std::string", "\"\"", "factored: wherever it is legal; another one: nowhere; empty = where it pays">];
}
def KernelToPlan : Pass<"kernel-to-plan", "::mlir::ModuleOp"> {
  let summary = "Buffers, lifetimes, the ordered step list, and slots as functions";
  let description = [{
    Each kernel becomes one or two `plan.step`s, each result a `plan.buffer` with its lifetime, each slot a function of module `@slots`.
  }];
  let dependentDialects = ["::sn::planir::PlanDialect", "::mlir::func::FuncDialect"];
}
def VerifyNet : Pass<"verify-net", "::mlir::ModuleOp"> {
  let summary = "The border after differentiate: only net operations, every parameter of train updated once";
}
def VerifyKernel : Pass<"verify-kernel", "::mlir::ModuleOp"> {
  let summary = "The border before the plan: entries hold kernel operations only";
}
#endif
