// The product of two staged operands on a tile of 128 x 128 by the tensor cores of sm_90a, whose warpgroups multiply
// out of shared memory (wgmma): what FfmaTile (tile.cuh) does, in the precisions of MmaTile and with its error bounds
// (mma_tile.cuh).
#pragma once
#include "kernels-templates/cuda/mma_tile.cuh"
#include "kernels-templates/cuda/tensor_core_90a.cuh"

namespace sn::cuda {
/// A block is two warpgroups, each of which has 64 rows of the tile and all its columns, 64 sums a thread. In shared
/// memory an operand is 128 lines of 128 bytes, swizzled as wgmmaDescriptor says. Such a line is a slice, 32 places of
/// the depth: as TF32, or as two BF16 each, the high parts in the first half, the low ones in the second; or two slices
/// as BF16. Factors are rounded on their way from registers to shared memory.
///
/// The limits are memory's, not the tensor cores'. Operands in fp32 are 1 KiB for each place of the depth, in TF32 64
/// bytes a cycle at the tensor cores' peak, in BF16 128: more than a multiprocessor's share of the second-level cache.
/// A larger tile would be the remedy; its sums fill the registers that wide layers need for gradients. Bulk copies
/// would not help, since floats must be rounded on their way. The slice after the next is on its way from global
/// memory, 32 KiB for all precisions, which fills that share at 700 cycles to an answer. Shared memory is the other
/// limit, at 128 bytes a cycle. In TF32 a slice is 8 products of [64, 8] by [8, 128], 64 cycles each: 512. They read 6
/// KiB each, 384 cycles, and the next slice's 32 KiB are written, 256: 640 in all, so at most four fifths of the tensor
/// cores' peak. In BF16 it is half of all that; Bf16x3 has 768 cycles of products against 832. The threads' part is
/// hidden: there are at least three stages, so that one is written while products read two others: those of the slice
/// before need not have ended when the next ones begin.
template <Precision P> class WgmmaTile {
  static_assert(kHasWgmma<WgmmaTile>, "WgmmaTile needs the products of warpgroups, which sm_90a alone has; for other "
                                      "devices compile the same precision over MmaTile");

public:
  static constexpr int kSide = 128;
  static constexpr int kDepth = 32;         // of a staged slice
  static constexpr int kStride = kSide + 4; // of a line of `values`
  static constexpr int kPartRows = kSide;   // of the tile that `values` holds
  static constexpr int kLineBytes = 128, kOperandBytes = kSide * kLineBytes;
  static constexpr int kLines = P == Precision::Bf16 ? 2 : 3; // of 128 bytes for each of the 128 of an operand
  static constexpr int kStages = P == Precision::Bf16 ? 2 * kLines : kLines;
  static constexpr int kPattern = 1024;     // bytes after which the swizzle repeats: what stages are aligned to
  static constexpr bool kFromShared = true; // factors take no registers while they are multiplied

  /// In dynamic shared memory, which is aligned to 16 bytes: stages begin at the first multiple of kPattern.
  union __align__(16) Shared {
    unsigned char stages[kLines * 2 * kOperandBytes + kPattern];
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
    const int t = freshThread(), row = t / kWarp * 16 + t % kWarp / 4, column = t % 4 * 2;
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
    Slice l, r;
    auto leftWalk = Slice::walk(left, begin);
    auto rightWalk = Slice::walk(right, begin);
    int rest = static_cast<int>(end - begin); // from the slice on that l and r hold; none if it is not above 0
    const auto fetch = [&] {
      l.fetch(leftWalk, rest, left.alongDepth);
      r.fetch(rightWalk, rest, right.alongDepth);
    };
    const auto put = [&](int stage) {
      unsigned char *const to = stages + linesOf(stage);
      l.put(to, partOf(stage), left.alongDepth);
      r.put(to + kOperandBytes, partOf(stage), right.alongDepth);
      rest -= kDepth;
      if (rest <= 0)
        return;
      leftWalk.next();
      rightWalk.next();
      fetch();
    };
    fetch();
    put(0);
    pinSums(acc);
#pragma unroll 1
    for (int stage = 0;;) {
      fenceProxyAsync();
      __syncthreads(); // the slice is there; the products of the slice before the last have ended for all threads
      wgmmaFence();
      accumulate(stages + linesOf(stage), partOf(stage));
      wgmmaCommit();
      if (rest <= 0)
        break;
      wgmmaWait<1>();
      stage = stage == kStages - 1 ? 0 : stage + 1;
      put(stage);
    }
    wgmmaWait<0>();
    pinSums(acc);
  }

  /// The group of four places of the depth that thread `t` has, and its line number `n` of 4. Operands that run along
  /// their depth are loaded four neighbours in depth at a time, by eight neighbouring threads for a line; others four
  /// neighbouring lines at a time, by two threads next to each other for 32 bytes and eight such pairs for places of
  /// the depth, and transposed in registers. Threads that store at one time, eight for 16 bytes, 16 for 8 bytes of
  /// BF16, meet no bank twice: either they have one line, or their lines i differ in i / 4 % 2 and what they store is
  /// half a line, which the swizzle puts into different halves. (Test "CudaWgmma.BanksAreMetOnce".)
  static __device__ __forceinline__ int groupOf(bool alongDepth, int t) { return alongDepth ? t % 8 : t / 2 % 8; }
  static __device__ __forceinline__ int lineOf(bool alongDepth, int t, int n) {
    return alongDepth ? n * 32 + t / 64 * 8 + t / 8 % 2 * 4 + t / 32 % 2 * 2 + t / 16 % 2
                      : (t % 2 + t / 16 * 2) * 4 + n;
  }
  /// Where chunk `chunk` of 16 bytes of a line is in its operand's part of a stage.
  static __device__ __forceinline__ int placeOf(int line, int chunk) {
    return line * kLineBytes + (chunk ^ line % 8) * 16;
  }

private:
  /// The thread's number as something that the compiler cannot know, so that it computes places anew and does not
  /// keep them in registers through the products: there the sums of two tiles are alive.
  static __device__ __forceinline__ int freshThread() {
    int t = static_cast<int>(threadIdx.x);
#ifndef SN_EMULATOR
    asm volatile("" : "+r"(t));
#endif
    return t;
  }
  class Slice {
  public:
    template <class Operand>
    static __device__ __forceinline__ SliceWalk<Operand, kSide, kDepth> walk(const Operand &operand, Int begin) {
      const int t = static_cast<int>(threadIdx.x);
      const bool along = operand.alongDepth;
      return {operand, begin, lineOf(along, t, 0), groupOf(along, t) * 4};
    }
    template <class Walk> __device__ __forceinline__ void fetch(const Walk &walk, int rest, bool alongDepth) {
      if (alongDepth) {
#pragma unroll
        for (int n = 0; n < 4; ++n)
          walk.along(rest, n * 32, 0, value[n]);
      } else {
        float four[4];
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          walk.across(rest, i, four);
#pragma unroll
          for (int n = 0; n < 4; ++n)
            value[n][i] = four[n];
        }
      }
    }
    __device__ __forceinline__ void put(unsigned char *to, int part, bool alongDepth) const {
      const int t = freshThread(), group = groupOf(alongDepth, t);
#pragma unroll
      for (int n = 0; n < 4; ++n) {
        const int line = lineOf(alongDepth, t, n);
        const float *x = value[n];
        if constexpr (P == Precision::Tf32) {
          *reinterpret_cast<uint4 *>(to + placeOf(line, group)) =
              make_uint4(tf32Bits(x[0]), tf32Bits(x[1]), tf32Bits(x[2]), tf32Bits(x[3]));
        } else {
          const uint2 high = make_uint2(bf16Pair(x[0], x[1]), bf16Pair(x[2], x[3]));
          const int half = group % 2 * 8;
          *reinterpret_cast<uint2 *>(to + placeOf(line, group / 2 + part * 4) + half) = high;
          if constexpr (P == Precision::Bf16x3)
            *reinterpret_cast<uint2 *>(to + placeOf(line, group / 2 + 4) + half) =
                make_uint2(lowPair(x[0], x[1], high.x), lowPair(x[2], x[3], high.y));
        }
      }
    }

  private:
    /// What two values lose to the BF16 pair `high`. The differences are exact.
    static __device__ __forceinline__ unsigned lowPair(float a, float b, unsigned high) {
      return bf16Pair(a - __uint_as_float(high << 16), b - __uint_as_float(high & 0xffff0000u));
    }
    float value[4][4];
  };

