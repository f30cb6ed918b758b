// Weighted sums of rows of a matrix, a stretch of 128 columns to a warp: what csr_gather and csc_update are made of.
#pragma once
#include "kernels-templates/cuda/slot.cuh"
#include "kernels-templates/cuda/sparse.cuh"
#include "kernels-templates/cuda/tile.cuh"

namespace sn::cuda {
/// Columns of a warp's stretch that a lane holds.
inline constexpr int kPerLane = kStretch / kWarp;

/// A matrix whose rows are summed: element (i, c) at base[i * rowStep + c * columnStep].
struct Lines {
  const float *base;
  Int rowStep, columnStep, columns;

  /// Whether every four neighbouring columns can be read at once.
  __device__ __forceinline__ bool wide() const {
    return columnStep == 1 && columns % 4 == 0 && rowStep % 4 == 0 &&
           (reinterpret_cast<unsigned long long>(base) & 15) == 0;
  }
};
/// E's rows, by its inner index.
__device__ __forceinline__ Lines linesOf(const Source &source) {
  return {source.weights.value, source.outerFirst ? 1 : source.outer, source.outerFirst ? source.inner : 1,
          source.outer};
}

/// The place in its stretch of the lane's `i`th column: four neighbours where they are read at once.
template <bool Wide> __device__ __forceinline__ int placeOf(int i) {
  return Wide ? lane() * kPerLane + i : lane() + i * kWarp;
}
/// The lane's columns of line `index`; 0 beyond the last column.
template <bool Wide>
__device__ __forceinline__ void loadLine(const Lines &lines, Int index, Int first, float (&values)[kPerLane]) {
  const float *line = lines.base + index * lines.rowStep;
  if constexpr (Wide) {
    const Int column = first + lane() * kPerLane;
    const float4 four =
        column < lines.columns ? *reinterpret_cast<const float4 *>(line + column) : make_float4(0, 0, 0, 0);
    values[0] = four.x;
    values[1] = four.y;
    values[2] = four.z;
    values[3] = four.w;
  } else {
#pragma unroll
    for (int i = 0; i < kPerLane; ++i) {
      const Int column = first + lane() + i * kWarp;
      values[i] = column < lines.columns ? line[column * lines.columnStep] : 0.0f;
    }
  }
}

/// 32 entries of a sum, one held by each lane of a warp.
struct Entries {
  int index = 0x7fffffff;
  float factor = 0;
  unsigned live = 0; // lanes whose entry counts; the same in all lanes
};
/// sums[i] += factor * line[index] of the entries `live`, in the order of the lanes. Several lines are on their way
/// at a time.
template <bool Wide>
__device__ __forceinline__ void addLines(const Lines &lines, Int first, const Entries &entries, unsigned live,
                                         float (&sums)[kPerLane]) {
  constexpr int kAtOnce = 8;
  while (live) {
    float values[kAtOnce][kPerLane], factors[kAtOnce];
#pragma unroll
    for (int u = 0; u < kAtOnce; ++u) {
      const int from = __ffs(static_cast<int>(live)) - 1;
      factors[u] = 0;
#pragma unroll
      for (int i = 0; i < kPerLane; ++i)
        values[u][i] = 0;
      if (live) {
        factors[u] = __shfl_sync(kFullWarp, entries.factor, from);
        loadLine<Wide>(lines, __shfl_sync(kFullWarp, entries.index, from), first, values[u]);
      }
      live &= live - 1;
    }
#pragma unroll
    for (int u = 0; u < kAtOnce; ++u)
#pragma unroll
      for (int i = 0; i < kPerLane; ++i)
        sums[i] += factors[u] * values[u][i];
  }
}

/// Combines partials[0 .. count - 1][place], of the block's warps (a power of two), by the tree of plan::combineLanes.
__device__ __forceinline__ float combineWarps(const float (*partials)[kStretch], int count, int place) {
  LaneTree<1> tree;
  float sum = 0;
  for (int i = 0; i < count; ++i) {
    sum = partials[i][place];
    tree.push(i, &sum);
  }
  return sum;
}
} // namespace sn::cuda
