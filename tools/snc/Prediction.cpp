#include "tools/snc/Prediction.h"
#include "runtime/exec/MemoryRoom.h"
#include <cmath>
#include <fmt/format.h>
#include <set>

using namespace sn;
using nlohmann::json;

namespace {
std::string bytesText(double bytes) { return rt::formatBytes(static_cast<int64_t>(bytes)); }
const char *boundText(const plan::Roofline &roofline) { return roofline.byMemory ? "memory" : "arithmetic"; }

std::string secondsText(double seconds) {
  return seconds < 1e-3   ? fmt::format("{:.3g} us", seconds * 1e6)
         : seconds < 1    ? fmt::format("{:.3g} ms", seconds * 1e3)
         : seconds < 3600 ? fmt::format("{:.3g} s", seconds)
                          : fmt::format("{:.3g} h", seconds / 3600);
}

/// In which the plan's products are computed there.
std::set<plan::Precision> precisionsOf(const Prediction &prediction) {
  std::set<plan::Precision> found;
  for (const plan::Entry &entry : prediction.plan.entries)
    for (const plan::Step &step : entry.steps)
      found.insert(precisionOn(prediction.machine, prediction.plan, step, prediction.model));
  return found;
}

json toJson(const plan::Roofline &roofline) {
  return {{"floor_seconds", roofline.floor}, {"expected_seconds", roofline.expected}, {"bound", boundText(roofline)}};
}
} // namespace

double Prediction::batches() const { return std::ceil(rows / model.extent({0, "B"})); }

json predictionJson(const Prediction &prediction) {
  const plan::Plan &plan = prediction.plan;
  const plan::Machine &machine = prediction.machine;
  json entries = json::object();
  for (const plan::Entry &entry : plan.entries) {
    json steps = json::array();
    for (const plan::Step &step : entry.steps) {
      const plan::Cost cost = costOf(plan, entry, step, prediction.model);
      json one = toJson(rooflineOf(plan, entry, step, prediction.model, machine));
      one.update({{"kernel", step.kernel},
                  {"precision", nameOf(precisionOn(machine, plan, step, prediction.model))},
                  {"sweep", step.sweep},
                  {"label", step.label},
                  {"flops", cost.flops},
                  {"bytes", cost.bytes}});
      steps.push_back(one);
    }
    const plan::Roofline step = prediction.step(entry);
    entries[entry.name] = {{"steps", steps},
                           {"batch", toJson(step)},
                           {"pass",
                            {{"batches", prediction.batches()},
                             {"floor_seconds", step.floor * prediction.batches()},
                             {"expected_seconds", step.expected * prediction.batches()}}}};
  }
  json peaks;
  for (const plan::Precision precision : precisionsOf(prediction))
    peaks[nameOf(precision)] = machine.peak(precision);
  const plan::DeviceMemory need = deviceMemory(plan, prediction.model, prediction.dataBytes);
  return {{"device", machine.name},
          {"product", machine.product},
          {"data_sheet",
           {{"memory_bytes", machine.memory}, {"bytes_per_second", machine.bandwidth}, {"flops_per_second", peaks}}},
          {"rows", prediction.rows},
          {"entries", entries},
          {"memory",
           {{"parameters", need.parameters},
            {"states", need.states},
            {"buffers", need.buffers},
            {"workspace", need.workspace},
            {"data", need.data},
            {"total", need.total()},
            {"fits", need.total() <= machine.memory}}}};
}

void printPrediction(const Prediction &prediction) {
  const plan::Plan &plan = prediction.plan;
  const plan::Machine &machine = prediction.machine;
  std::string peaks;
  for (const plan::Precision precision : precisionsOf(prediction))
    peaks += fmt::format(", {:.1f} Tflop/s in {}", machine.peak(precision) / 1e12, nameOf(precision));
  fmt::print("\non one {} by its data sheet ({}/s{}): a prediction, nothing was measured\n", machine.product,
             bytesText(machine.bandwidth), peaks);
  for (const plan::Entry &entry : plan.entries) {
    fmt::print("\n{}\n  {:<3} {:<13} {:<10} {:<34} {:>10} {:>10}  {:<10}  {}\n", entry.name, "", "kernel", "sweep",
               "layer (record)", "at least", "expected", "bound by", "precision");
    for (size_t i = 0; i < entry.steps.size(); ++i) {
      const plan::Step &step = entry.steps[i];
      const plan::Roofline one = rooflineOf(plan, entry, step, prediction.model, machine);
      fmt::print("  {:<3} {:<13} {:<10} {:<34} {:>10} {:>10}  {:<10}  {}\n", i, step.kernel, step.sweep, step.label,
                 secondsText(one.floor), secondsText(one.expected), boundText(one),
                 nameOf(precisionOn(machine, plan, step, prediction.model)));
    }
    const plan::Roofline step = prediction.step(entry);
    fmt::print("  {:<63} {:>10} {:>10}  {}\n", "a batch", secondsText(step.floor), secondsText(step.expected),
               boundText(step));
    fmt::print("  {:<63} {:>10} {:>10}\n", fmt::format("{} rows, {} batches", prediction.rows, prediction.batches()),
               secondsText(step.floor * prediction.batches()), secondsText(step.expected * prediction.batches()));
  }
  const plan::DeviceMemory need = deviceMemory(plan, prediction.model, prediction.dataBytes);
  fmt::print("\nmemory: {} of {}: {} parameters, {} states, {} buffers, {} workspace, {} data: it {}\n",
             bytesText(need.total()), bytesText(machine.memory), bytesText(need.parameters), bytesText(need.states),
             bytesText(need.buffers), bytesText(need.workspace), bytesText(need.data),
             need.total() <= machine.memory ? "fits" : "does not fit");
}
