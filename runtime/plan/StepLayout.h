// Where a device finds the operands of a step's slots: tables in a fixed order, on which the emitted kernels (compiler)
// and what launches them (runtime) agree. The CUDA target uses it; the CPU binds slots one by one.
#pragma once
#include "runtime/plan/Plan.h"

namespace sn::plan {
/// The operands of all slots of a step: slots in the order of their names; of a slot `in`, `out`, then `scalars`.
struct StepLayout {
  /// Distinct names of buffers and parameters among element, column and row operands, in the order of their first use.
  std::vector<std::string> pointers;
  /// Every hyper operand, in order: one float each, evaluated on the host for each launch. Those of the optimizer's
  /// update slots are not among them (Optimizer::scalars).
  std::vector<Expr> hypers;
  /// By slot: the place in `hypers` of its first hyper operand; its others follow.
  std::map<std::string, int64_t> firstHyper;

  /// Place of a buffer or parameter in `pointers`; it must be there.
  int64_t place(const std::string &name) const;
};
StepLayout layoutOf(const Step &step);

/// The parts of a step's name in emitted text: "Hidden_csr_gather", of its layers, its schema and its sweep; letters,
/// digits and single underscores only, beginning with a letter. Steps of an entry may share it.
std::string kernelNameOf(const Step &step);
} // namespace sn::plan
