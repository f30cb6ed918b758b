// A network of a test as IR: what the importer makes of it, and the same after differentiation.
#pragma once
#include "compiler/Frontend/Network.h"
#include "compiler/Reference/Interpreter.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "test/support/Tables.h"
#include <functional>

namespace sn::test {
/// What a test changes in a network after it was read.
using Adjust = std::function<void(frontend::Network &)>;

class Network {
public:
  /// UserError (with the rendered diagnostics) for a network that is not accepted.
  explicit Network(const std::string &json, const std::string &name = "a test", const Adjust &adjust = {});

  mlir::MLIRContext &context() { return context_; }
  const frontend::Network &spec() const { return spec_; }
  /// As imported: entry "train" computes the loss and no gradient.
  mlir::ModuleOp forward() { return *forward_; }
  /// After net-differentiate: entry "train" updates every parameter.
  mlir::ModuleOp differentiated() { return *differentiated_; }
  /// Initial parameters for data of these widths, and zero states of the network's optimizer.
  reference::State initialState(const Tables &tables);
  /// Whether a parameter is one of those that are assigned, not trained.
  bool isFixed(const std::string &parameter);
  /// Moves every trained value by up to `most` either way; gives assigned ones values as a running variance has.
  void shake(reference::State &state, Random &random, double most);
  /// A training step: 1-based `step` and `epoch`, `steps` of them in each epoch; the schedule is applied.
  reference::Run run(const std::vector<int64_t> &ids, int64_t step, int64_t epoch, int64_t steps) const;

private:
  mlir::MLIRContext context_;
  frontend::Network spec_;
  mlir::OwningOpRef<mlir::ModuleOp> forward_, differentiated_;
};

/// The extents named after data sets.
std::map<std::string, int64_t> extentsOf(const Tables &tables);
} // namespace sn::test
