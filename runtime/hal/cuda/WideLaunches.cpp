#include "kernels-templates/cuda/wide_layout.cuh"
#include "runtime/hal/cuda/Launches.h"
#include "runtime/plan/Lanes.h"
#include <algorithm>
#include <fmt/format.h>
#include <stdexcept>

namespace sn::rt::cuda {
namespace {
/// Lanes: enough blocks for the large devices, and few partial sums.
constexpr int64_t kEnoughBlocks = 128;
constexpr int kLeastLanes = 16;
/// Blocks of an update, at most: one for each multiprocessor of the widest devices and tile of side 128, which takes
/// most of its shared memory, two of side 64. Scratch goes with the batch, so that there are fewer for very large ones.
constexpr int64_t kMostUpdateBlocks = 132, kLeastUpdateBlocks = 64;
constexpr int64_t kUpdateScratch = int64_t(256) << 20;

/// What schedules are weighed by: a device like the H200 at the shares of its peaks that kernels are built for, in
/// units of 10^12 a second. Results depend on the choice, so it must not depend on the device at hand.
constexpr double kTera = 1e12, kMoved = 3.7 * kTera; // bytes
constexpr double kSlots = 60.0 / (40 * kTera); // seconds of an element's slots (CostRoofline.cpp, kFlopsOfElement)
double productRate(plan::Precision precision) {
  switch (precision) {
  case plan::Precision::Fp32:
    return 33 * kTera;
  case plan::Precision::Tf32:
    return 200 * kTera;
  case plan::Precision::Bf16x3:
    return 130 * kTera;
  case plan::Precision::Bf16:
    return 400 * kTera;
  }
  throw std::logic_error("an unknown precision");
}

int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }
int64_t floatBytes(int64_t count) { return count * static_cast<int64_t>(sizeof(float)); }
int64_t doubleBytes(int64_t count) { return count * static_cast<int64_t>(sizeof(double)); }
int64_t tilesOf(const StepShape &shape, int64_t extent) { return ceilDiv(extent, shape.variant->side); }
int64_t rowTiles(const StepShape &shape) { return tilesOf(shape, shape.args.maxRows); }
int64_t columnTiles(const StepShape &shape) { return tilesOf(shape, shape.args.columns); }

Pass grid(int number, int64_t blocks, int64_t blocksY = 1) {
  Pass pass;
  pass.number = number;
  pass.blocks = std::max<int64_t>(1, blocks);
  pass.blocksY = std::max<int64_t>(1, blocksY);
  return pass;
}
/// A thread for each row.
Pass byRows(const StepShape &shape, int number) { return grid(number, ceilDiv(shape.args.maxRows, kThreads)); }
/// With the shared memory of a tile.
Pass tiled(const StepShape &shape, Pass pass) {
  pass.sums = true;
  pass.shared = wide::sharedBytes(shape.variant->side, shape.variant->sharedBytes);
  return pass;
}

/// The gradients that a walk adds up.
struct Gradients {
  int64_t tiles = 0; // of all sources
  size_t source = 0; // the last one
  bool held = false; // in registers
};
/// `wanted`: of which sources; `holds`: whether registers would do.
template <typename Wanted> Gradients gradientsOf(const StepShape &shape, const Wanted &wanted, bool holds) {
  Gradients result;
  for (size_t s = 0; s < shape.sources.size(); ++s)
    if (wanted(shape.sources[s])) {
      result.tiles += tilesOf(shape, shape.sources[s].inner);
      result.source = s;
    }
  result.held = result.tiles == 1 && holds;
  return result;
}
Pass walk(const StepShape &shape, Pass pass, const Gradients &gradients) {
  pass.number += gradients.held ? wide::kHeld : 0;
  pass.source = gradients.held ? gradients.source : 0;
  return tiled(shape, pass);
}
bool anyLate(const StepShape &shape) {
  return std::any_of(shape.sources.begin(), shape.sources.end(), [](const Source &source) { return source.late; });
}

/// A walk along rows. `backprop`: it forms input gradients, by lanes.
void addRowWalk(const StepShape &shape, int number, bool backprop, Launches &launches) {
  const int64_t lanes = shape.args.wideLanes;
  const Gradients gradients = gradientsOf(
      shape, [&](const Source &source) { return backprop && source.gradient != nullptr; },
      wide::holdsInputGradient(shape.variant->side, shape.variant->exact));
  launches.passes.push_back(walk(shape, grid(number, rowTiles(shape), lanes), gradients));
  if (gradients.tiles > 0 && !gradients.held) {
    const int64_t side = shape.variant->side;
    launches.workBytes[wide::kChunks] = floatBytes(rowTiles(shape) * lanes * side * side * wide::kChunk);
  }
}
/// The lanes' input gradients, which the walk left, are added up.
void addPartials(const StepShape &shape, Launches &launches) {
  for (size_t s = 0; s < shape.sources.size(); ++s) {
    const Source &source = shape.sources[s];
    if (!source.gradient)
      continue;
    const int64_t size = shape.args.maxRows * source.inner;
    launches.partialFloats[s] = shape.args.wideLanes * size;
    Pass pass = grid(0, ceilDiv(size, kThreads));
    pass.source = s;
    pass.kernel = "sn::cuda::combine_lanes";
    launches.passes.push_back(pass);
  }
}

/// Blocks of a walk along columns, which get runs of tiles of nearly the same length.
int64_t updateBlocks(const StepShape &shape, bool scratch) {
  const int64_t tileBytes = floatBytes(std::max<int64_t>(1, shape.args.maxRows) * shape.variant->side);
  int64_t most = kMostUpdateBlocks * 128 / shape.variant->side;
  if (scratch)
    most = std::clamp(kUpdateScratch / tileBytes, kLeastUpdateBlocks, most);
  return ceilDiv(columnTiles(shape), ceilDiv(columnTiles(shape), most));
}
void addColumnWalk(const StepShape &shape, int number, Launches &launches) {
  const Gradients gradients = gradientsOf(
      shape, [](const Source &source) { return !source.late; }, wide::holdsWeightGradient(shape.variant->side));
  const bool scratch = gradients.tiles > 0 && !gradients.held;
  const int64_t blocks = updateBlocks(shape, scratch), rows = shape.args.maxRows;
  launches.passes.push_back(walk(shape, grid(number, blocks), gradients));
  if (scratch)
    launches.workBytes[wide::kDeltas] = floatBytes(blocks * rows * shape.variant->side);
  if (rowTiles(shape) > 1)
    launches.workBytes[wide::kStates] = blocks * rows * wide::kStateBytes;
}

/// Gradients and updates from kept deltas: of late sources, or of `all` and the biases.
void addKept(const StepShape &shape, bool all, Launches &launches) {
  if (!all && !anyLate(shape))
    return;
  launches.workBytes[wide::kKept] = floatBytes(shape.args.maxRows * wide::keptStride(shape.args.columns));
  for (size_t s = 0; s < shape.sources.size(); ++s) {
    const Source &source = shape.sources[s];
    if (!all && !source.late)
      continue;
    const int64_t biases = all && s == 0 && shape.args.biasCount > 0 ? columnTiles(shape) : 0;
    Pass pass =
        tiled(shape, grid(wide::kDescend, tilesOf(shape, source.inner) * tilesOf(shape, source.outer) + biases));
    pass.source = s;
    launches.passes.push_back(pass);
  }
}

/// Whether the step's slots leave more than the delta: matrices [B, N], which a slot may write over its operands, so
/// that it must run once only.
bool writesMatrices(const plan::Step &step) {
  for (const auto &[name, slot] : step.slots)
    for (const plan::SlotArg &result : slot.out)
      if (result.role != plan::Role::Delta)
        return true;
  return false;
}

enum class Schedule { OnePass, TwoPasses, KeptDeltas };
struct Choice {
  Schedule schedule;
  std::string why;
};
Choice choose(const StepShape &shape) {
  const double rows = static_cast<double>(shape.args.maxRows), columns = static_cast<double>(shape.args.columns);
  if (rowTiles(shape) <= 1 && wide::hasOnePass(shape.variant->side))
    return {Schedule::OnePass, fmt::format("a tile has all {} rows", shape.args.maxRows)};
  if (writesMatrices(shape.step))
    return {Schedule::KeptDeltas, "its slots store batch x outputs anyway and run once"};
  if (!shape.deltaBuffer)
    return {Schedule::TwoPasses, "deltas are formed again; --allow-delta-buffer would let them be stored"};
  double inner = 0;
  for (const Source &source : shape.sources)
    inner += static_cast<double>(source.inner);
  const double again = rows * columns * (2 * inner / productRate(shape.variant->precision) + kSlots) +
                       columns * inner * sizeof(float) / kMoved;
  const double stored = 2 * rows * columns * sizeof(float) / kMoved;
  const std::string times =
      fmt::format("{:.0f} us to form deltas again, {:.0f} us to store and load them", 1e6 * again, 1e6 * stored);
  return {stored < again ? Schedule::KeptDeltas : Schedule::TwoPasses, times};
}

void addSingle(const StepShape &shape, Launches &launches) {
  const Schedule schedule = choose(shape).schedule;
  addRowWalk(shape,
             schedule == Schedule::OnePass     ? wide::kSweep
             : schedule == Schedule::TwoPasses ? wide::kForward
                                               : wide::kKeep,
             true, launches);
  if (schedule == Schedule::TwoPasses)
    addColumnWalk(shape, wide::kUpdate, launches);
  addKept(shape, schedule == Schedule::KeptDeltas, launches);
  addPartials(shape, launches);
}
} // namespace

