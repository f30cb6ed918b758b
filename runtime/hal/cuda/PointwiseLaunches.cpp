#include "kernels-templates/cuda/pointwise.cuh"
#include "runtime/hal/cuda/Launches.h"
#include "runtime/plan/Lanes.h"
#include <algorithm>
#include <cassert>

namespace sn::rt::cuda {
namespace {
int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

int64_t floatBytes(int64_t count) { return count * static_cast<int64_t>(sizeof(float)); }
int64_t doubleBytes(int64_t count) { return count * static_cast<int64_t>(sizeof(double)); }

/// A pass whose blocks report, where the step has anything to report.
Pass summing(const StepShape &shape, int number, int64_t blocks) {
  Pass pass;
  pass.number = number;
  pass.blocks = std::max<int64_t>(1, blocks);
  pass.sums = shape.step.update || std::any_of(shape.step.slots.begin(), shape.step.slots.end(),
                                               [](const auto &slot) { return slot.second.sum; });
  return pass;
}
/// Blocks for [rows, columns] (pointwise.cuh).
int64_t elementBlocks(int64_t rows, int64_t columns) {
  const int64_t width = std::clamp<int64_t>(columns, 1, kElementColumns);
  const int64_t height = std::min<int64_t>(kElementRows, kElements / width);
  return std::min<int64_t>(kElementBlocks, ceilDiv(rows, height) * ceilDiv(columns, width));
}
} // namespace

bool readsTargetSums(const plan::Step &step) {
  if (step.target.empty())
    return false;
  for (const auto &[name, slot] : step.slots)
    for (const plan::SlotArg &scalar : slot.scalars)
      if (scalar.role == plan::Role::TargetScale || scalar.role == plan::Role::TargetSum)
        return true;
  return false;
}
void addTargetRows(const StepShape &shape, Launches &launches) {
  Pass pass;
  pass.kernel = "sn::cuda::target_rows";
  pass.blocks = ceilDiv(shape.args.maxRows, kThreads / 32);
  launches.passes.push_back(pass);
  launches.workBytes[kTargetRowsArea] = shape.args.maxRows * kRowTargetBytes;
}

Launches mapLaunches(const StepShape &shape, bool vectors) {
  Launches launches;
  if (readsTargetSums(shape.step))
    addTargetRows(shape, launches);
  launches.passes.push_back(summing(shape, 0, elementBlocks(vectors ? 1 : shape.args.maxRows, shape.args.columns)));
  return launches;
}

Launches rowReduceLaunches(const StepShape &shape) {
  assert(shape.args.lanes <= kMostReduceLanes);
  Launches launches;
  if (readsTargetSums(shape.step))
    addTargetRows(shape, launches);
  const int64_t rowsPerBlock = shape.args.columns <= kNarrowRow ? kThreads / 32 : 1;
  launches.passes.push_back(summing(shape, 0, ceilDiv(shape.args.maxRows, rowsPerBlock)));
  return launches;
}

Launches columnReduceLaunches(const StepShape &shape) {
  const int64_t lanes = plan::batchLanes(shape.args.maxRows), columns = shape.args.columns;
  Launches launches;
  launches.passes.push_back(summing(shape, 0, lanes * ceilDiv(columns, 32)));
  launches.passes.push_back(summing(shape, 1, ceilDiv(columns, kThreads)));
  launches.workBytes[0] = floatBytes(lanes * columns);
  return launches;
}

Launches expandLaunches(const StepShape &shape) {
  Launches launches;
  launches.passes.push_back(summing(shape, 0, elementBlocks(shape.args.maxRows, shape.args.columns)));
  return launches;
}

Launches updateLaunches(const StepShape &shape) {
  const Source &source = shape.sources.front();
  Launches launches;
  launches.passes.push_back(summing(
      shape, 0, std::min<int64_t>(kUpdateBlocks, ceilDiv(source.inner * source.outer, kThreads * kUpdateValues))));
  return launches;
}

Launches limitNormLaunches(const StepShape &shape) {
  const Source &source = shape.sources.front();
  Launches launches;
  if (source.outerFirst || source.outer == 1) {
    Pass lines;
    lines.blocks = ceilDiv(source.outer, source.inner <= kNarrowRow ? kThreads / 32 : 1);
    launches.passes.push_back(lines);
    return launches;
  }
  // Each lane is cut in pieces, so that there are blocks enough; borders go by the extents alone.
  const int64_t tiles = ceilDiv(source.outer, 32), lanes = shape.args.lanes;
  const int64_t pieces =
      std::max<int64_t>(1, std::min<int64_t>(kNormBlocks / (tiles * lanes), source.inner / (lanes * kRowsOfNormPiece)));
  Pass squares, factors, scale;
  squares.blocks = tiles * lanes * pieces;
  factors.number = 1;
  factors.blocks = ceilDiv(source.outer, kThreads);
  scale.number = 2;
  scale.blocks = std::clamp<int64_t>(ceilDiv(source.inner * source.outer, kThreads * kUpdateValues), 1, kUpdateBlocks);
  launches.passes = {squares, factors, scale};
  launches.workBytes[0] = doubleBytes(lanes * pieces * source.outer);
  launches.workBytes[1] = floatBytes(source.outer);
  return launches;
}
} // namespace sn::rt::cuda
