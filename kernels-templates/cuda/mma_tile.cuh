// The product of two staged operands on a tile of 64 x 64 by tensor cores: what Tile (tile.cuh) does by fused
// multiply-adds, in less precision. For sm_80 and later.
#pragma once
#include "kernels-templates/cuda/tensor_core.cuh"
#include "kernels-templates/cuda/tile.cuh"

namespace sn::cuda {
/// How factors are rounded; sums are fp32 in all. With S = sum |left| |right|, the rounding of the factors moves a
/// product by at most 2 u S, u being the unit roundoff (a factor loses u / (1 + u) of itself at most):
/// - Tf32 (11 significant bits, ties away from zero; u = 2^-11): 2^-10 S;
/// - Bf16 (8 significant bits, ties to even; u = 2^-8): 2^-7 S;
/// - Bf16x3: 2^-15 (1 + 2^-16) S. A factor is high + low, both BF16; high high + high low + low high are added up. Left
///   out are low low, 2^-16 of a product at most, and what the low parts lose, 2^-17 for each. An infinite factor gives
///   NaN (infinity minus infinity), as does one that is rounded to infinity (2^128 - 2^119 and above).
/// The sums' own error comes on top.
enum class Precision { Tf32, Bf16x3, Bf16 };

/// Whether the architecture at hand has mma.sync for these types. A template, so that the question is asked of a tile
/// that is used, not of a text that includes this header. The emulator has it.
template <Precision>
inline constexpr bool kHasTensorCores =
#ifdef __CUDA_ARCH__
    __CUDA_ARCH__ >= 800;
#else
    true;
#endif

/// Left factors run along the rows of mma's A, right ones along the columns of its B.
///
/// A slice in shared memory is 64 lines of 16 words, a word being a TF32 value or two neighbours in depth as BF16. A
/// line is four chunks of 16 bytes. The four lanes t of a group read a chunk each, words (x, y, z, w), and take (x, y)
/// as their columns (t, t + 4) of A or rows of B in one product, (z, w) in another: which place of the depth stands in
/// which column of an mma is free, so long as A and B agree. Bf16x3 has the high parts in (x, y), the low ones in (z,
/// w). Chunk c of line i lies at c ^ (i / 2 % 4): eight lanes that read two lines, or write a chunk of eight, meet no
/// bank twice. (Padding does one or the other.)
template <Precision P> class MmaTile {
  static_assert(kHasTensorCores<P>, "MmaTile needs tensor cores for TF32 and BF16, sm_80 or later; for older devices "
                                    "compile the precision fp32, whose products are Tile's");

public:
  static constexpr int kSide = kTileSide;
  static constexpr int kDepth = P == Precision::Bf16 ? 32 : 16; // of a staged slice
  static constexpr int kStride = Tile::kStride;                 // of a line of `values`

  union __align__(16) Shared {
    struct {
      uint4 left[2][kSide * 4], right[2][kSide * 4];
    } stages;
    float values[kSide * kStride];
  };

  static constexpr int kCount = kSide * kSide / kThreads;
  float acc[kCount];

  __device__ __forceinline__ void clear() {
#pragma unroll
    for (int n = 0; n < kCount; ++n)
      acc[n] = 0;
  }
  /// Accumulators of a warp: 2 x 2 fragments of [16, 8]. Of each, value v lies in row group + 8 (v / 2) and column
  /// 2 t + v % 2 (PTX ISA, "Matrix Fragments for mma.m16n8k8" and "... m16n8k16", accumulators C and D).
  template <class F> __device__ __forceinline__ void forEach(F f) {
    const int row = firstRow() + lane() / 4, column = firstColumn() + lane() % 4 * 2;
#pragma unroll
    for (int n = 0; n < kCount; ++n)
      f(row + n / 8 * 16 + n / 2 % 2 * 8, column + n / 4 % 2 * 8 + n % 2, acc[n]);
  }
  __device__ __forceinline__ float *toShared(Shared &shared) {
    __syncthreads();
    forEach([&](int i, int j, float value) { shared.values[i * kStride + j] = value; });
    __syncthreads();
    return shared.values;
  }

  template <class Left, class Right>
  __device__ __forceinline__ void multiply(Shared &shared, const Left &left, const Right &right, Int begin, Int end) {
    __syncthreads();
    if (begin >= end)
      return;
    Chunk l, r;
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
  /// A warp has 32 rows and 16 columns of the tile.
  static __device__ __forceinline__ int firstRow() { return warp() / 4 * 32; }
  static __device__ __forceinline__ int firstColumn() { return warp() % 4 * 16; }
  static __device__ __forceinline__ int placeOf(int line, int chunk) { return line * 4 + (chunk ^ (line / 2 % 4)); }

  /// A thread's part of a slice on its way to shared memory: the depth of one chunk of one line.
  struct Chunk {
    static constexpr int kValues = kDepth / 4;
    float value[kValues];
    /// Where the operand runs along its depth neighbouring threads have neighbouring chunks, else neighbouring lines.
    static __device__ __forceinline__ int line(bool alongDepth) {
      const int t = static_cast<int>(threadIdx.x);
      return alongDepth ? t / 4 : t % kSide;
    }
    static __device__ __forceinline__ int chunk(bool alongDepth) {
      const int t = static_cast<int>(threadIdx.x);
      return alongDepth ? t % 4 : t / kSide;
    }
    template <class Operand> __device__ __forceinline__ void fetch(const Operand &operand, Int begin, Int end) {
      const Int first = begin + chunk(operand.alongDepth) * kValues;
#pragma unroll
      for (int n = 0; n < kValues; ++n)
        value[n] = first + n < end ? operand(line(operand.alongDepth), first + n) : 0.0f;
    }
    __device__ __forceinline__ void put(uint4 *to, bool alongDepth) const {
      to[placeOf(line(alongDepth), chunk(alongDepth))] = rounded();
    }
    __device__ __forceinline__ uint4 rounded() const {
      uint4 words;
      if constexpr (P == Precision::Tf32) {
        words.x = tf32Bits(value[0]);
        words.y = tf32Bits(value[1]);
        words.z = tf32Bits(value[2]);
        words.w = tf32Bits(value[3]);
      } else {
        words.x = bf16Pair(value[0], value[1]);
        words.y = bf16Pair(value[2], value[3]);
        if constexpr (P == Precision::Bf16) {
          words.z = bf16Pair(value[4], value[5]);
          words.w = bf16Pair(value[6], value[7]);
        } else {
          words.z = lowPair(value[0], value[1], words.x);
          words.w = lowPair(value[2], value[3], words.y);
        }
      }
      return words;
    }
    /// What two values lose to the BF16 pair `high`. The differences are exact.
    static __device__ __forceinline__ unsigned lowPair(float a, float b, unsigned high) {
      return bf16Pair(a - __int_as_float(static_cast<int>(high << 16)),
                      b - __int_as_float(static_cast<int>(high & 0xffff0000u)));
    }
  };

  /// Columns of A, or rows of B, of product `number` of the two that a chunk holds.
  static __device__ __forceinline__ unsigned first(const uint4 &chunk, int number) {
    return number ? chunk.z : chunk.x;
  }
  static __device__ __forceinline__ unsigned second(const uint4 &chunk, int number) {
    return number ? chunk.w : chunk.y;
  }

  /// The registers of a fragment (PTX ISA, "Matrix Fragments for mma.m16n8k8", .tf32, and "Matrix Fragments for
  /// mma.m16n8k16 with floating point type", .bf16; a word is a column or two): A has (row, column) = (group, t),
  /// (group + 8, t), (group, t + 4), (group + 8, t + 4); B has (row, column) = (t, group), (t + 4, group).
  __device__ __forceinline__ void accumulate(const uint4 *left, const uint4 *right) {
    const int group = lane() / 4, t = lane() % 4;
    uint4 a[2][2], b[2]; // rows group and group + 8 of each fragment; columns group
#pragma unroll
    for (int m = 0; m < 2; ++m)
#pragma unroll
      for (int half = 0; half < 2; ++half)
        a[m][half] = left[placeOf(firstRow() + m * 16 + half * 8 + group, t)];
#pragma unroll
    for (int n = 0; n < 2; ++n)
      b[n] = right[placeOf(firstColumn() + n * 8 + group, t)];
    if constexpr (P == Precision::Bf16x3) {
      add(a, b, 0, 0);
      add(a, b, 0, 1);
      add(a, b, 1, 0);
    } else {
      add(a, b, 0, 0);
      add(a, b, 1, 1);
    }
  }
  /// One mma for each fragment of the accumulators: words `ofA` of the chunks of A with words `ofB` of those of B.
  __device__ __forceinline__ void add(const uint4 (&a)[2][2], const uint4 (&b)[2], int ofA, int ofB) {
#pragma unroll
    for (int m = 0; m < 2; ++m)
#pragma unroll
      for (int n = 0; n < 2; ++n) {
        const unsigned left[4] = {first(a[m][0], ofA), first(a[m][1], ofA), second(a[m][0], ofA), second(a[m][1], ofA)};
        const unsigned right[2] = {first(b[n], ofB), second(b[n], ofB)};
        float *sums = acc + (m * 2 + n) * 4;
        float d[4] = {sums[0], sums[1], sums[2], sums[3]};
        if constexpr (P == Precision::Tf32)
          mmaTf32(d, left, right);
        else
          mmaBf16(d, left, right);
#pragma unroll
        for (int v = 0; v < 4; ++v)
          sums[v] = d[v];
      }
  }
};
} // namespace sn::cuda
