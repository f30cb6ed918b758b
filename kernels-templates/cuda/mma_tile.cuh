// The product of two staged operands on a square tile by tensor cores (mma.sync): what FfmaTile (tile.cuh) does by
// fused multiply-adds, in less precision. For sm_80 and later.
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

/// Left factors run along the rows of mma's A, right ones along the columns of its B. A warp has 32 x 16 of 64 x 64
/// values, or 64 x 32 of 128 x 128.
///
/// A slice in shared memory is a line for each row (column) of the tile, of 16 words: a word is a TF32 value or two
/// neighbours in depth as BF16. Words go in pairs. The first four pairs of a line make one plane of the slice, the
/// other four a second one; the four lanes t of a group read pair t of a plane and take its words as their columns (t,
/// t + 4) of A or rows of B: which place of the depth stands in which column of an mma is free, so long as A and B
/// agree. Tf32 and Bf16: a plane is the depth of one mma. Bf16x3: the first plane has the high parts, the second the
/// low ones.
///
/// In a plane lines lie four to a row of 128 bytes, all banks once; a line's pairs are permuted by the number of the
/// row (placeOf). Half a warp that reads four lines, or writes four lines, or one pair of sixteen, meets no bank twice.
/// (Test "CudaMmaTile.BanksAreMetOnce".)
///
/// An mma of a warp reads 192 bytes of shared memory (side 128: A 64 x 8 words, B 32 x 8 words for 16 of them; Bf16x3:
/// 128 bytes; side 64: 384 bytes, for 4 of them). It takes the tensor cores of sm_80 2 cycles of a multiprocessor, in
/// which shared memory gives 256 bytes: side 128 leaves a quarter of that for the stores of the next slice, side 64 is
/// limited by it. A slice takes them 512 cycles (Bf16x3: 768), which memory may take to answer. Operands are read from
/// memory as floats: 32 operations of a product to a byte, which is what limits Bf16 where weights are not stored so.
template <Precision P, int Side = 64> class MmaTile {
  static_assert(kHasTensorCores<P>, "MmaTile needs tensor cores for TF32 and BF16, sm_80 or later; for older devices "
                                    "compile the precision fp32, whose products are Tile's");
  static_assert(Side == 64 || Side == 128);

public:
  static constexpr int kSide = Side;
  static constexpr int kDepth = P == Precision::Bf16 ? 32 : 16; // of a staged slice
  static constexpr int kStride = Side + 4;                      // of a line of `values`
  static constexpr int kPartRows = 64;

  struct Stage {
    uint2 planes[2][Side * 4];
  };
  union __align__(16) Shared {
    struct {
      Stage left[2], right[2];
    } stages;
    float values[kPartRows * kStride];
  };

  static constexpr int kCount = Side * Side / kThreads;
  float acc[kCount];

  __device__ __forceinline__ void clear() {
#pragma unroll
    for (int n = 0; n < kCount; ++n)
      acc[n] = 0;
  }
  /// Accumulators of a warp: kRows x kColumns fragments of [16, 8]. Of each, value v lies in row group + 8 (v / 2) and
  /// column 2 t + v % 2 (PTX ISA, "Matrix Fragments for mma.m16n8k8" and "... m16n8k16", accumulators C and D).
  template <class F> __device__ __forceinline__ void forEach(F f) {
    const int row = firstRow() + lane() / 4, column = firstColumn() + lane() % 4 * 2;
#pragma unroll
    for (int m = 0; m < kRows; ++m)
#pragma unroll
      for (int half = 0; half < 2; ++half)
#pragma unroll
        for (int n = 0; n < kColumns; ++n)
#pragma unroll
          for (int v = 0; v < 2; ++v)
            f(row + m * 16 + half * 8, column + n * 8 + v, acc[(m * kColumns + n) * 4 + half * 2 + v]);
  }
  template <class F> __device__ __forceinline__ void inShared(Shared &shared, F f) { showInShared(*this, shared, f); }
  __device__ __forceinline__ float *toShared(Shared &shared) {
    static_assert(kPartRows == kSide, "the tile's values do not fit: inShared shows them in parts");
    showInShared(*this, shared, [](int, int, const float *) {});
    return shared.values;
  }
  template <class Left, class Right>
  __device__ __forceinline__ void multiply(Shared &shared, const Left &left, const Right &right, Int begin, Int end) {
    multiplySlices(*this, shared.stages.left, shared.stages.right, left, right, begin, end);
  }

  // What multiplySlices asks for.

  static constexpr int kRows = Side / 32, kColumns = Side / 32;  // of a warp's fragments
  static constexpr int kPlanes = P == Precision::Bf16x3 ? 2 : 1; // that a step multiplies
  static constexpr int kSteps = 2 / kPlanes * kRows;             // by plane, or all, and row of fragments
  static __device__ __forceinline__ int firstRow() { return warp() / 4 * (Side / 2); }
  static __device__ __forceinline__ int firstColumn() { return warp() % 4 * (Side / 4); }
  /// Where pair `t` of line `line` lies in a plane.
  static __device__ __forceinline__ int placeOf(int line, int t) { return line * 4 + (t ^ (line / 4 % 4)); }

  /// A thread's part of a slice on its way to shared memory: for some lines a pair of words, or where they come from
  /// four neighbours of the depth, in two words or one in each plane, both.
  class Slice {
  public:
    static constexpr int kGroups = Side * kDepth / 4 / kThreads; // of four neighbours of the depth
    static constexpr int kPair = P == Precision::Tf32 ? 2 : 4;   // values that make a pair of words
    static constexpr int kPairs = kDepth / kPair;                // of a line
    static constexpr int kLines = Side * kPairs / kThreads;      // of a thread, where lines are neighbours in memory

    /// Eight lines of 64 bytes to a warp, so that half a warp stores four whole lines of a plane.
    static __device__ __forceinline__ int alongLine(int n) {
      return (static_cast<int>(threadIdx.x) / 4 + n * kThreads / 4) % Side;
    }
    static __device__ __forceinline__ int alongFour(int n) {
      return static_cast<int>(threadIdx.x) % 4 + n * kThreads / 4 / Side * 4;
    }
    /// Four neighbours, for one load; or one line to a thread, for neighbouring threads.
    static __device__ __forceinline__ int acrossLine(int n) {
      const int thread = static_cast<int>(threadIdx.x) % (Side / kLines);
      return kLines == 4 ? thread * 4 + n : thread + n * (Side / kLines);
    }
    static __device__ __forceinline__ int turn() {
      return lane() / 4 % 4;
    } // which of its four lines a thread stores first
    static __device__ __forceinline__ int acrossPair() { return static_cast<int>(threadIdx.x) / (Side / kLines); }

    template <class Operand>
    static __device__ __forceinline__ SliceWalk<Operand, Side, kDepth> walk(const Operand &operand, Int begin) {
      const bool along = operand.alongDepth;
      return {operand, begin, along ? alongLine(0) : acrossLine(0), along ? alongFour(0) * 4 : acrossPair() * kPair};
    }
    template <class Walk> __device__ __forceinline__ void fetch(const Walk &walk, int rest, bool alongDepth) {
      if (alongDepth) {
#pragma unroll
        for (int n = 0; n < kGroups; ++n)
          walk.along(rest, n * kThreads / 4 % Side, n * kThreads / 4 / Side * 16, value[n]);
      } else if constexpr (kLines == 4) { // value[k] has four lines
#pragma unroll
        for (int k = 0; k < kPair; ++k)
          walk.across(rest, k, value[k]);
      } else {
#pragma unroll
        for (int line = 0; line < kLines; ++line)
#pragma unroll
          for (int k = 0; k < kPair; ++k)
            value[(line * kPair + k) / 4][(line * kPair + k) % 4] = walk.one(rest, line * (Side / kLines), k);
      }
    }
    __device__ __forceinline__ void put(Stage &to, bool alongDepth) const {
      if (alongDepth) {
#pragma unroll
        for (int n = 0; n < kGroups; ++n)
          putFour(to, alongLine(n), alongFour(n), value[n]);
      } else if constexpr (kLines == 4) {
        putTurned(to);
      } else {
#pragma unroll
        for (int line = 0; line < kLines; ++line) {
          float of[kPair];
#pragma unroll
          for (int k = 0; k < kPair; ++k)
            of[k] = value[(line * kPair + k) / 4][(line * kPair + k) % 4];
          putPair(to, acrossLine(line), acrossPair(), of);
        }
      }
    }

  private:
    /// Where a thread has four lines (kLines): neighbouring threads store different ones of theirs at a time, since
    /// lines of the same place in their four would share banks.
    __device__ __forceinline__ void putTurned(Stage &to) const {
      float of[4][kPair];
#pragma unroll
      for (int line = 0; line < 4; ++line)
#pragma unroll
        for (int k = 0; k < kPair; ++k)
          of[line][k] = value[k][line];
#pragma unroll
      for (int by = 1; by < 4; by *= 2) // of[n] becomes of[(n + turn()) % 4], without an index that is not constant
#pragma unroll
        for (int k = 0; k < kPair; ++k) {
          const float before[4] = {of[0][k], of[1][k], of[2][k], of[3][k]};
#pragma unroll
          for (int line = 0; line < 4; ++line)
            of[line][k] = turn() & by ? before[(line + by) % 4] : before[line];
        }
#pragma unroll
      for (int line = 0; line < 4; ++line)
        putPair(to, acrossLine(0) + (line + turn()) % 4, acrossPair(), of[line]);
    }
    /// Values 4 four ... 4 four + 3 of the slice's depth.
    static __device__ __forceinline__ void putFour(Stage &to, int line, int four, const float (&of)[4]) {
      if constexpr (P == Precision::Tf32) {
        // Two pairs: one of each plane, so that the stores of four lanes cover the places of a line.
        putWords(to, line, four, 0, make_uint2(tf32Bits(of[0]), tf32Bits(of[1])));
        putWords(to, line, four, 1, make_uint2(tf32Bits(of[2]), tf32Bits(of[3])));
      } else {
        putPair(to, line, four, of);
      }
    }
    /// Pair `pair` of the slice's depth.
    static __device__ __forceinline__ void putPair(Stage &to, int line, int pair, const float (&of)[kPair]) {
      if constexpr (P == Precision::Tf32) {
        putWords(to, line, pair / 2, pair % 2, make_uint2(tf32Bits(of[0]), tf32Bits(of[1])));
      } else {
        const uint2 words = make_uint2(bf16Pair(of[0], of[1]), bf16Pair(of[2], of[3]));
        if constexpr (P == Precision::Bf16) {
          putWords(to, line, pair % 4, pair / 4, words);
        } else {
          putWords(to, line, pair, 0, words);
          putWords(to, line, pair, 1, make_uint2(lowPair(of[0], of[1], words.x), lowPair(of[2], of[3], words.y)));
        }
      }
    }
    static __device__ __forceinline__ void putWords(Stage &to, int line, int t, int plane, uint2 words) {
      to.planes[plane][placeOf(line, t)] = words;
    }
    /// What two values lose to the BF16 pair `high`. The differences are exact.
    static __device__ __forceinline__ unsigned lowPair(float a, float b, unsigned high) {
      return bf16Pair(a - __uint_as_float(high << 16), b - __uint_as_float(high & 0xffff0000u));
    }
    float value[kGroups][4]; // kLines x kPair values
  };

  /// The registers of a step: one row of fragments of A, all of B, which stay for the rows. (PTX ISA, "Matrix Fragments
  /// for mma.m16n8k8", .tf32, and "Matrix Fragments for mma.m16n8k16 with floating point type", .bf16; a word is a
  /// column or two.) A has (row, column) = (group, t), (group + 8, t), (group, t + 4), (group + 8, t + 4); B has (row,
  /// column) = (t, group), (t + 4, group).
  struct Fragments {
    uint2 a[kPlanes][2], b[kPlanes][kColumns]; // rows group and group + 8; columns group
    __device__ __forceinline__ void load(const Stage &left, const Stage &right, int step) {
      const int group = lane() / 4, t = lane() % 4, row = firstRow() + step % kRows * 16 + group;
#pragma unroll
      for (int p = 0; p < kPlanes; ++p) {
        const int plane = step / kRows + p;
        if (step % kRows == 0)
#pragma unroll
          for (int n = 0; n < kColumns; ++n)
            b[p][n] = right.planes[plane][placeOf(firstColumn() + n * 8 + group, t)];
#pragma unroll
        for (int half = 0; half < 2; ++half)
          a[p][half] = left.planes[plane][placeOf(row + half * 8, t)];
      }
    }
  };
  __device__ __forceinline__ void multiply(int step, const Fragments &of) {
    add(step % kRows, of.a[0], of.b[0]);
    if constexpr (P == Precision::Bf16x3) {
      add(step % kRows, of.a[0], of.b[1]); // high low
      add(step % kRows, of.a[1], of.b[0]); // low high
    }
  }

private:
  /// One mma for each fragment of a row of the accumulators.
  __device__ __forceinline__ void add(int m, const uint2 (&a)[2], const uint2 (&b)[kColumns]) {
#pragma unroll
    for (int n = 0; n < kColumns; ++n) {
      const unsigned left[4] = {a[0].x, a[1].x, a[0].y, a[1].y};
      const unsigned right[2] = {b[n].x, b[n].y};
      float *sums = acc + (m * kColumns + n) * 4;
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
