#include "kernels-templates/cuda/wide_layout.cuh"
#include "runtime/hal/cuda/Launches.h"
#include <algorithm>
#include <stdexcept>

namespace sn::rt::cuda {
namespace {
/// Blocks of sweep `update`, at most: two for each multiprocessor of the widest devices. Their scratch goes with the
/// batch, so that there are fewer for very large ones.
constexpr int64_t kMostUpdateBlocks = 264, kLeastUpdateBlocks = 64;
constexpr int64_t kUpdateScratch = int64_t(256) << 20;

int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }
int64_t floatBytes(int64_t count) { return count * static_cast<int64_t>(sizeof(float)); }
int64_t doubleBytes(int64_t count) { return count * static_cast<int64_t>(sizeof(double)); }
int64_t tilesOf(int64_t extent) { return ceilDiv(extent, kTileSide); }

Pass grid(int number, int64_t blocks, int64_t blocksY = 1) {
  Pass pass;
  pass.number = number;
  pass.blocks = std::max<int64_t>(1, blocks);
  pass.blocksY = std::max<int64_t>(1, blocksY);
  return pass;
}
Pass summing(Pass pass) {
  pass.sums = true;
  return pass;
}
Pass ofSource(Pass pass, size_t source) {
  pass.source = source;
  return pass;
}
/// A thread for each row.
Pass byRows(const StepShape &shape, int number) { return grid(number, ceilDiv(shape.args.maxRows, kThreads)); }
/// A block for 64 rows and a wide lane.
Pass byRowsAndLanes(const StepShape &shape) {
  return grid(wide::kSweep, tilesOf(shape.args.maxRows), shape.args.wideLanes);
}
/// A block for each tile of a source's weights.
int64_t weightTiles(const Source &source) { return tilesOf(source.inner) * tilesOf(source.outer); }

/// Blocks of `update`: results do not depend on their number.
int64_t updateBlocks(const StepShape &shape) {
  const int64_t fitting = kUpdateScratch / floatBytes(std::max<int64_t>(1, shape.args.maxRows) * kTileSide);
  return std::min(tilesOf(shape.args.columns), std::clamp(fitting, kLeastUpdateBlocks, kMostUpdateBlocks));
}

/// Input gradients: a part for each lane, then their sum.
void addPartials(const StepShape &shape, Launches &launches) {
  for (size_t s = 0; s < shape.sources.size(); ++s) {
    const Source &source = shape.sources[s];
    if (!source.gradient)
      continue;
    const int64_t size = shape.args.maxRows * source.inner;
    launches.partialFloats[s] = shape.args.wideLanes * size;
    Pass pass = ofSource(grid(0, ceilDiv(size, kThreads)), s);
    pass.kernel = "sn::cuda::combine_lanes";
    launches.passes.push_back(pass);
  }
}
void addLateSources(const StepShape &shape, Launches &launches) {
  for (size_t s = 0; s < shape.sources.size(); ++s)
    if (shape.sources[s].late) {
      launches.workBytes[wide::kKept] = floatBytes(shape.args.maxRows * shape.args.columns);
      launches.passes.push_back(ofSource(grid(wide::kLate, weightTiles(shape.sources[s])), s));
    }
}
} // namespace

Launches wideOutputLaunches(const StepShape &shape) {
  const std::string &sweep = shape.step.sweep;
  const int64_t rows = shape.args.maxRows;
  Launches launches;
  launches.partialFloats.assign(shape.sources.size(), 0);
  if (readsTargetSums(shape.step))
    addTargetRows(shape, launches);
  if (sweep == "single" || sweep == "update") {
    const int64_t blocks = sweep == "single" ? shape.args.wideLanes : updateBlocks(shape);
    launches.passes.push_back(summing(grid(wide::kSweep, blocks)));
    launches.workBytes[wide::kDeltas] = floatBytes(blocks * rows * kTileSide);
    addLateSources(shape, launches);
  } else if (sweep == "forward" || sweep == "loss") {
    launches.passes.push_back(summing(byRowsAndLanes(shape)));
  } else if (sweep == "norm") {
    launches.passes.push_back(byRowsAndLanes(shape));
    launches.passes.push_back(byRows(shape, wide::kFinish));
    launches.workBytes[wide::kSquares] = doubleBytes(shape.args.wideLanes * rows);
  } else {
    throw std::logic_error("launches of an unknown sweep '" + sweep + "'");
  }
  if (sweep == "single" || sweep == "forward")
    addPartials(shape, launches);
  return launches;
}

Launches wideSoftmaxLaunches(const StepShape &shape) {
  const int64_t pairs = shape.args.wideLanes * shape.args.maxRows;
  Launches launches;
  launches.passes.push_back(summing(byRowsAndLanes(shape)));
  launches.passes.push_back(byRows(shape, wide::kFinish));
  launches.workBytes[wide::kMaxima] = floatBytes(pairs);
  launches.workBytes[wide::kSums] = doubleBytes(pairs);
  return launches;
}
} // namespace sn::rt::cuda
