// The product of two staged operands on a square tile by a block of 256 threads. Everything that multiplies matrices is
// written against what `FfmaTile` declares, as a template over the type of the tile: FfmaTile here, in fp32, `MmaTile`
// (mma_tile.cuh) and what manifest.inc lists beside them, on tensor cores. Which values a thread holds is asked for,
// never assumed, and so is the side.
#pragma once
#include "kernels-templates/cuda/staging.cuh"
#include "kernels-templates/cuda/wide_layout.cuh"

namespace sn::cuda {
/// The tile's values on their way through shared memory, as many rows at a time as it holds: what the tiles' toShared
/// and inShared do. `Tile` has kSide, kStride, kPartRows, Shared::values and forEach.
template <class Tile, class F>
__device__ __forceinline__ void showInShared(Tile &tile, typename Tile::Shared &shared, F f) {
#pragma unroll 1
  for (int first = 0; first < Tile::kSide; first += Tile::kPartRows) {
    __syncthreads();
    tile.forEach([&](int i, int j, float value) {
      if (Tile::kPartRows == Tile::kSide || (i >= first && i < first + Tile::kPartRows))
        shared.values[(i - first) * Tile::kStride + j] = value;
    });
    __syncthreads();
    f(first, Tile::kPartRows, static_cast<const float *>(shared.values));
  }
}

/// The concept of a tile, and the tile of fp32 by fused multiply-adds: 4 x 4 or 8 x 8 values to a thread, sums in the
/// order of the depth. Of any tile: results depend on the operands, on the order of multiply() calls and on where each
/// begins, on nothing else, and a fixed block of threads adds in a fixed order: the same calls give the same bits. A
/// tile of another side is another variant: it may give others (this one does not: its sums have one order).
///
/// What limits them. A warp's load of 16 bytes a lane takes shared memory four cycles, of 8 bytes two, fewer where
/// lanes share addresses; a multiprocessor issues four multiply-adds of a warp a cycle (sm_75, sm_80: two). Side 64:
/// one load of 16 bytes and two of 8, 3 to 8 cycles, for 16 multiply-adds, 4 cycles (8): shared memory and
/// multiply-adds are about as busy; it is for small products, where tiles are to be many. Side 128: four loads of 16
/// bytes, 4 to 16 cycles, for 64 multiply-adds, 16 cycles (32): the multiply-adds are the limit. Eight neighbouring
/// lanes have one address (left) or a line of 128 bytes (right). A slice is 1,024 multiply-adds for each of the two
/// warps of a scheduler, some three times what memory takes to answer.
template <int Side> class FfmaTile {
  static_assert(Side == 64 || Side == 128);

public:
  static constexpr int kSide = Side;        // rows and columns of the tile
  static constexpr int kDepth = 16;         // of a staged slice
  static constexpr int kValues = Side / 16; // rows and columns that a thread holds values of
  static constexpr int kStride = Side + 4;  // of a staged line, and of one of `values`: 16-byte loads stay aligned
  static constexpr int kPartRows = 64;      // of the tile that `values` holds

  using Stage = float[kDepth][kStride];
  /// The block's staging memory: slices of the operands, or afterwards rows of the tile's values. One tile of a block
  /// uses it at a time. In dynamic shared memory.
  union __align__(16) Shared {
    struct {
      Stage left[2], right[2];
    } stages;
    float values[kPartRows * kStride];
  };

  /// Values of the tile that a thread holds, and the sums so far.
  static constexpr int kCount = kValues * kValues;
  float acc[kCount];

  __device__ __forceinline__ void clear() {
#pragma unroll
    for (int n = 0; n < kCount; ++n)
      acc[n] = 0;
  }
  /// f(row, column, value): for every value of this thread, in the tile's coordinates.
  template <class F> __device__ __forceinline__ void forEach(F f) {
    const int i = firstRow(), j = firstColumn();
#pragma unroll
    for (int a = 0; a < kValues; ++a)
#pragma unroll
      for (int b = 0; b < kValues; ++b)
        f(i + rowOf(a), j + columnOf(b), acc[a * kValues + b]);
  }
  /// f(first, rows, values): all values where every thread finds them, some rows after the other: row first + i, column
  /// j at values[i * kStride + j] for i < rows; until f returns. All threads of the block call it. It begins with a
  /// barrier; after it, one must come before `shared` is written.
  template <class F> __device__ __forceinline__ void inShared(Shared &shared, F f) { showInShared(*this, shared, f); }
  /// All values of a tile that fits (side 64) where every thread finds them: row i, column j at [i * kStride + j],
  /// until the next product. All threads of the block call it; between barriers.
  __device__ __forceinline__ float *toShared(Shared &shared) {
    static_assert(kPartRows == kSide, "the tile's values do not fit: inShared shows them in parts");
    showInShared(*this, shared, [](int, int, const float *) {});
    return shared.values;
  }

  /// acc[i][j] += sum over k in [begin, end) of left(i, k) right(j, k), to the precision of the tile. All threads of
  /// the block call it. It begins with a barrier: operands may be what the block's threads wrote just before.
  template <class Left, class Right>
  __device__ __forceinline__ void multiply(Shared &shared, const Left &left, const Right &right, Int begin, Int end) {
    multiplySlices(*this, shared.stages.left, shared.stages.right, left, right, begin, end);
  }

  // What multiplySlices asks for.

  static constexpr int kSteps = kDepth;
  /// A thread's part of a slice on its way to shared memory: groups of four neighbours.
  class Slice {
  public:
    template <class Operand>
    static __device__ __forceinline__ SliceWalk<Operand, Side, kDepth> walk(const Operand &operand, Int begin) {
      const int first = group(0);
      const bool along = operand.alongDepth;
      return {operand, begin, along ? first / 4 : first % (Side / 4) * 4, along ? first % 4 * 4 : first / (Side / 4)};
    }
    template <class Walk> __device__ __forceinline__ void fetch(const Walk &walk, int rest, bool alongDepth) {
      if (alongDepth) {
#pragma unroll
        for (int n = 0; n < kGroups; ++n)
          walk.along(rest, n * kThreads / 4, 0, value[n]);
      } else {
#pragma unroll
        for (int n = 0; n < kGroups; ++n)
          walk.across(rest, n * kThreads / (Side / 4), value[n]);
      }
    }
    __device__ __forceinline__ void put(Stage &to, bool alongDepth) const {
      if (alongDepth) {
#pragma unroll
        for (int n = 0; n < kGroups; ++n)
#pragma unroll
          for (int k = 0; k < 4; ++k)
            to[group(n) % 4 * 4 + k][group(n) / 4] = value[n][k];
      } else {
#pragma unroll
        for (int n = 0; n < kGroups; ++n)
          *reinterpret_cast<float4 *>(&to[group(n) / (Side / 4)][group(n) % (Side / 4) * 4]) =
              make_float4(value[n][0], value[n][1], value[n][2], value[n][3]);
      }
    }

  private:
    static constexpr int kGroups = Side * kDepth / 4 / kThreads;
    static __device__ __forceinline__ int group(int n) { return static_cast<int>(threadIdx.x) + n * kThreads; }
    float value[kGroups][4];
  };
  struct Fragments {
    float left[kValues], right[kValues];
    __device__ __forceinline__ void load(const Stage &ofLeft, const Stage &ofRight, int step) {
      const int i = firstRow(), j = firstColumn();
#pragma unroll
      for (int a = 0; a < kValues; a += 4) {
        const float4 x = *reinterpret_cast<const float4 *>(&ofLeft[step][i + rowOf(a)]);
        left[a] = x.x, left[a + 1] = x.y, left[a + 2] = x.z, left[a + 3] = x.w;
      }
#pragma unroll
      for (int b = 0; b < kValues; b += kNeighbours) {
        const float *from = &ofRight[step][j + columnOf(b)];
        if constexpr (kNeighbours == 4) {
          const float4 y = *reinterpret_cast<const float4 *>(from);
          right[b] = y.x, right[b + 1] = y.y, right[b + 2] = y.z, right[b + 3] = y.w;
        } else {
          const float2 y = *reinterpret_cast<const float2 *>(from);
          right[b] = y.x, right[b + 1] = y.y;
        }
      }
    }
  };
  __device__ __forceinline__ void multiply(int, const Fragments &of) {
#pragma unroll
    for (int a = 0; a < kValues; ++a)
#pragma unroll
      for (int b = 0; b < kValues; ++b)
        acc[a * kValues + b] = fmaf(of.left[a], of.right[b], acc[a * kValues + b]);
  }

private:
  /// Side 64: a warp has 2 x 16 threads; 4 neighbouring rows each, columns 2 and 2. Side 128: 4 x 8 threads in 4 x 2
  /// warps; rows and columns 4 and 4, half the tile apart.
  static constexpr int kNeighbours = Side == 64 ? 2 : 4; // columns
  static __device__ __forceinline__ int firstRow() {
    return Side == 64 ? static_cast<int>(threadIdx.x) / 16 * 4 : warp() / 2 * 16 + lane() / 8 * 4;
  }
  static __device__ __forceinline__ int firstColumn() {
    return Side == 64 ? static_cast<int>(threadIdx.x) % 16 * 2 : warp() % 2 * 32 + lane() % 8 * 4;
  }
  static __device__ __forceinline__ int rowOf(int a) { return a % 4 + a / 4 * (Side / 2); }
  static __device__ __forceinline__ int columnOf(int b) { return b % kNeighbours + b / kNeighbours * (Side / 2); }
};
/// What every device runs.
using Tile = FfmaTile<64>;

/// The balanced tree of plan::combineLanes over a power of two of lanes, at most 16, whose partial sums, N values each,
/// come one after another: one partial is kept for each level, in local memory, since registers are dearer to a product
/// than these rare loads.
template <int N> class LaneTree {
public:
  /// Takes the partial sums of lane `lane`; lanes come in order, from 0. After the last one `sum` is the total.
  __device__ __forceinline__ void push(int lane, float *sum) {
#pragma unroll 1
    for (int level = 0; level < kLevels; ++level) {
      if ((lane >> level & 1) == 0) {
#pragma unroll
        for (int n = 0; n < N; ++n)
          levels[level][n] = sum[n];
        return;
      }
#pragma unroll
      for (int n = 0; n < N; ++n)
        sum[n] = levels[level][n] + sum[n];
    }
  }

private:
  static constexpr int kLevels = 4;
  float levels[kLevels][N];
};
} // namespace sn::cuda
