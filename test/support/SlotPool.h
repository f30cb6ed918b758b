// Slots of several plans in one module: functions with the same body become one.
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "runtime/plan/Plan.h"

namespace sn::test {
class SlotPool {
public:
  explicit SlotPool(mlir::MLIRContext &context);
  /// Adds the slots that `plan` uses; `slots` defines them. The plan then names those of the pool.
  void add(plan::Plan &plan, mlir::ModuleOp slots);
  mlir::ModuleOp module() { return *module_; }

private:
  std::string intern(mlir::ModuleOp slots, const std::string &name);

  mlir::OwningOpRef<mlir::ModuleOp> module_;
  std::map<std::string, std::string> nameOf_; // by the function's text without its name
};
} // namespace sn::test
