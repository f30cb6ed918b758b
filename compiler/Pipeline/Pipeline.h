// The compiler from end to end: JSON -> net -> kernel -> plan -> slots -> plan file.
#pragma once
#include "compiler/Frontend/Network.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "runtime/plan/Archive.h"

namespace sn {
/// Borders where compilation can stop; each has a verifier that says what may still exist.
enum class Phase {
  Import, // net: parameters, optimizers, forward entries
  Net,    // net: training step explicit, formulas merged
  Kernel, // kernel: fused device computations
  Plan,   // plan: buffers and steps; slots as functions
};
/// "import", "net", "kernel", "plan".
std::optional<Phase> parsePhase(llvm::StringRef name);

struct CompileOptions {
  std::string schedule;                // "", "single", "recompute", "unfused", "factored"
  std::vector<std::string> printAfter; // pass names whose result is printed to stderr
  bool allowDeltaBuffer = false;       // Plan::allowDeltaBuffer
};

/// Loads every dialect that the pipeline uses.
void loadDialects(mlir::MLIRContext &context);
/// Runs a module from Import up to `phase`. An internal fault (a verifier's complaint) throws std::logic_error with
/// the diagnostic.
void lowerTo(mlir::ModuleOp module, Phase phase, const CompileOptions &options);

/// A compiled network. `net` is the module at phase Net before formulas are merged: what the reference interpreter
/// runs.
struct Compiled {
  mlir::OwningOpRef<mlir::ModuleOp> net;
  plan::Plan plan;
  plan::Archive archive;
};
/// Throws UserError for a network that cannot be compiled.
Compiled compileNetwork(mlir::MLIRContext &context, const frontend::Network &network, const CompileOptions &options);
} // namespace sn
