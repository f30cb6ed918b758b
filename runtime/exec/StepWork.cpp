#include "runtime/exec/StepWork.h"
#include "runtime/hal/StepTiming.h"
#include "runtime/plan/CostRoofline.h"
#include <algorithm>

namespace sn::rt {
namespace {
/// Stored entries of a row.
double densityOf(const DataSet &set) {
  if (set.loader == Loader::Dense)
    return static_cast<double>(set.columns);
  const auto rows = static_cast<double>(std::max<size_t>(2, set.indptr.size()) - 1);
  return static_cast<double>(set.entries()) / rows;
}

plan::CostModel costModelOf(const EntryRun &run, const Model &model, const Settings &settings, double rows) {
  plan::CostModel cost;
  cost.asStored = true; // what times its steps is a GPU
  cost.extent = [&model, rows](const plan::Dim &dim) {
    return dim.symbol == "B" ? rows : static_cast<double>(model.extents(0).of(dim));
  };
  cost.density = [&run](const std::string &name) { return densityOf(*run.data().sets.at(name)); };
  if (settings.optimizer) {
    cost.states = static_cast<int>(settings.optimizer->states.size());
    cost.onlyTouched = plan::keepsUntouched(*settings.optimizer, settings.hyper);
  }
  return cost;
}
} // namespace

std::vector<StepWork> workOf(const EntryRun &run, Model &model, const Settings &settings) {
  const auto *timing = dynamic_cast<const StepTiming *>(&model.device());
  const std::vector<StepProfile> &profile = run.profile();
  if (!timing || std::all_of(profile.begin(), profile.end(), [](const StepProfile &one) { return one.seconds == 0; }))
    return {};
  const plan::Machine *machine = plan::machineOfDevice(timing->product());
  std::vector<StepWork> work(profile.size());
  for (size_t i = 0; i < profile.size(); ++i) {
    if (profile[i].launches == 0)
      continue;
    const auto launches = static_cast<double>(profile[i].launches);
    const double rows = static_cast<double>(profile[i].rows) / launches;
    const plan::CostModel costModel = costModelOf(run, model, settings, rows);
    const plan::Step &step = run.entry().steps[i];
    const plan::Cost cost = plan::costOf(model.plan(), run.entry(), step, costModel);
    work[i] = {launches * cost.flops, launches * cost.bytes, std::nullopt};
    if (machine && profile[i].seconds > 0)
      work[i].roofline =
          launches * plan::rooflineOf(model.plan(), run.entry(), step, costModel, *machine).floor / profile[i].seconds;
  }
  return work;
}
} // namespace sn::rt
