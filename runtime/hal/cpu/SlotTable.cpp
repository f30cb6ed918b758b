#include "runtime/hal/cpu/SlotTable.h"
#include "runtime/plan/Error.h"
#include <fmt/ranges.h>

namespace sn::rt::cpu {
bool machineRuns(const std::string &level) {
  if (level == "x86-64-v2")
    return __builtin_cpu_supports("x86-64-v2");
  if (level == "x86-64-v3")
    return __builtin_cpu_supports("x86-64-v3");
  if (level == "x86-64-v4")
    return __builtin_cpu_supports("x86-64-v4");
  userError("unknown instruction set level '{}'; there are {}", level, fmt::join(plan::kCpuLevels, ", "));
}

static std::string entryOf(const std::string &level) { return fmt::format("cpu/{}.so", level); }

/// `forced`, or the richest level that this machine runs and `available` accepts; "" if there is none.
template <typename Available> static std::string chooseLevel(const std::string &forced, Available available) {
  if (!forced.empty()) {
    if (!machineRuns(forced))
      userError("this machine does not run code for {}", forced);
    return available(forced) ? forced : "";
  }
  std::string best;
  for (const char *level : plan::kCpuLevels)
    if (machineRuns(level) && available(level))
      best = level;
  return best;
}

SlotTable::SlotTable(const std::string &level) : chosen(chooseLevel(level, [](const std::string &) { return true; })) {
  if (chosen.empty())
    userError("this machine runs none of the instruction set levels {}", fmt::join(plan::kCpuLevels, ", "));
}

SlotTable SlotTable::fromArchive(const plan::Archive &archive, const plan::Plan &plan, const std::string &level) {
  std::string best =
      chooseLevel(level, [&](const std::string &name) { return archive.entries.count(entryOf(name)) > 0; });
  if (best.empty())
    userError("the plan holds no compiled slots for {}: compile it again with snc",
              level.empty() ? "this machine (cpu/x86-64-v2.so, -v3 or -v4)" : entryOf(level));
  SlotTable table(best);
  std::string reason;
  table.object = DynamicLibrary::fromBytes(archive.entries.at(entryOf(best)), "sn-slots-" + best, reason);
  if (!table.object)
    userError("the plan's {} cannot be loaded: {}", entryOf(best), reason);
  for (const plan::SlotFunction &slot : plan.functions) {
    auto function = table.object->function<sn_slot>(slot.name);
    if (!function)
      userError("the plan's {} has no slot '{}': the plan is damaged; compile it again with snc", entryOf(best),
                slot.name);
    table.add(slot.name, function);
  }
  return table;
}

sn_slot SlotTable::find(const std::string &name) const {
  auto found = functions.find(name);
  if (found == functions.end())
    userError("the plan uses the slot '{}', which is not among its functions", name);
  return found->second;
}
} // namespace sn::rt::cpu
