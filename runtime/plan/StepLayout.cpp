#include "runtime/plan/StepLayout.h"
#include <algorithm>
#include <cctype>
#include <stdexcept>

namespace sn::plan {
int64_t StepLayout::place(const std::string &name) const {
  auto found = std::find(pointers.begin(), pointers.end(), name);
  if (found == pointers.end())
    throw std::logic_error("a step has no operand '" + name + "'");
  return found - pointers.begin();
}

static bool hasPointer(Role role) { return role == Role::Element || role == Role::Column || role == Role::Row; }

StepLayout layoutOf(const Step &step) {
  StepLayout layout;
  for (const auto &[name, use] : step.slots) {
    layout.firstHyper[name] = static_cast<int64_t>(layout.hypers.size());
    for (const std::vector<SlotArg> *args : {&use.in, &use.out, &use.scalars})
      for (const SlotArg &arg : *args) {
        if (hasPointer(arg.role) && std::count(layout.pointers.begin(), layout.pointers.end(), arg.ref) == 0)
          layout.pointers.push_back(arg.ref);
        if (arg.role == Role::Hyper)
          layout.hypers.push_back(arg.value);
      }
  }
  return layout;
}

std::string kernelNameOf(const Step &step) {
  std::string name;
  auto append = [&](const std::string &part) {
    if (!name.empty() && name.back() != '_')
      name += '_';
    for (char c : part)
      if (std::isalnum(static_cast<unsigned char>(c)))
        name += c;
      else if (!name.empty() && name.back() != '_')
        name += '_';
  };
  for (const std::string &layer : step.layers)
    append(layer);
  append(step.kernel);
  if (!step.sweep.empty())
    append(step.sweep);
  while (!name.empty() && name.back() == '_')
    name.pop_back();
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name.front())))
    name = "k_" + name;
  return name;
}
} // namespace sn::plan
