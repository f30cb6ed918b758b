#include "runtime/plan/CostRoofline.h"
#include "runtime/plan/Error.h"
#include "runtime/plan/Lanes.h"
#include <algorithm>
#include <cmath>

namespace sn::plan {
namespace {
constexpr double kGB = 1e9, kTera = 1e12;
// What kernels are built for, as shares of the data sheet's rates: updates and gathers at 85 % of what a copy reaches,
// which is about 92 % of the sheet's bandwidth; tiled products at 60 % of the peak.
constexpr double kBandwidthShare = 0.85 * 0.92, kProductShare = 0.60;
// From one kernel's end to the next one's begin, inside a recorded graph, for the passes of a step together.
constexpr double kStepSeconds = 4e-6;
// An element's activation, loss and delta: about 30 instructions of the fp32 units, in units of a product's operations.
constexpr double kFlopsOfElement = 60;
// As runtime/hal/cuda/WideLaunches.cpp has them: lanes over a wide layer's outputs, and the blocks of its update, for
// tiles of this side.
constexpr int kLeastLanesOfDevice = 16, kMostLanesOfDevice = 128;
constexpr double kTileSide = 128, kEnoughBlocks = 128, kUpdateBlocks = 132, kChunk = 4, kStateBytes = 40, kFloat = 4;

/// The extent that the source's product sums over.
double innerOf(const Plan &plan, const Source &source, const CostModel &model) {
  for (const Parameter &parameter : plan.parameters)
    if (parameter.name == source.weights)
      return model.extent(source.transposed ? parameter.out : parameter.in);
  return 0;
}

double lanesOf(double rows, double columns) {
  int lanes = kLeastLanesOfDevice;
  while (lanes < kMostLanesOfDevice && std::ceil(rows / kTileSide) * lanes < kEnoughBlocks)
    lanes *= 2;
  return wideLanes(static_cast<int64_t>(columns), lanes);
}

/// As runtime/hal/cuda/*Launches.cpp ask for it, without what is small. Of a wide step with large tiles: the lanes'
/// partial sums of input gradients, and the deltas that blocks keep for these and for their weights' gradients, or
/// those of the whole batch; of csc_update: the batch, transposed.
double workspaceOf(const Plan &plan, const Step &step, const CostModel &model) {
  if (step.kernel == "csc_update") {
    const Source &source = step.sources.front();
    return 8 * innerOf(plan, source, model) + 20 * model.extent({0, "B"}) * model.density(source.ref);
  }
  const bool sweeps = step.sweep == "single" || step.sweep == "forward" || step.sweep == "update";
  if (!sweeps)
    return 0;
  const double rows = model.extent({0, "B"}), columns = model.extent(step.columns), lanes = lanesOf(rows, columns);
  double bytes = 0;
  if (step.sweep == "single" && plan.allowDeltaBuffer)
    bytes += rows * columns * kFloat;
  else if (step.sweep != "forward")
    bytes += std::min(kUpdateBlocks, std::ceil(columns / kTileSide)) * rows * (kTileSide * kFloat + kStateBytes);
  double backprop = 0;
  for (const Source &source : step.sources)
    if (!source.gradient.empty())
      backprop += innerOf(plan, source, model);
  if (backprop > kTileSide)
    bytes += std::ceil(rows / kTileSide) * lanes * kTileSide * kTileSide * kChunk * kFloat;
  return bytes + lanes * rows * backprop * kFloat;
}

/// The step as the device runs it: sweep `single` takes two passes, the second of which forms the deltas again, unless
/// the plan allows to store them or a tile has all rows.
Cost asRun(Cost cost, const Plan &plan, const Step &step, const CostModel &model) {
  const double rows = model.extent({0, "B"}), columns = model.extent(step.columns);
  if (step.sweep != "single" || rows <= kTileSide / 2)
    return cost;
  if (plan.allowDeltaBuffer) {
    cost.bytes += 2 * rows * columns * kFloat;
    return cost;
  }
  for (const Source &source : step.sources) {
    const double inner = innerOf(plan, source, model);
    cost.flops += 2 * rows * inner * columns;
    cost.bytes += inner * columns * kFloat;
  }
  cost.elements += rows * columns;
  return cost;
}
} // namespace

const std::vector<Machine> &machines() {
  // NVIDIA's data sheets of these products. Where a sheet gives tensor rates with sparsity only, half of them.
  static const std::vector<Machine> table = {
      {"b200", "B200 SXM 180GB (HGX)", 180 * kGB, 7700 * kGB, 75 * kTera, 1125 * kTera, 2250 * kTera},
      {"h200", "H200 SXM 141GB", 141 * kGB, 4800 * kGB, 67 * kTera, 494.5 * kTera, 989.5 * kTera},
      {"h100", "H100 SXM 80GB", 80 * kGB, 3350 * kGB, 67 * kTera, 494.5 * kTera, 989.5 * kTera},
      {"h100-pcie", "H100 PCIe 80GB", 80 * kGB, 2000 * kGB, 51 * kTera, 378 * kTera, 756.5 * kTera},
      {"a100", "A100 SXM 80GB", 80 * kGB, 2039 * kGB, 19.5 * kTera, 156 * kTera, 312 * kTera},
      {"a100-40gb", "A100 SXM 40GB", 40 * kGB, 1555 * kGB, 19.5 * kTera, 156 * kTera, 312 * kTera},
      {"l40s", "L40S 48GB", 48 * kGB, 864 * kGB, 91.6 * kTera, 183 * kTera, 362 * kTera},
      {"l4", "L4 24GB", 24 * kGB, 300 * kGB, 30.3 * kTera, 60 * kTera, 121 * kTera},
      {"t4", "T4 16GB", 16 * kGB, 320 * kGB, 8.1 * kTera, 0, 0},
  };
  return table;
}

const Machine &machineNamed(std::string_view name) {
  std::string known;
  for (const Machine &machine : machines()) {
    if (machine.name == name)
      return machine;
    known += (known.empty() ? "" : ", ") + std::string(machine.name);
  }
  userError("--device {}: explain knows the data sheets of {}", name, known);
}

const Machine *machineOfDevice(std::string_view product) {
  static constexpr std::pair<std::string_view, std::string_view> kNames[] = {{"NVIDIA B200", "b200"},
                                                                             {"NVIDIA H200", "h200"},
                                                                             {"NVIDIA H100 80GB HBM3", "h100"},
                                                                             {"NVIDIA H100 PCIe", "h100-pcie"},
                                                                             {"NVIDIA A100-SXM4-80GB", "a100"},
                                                                             {"NVIDIA A100-SXM4-40GB", "a100-40gb"},
                                                                             {"NVIDIA L40S", "l40s"},
                                                                             {"NVIDIA L4", "l4"},
                                                                             {"Tesla T4", "t4"}};
  for (const auto &[device, name] : kNames)
    if (device == product)
      return &machineNamed(name);
  return nullptr;
}

Roofline rooflineOf(const Cost &cost, const Machine &machine, Precision precision) {
  const double moving = cost.bytes / machine.bandwidth;
  const double products = cost.flops / machine.peak(precision);
  const double slots = kFlopsOfElement * cost.elements / machine.fp32;
  const double seconds = std::max(moving, products + slots);
  if (seconds == 0)
    return {};
  return {seconds, kStepSeconds + std::max(moving / kBandwidthShare, (products + slots) / kProductShare),
          moving >= products + slots};
}

Precision precisionOn(const Machine &machine, const Plan &plan, const Step &step, const CostModel &model) {
  const bool sums = step.kernel == "csr_gather" || step.kernel == "csc_update";
  const bool sparse = sums && model.density(step.sources.front().ref) < innerOf(plan, step.sources.front(), model);
  return sparse || machine.peak(step.precision) == 0 ? Precision::Fp32 : step.precision;
}

Roofline rooflineOf(const Plan &plan, const Entry &entry, const Step &step, const CostModel &model,
                    const Machine &machine) {
  const Cost cost = costOf(plan, entry, step, model);
  const Precision precision = precisionOn(machine, plan, step, model);
  Roofline roofline = rooflineOf(cost, machine, precision);
  roofline.expected = rooflineOf(asRun(cost, plan, step, model), machine, precision).expected;
  return roofline;
}

Roofline rooflineOf(const Plan &plan, const Entry &entry, const CostModel &model, const Machine &machine) {
  Roofline sum;
  double memory = 0;
  for (const Step &step : entry.steps) {
    const Roofline one = rooflineOf(plan, entry, step, model, machine);
    sum.floor += one.floor, sum.expected += one.expected;
    memory += one.byMemory ? one.floor : 0;
  }
  sum.byMemory = 2 * memory >= sum.floor;
  return sum;
}

DeviceMemory deviceMemory(const Plan &plan, const CostModel &model, double dataBytes) {
  DeviceMemory need;
  need.parameters = parameterBytes(plan, model);
  for (const Parameter &parameter : plan.parameters)
    if (parameter.trained)
      need.states += kFloat * model.extent(parameter.in) * model.extent(parameter.out) * model.states;
  for (const Entry &entry : plan.entries) {
    need.buffers = std::max(need.buffers, peakBufferBytes(entry, model));
    for (const Step &step : entry.steps)
      need.workspace = std::max(need.workspace, workspaceOf(plan, step, model));
  }
  need.data = dataBytes;
  return need;
}
} // namespace sn::plan
