// Which steps run in their factored form (docs/spec/plan.md, "Factored outputs"), and why the others do not.
#pragma once
#include "runtime/hal/Device.h"
#include <functional>

namespace sn::rt {
/// What decides, beside the plan.
struct FactoringQuestion {
  bool device = false; // has the form
  const plan::Optimizer *optimizer = nullptr;
  std::map<std::string, double, std::less<>> hyper; // empty: not known, nothing is factored
  Extents extents;                                  // maxRows: of a batch
  std::function<DataView(const std::string &)> data;
};
struct FactoringAnswer {
  const plan::Step *step = nullptr;
  bool factored = false;
  std::string why;
  /// "Output: factored: ...", for the user.
  std::string text() const { return step->label + ": " + (factored ? "factored: " : "not factored: ") + why; }
};
/// One for each step of the entry "train" that the plan lets be factored.
std::vector<FactoringAnswer> decideFactoring(const plan::Plan &plan, const FactoringQuestion &question);
/// Whether the device has the form.
bool factorsOutputs(const Device &device);
/// The matrix and the bias of a step, measured by the extents.
FactoredShape shapeOf(const plan::Plan &plan, const plan::Step &step, const Extents &extents);
} // namespace sn::rt
