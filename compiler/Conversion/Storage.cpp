// How a GPU stores the parameters of a plan.
#include "compiler/Conversion/PlanJson.h"
#include <algorithm>
#include <set>

namespace sn {
namespace {
/// Its sources are multiplied; `update` and `limit_norm` take a matrix as it is stored.
bool multiplies(const plan::Step &step) {
  return !step.sources.empty() && step.kernel != "update" && step.kernel != "limit_norm";
}

template <typename Visit> void forEachStep(const plan::Plan &plan, Visit visit) {
  for (const plan::Entry &entry : plan.entries)
    for (const plan::Step &step : entry.steps)
      visit(step);
}
} // namespace

void chooseStorage(plan::Plan &plan) {
  std::set<std::string> narrow, wide; // weights of products in bf16; what needs fp32
  forEachStep(plan, [&](const plan::Step &step) {
    wide.insert(step.biases.begin(), step.biases.end());
    for (const auto &[name, slot] : step.slots)
      for (const auto *args : {&slot.in, &slot.out})
        for (const plan::SlotArg &arg : *args)
          if (arg.role == plan::Role::Column)
            wide.insert(arg.ref);
    if (multiplies(step))
      for (const plan::Source &source : step.sources)
        (step.precision == plan::Precision::Bf16 ? narrow : wide).insert(source.weights);
  });
  auto isNarrow = [&](const plan::Source &source) {
    return narrow.contains(source.weights) && !wide.contains(source.weights);
  };
  for (bool changed = true; changed;) { // a matrix that must be fp32 takes those along that a step reads beside it
    changed = false;
    forEachStep(plan, [&](const plan::Step &step) {
      if (!multiplies(step) || std::all_of(step.sources.begin(), step.sources.end(), isNarrow))
        return;
      for (const plan::Source &source : step.sources)
        changed |= wide.insert(source.weights).second;
    });
  }
  for (plan::Parameter &parameter : plan.parameters)
    parameter.storage = narrow.contains(parameter.name) && !wide.contains(parameter.name) ? plan::Precision::Bf16
                                                                                          : plan::Precision::Fp32;
}
} // namespace sn