int wideLanesOf(const Variant &variant, int64_t maxRows, int64_t columns) {
  const int64_t tiles = ceilDiv(std::max<int64_t>(1, maxRows), variant.side);
  int lanes = kLeastLanes;
  while (lanes < kWideLanes && tiles * lanes < kEnoughBlocks)
    lanes *= 2;
  return plan::wideLanes(columns, lanes);
}

std::string scheduleOf(const StepShape &shape) {
  if (shape.step.sweep != "single")
    return {};
  const Choice choice = choose(shape);
  const char *name = choice.schedule == Schedule::OnePass     ? "one pass"
                     : choice.schedule == Schedule::TwoPasses ? "two passes"
                                                              : "stored deltas";
  return fmt::format("{}: {}", name, choice.why);
}

Launches wideOutputLaunches(const StepShape &shape) {
  const std::string &sweep = shape.step.sweep;
  Launches launches;
  launches.partialFloats.assign(shape.sources.size(), 0);
  if (readsTargetSums(shape.step))
    addTargetRows(shape, launches);
  if (sweep == "single") {
    addSingle(shape, launches);
  } else if (sweep == "update") {
    addColumnWalk(shape, wide::kSweep, launches);
    addKept(shape, false, launches);
  } else if (sweep == "forward") {
    addRowWalk(shape, wide::kSweep, true, launches);
    addPartials(shape, launches);
  } else if (sweep == "loss") {
    addRowWalk(shape, wide::kSweep, false, launches);
  } else if (sweep == "norm") {
    addRowWalk(shape, wide::kSweep, false, launches);
    launches.passes.push_back(byRows(shape, wide::kFinish));
    launches.workBytes[wide::kSquares] = doubleBytes(shape.args.wideLanes * shape.args.maxRows);
  } else {
    throw std::logic_error("launches of an unknown sweep '" + sweep + "'");
  }
  return launches;
}

Launches wideSoftmaxLaunches(const StepShape &shape) {
  const int64_t pairs = shape.args.wideLanes * shape.args.maxRows;
  Launches launches;
  addRowWalk(shape, wide::kSweep, false, launches);
  launches.passes.push_back(byRows(shape, wide::kFinish));
  launches.workBytes[wide::kMaxima] = floatBytes(pairs);
  launches.workBytes[wide::kSums] = doubleBytes(pairs);
  return launches;
}
} // namespace sn::rt::cuda
