// The device's vocabulary: everything that kernels use beyond the language itself. No CUDA header is included; under
// NVRTC the built-in functions are there, on the host the emulator's header (test/emulator) comes first.
#pragma once
#include "kernels-templates/cuda/abi.cuh"

namespace sn::cuda {
inline constexpr unsigned kFullWarp = 0xffffffffu;
inline constexpr int kWarp = 32;

__device__ __forceinline__ float infinity() { return __int_as_float(0x7f800000); }
__device__ __forceinline__ float notANumber() { return __int_as_float(0x7fc00000); }
/// The smaller and the greater of two; not a number if one is not; -0 is below +0.
__device__ __forceinline__ float minimum(float a, float b) {
  if (a == b)
    return __int_as_float(__float_as_int(a) | __float_as_int(b));
  return a < b ? a : b < a ? b : notANumber();
}
__device__ __forceinline__ float maximum(float a, float b) {
  if (a == b)
    return __int_as_float(__float_as_int(a) & __float_as_int(b));
  return a > b ? a : b > a ? b : notANumber();
}
__device__ __forceinline__ Int least(Int a, Int b) { return a < b ? a : b; }
__device__ __forceinline__ Int greatest(Int a, Int b) { return a > b ? a : b; }
__device__ __forceinline__ Int ceilDiv(Int a, Int b) { return (a + b - 1) / b; }
__device__ __forceinline__ int lane() { return static_cast<int>(threadIdx.x) & (kWarp - 1); }
__device__ __forceinline__ int warp() { return static_cast<int>(threadIdx.x) / kWarp; }

/// The block's dynamic shared memory. (The emulator has its own: `extern __shared__` cannot be said in C++.)
#ifndef SN_EMULATOR
template <typename T> __device__ __forceinline__ T *dynamicShared() {
  extern __shared__ __align__(16) unsigned char snDynamicShared[];
  return reinterpret_cast<T *>(snDynamicShared);
}
#else
template <typename T> T *dynamicShared() { return static_cast<T *>(emulator::dynamicShared()); }
#endif

/// Lane `lane` of `lanes` over [0, extent), as runtime/plan/Lanes.h cuts it.
struct Range {
  Int begin, end;
};
__device__ __forceinline__ Range laneRange(Int extent, int lane, int lanes) {
  return {extent * lane / lanes, extent * (lane + 1) / lanes};
}

/// Lanes over the rows of a batch, as runtime/plan/Lanes.h, batchLanes.
__device__ __forceinline__ int batchLanes(Int rows) {
  int lanes = 1;
  while (lanes < 16 && rows >= 128 * lanes)
    lanes *= 2;
  return lanes;
}

/// Philox4x32-10, as runtime/plan/Philox.h: the words of (seed, stream, epoch, row) for columns 4 * quarter ... + 3.
__device__ __forceinline__ uint4 randomWords(unsigned long long seed, unsigned stream, unsigned epoch, Int row,
                                             Int quarter) {
  unsigned c0 = static_cast<unsigned>(quarter), c1 = static_cast<unsigned>(row), c2 = epoch,
           c3 = (stream << 16) | static_cast<unsigned>((row >> 32) & 0xFFFF);
  unsigned k0 = static_cast<unsigned>(seed), k1 = static_cast<unsigned>(seed >> 32);
#pragma unroll
  for (int round = 0; round < 10; ++round) {
    const unsigned h0 = __umulhi(0xD2511F53u, c0), l0 = 0xD2511F53u * c0;
    const unsigned h1 = __umulhi(0xCD9E8D57u, c2), l1 = 0xCD9E8D57u * c2;
    c0 = h1 ^ c1 ^ k0;
    c1 = l1;
    c2 = h0 ^ c3 ^ k1;
    c3 = l0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return make_uint4(c0, c1, c2, c3);
}
/// The word of (seed, stream, epoch, row, column).
__device__ __forceinline__ unsigned randomWord(unsigned long long seed, unsigned stream, unsigned epoch, Int row,
                                               Int column) {
  const uint4 words = randomWords(seed, stream, epoch, row, column >> 2);
  const int word = static_cast<int>(column & 3);
  return word == 0 ? words.x : word == 1 ? words.y : word == 2 ? words.z : words.w;
}
/// 0 with probability p, else 1 / (1 - p).
__device__ __forceinline__ float maskValue(unsigned word, float p) {
  return static_cast<float>(word >> 8) * 0x1p-24f < p ? 0.0f : 1.0f / (1.0f - p);
}

/// Sum over the block by a fixed tree; the result is thread 0's. All threads of the block must call it. `scratch`: one
/// value for each warp, free again after the next barrier.
template <typename T> __device__ T blockSum(T value, T *scratch) {
  for (int offset = kWarp / 2; offset > 0; offset /= 2)
    value += __shfl_down_sync(kFullWarp, value, offset);
  if (lane() == 0)
    scratch[warp()] = value;
  __syncthreads();
  T total = 0;
  if (threadIdx.x == 0)
    for (int w = 0; w < static_cast<int>(blockDim.x) / kWarp; ++w)
      total += scratch[w];
  return total;
}
/// Writes the block's sums to its places, where the launch asks for them. All threads of the block must call it.
__device__ __forceinline__ void reportSums(const StepArgs &args, double sum, double regularization) {
  __shared__ double scratch[2][kWarp];
  const Int block = static_cast<Int>(blockIdx.y) * gridDim.x + blockIdx.x;
  if (args.sums) {
    const double total = blockSum(sum, scratch[0]);
    if (threadIdx.x == 0)
      args.sums[block] = total;
  }
  if (args.regularizations) {
    const double total = blockSum(regularization, scratch[1]);
    if (threadIdx.x == 0)
      args.regularizations[block] = total;
  }
}
} // namespace sn::cuda
