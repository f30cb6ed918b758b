// The product of two staged operands on a tile of 64 x 64 by a block of 256 threads. Everything that multiplies
// matrices is written against what `Tile` declares, as a template over the type of the tile: `Tile` here, in fp32, or
// `MmaTile` (mma_tile.cuh), on tensor cores. Which values a thread holds is asked for, never assumed.
#pragma once
#include "kernels-templates/cuda/prelude.cuh"
#include "kernels-templates/cuda/wide_layout.cuh"

namespace sn::cuda {
/// An operand of a product: element (i, k) of a matrix in memory, 0 for i at or beyond `extent`. It lies at
/// base[i * stride + k] if `alongDepth`, else at base[k * stride + i].
///
/// Any operand is such a functor: `float operator()(int i, Int k) const` for i in [0, 64) of the tile and k in the
/// product's range, and `bool alongDepth`: which of the two runs through memory, for coalesced loads.
struct MatrixOperand {
  const float *base = nullptr;
  Int stride = 0;
  Int extent = 0;
  bool alongDepth = true;
  __device__ __forceinline__ float operator()(int i, Int k) const {
    if (i >= extent)
      return 0.0f;
    return alongDepth ? base[i * stride + k] : base[k * stride + i];
  }
};

/// One of two, by value: through a reference both would live in memory.
__device__ __forceinline__ MatrixOperand either(bool first, MatrixOperand a, MatrixOperand b) {
  return {first ? a.base : b.base, first ? a.stride : b.stride, first ? a.extent : b.extent,
          first ? a.alongDepth : b.alongDepth};
}

/// Rows [row, row + 64) of x [rows, inner] as the left factor of x E.
__device__ __forceinline__ MatrixOperand rowsOperand(const float *x, Int inner, Int rows, Int row) {
  return {x + row * inner, inner, rows - row, true};
}
/// Columns [column, ...) of x [rows, width] with the rows as depth: x^T as a factor of x^T delta, or delta itself.
__device__ __forceinline__ MatrixOperand columnsOperand(const float *x, Int width, Int end, Int column) {
  return {x + column, width, end - column, false};
}
/// Columns [column, end) of E [inner, outer] as the right factor of x E; depth is inner.
__device__ __forceinline__ MatrixOperand weightsOperand(const Source &source, Int end, Int column) {
  const float *value = source.weights.value;
  if (source.outerFirst)
    return {value + column * source.inner, source.inner, end - column, true};
  return {value + column, source.outer, end - column, false};
}
/// Rows [k, ...) of E as the right factor of delta E^T; depth is the columns of E from `column` on.
__device__ __forceinline__ MatrixOperand transposedWeightsOperand(const Source &source, Int column, Int k) {
  const float *value = source.weights.value;
  if (source.outerFirst)
    return {value + column * source.inner + k, source.inner, source.inner - k, false};
  return {value + k * source.outer + column, source.outer, source.inner - k, true};
}

/// The concept of a tile, and the tile of fp32 by fused multiply-adds: 4 x 4 values to a thread, sums in the order of
/// the depth. Of any tile: results depend on the operands, on the order of multiply() calls and on where each begins,
/// on nothing else, and a fixed block of threads adds in a fixed order: the same calls give the same bits.
class Tile {
public:
  static constexpr int kSide = kTileSide; // rows and columns of the tile
  static constexpr int kDepth = 16;       // of a staged slice
  static constexpr int kValues = 4;       // rows and columns that a thread holds values of
  static constexpr int kStride = 68;      // of a staged line: 16-byte loads stay aligned

  /// The block's staging memory: slices of the operands, or afterwards the tile's values. One tile of a block uses it
  /// at a time.
  union __align__(16) Shared {
    struct {
      float left[2][kDepth][kStride], right[2][kDepth][kStride];
    } stages;
    float values[kSide * kStride];
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
#pragma unroll
    for (int a = 0; a < kValues; ++a)
#pragma unroll
      for (int b = 0; b < kValues; ++b)
        f(row(a), column(b), acc[a * kValues + b]);
  }