  /// Where the lines of a stage begin, and which half of them it is.
  static __device__ __forceinline__ int linesOf(int stage) {
    return (P == Precision::Bf16 ? stage / 2 : stage) * 2 * kOperandBytes;
  }
  static __device__ __forceinline__ int partOf(int stage) { return P == Precision::Bf16 ? stage % 2 : 0; }

  /// Begins the products of a slice.
  __device__ __forceinline__ void accumulate(const unsigned char *lines, int part) {
    constexpr int kHalf = kLineBytes / 2;
    const unsigned char *from = lines + part * kHalf;
    const unsigned long long left = wgmmaDescriptor(from + static_cast<int>(threadIdx.x) / 128 * (kOperandBytes / 2)),
                             right = wgmmaDescriptor(from + kOperandBytes);
    if constexpr (P == Precision::Tf32) {
#pragma unroll
      for (int at = 0; at < kLineBytes; at += kWgmmaBytes)
        wgmmaTf32(acc, advance(left, at), advance(right, at));
    } else {
#pragma unroll
      for (int at = 0; at < kHalf; at += kWgmmaBytes) {
        wgmmaBf16(acc, advance(left, at), advance(right, at));
        if constexpr (P == Precision::Bf16x3) {
          wgmmaBf16(acc, advance(left, at), advance(right, at + kHalf));
          wgmmaBf16(acc, advance(left, at + kHalf), advance(right, at));
        }
      }
    }
  }
};
} // namespace sn::cuda
