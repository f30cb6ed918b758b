// verify-net and verify-kernel: what may still exist at a border between phases.
#include "compiler/Transforms/Passes.h"

using namespace mlir;

namespace sn {
#define GEN_PASS_DEF_VERIFYNET
#define GEN_PASS_DEF_VERIFYKERNEL
#include "compiler/Transforms/Passes.h.inc"

namespace {
struct VerifyNetBorder : impl::VerifyNetBase<VerifyNetBorder> {
  void runOnOperation() override {
    for (net::EntryOp entry : getOperation().getOps<net::EntryOp>()) {
      llvm::StringMap<int> updates, reads;
      for (Operation &op : entry.getBody().front()) {
        if (!isa<net::NetDialect>(op.getDialect()) || isa<net::PenaltyOp, net::DeltaNormOp>(op)) {
          op.emitError("does not belong into a net entry after differentiation");
          return signalPassFailure();
        }
        if (auto update = dyn_cast<net::UpdateOp>(op))
          ++updates[update.getParameter()];
        if (auto read = dyn_cast<net::ReadOp>(op))
          ++reads[read.getParameter()];
      }
      for (auto &read : reads) {
        auto parameter = getOperation().lookupSymbol<net::ParameterOp>(read.getKey());
        bool trained = entry.getSymName() == "train" && !(parameter && parameter.getFixed());
        if (updates[read.getKey()] != (trained ? 1 : 0)) {
          entry.emitError("parameter '") << read.getKey() << "' is updated " << updates[read.getKey()] << " times";
          return signalPassFailure();
        }
      }
    }
  }
};

struct VerifyKernelBorder : impl::VerifyKernelBase<VerifyKernelBorder> {
  void runOnOperation() override {
    for (net::EntryOp entry : getOperation().getOps<net::EntryOp>())
      for (Operation &op : entry.getBody().front())
        if (!isa<kernel::KernelDialect>(op.getDialect())) {
          op.emitError("was not lowered to a kernel");
          return signalPassFailure();
        }
  }
};
} // namespace
} // namespace sn
