#include "kernels-templates/cuda/wide_layout.cuh"
#include "runtime/hal/cuda/Launches.h"
#include <algorithm>
#include <cassert>

namespace sn::rt::cuda {
namespace {
int64_t tilesOf(const Variant &variant, int64_t extent) { return (extent + variant.side - 1) / variant.side; }

Pass grid(const Variant &variant, int number, int64_t blocks, int64_t blocksY = 1) {
  Pass pass;
  pass.number = number;
  pass.blocks = std::max<int64_t>(1, blocks);
  pass.blocksY = std::max<int64_t>(1, blocksY);
  pass.shared = variant.sharedBytes;
  return pass;
}
Pass summing(Pass pass) {
  pass.sums = true;
  return pass;
}
} // namespace

Launches gemmLaunches(const StepShape &shape) {
  const StepArgs &args = shape.args;
  const Variant &variant = *shape.variant;
  const int64_t tiles = tilesOf(variant, args.columns), rowTiles = tilesOf(variant, args.maxRows);
  int64_t units = 0;
  for (const Source &source : shape.sources)
    units += source.inner >= gemm::kWideInner ? args.lanes : 1;
  Launches launches;
  if (units == static_cast<int64_t>(shape.sources.size())) {
    launches.passes.push_back(summing(grid(variant, gemm::kWhole, tiles, rowTiles)));
    return launches;
  }
  assert(args.lanes <= 16 && (args.lanes & (args.lanes - 1)) == 0); // tile.cuh, LaneTree
  launches.passes.push_back(grid(variant, gemm::kPartial, tiles * units, rowTiles));
  launches.passes.push_back(summing(grid(variant, gemm::kFinish, tiles, rowTiles)));
  launches.passes.back().shared = 0;
  launches.workBytes[gemm::kPartials] = units * args.maxRows * args.columns * static_cast<int64_t>(sizeof(float));
  return launches;
}

Launches gemmUpdateLaunches(const StepShape &shape) {
  const Source &source = shape.sources.front();
  const Variant &variant = *shape.variant;
  Launches launches;
  launches.passes.push_back(summing(grid(variant, 0, tilesOf(variant, source.inner) * tilesOf(variant, source.outer))));
  return launches;
}
} // namespace sn::rt::cuda
