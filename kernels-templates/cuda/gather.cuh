// Weighted sums of rows of a matrix, a stretch of its columns to a warp: what csr_gather and csc_update are made of.
// Both wait for memory: a lane loads 16 bytes of a line at once, and several lines are on their way.
#pragma once
#include "kernels-templates/cuda/slot.cuh"
#include "kernels-templates/cuda/sparse.cuh"
#include "kernels-templates/cuda/tile.cuh"

namespace sn::cuda {
/// `Width` neighbouring elements on their way: as they lie in memory, so that what waits for it takes few registers.
template <class Storage, int Width> struct Pack;
template <int Width> struct Pack<Fp32Weights, Width> {
  float values[Width] = {};
  __device__ __forceinline__ void load(const float *base, Int i) {
    if constexpr (Width == 4) {
      const float4 four = *reinterpret_cast<const float4 *>(base + i);
      values[0] = four.x;
      values[1] = four.y;
      values[2] = four.z;
      values[3] = four.w;
    } else {
      values[0] = base[i];
    }
  }
  __device__ __forceinline__ float at(int n) const { return values[n]; }
};
template <int Width> struct Pack<Bf16Weights, Width> {
  unsigned words[(Width + 1) / 2] = {};
  __device__ __forceinline__ void load(const float *base, Int i) {
    const unsigned short *from = reinterpret_cast<const unsigned short *>(base) + i;
    if constexpr (Width == 8) {
      const uint4 eight = *reinterpret_cast<const uint4 *>(from);
      words[0] = eight.x;
      words[1] = eight.y;
      words[2] = eight.z;
      words[3] = eight.w;
    } else if constexpr (Width == 4) {
      const uint2 four = *reinterpret_cast<const uint2 *>(from);
      words[0] = four.x;
      words[1] = four.y;
    } else {
      words[0] = *from;
    }
  }
  __device__ __forceinline__ float at(int n) const {
    return __uint_as_float(n % 2 == 0 ? words[n / 2] << 16 : words[n / 2] & 0xffff0000u);
  }
};

/// A matrix whose rows are summed: element (i, c) is that at i * rowStep + c * columnStep from `base`, stored as
/// `Storage` says.
template <class Storage> struct Lines {
  static constexpr int kStretch = stretchOf(Storage::kBytes); // columns of a warp at a time
  static constexpr int kPerLane = kStretch / kWarp;           // those of them that a lane holds
  const float *base;
  Int rowStep, columnStep, columns;

  __device__ __forceinline__ Lines(const float *base, Int rowStep, Int columnStep, Int columns)
      : base(base), rowStep(rowStep), columnStep(columnStep), columns(columns) {}
  /// How many neighbouring columns can be read at once: 16 bytes of them (kPerLane), four, one.
  __device__ __forceinline__ int atOnce() const { return wide(kPerLane) ? kPerLane : wide(4) ? 4 : 1; }

private:
  __device__ __forceinline__ bool wide(int width) const {
    return columnStep == 1 && columns % width == 0 && rowStep % width == 0 &&
           (reinterpret_cast<unsigned long long>(base) & static_cast<unsigned>(width * Storage::kBytes - 1)) == 0;
  }
};
/// E's rows, by its inner index.
template <class Storage> __device__ __forceinline__ Lines<Storage> linesOf(const Source &source) {
  return {source.weights.value, source.outerFirst ? 1 : source.outer, source.outerFirst ? source.inner : 1,
          source.outer};
}

/// The place in its stretch of the lane's `i`th column: `Width` neighbours are read at once.
template <int Width> __device__ __forceinline__ int placeOf(int i) {
  return i / Width * Width * kWarp + lane() * Width + i % Width;
}
/// The lane's columns of a line; 0 beyond the last column.
template <class Storage, int Width> struct LinePart {
  static constexpr int kPacks = Lines<Storage>::kPerLane / Width;
  Pack<Storage, Width> packs[kPacks];
  __device__ __forceinline__ void load(const Lines<Storage> &lines, Int index, Int first) {
#pragma unroll
    for (int p = 0; p < kPacks; ++p) {
      const Int column = first + placeOf<Width>(p * Width);
      if (column < lines.columns)
        packs[p].load(lines.base, index * lines.rowStep + column * lines.columnStep);
    }
  }
  __device__ __forceinline__ float at(int i) const { return packs[i / Width].at(i % Width); }
};

/// 32 entries of a sum, one held by each lane of a warp.
struct Entries {
  int index = 0x7fffffff;
  float factor = 0;
  unsigned live = 0; // lanes whose entry counts; the same in all lanes
};
/// sums[i] += factor * line[index] of the entries `live`, in the order of the lanes. Several lines are on their way
/// at a time.
template <int Width, class Storage, int PerLane>
__device__ __forceinline__ void addLines(const Lines<Storage> &lines, Int first, const Entries &entries, unsigned live,
                                         float (&sums)[PerLane]) {
  static_assert(PerLane == Lines<Storage>::kPerLane);
  constexpr int kAtOnce = Width == 1 ? 32 / PerLane : 8; // as many registers, however a line is read
  while (live) {
    LinePart<Storage, Width> parts[kAtOnce];
    float factors[kAtOnce];
#pragma unroll
    for (int u = 0; u < kAtOnce; ++u) {
      const int from = __ffs(static_cast<int>(live)) - 1;
      factors[u] = 0;
      if (live) {
        factors[u] = __shfl_sync(kFullWarp, entries.factor, from);
        parts[u].load(lines, __shfl_sync(kFullWarp, entries.index, from), first);
      }
      live &= live - 1;
    }
#pragma unroll
    for (int u = 0; u < kAtOnce; ++u)
#pragma unroll
      for (int i = 0; i < PerLane; ++i)
        sums[i] += factors[u] * parts[u].at(i);
  }
}

/// Combines partials[0 .. count - 1][place], of the block's warps (a power of two), by the tree of plan::combineLanes.
template <int Stretch>
__device__ __forceinline__ float combineWarps(const float (*partials)[Stretch], int count, int place) {
  LaneTree<1> tree;
  float sum = 0;
  for (int i = 0; i < count; ++i) {
    sum = partials[i][place];
    tree.push(i, &sum);
  }
  return sum;
}
} // namespace sn::cuda
