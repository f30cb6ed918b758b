#include "test/support/SlotPool.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <algorithm>
#include <stdexcept>

using namespace mlir;

namespace sn::test {
SlotPool::SlotPool(MLIRContext &context) : module_(ModuleOp::create(UnknownLoc::get(&context))) {}

std::string SlotPool::intern(ModuleOp slots, const std::string &name) {
  auto function = slots.lookupSymbol<func::FuncOp>(name);
  if (!function)
    throw std::logic_error("the plan names a slot that is not there: " + name);
  func::FuncOp copy = function.clone();
  copy.setSymName("slot");
  std::string text;
  llvm::raw_string_ostream(text) << copy;
  auto [known, isNew] = nameOf_.try_emplace(text, "slot" + std::to_string(nameOf_.size()));
  if (isNew) {
    copy.setSymName(known->second);
    module_->push_back(copy);
  } else {
    copy.erase();
  }
  return known->second;
}

void SlotPool::add(plan::Plan &plan, ModuleOp slots) {
  std::map<std::string, plan::SlotFunction> described, used;
  for (const plan::SlotFunction &function : plan.functions)
    described[function.name] = function;
  auto use = [&](std::string &name) {
    plan::SlotFunction function = described.at(name);
    name = function.name = intern(slots, name);
    used[name] = function;
  };
  for (plan::Entry &entry : plan.entries)
    for (plan::Step &step : entry.steps)
      for (auto &[slot, slotUse] : step.slots)
        use(slotUse.function);
  for (plan::Optimizer &optimizer : plan.optimizers) {
    use(optimizer.weights);
    use(optimizer.bias);
  }
  plan.functions.clear();
  for (const auto &[name, function] : used)
    plan.functions.push_back(function);
}
} // namespace sn::test
