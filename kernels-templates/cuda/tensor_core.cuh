// Tensor-core products and asynchronous copies to shared memory: PTX behind functions, with a twin in the emulator. For
// sm_80 and later. Fragments are laid out over the warp as PTX ISA, "Matrix Fragments for mma", says; with group = lane
// / 4 and t = lane % 4, an accumulator holds rows group, group + 8 (values 0 and 1, 2 and 3) and columns 2 t, 2 t + 1.
#pragma once
#include "kernels-templates/cuda/prelude.cuh"

namespace sn::cuda {
/// d [16, 8] += a [16, 8] b [8, 8], factors rounded to TF32 (tf32Bits), sums in fp32. a: (group, t), (group + 8, t),
/// (group, t + 4), (group + 8, t + 4); b: (t, group), (t + 4, group). All lanes of the warp must call it.
__device__ __forceinline__ void mmaTf32(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
#ifndef SN_EMULATOR
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
               "{%0, %1, %2, %3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
  emulator::mmaTf32(d, a, b);
#endif
}
/// d [16, 8] += a [16, 16] b [16, 8] of BF16, two in a register, the lower column (row of b) in the lower half, sums in
/// fp32. a: (group, 2 t), (group + 8, 2 t), (group, 2 t + 8), (group + 8, 2 t + 8); b: (2 t, group), (2 t + 8, group).
/// All lanes of the warp must call it.
__device__ __forceinline__ void mmaBf16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
#ifndef SN_EMULATOR
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
               "{%0, %1, %2, %3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
  emulator::mmaBf16(d, a, b);
#endif
}
/// The nearest TF32 value (10 bits of mantissa), ties away from zero, as the bits of a float.
__device__ __forceinline__ unsigned tf32Bits(float x) {
#ifndef SN_EMULATOR
  unsigned bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
  return bits;
#else
  return emulator::tf32Bits(x);
#endif
}
/// Two floats rounded to the nearest BF16, ties to even, as a register of mmaBf16.
__device__ __forceinline__ unsigned bf16Pair(float low, float high) {
#ifndef SN_EMULATOR
  unsigned bits;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(high), "f"(low));
  return bits;
#else
  return emulator::bf16Bits(low) | emulator::bf16Bits(high) << 16;
#endif
}

/// Begins to copy `Bytes` (4, 8 or 16, to which both addresses are aligned) from global to shared memory; only the
/// first `filled` bytes are read, zeros make up the rest. The shared memory must not be touched until the thread has
/// waited for the copy, nor by other threads until a barrier after that.
template <int Bytes> __device__ __forceinline__ void copyAsync(void *shared, const void *global, int filled = Bytes) {
  static_assert(Bytes == 4 || Bytes == 8 || Bytes == 16);
#ifndef SN_EMULATOR
  const unsigned to = static_cast<unsigned>(__cvta_generic_to_shared(shared));
  if constexpr (Bytes == 16) // past the first-level cache
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" : : "r"(to), "l"(global), "r"(filled) : "memory");
  else
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;"
                 :
                 : "r"(to), "l"(global), "n"(Bytes), "r"(filled)
                 : "memory");
#else
  emulator::copyAsync<Bytes>(shared, global, filled);
#endif
}
/// Ends a group: the thread's copies since the last one.
__device__ __forceinline__ void commitCopies() {
#ifndef SN_EMULATOR
  asm volatile("cp.async.commit_group;" : : : "memory");
#else
  emulator::commitCopies();
#endif
}
/// Waits until at most `Running` of the thread's groups, the latest, are not complete.
template <int Running> __device__ __forceinline__ void waitCopies() {
#ifndef SN_EMULATOR
  asm volatile("cp.async.wait_group %0;" : : "n"(Running) : "memory");
#else
  emulator::waitCopies(Running);
#endif
}
} // namespace sn::cuda
