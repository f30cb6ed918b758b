// What the steps of a run computed and moved, and how near they came to what the device can do.
#pragma once
#include "runtime/exec/EntryRun.h"
#include <optional>

namespace sn::rt {
/// Of all launches of a step, by the cost model (runtime/plan/Cost.h) at the mean number of rows.
struct StepWork {
  double flops = 0, bytes = 0;
  std::optional<double> roofline; // the least time by the device's data sheet over the time taken; none: not known
};
/// In the order of the profile. Empty where the device does not time steps or was not asked to (StepTiming.h), as on
/// the CPU. `run` belongs to `model`.
std::vector<StepWork> workOf(const EntryRun &run, Model &model, const Settings &settings);
} // namespace sn::rt
