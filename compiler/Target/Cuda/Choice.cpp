#include "compiler/Target/Cuda/Choice.h"
#include "kernels-templates/cuda/sparse.cuh"
#include "kernels-templates/cuda/wide_layout.cuh"
#include "llvm/ADT/STLExtras.h"
#include <cassert>
#include <cmath>
#include <limits>

namespace sn::target::cuda {
namespace {
using sn::cuda::Variant;
constexpr double kUnknownExtent = 27278;

/// Whether the step's template multiplies tiles; those of sparse inputs do where the data are dense.
bool hasProducts(const plan::Step &step) {
  return llvm::is_contained(
      {"csr_gather", "csc_update", "gemm", "gemm_update", "wide_output", "wide_softmax", "wide_topk"}, step.kernel);
}
bool isWide(const plan::Step &step) {
  return llvm::is_contained({"wide_output", "wide_softmax", "wide_topk"}, step.kernel);
}

double extentOf(const plan::Plan &plan, const plan::Dim &dim) {
  if (dim.symbol == "B")
    return static_cast<double>(plan.training.batch);
  return dim.symbol.empty() ? static_cast<double>(dim.value) : kUnknownExtent;
}

/// Products of side x side x depth, one after another, that each of so many blocks computes.
struct Work {
  double blocks = 0, depth = 0;
};

class Works {
public:
  Works(const plan::Plan &plan, const plan::Step &step, double side) : plan(plan), step(step), side(side) {}

  std::vector<Work> all() const {
    const double rowTiles = tiles(extentOf(plan, {0, "B"})), rows = extentOf(plan, {0, "B"});
    if (step.kernel == "csc_update" || step.kernel == "gemm_update") {
      const plan::Source &source = step.sources.front();
      return {{tiles(inner(source)) * tiles(outer(source)), rows}};
    }
    const double columnTiles = tiles(extentOf(plan, step.columns));
    if (!isWide(step)) {
      double depth = 0, units = 0;
      for (const plan::Source &source : step.sources) {
        const double lanes = step.kernel == "gemm" && inner(source) >= sn::cuda::gemm::kWideInner ? plan.lanes : 1;
        depth = std::max(depth, inner(source) / lanes);
        units += lanes;
      }
      // Short sums of several sources go through one block.
      const bool shared = units == static_cast<double>(step.sources.size());
      return {{rowTiles * columnTiles * (shared ? 1 : units), depth * (shared ? units : 1)}};
    }
    return wide(rowTiles, columnTiles);
  }

private:
  double tiles(double extent) const { return std::ceil(std::max(1.0, extent) / side); }
  const plan::Parameter &weightsOf(const plan::Source &source) const {
    return *llvm::find_if(plan.parameters, [&](const plan::Parameter &p) { return p.name == source.weights; });
  }
  double inner(const plan::Source &source) const {
    const plan::Parameter &weights = weightsOf(source);
    return extentOf(plan, source.transposed ? weights.out : weights.in);
  }
  double outer(const plan::Source &source) const {
    const plan::Parameter &weights = weightsOf(source);
    return extentOf(plan, source.transposed ? weights.in : weights.out);
  }

  /// Blocks of rows x lanes walk the columns (forward and everything that updates nothing); blocks of columns walk the
  /// rows (update). `single` is both, or one walk where a tile has all rows (runtime/hal/cuda/WideLaunches.cpp).
  std::vector<Work> wide(double rowTiles, double columnTiles) const {
    double product = 0, inputGradients = 0, weightGradients = 0;
    for (const plan::Source &source : step.sources) {
      product += inner(source);
      inputGradients += source.gradient.empty() ? 0 : tiles(inner(source)) * side;
      weightGradients += tiles(inner(source)) * side;
    }
    if (step.sweep == "single" && rowTiles == 1)
      return {{columnTiles, product + inputGradients + weightGradients}};
    std::vector<Work> works;
    if (step.sweep != "update")
      works.push_back({rowTiles * columnTiles, product + inputGradients});
    if (step.sweep == "update" || step.sweep == "single")
      works.push_back({columnTiles, rowTiles * (product + weightGradients)});
    return works;
  }

  const plan::Plan &plan;
  const plan::Step &step;
  double side;
};

/// What the variant's units multiply in a clock of a multiprocessor; 0 = it has none.
double rateOf(const Variant &variant, const DeviceClass &device) {
  const double tensor = variant.exact ? device.wgmmaBf16 : device.mmaBf16;
  switch (variant.precision) {
  case plan::Precision::Fp32:
    return device.ffma;
  case plan::Precision::Tf32:
    return tensor / 2;
  case plan::Precision::Bf16x3:
    return tensor / 3;
  case plan::Precision::Bf16:
    return tensor;
  }
  return 0;
}

/// The quickest; of equals the first.
const Variant *quickest(const plan::Plan &plan, const plan::Step &step, plan::Precision precision,
                        const DeviceClass &device) {
  const Variant *best = nullptr;
  double least = std::numeric_limits<double>::infinity();
  for (const Variant &variant : sn::cuda::kVariants) {
    if (variant.precision != precision)
      continue;
    if (const double clocks = clocksOf(plan, step, variant, device); clocks < least)
      best = &variant, least = clocks;
  }
  return best;
}
} // namespace

int sharedBytesOf(const plan::Step &step, const Variant &variant) {
  if (step.kernel == "wide_topk")
    return sn::cuda::topk::sharedBytes(variant.side, variant.sharedBytes);
  if (isWide(step))
    return sn::cuda::wide::sharedBytes(variant.side, variant.sharedBytes);
  return variant.sharedBytes; // the operands of the product
}

double clocksOf(const plan::Plan &plan, const plan::Step &step, const Variant &variant, const DeviceClass &device) {
  const double rate = rateOf(variant, device) * variant.rate / 100;
  if (!variant.runsOn(device.capability) || rate == 0 || sharedBytesOf(step, variant) > device.sharedBytes)
    return std::numeric_limits<double>::infinity();
  const double side = variant.side;
  // The shorter of the two does not quite hide behind the longer.
  constexpr double kShown = 0.1;
  const double multiplying = side * side / rate, loading = 2 * side * sizeof(float) / device.loadedBytes;
  const double clocksOfDepth = std::max(multiplying, loading) + kShown * std::min(multiplying, loading);
  double clocks = 0;
  for (const Work &work : Works(plan, step, side).all())
    clocks += std::ceil(work.blocks / device.multiprocessors) * work.depth * clocksOfDepth;
  return clocks;
}

std::vector<const Variant *> variantsOf(const plan::Plan &plan, const plan::Step &step) {
  if (!hasProducts(step))
    return {nullptr};
  std::vector<const Variant *> found;
  for (const DeviceClass &device : kDeviceClasses) {
    const auto runs = [&](const Variant *variant) {
      return variant->runsOn(device.capability) && sharedBytesOf(step, *variant) <= device.sharedBytes;
    };
    if (llvm::any_of(found, runs)) // which such a device takes then
      continue;
    const Variant *best = quickest(plan, step, step.precision, device);
    if (!best)
      best = quickest(plan, step, plan::Precision::Fp32, device);
    assert(best && "the plain variant runs everywhere");
    // 9.0 takes what 8.0 does unless its own units are quicker.
    if (best->exact || device.capability != kDeviceClasses[0].capability)
      found.push_back(best);
  }
  return found;
}
} // namespace sn::target::cuda
