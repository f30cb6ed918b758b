// Launches of csr_gather, csc_update and wide_topk: the host's side of kernels-templates/cuda/sparse.cuh.
#include "kernels-templates/cuda/sparse.cuh"
#include "runtime/hal/cuda/Launches.h"
#include "runtime/plan/Error.h"
#include "runtime/plan/Lanes.h"
#include <algorithm>

namespace sn::rt::cuda {
namespace {
constexpr int64_t kWarpThreads = 32, kWarps = kThreads / kWarpThreads;

int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }
int64_t bytesOf(plan::Precision storage) { return storage == plan::Precision::Bf16 ? 2 : 4; }

Pass passOf(int number, int64_t blocks, bool sums = false) {
  Pass pass;
  pass.number = number;
  pass.blocks = std::max<int64_t>(1, blocks);
  pass.sums = sums;
  return pass;
}

/// The pass of dense data: a block for each tile of [rows, columns], its product's operands in dynamic shared memory.
Pass tilesOf(const StepShape &shape, int64_t rows, int64_t columns) {
  const int64_t side = shape.variant->side;
  Pass pass = passOf(0, ceilDiv(rows, side) * ceilDiv(columns, side), true);
  pass.shared = shape.variant->sharedBytes;
  return pass;
}

/// Warps that share the lanes of a row's stretch: more where rows are few, since a warp walks its lanes one after
/// another. The sum does not depend on it.
int64_t gatherWarps(int64_t blocks, int lanes) {
  constexpr int64_t kEnough = 16384; // warps that keep a large device busy
  if ((lanes & (lanes - 1)) != 0)
    return 1;
  int64_t warps = std::min<int64_t>(kWarps, lanes);
  while (warps > 2 && warps * blocks > kEnough)
    warps /= 2;
  return warps;
}
} // namespace

Launches csrGatherLaunches(const StepShape &shape) {
  const Source &source = shape.sources.front();
  Launches launches;
  if (shape.loader == Loader::Dense) {
    launches.passes.push_back(tilesOf(shape, shape.args.maxRows, source.outer));
    return launches;
  }
  const int stretch = stretchOf(static_cast<int>(bytesOf(shape.storage)));
  Pass pass = passOf(0, shape.args.maxRows * ceilDiv(source.outer, stretch), true);
  pass.threads = static_cast<int>(kWarpThreads * gatherWarps(pass.blocks, shape.args.lanes));
  launches.passes.push_back(pass);
  return launches;
}

Launches cscUpdateLaunches(const StepShape &shape) {
  const Source &source = shape.sources.front();
  const int64_t features = source.inner, rows = shape.args.maxRows, entries = shape.args.entries;
  Launches launches;
  if (shape.loader == Loader::Dense) {
    launches.passes.push_back(tilesOf(shape, features, source.outer));
    return launches;
  }
  if (entries > UINT32_MAX)
    userError("a batch of {} rows can store {} entries; the CUDA device takes {} at most: use a smaller --batch", rows,
              entries, UINT32_MAX);
  const int64_t chunks = ceilDiv(features, csc::kChunk), touched = std::min(features, entries);
  auto &bytes = launches.workBytes;
  bytes[csc::kCounts] = 4 * features;
  bytes[csc::kStarts] = 4 * (features + 1);
  bytes[csc::kChunks] = 8 * (chunks + 1);
  bytes[csc::kTouched] = 4 * touched;
  bytes[csc::kPlaced] = bytes[csc::kOrdered] = 8 * entries;

  Pass count = passOf(csc::kCount, rows), place = passOf(csc::kPlace, rows);
  count.zeroed = {csc::kCounts};
  count.threads = place.threads = kThreads / 2; // of a row: most have a few hundred entries
  Pass order = passOf(csc::kOrder, std::min<int64_t>(csc::kOrderBlocks, ceilDiv(touched, kWarps)));
  order.shared = kWarps * std::min<int64_t>(csc::kWindow, ceilDiv(rows, kWarpThreads) * kWarpThreads) / 32 * 8;
  const int64_t groups = ceilDiv(features, kWarps) * ceilDiv(source.outer, kStretch);
  launches.passes = {count,
                     passOf(csc::kSumChunks, chunks),
                     passOf(csc::kScanChunks, 1),
                     passOf(csc::kWriteStarts, chunks),
                     place,
                     order,
                     passOf(csc::kUpdate, std::min<int64_t>(csc::kUpdateBlocks, groups), true)};
  return launches;
}

Launches wideTopkLaunches(const StepShape &shape, int64_t k) {
  constexpr int64_t kEnough = 1024; // blocks that keep a large device busy
  const int64_t rows = shape.args.maxRows, columns = shape.args.columns, side = shape.variant->side,
                chunks = ceilDiv(rows, side);
  const int64_t parts =
      std::clamp<int64_t>(ceilDiv(kEnough, chunks), 1, std::max(1, plan::wideLanes(columns, kWideLanes)));
  const int64_t keep = std::min(k, ceilDiv(columns, parts));
  const int64_t capacity = topk::capacityOf(keep, static_cast<int>(side));
  Launches launches;
  Pass collect = passOf(0, chunks, true);
  collect.blocksY = parts;
  collect.shared = topk::sharedBytes(static_cast<int>(side), shape.variant->sharedBytes);
  launches.passes = {collect, passOf(1, rows)};
  launches.workBytes[topk::kLists] = 8 * rows * parts * capacity;
  launches.workBytes[topk::kCounts] = 4 * (1 + rows * parts);
  if (k > topk::kInShared)
    launches.workBytes[topk::kJoined] = 8 * rows * std::min(k, columns);
  return launches;
}
} // namespace sn::rt::cuda
