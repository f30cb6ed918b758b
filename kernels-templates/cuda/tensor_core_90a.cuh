// What sm_90a has beside tensor_core.cuh: products of a warpgroup (wgmma), bulk copies to shared memory and the
// barriers in shared memory that count their bytes (mbarrier). PTX behind functions, with twins in the emulator.
//
// A warpgroup is 128 threads, from a multiple of 128 on; all of them call what is said to be a warpgroup's. Products
// and bulk copies see shared memory through the asynchronous proxy (PTX ISA, "Async proxy"): what threads store is
// theirs only after fenceProxyAsync() by those who stored it, and then a barrier.
#pragma once
#include "kernels-templates/cuda/tensor_core.cuh"

namespace sn::cuda {
/// Whether the architecture at hand has wgmma: sm_90a alone. A template, so that the question is asked by what uses it.
template <class>
inline constexpr bool kHasWgmma =
#if defined(__CUDA_ARCH__) && !defined(__CUDA_ARCH_FEAT_SM90_ALL)
    false;
#else
    true; // the emulator has it
#endif

/// A place in shared memory as PTX names it.
__device__ __forceinline__ unsigned sharedAddress(const void *shared) {
#ifndef SN_EMULATOR
  return static_cast<unsigned>(__cvta_generic_to_shared(shared));
#else
  return static_cast<unsigned>(reinterpret_cast<size_t>(shared));
#endif
}

// ---- Products of a warpgroup

/// Columns of a line of 128 bytes that wgmma takes from shared memory at a time: 32 bytes.
inline constexpr int kWgmmaBytes = 32;
/// The matrix descriptor (PTX ISA, "Matrix Descriptor Format") of lines of 128 bytes along the depth ("K-major") that
/// begin at `start`, a multiple of 1,024 but for the bytes by which the depth is advanced within the line (0, 32, 64 or
/// 96). Swizzle of 128 bytes: chunk c of 16 bytes of line i lies at i * 128 + (c ^ i % 8) * 16; 8 lines are a pattern,
/// and patterns follow each other by 1,024 bytes. Bits 0-13: address / 16; 16-29: leading offset, which swizzled
/// K-major layouts do not use (1); 32-45: from 8 lines to the next 8 / 16; 49-51: base offset, 0 for aligned patterns;
/// 62-63: 1, the swizzle of 128 bytes.
__device__ __forceinline__ unsigned long long wgmmaDescriptor(const void *start) {
  return static_cast<unsigned long long>((sharedAddress(start) & 0x3ffffu) >> 4) | 1ull << 16 |
         static_cast<unsigned long long>(1024 >> 4) << 32 | 1ull << 62;
}
/// The descriptor of what lies `bytes` further, a multiple of 16.
__device__ __forceinline__ unsigned long long advance(unsigned long long descriptor, int bytes) {
  return descriptor + static_cast<unsigned>(bytes >> 4);
}

#define SN_EIGHT(n, X) X(n), X(n + 1), X(n + 2), X(n + 3), X(n + 4), X(n + 5), X(n + 6), X(n + 7)
#define SN_SIXTY_FOUR(X)                                                                                               \
  SN_EIGHT(0, X), SN_EIGHT(8, X), SN_EIGHT(16, X), SN_EIGHT(24, X), SN_EIGHT(32, X), SN_EIGHT(40, X), SN_EIGHT(48, X), \
      SN_EIGHT(56, X)
#define SN_WGMMA_D                                                                                                     \
  "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, %20, %21, %22, %23, "    \
  "%24, %25, %26, %27, %28, %29, %30, %31, %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, "     \
  "%46, %47, %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63}, "
#define SN_WGMMA_SUM(n) "+f"(d[n])

/// Begins d [64, 128] += a [64, 8] b [128, 8]^T of TF32 values in shared memory, sums in fp32. Value i of a thread lies
/// in row warp % 4 * 16 + lane / 4 + i / 2 % 2 * 8 and column i / 4 * 8 + lane % 4 * 2 + i % 2 (PTX ISA, "Register
/// Fragments", accumulator D). Until wgmmaWait says that it is done, nobody may touch d, nor write what a and b
/// describe. A warpgroup's.
__device__ __forceinline__ void wgmmaTf32(float (&d)[64], unsigned long long a, unsigned long long b) {
#ifndef SN_EMULATOR
  asm volatile("{\n.reg .pred p;\nsetp.eq.u32 p, 0, 0;\n" // the predicate: add to d
               "wgmma.mma_async.sync.aligned.m64n128k8.f32.tf32.tf32 " SN_WGMMA_D "%64, %65, p, 1, 1;\n}"
               : SN_SIXTY_FOUR(SN_WGMMA_SUM)
               : "l"(a), "l"(b)
               : "memory");
#else
  emulator::wgmma(d, a, b, false);
#endif
}
/// The same for a [64, 16], b [128, 16] of BF16.
__device__ __forceinline__ void wgmmaBf16(float (&d)[64], unsigned long long a, unsigned long long b) {
#ifndef SN_EMULATOR
  asm volatile("{\n.reg .pred p;\nsetp.eq.u32 p, 0, 0;\n" // the last two: neither is transposed
               "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 " SN_WGMMA_D "%64, %65, p, 1, 1, 0, 0;\n}"
               : SN_SIXTY_FOUR(SN_WGMMA_SUM)
               : "l"(a), "l"(b)
               : "memory");
#else
  emulator::wgmma(d, a, b, true);
#endif
}
/// Orders what was done to registers of d before products on them: before the first product, and between a thread's
/// last touch of d and the next product. A warpgroup's.
__device__ __forceinline__ void wgmmaFence() {
#ifndef SN_EMULATOR
  asm volatile("wgmma.fence.sync.aligned;" : : : "memory");
#else
  emulator::wgmmaFence();
#endif
}
/// Keeps the compiler from moving what it does to d from before to after this place, or the other way round.
__device__ __forceinline__ void pinSums(float (&d)[64]) {
#ifndef SN_EMULATOR
  asm volatile("" : SN_SIXTY_FOUR(SN_WGMMA_SUM) : : "memory");
#else
  (void)d;
#endif
}
/// Ends a group: the warpgroup's products since the last one.
__device__ __forceinline__ void wgmmaCommit() {
#ifndef SN_EMULATOR
  asm volatile("wgmma.commit_group.sync.aligned;" : : : "memory");
#else
  emulator::wgmmaCommit();
#endif
}
/// Waits until at most `Running` of the warpgroup's groups, the latest, are not complete.
template <int Running> __device__ __forceinline__ void wgmmaWait() {
  static_assert(Running >= 0 && Running <= 7);
#ifndef SN_EMULATOR
  asm volatile("wgmma.wait_group.sync.aligned %0;" : : "n"(Running) : "memory");
#else
  emulator::wgmmaWait(Running);
#endif
}
#undef SN_WGMMA_SUM
#undef SN_WGMMA_D
#undef SN_SIXTY_FOUR
#undef SN_EIGHT

/// Shows the thread's stores to shared memory to products and bulk copies that begin after a barrier.
__device__ __forceinline__ void fenceProxyAsync() {
#ifndef SN_EMULATOR
  asm volatile("fence.proxy.async.shared::cta;" : : : "memory");
#else
  emulator::fenceProxyAsync();
#endif
}

// ---- Bulk copies

/// A barrier in shared memory, which goes through phases: one ends when `arrivals` have come and as many bytes have
/// landed as were announced. Phases have parities 0, 1, 0 ... One thread begins it; others may use it after
/// fenceProxyAsync() and a barrier of the block.
struct __align__(8) CopyBarrier {
  unsigned long long word;