  /// All values where every thread finds them: row i, column j at [i * kStride + j], until the next product. All
  /// threads of the block call it; between barriers.
  __device__ __forceinline__ float *toShared(Shared &shared) {
    __syncthreads();
    forEach([&](int i, int j, float value) { shared.values[i * kStride + j] = value; });
    __syncthreads();
    return shared.values;
  }

  /// acc[i][j] += sum over k in [begin, end) of left(i, k) right(j, k), to the precision of the tile. All threads of
  /// the block call it. It begins with a barrier: operands may be what the block's threads wrote just before.
  template <class Left, class Right>
  __device__ __forceinline__ void multiply(Shared &shared, const Left &left, const Right &right, Int begin, Int end) {
    __syncthreads();
    if (begin >= end)
      return;
    Slice l, r;
    l.fetch(left, begin, end);
    r.fetch(right, begin, end);
    int stage = 0;
    l.put(shared.stages.left[0], left.alongDepth);
    r.put(shared.stages.right[0], right.alongDepth);
#pragma unroll 1
    for (Int k = begin;; k += kDepth) {
      __syncthreads(); // the slice is there, and nobody reads the other stage any more
      const bool more = k + kDepth < end;
      if (more) {
        l.fetch(left, k + kDepth, end);
        r.fetch(right, k + kDepth, end);
      }
      accumulate(shared.stages.left[stage], shared.stages.right[stage]);
      if (!more)
        return;
      stage ^= 1;
      l.put(shared.stages.left[stage], left.alongDepth);
      r.put(shared.stages.right[stage], right.alongDepth);
    }
  }

private:
  /// The rows and columns of this thread's values: 4 neighbours; 2 and 2.
  static __device__ __forceinline__ int row(int a) { return static_cast<int>(threadIdx.x) / 16 * 4 + a; }
  static __device__ __forceinline__ int column(int b) {
    return static_cast<int>(threadIdx.x) % 16 * 2 + (b & 1) + 32 * (b >> 1);
  }

  /// A thread's part of a slice of 64 x 16 values on its way to shared memory.
  struct Slice {
    float value[4];
    static __device__ __forceinline__ int i(int n, bool alongDepth) {
      const int t = static_cast<int>(threadIdx.x);
      return alongDepth ? t / kDepth + n * (kThreads / kDepth) : t % kSide;
    }
    static __device__ __forceinline__ int k(int n, bool alongDepth) {
      const int t = static_cast<int>(threadIdx.x);
      return alongDepth ? t % kDepth : t / kSide + n * (kThreads / kSide);
    }
    template <class Operand> __device__ __forceinline__ void fetch(const Operand &operand, Int begin, Int end) {
#pragma unroll
      for (int n = 0; n < 4; ++n) {
        const Int at = begin + k(n, operand.alongDepth);
        value[n] = at < end ? operand(i(n, operand.alongDepth), at) : 0.0f;
      }
    }
    __device__ __forceinline__ void put(float (&to)[kDepth][kStride], bool alongDepth) const {
#pragma unroll
      for (int n = 0; n < 4; ++n)
        to[k(n, alongDepth)][i(n, alongDepth)] = value[n];
    }
  };

  __device__ __forceinline__ void accumulate(const float (&left)[kDepth][kStride],
                                             const float (&right)[kDepth][kStride]) {
    const int i = row(0), j = column(0);
#pragma unroll
    for (int k = 0; k < kDepth; ++k) {
      const float4 x = *reinterpret_cast<const float4 *>(&left[k][i]);
      const float2 y = *reinterpret_cast<const float2 *>(&right[k][j]);
      const float2 z = *reinterpret_cast<const float2 *>(&right[k][j + 32]);
      const float l[kValues] = {x.x, x.y, x.z, x.w}, r[kValues] = {y.x, y.y, z.x, z.y};
#pragma unroll
      for (int a = 0; a < kValues; ++a)
#pragma unroll
        for (int b = 0; b < kValues; ++b)
          acc[a * kValues + b] = fmaf(l[a], r[b], acc[a * kValues + b]);
    }
  }
};

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
