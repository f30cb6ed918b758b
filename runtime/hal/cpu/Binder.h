// Resolves the names of a plan step: memory, shapes, slots.
#pragma once
#include "kernels-templates/cpu/DataSource.h"
#include "kernels-templates/cpu/Products.h"
#include "kernels-templates/cpu/Target.h"
#include "runtime/hal/cpu/SlotTable.h"

namespace sn::rt::cpu {
/// Lives while one step is prepared. Everything throws UserError, naming step and name, for what a damaged plan leaves
/// unresolved.
class Binder {
public:
  Binder(const plan::Plan &plan, const plan::Step &step, const plan::Optimizer *optimizer, const Memory &memory,
         const Extents &extents, const SlotTable &table)
      : plan(plan), step(step), optimizer(optimizer), memory(memory), extents(extents), table(table) {}

  /// N of the step.
  int64_t columns() const { return extents.of(step.columns); }
  bool has(const std::string &slot) const { return step.slots.count(slot) > 0; }
  Slot slot(const std::string &name) const;
  /// An empty slot where the step has none of this name.
  Slot slotIfAny(const std::string &name) const { return has(name) ? slot(name) : Slot(); }
  /// Without a target the slot `body`; with one, the slots that its loader kind needs.
  TargetSlots targetSlots() const;
  const DataView &data(const std::string &name) const;
  float *buffer(const std::string &name) const;

  /// The step's only source, as E [inner, outer].
  const plan::Source &onlySource() const;
  Weights weights(const plan::Source &source) const;
  DataSource dataSource(const plan::Source &source) const;
  /// Null where the updates of the source's weights are not put off.
  DeferredRows *deferred(const plan::Source &source) const;
  /// The matrix of a step that runs in its factored form; null for all others.
  FactoredMatrix *factored() const;
  /// Where the source's weight gradient goes.
  Descent descent(const plan::Source &source) const;
  std::vector<BufferSource> bufferSources() const;
  std::vector<BiasVector> biases() const;
  /// Whether the step's results are vectors [N], the same for every row. UserError if only some are, or
  /// if operands belong to rows.
  bool writesVectors() const;
  /// The optimizer's slot for weights; empty if the step updates nothing.
  UpdateSlot updateWeights() const { return updateSlot(false); }
  UpdateSlot updateBiases() const { return updateSlot(true); }
  /// The slot for a parameter of either kind.
  UpdateSlot updateOf(const std::string &name) const { return updateSlot(!parameter(name).decays); }

private:
  UpdateSlot updateSlot(bool bias) const;
  const plan::Parameter &parameter(const std::string &name) const;
  Trained trained(const std::string &name) const;
  SpanOperand span(const plan::SlotArg &arg) const;
  ScalarOperand scalar(const plan::SlotArg &arg) const;

  const plan::Plan &plan;
  const plan::Step &step;
  const plan::Optimizer *optimizer;
  const Memory &memory;
  const Extents &extents;
  const SlotTable &table;
};
} // namespace sn::rt::cpu