  __device__ __forceinline__ void begin(int arrivals) {
#ifndef SN_EMULATOR
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" : : "r"(sharedAddress(this)), "r"(arrivals) : "memory");
#else
    emulator::barrierBegin(&word, arrivals);
#endif
  }
  /// One arrival, which announces `bytes` of this phase's copies.
  __device__ __forceinline__ void arriveExpecting(int bytes) {
#ifndef SN_EMULATOR
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;"
                 :
                 : "r"(sharedAddress(this)), "r"(bytes)
                 : "memory");
#else
    emulator::barrierArrive(&word, bytes);
#endif
  }
  __device__ __forceinline__ void arrive() {
#ifndef SN_EMULATOR
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" : : "r"(sharedAddress(this)) : "memory");
#else
    emulator::barrierArrive(&word, 0);
#endif
  }
  /// Waits for the end of the phase of this parity, the one at hand or the one before it. What landed in it may be
  /// read.
  __device__ __forceinline__ void wait(int parity) {
#ifndef SN_EMULATOR
    unsigned done;
    do {
      asm volatile("{\n.reg .pred p;\nmbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2;\nselp.b32 %0, 1, 0, p;\n}"
                   : "=r"(done)
                   : "r"(sharedAddress(this)), "r"(parity)
                   : "memory");
    } while (done == 0);
#else
    emulator::barrierWait(&word, parity);
#endif
  }
};
/// Begins to copy `bytes` from global to shared memory, a multiple of 16, as both addresses are; `barrier` is told when
/// they have landed. One thread's; nobody touches the shared memory until he has waited for the barrier's phase.
__device__ __forceinline__ void copyBulk(void *shared, const void *global, int bytes, CopyBarrier &barrier) {
#ifndef SN_EMULATOR
  asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];"
               :
               : "r"(sharedAddress(shared)), "l"(global), "r"(bytes), "r"(sharedAddress(&barrier))
               : "memory");
#else
  emulator::copyBulk(shared, global, bytes, &barrier.word);
#endif
}
} // namespace sn::cuda
