// The product of two staged operands on a tile of 128 x 128 by the tensor cores of sm_90a, whose warpgroups multiply
// out of shared memory (wgmma): what FfmaTile (tile.cuh) does, in the precisions of MmaTile and with its error bounds
// (mma_tile.cuh).
#pragma once
#include "kernels-templates/cuda/mma_tile.cuh"
#include "kernels-templates/cuda/tensor_core_90a.cuh"

namespace sn::cuda {
/// A block is two warpgroups, each of which has 64 rows of the tile and all its columns, 64 sums a thread. A slice of
/// an operand in shared memory is 128 lines of 128 bytes of its depth, swizzled as wgmmaDescriptor says: 32 values of
/// TF32, 64 of BF16, or 32 as two BF16 each, the high parts in the first half of the line, the low ones in the second.
/// Factors are rounded on their way from registers to shared memory.
///
/// The limit is shared memory, not the tensor cores. In TF32 a slice is 8 products of [64, 8] by [8, 128], 64 cycles
/// each: 512. They read 6 KiB each, 384 cycles at 128 bytes a cycle, and the next slice's 32 KiB are written, 256:
/// 640 in all, so at most four fifths of the tensor cores' peak. In BF16 it is the same with twice the depth; Bf16x3
/// multiplies three times what it reads twice, and the tensor cores are the limit.
/// The threads' part is hidden: there are three stages, so that one is written while products read the other two (those
/// of the slice before need not have ended when the next ones begin), and the slice after the next is on its way from
/// global memory meanwhile: for the time of a slice, which is about what memory takes to answer.
template <Precision P> class WgmmaTile {
  static_assert(kHasWgmma<WgmmaTile>, "WgmmaTile needs the products of warpgroups, which sm_90a alone has; for other "
                                      "devices compile the same precision over MmaTile");

public:
  static constexpr int kSide = 128;
  static constexpr int kDepth = P == Precision::Bf16 ? 64 : 32; // of a staged slice
  static constexpr int kStride = kSide + 4;                     // of a line of `values`
  static constexpr int kPartRows = kSide;                       // of the tile that `values` holds
  static constexpr int kLineBytes = 128, kOperandBytes = kSide * kLineBytes;
  static constexpr int kStages = 3;
  static constexpr int kPattern = 1024; // bytes after which the swizzle repeats: what stages are aligned to

  /// In dynamic shared memory, which is aligned to 16 bytes: stages begin at the first multiple of kPattern.
  union __align__(16) Shared {
    unsigned char stages[kStages * 2 * kOperandBytes + kPattern];
    float values[kPartRows * kStride];
  };

  static constexpr int kCount = kSide * kSide / kThreads;
  float acc[kCount];

  __device__ __forceinline__ void clear() {
#pragma unroll
    for (int n = 0; n < kCount; ++n)
      acc[n] = 0;
  }
  template <class F> __device__ __forceinline__ void forEach(F f) {
    const int row = warp() * 16 + lane() / 4, column = lane() % 4 * 2;
#pragma unroll
    for (int n = 0; n < kCount; ++n)
      f(row + n / 2 % 2 * 8, column + n / 4 * 8 + n % 2, acc[n]);
  }
  template <class F> __device__ __forceinline__ void inShared(Shared &shared, F f) { showInShared(*this, shared, f); }
  __device__ __forceinline__ float *toShared(Shared &shared) {
    showInShared(*this, shared, [](int, int, const float *) {});
    return shared.values;
  }

  template <class Left, class Right>
  __device__ __forceinline__ void multiply(Shared &shared, const Left &left, const Right &right, Int begin, Int end) {
    __syncthreads();
    if (begin >= end)
      return;
    unsigned char *stages = shared.stages + (kPattern - sharedAddress(&shared) % kPattern) % kPattern;
    const bool leftAligned = isAligned(left, begin), rightAligned = isAligned(right, begin);
    Slice l, r;
    const auto fetch = [&](Int k) {
      l.fetch(left, leftAligned, k, end);
      r.fetch(right, rightAligned, k, end);
    };
    const auto put = [&](int stage) {
      l.put(stages + stage * 2 * kOperandBytes, left.alongDepth);
      r.put(stages + (stage * 2 + 1) * kOperandBytes, right.alongDepth);
    };
    fetch(begin);
    put(0);
    Int fetched = begin + kDepth; // what l and r hold, if that is before the end
    if (fetched < end)
      fetch(fetched);
    pinSums(acc);
#pragma unroll 1
    for (int stage = 0;;) {
      fenceProxyAsync();
      __syncthreads(); // the slice is there; the products of the slice before the last have ended for all threads
      wgmmaFence();
      accumulate(stages + stage * 2 * kOperandBytes);
      wgmmaCommit();
      if (fetched >= end)
        break;
      wgmmaWait<1>();
      stage = stage == kStages - 1 ? 0 : stage + 1;
      put(stage);
      fetched += kDepth;
      if (fetched < end)
        fetch(fetched);
    }
    wgmmaWait<0>();
    pinSums(acc);
  }

  // A thread's part of a slice is four lines of a group of kGroup places of the depth.

  static constexpr int kGroup = P == Precision::Bf16 ? 8 : 4;
  /// The group of thread `t`, and its line number `n` of 4. Operands that run along their depth are loaded four
  /// neighbours in depth at a time, by eight neighbouring threads for a line; others four neighbouring lines at a time,
  /// four places of the depth by eight threads each (Bf16x3: eight by four), and transposed in registers. The threads
  /// that store at one time, eight for 16 bytes, 16 for the 8 bytes of Bf16x3, meet no bank twice: either they have one
  /// line, or their lines i differ in i / 4 % 2 and their groups fill half a line, which the swizzle puts into
  /// different halves.
  static __device__ __forceinline__ int groupOf(bool alongDepth, int t) {
    if (alongDepth)
      return t % 8;
    return P == Precision::Bf16x3 ? t / 2 % 8 : t / 2 % 4 + t / 128 * 4;
  }
  static __device__ __forceinline__ int lineOf(bool alongDepth, int t, int n) {
    if (alongDepth)
      return n * 32 + t / 64 * 8 + t / 8 % 2 * 4 + t / 32 % 2 * 2 + t / 16 % 2;
    if (P == Precision::Bf16x3)
      return (t % 2 + t / 16 * 2) * 4 + n;
    return (t % 2 + t / 8 % 16 * 2) * 4 + n;
  }
  /// Where chunk `chunk` of 16 bytes of a line is in its operand's part of a stage.
  static __device__ __forceinline__ int placeOf(int line, int chunk) {
    return line * kLineBytes + (chunk ^ line % 8) * 16;
  }

private:
  class Slice {
  public:
    template <class Operand>
    __device__ __forceinline__ void fetch(const Operand &operand, bool aligned, Int begin, Int end) {
      // One question for a whole slice: 16-byte loads follow each other without a branch between them.
      if constexpr (kLoadsFour<Operand>)
        if (aligned && operand.extent >= kSide && begin + kDepth <= end) {
          fetchBy(operand.alongDepth, begin, [&](int i, Int k, float(&to)[4]) {
            const float4 four = operand.load4(i, k);
            to[0] = four.x, to[1] = four.y, to[2] = four.z, to[3] = four.w;
          });
          return;
        }
      fetchBy(operand.alongDepth, begin, [&](int i, Int k, float(&to)[4]) {
        if (operand.alongDepth)
          fetchAlong(operand, aligned, i, k, end, to);
        else
          fetchAcross(operand, aligned, i, k, end, to);
      });
    }
    __device__ __forceinline__ void put(unsigned char *to, bool alongDepth) const {
      const int t = static_cast<int>(threadIdx.x), group = groupOf(alongDepth, t);
#pragma unroll
      for (int n = 0; n < 4; ++n) {
        const int line = lineOf(alongDepth, t, n);
        const float *x = value[n];
        if constexpr (P == Precision::Tf32) {
          *reinterpret_cast<uint4 *>(to + placeOf(line, group)) =
              make_uint4(tf32Bits(x[0]), tf32Bits(x[1]), tf32Bits(x[2]), tf32Bits(x[3]));
        } else if constexpr (P == Precision::Bf16) {
          *reinterpret_cast<uint4 *>(to + placeOf(line, group)) =
              make_uint4(bf16Pair(x[0], x[1]), bf16Pair(x[2], x[3]), bf16Pair(x[4], x[5]), bf16Pair(x[6], x[7]));
        } else {
          const uint2 high = make_uint2(bf16Pair(x[0], x[1]), bf16Pair(x[2], x[3]));
          const int half = group % 2 * 8;
          *reinterpret_cast<uint2 *>(to + placeOf(line, group / 2) + half) = high;
          *reinterpret_cast<uint2 *>(to + placeOf(line, group / 2 + 4) + half) =
              make_uint2(lowPair(x[0], x[1], high.x), lowPair(x[2], x[3], high.y));
        }
      }
    }

  private:
    /// fetchFour(i, k, to): the four neighbours of (i, k), along the depth or across it.
    template <class F> __device__ __forceinline__ void fetchBy(bool alongDepth, Int begin, F fetchFour) {
      const int t = static_cast<int>(threadIdx.x);
      const Int k = begin + groupOf(alongDepth, t) * kGroup;
      float four[4];
      if (alongDepth) {
#pragma unroll
        for (int n = 0; n < 4; ++n)
#pragma unroll
          for (int first = 0; first < kGroup; first += 4) {
            fetchFour(lineOf(true, t, n), k + first, four);
#pragma unroll
            for (int i = 0; i < 4; ++i)
              value[n][first + i] = four[i];
          }
      } else {
#pragma unroll
        for (int i = 0; i < kGroup; ++i) {
          fetchFour(lineOf(false, t, 0), k + i, four);
#pragma unroll
          for (int n = 0; n < 4; ++n)
            value[n][i] = four[n];
        }
      }
    }
    /// What two values lose to the BF16 pair `high`. The differences are exact.
    static __device__ __forceinline__ unsigned lowPair(float a, float b, unsigned high) {
      return bf16Pair(a - __uint_as_float(high << 16), b - __uint_as_float(high & 0xffff0000u));
    }
    float value[4][kGroup];
  };

  /// Begins the products of a stage.
  __device__ __forceinline__ void accumulate(const unsigned char *stage) {
    const unsigned long long left = wgmmaDescriptor(stage + static_cast<int>(threadIdx.x) / 128 * (kOperandBytes / 2)),
                             right = wgmmaDescriptor(stage + kOperandBytes);
    if constexpr (P == Precision::Bf16x3) {
      constexpr int kLow = kLineBytes / 2; // bytes from a high part to its low one
#pragma unroll
      for (int at = 0; at < kLow; at += kWgmmaBytes) {
        wgmmaBf16(acc, advance(left, at), advance(right, at));
        wgmmaBf16(acc, advance(left, at), advance(right, at + kLow));
        wgmmaBf16(acc, advance(left, at + kLow), advance(right, at));
      }
    } else {
#pragma unroll
      for (int at = 0; at < kLineBytes; at += kWgmmaBytes)
        if constexpr (P == Precision::Tf32)
          wgmmaTf32(acc, advance(left, at), advance(right, at));
        else
          wgmmaBf16(acc, advance(left, at), advance(right, at));
    }
  }
};
} // namespace sn::cuda
