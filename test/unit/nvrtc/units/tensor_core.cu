// instance: Products<0>
// instance: Products<1>
#include "kernels-templates/cuda/tensor_core.cuh"

template <int Bf16>
__global__ void __launch_bounds__(32) Products(const float *a, const float *b, float *d, int inner) {
#if __CUDA_ARCH__ >= 800 // sm_75 has plain multiplications
  float *shared = sn::cuda::dynamicShared<float>();
  float sums[4] = {};
  for (int k = 0; k < inner; ++k) {
    sn::cuda::copyAsync<16>(shared + threadIdx.x * 4, a + k * 128 + threadIdx.x * 4, 12);
    sn::cuda::copyAsync<8>(shared + 128 + threadIdx.x * 2, b + k * 64 + threadIdx.x * 2);
    sn::cuda::commitCopies();
    sn::cuda::copyAsync<4>(shared + 192 + threadIdx.x, b + k * 64 + threadIdx.x);
    sn::cuda::commitCopies();
    sn::cuda::waitCopies<1>();
    sn::cuda::waitCopies<0>();
    __syncthreads();
    unsigned left[4], right[2];
    for (int i = 0; i < 4; ++i)
      left[i] = Bf16 ? sn::cuda::bf16Pair(shared[i], shared[i + 4]) : sn::cuda::tf32Bits(shared[threadIdx.x + 32 * i]);
    for (int i = 0; i < 2; ++i)
      right[i] = Bf16 ? sn::cuda::bf16Pair(shared[128 + i], shared[192]) : sn::cuda::tf32Bits(shared[128 + i]);
    if constexpr (Bf16)
      sn::cuda::mmaBf16(sums, left, right);
    else
      sn::cuda::mmaTf32(sums, left, right);
    __syncthreads();
  }
  for (int i = 0; i < 4; ++i)
    d[threadIdx.x * 4 + i] = sums[i];
#endif
}
