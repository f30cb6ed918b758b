#include "runtime/plan/Plan.h"
#include <algorithm>
#include <set>

namespace sn::plan {
const Entry *findEntry(const Plan &plan, std::string_view name) {
  auto found = std::find_if(plan.entries.begin(), plan.entries.end(), [&](const Entry &e) { return e.name == name; });
  return found == plan.entries.end() ? nullptr : &*found;
}

std::vector<std::string> parametersRead(const Step &step) {
  std::set<std::string> names;
  // A weight-gradient kernel with a stored delta never looks at the values outside its own update.
  const bool ownOnly = step.kernel == "csc_update" || step.kernel == "gemm_update" || step.kernel == "update" ||
                       step.kernel == "limit_norm";
  if (!ownOnly)
    for (const Source &source : step.sources)
      names.insert(source.weights);
  for (const auto &[slot, use] : step.slots)
    for (const SlotArg &arg : use.in)
      if (arg.role == Role::Column)
        names.insert(arg.ref); // may be a buffer: names of buffers and parameters are disjoint
  names.erase("");
  return {names.begin(), names.end()};
}

std::vector<std::string> parametersUpdated(const Step &step) {
  std::vector<std::string> names;
  if (step.kernel == "map")
    for (const auto &[slot, use] : step.slots)
      for (const SlotArg &arg : use.out)
        if (arg.role == Role::Column)
          names.push_back(arg.ref); // an assignment, or a buffer
  const bool whole = step.kernel == "update" || step.kernel == "limit_norm";
  for (const Source &source : step.sources)
    if (whole || (step.update && source.weightGradient.empty()))
      names.push_back(source.weights);
  if (step.update)
    names.insert(names.end(), step.biases.begin(), step.biases.end());
  return names;
}
} // namespace sn::plan
