// Lanes: the fixed ranges of a reduction axis that make results independent of the number of threads and ranks
// (design.md section 5). Borders come from the global extent alone. Partial sums of the lanes are combined by a
// balanced tree.
#pragma once
#include <cstdint>

namespace sn::plan {
/// Lanes of the CPU target.
inline constexpr int kLanes = 16;
/// Columns of one tile of a wide layer, at the most.
inline constexpr int64_t kTile = 512;
/// A lane over the outputs of a wide layer has at least this many columns: thinner ones cost more in partial sums and
/// in thin products than they give in parallel work (docs/decisions/0009).
inline constexpr int64_t kColumnsPerLane = 128;
/// A batch lane has at least this many rows.
inline constexpr int64_t kRowsPerLane = 64;

struct Range {
  int64_t begin = 0, end = 0;
  int64_t size() const { return end - begin; }
};

/// Lane `lane` of `lanes` over [0, extent).
constexpr Range laneRange(int64_t extent, int lane, int lanes = kLanes) {
  return {extent * lane / lanes, extent * (lane + 1) / lanes};
}
/// The lane that holds `index`: the inverse of laneRange.
constexpr int laneOf(int64_t extent, int64_t index, int lanes = kLanes) {
  int lane = static_cast<int>(index * lanes / extent);
  while (lane + 1 < lanes && index >= laneRange(extent, lane, lanes).end)
    ++lane;
  return lane;
}
/// Lanes of a reduction over the rows of a batch: a power of two, at most kLanes, of at least kRowsPerLane rows (or
/// one lane).
constexpr int batchLanes(int64_t rows) {
  int lanes = 1;
  while (lanes < kLanes && rows / (2 * lanes) >= kRowsPerLane)
    lanes *= 2;
  return lanes;
}
/// Lanes over the outputs of a wide layer: `most` halved until each has kColumnsPerLane columns (or one is left).
constexpr int wideLanes(int64_t extent, int most = kLanes) {
  int lanes = most;
  while (lanes > 1 && extent / lanes < kColumnsPerLane)
    lanes /= 2;
  return lanes;
}
/// Equal tiles of at most kTile columns that cover one lane.
constexpr int64_t tilesOf(int64_t width, int64_t tile = kTile) { return (width + tile - 1) / tile; }

/// Combines partial(0..lanes-1) by a balanced tree: add(into, from) adds partial `from` to partial `into`; the result
/// is partial 0.
template <typename Add> void combineLanes(int lanes, Add add) {
  for (int stride = 1; stride < lanes; stride *= 2)
    for (int into = 0; into + stride < lanes; into += 2 * stride)
      add(into, into + stride);
}
} // namespace sn::plan
