// instance: Copies
#include "kernels-templates/cuda/tensor_core_90a.cuh"

using namespace sn::cuda;

/// Lines of `bytes` through two stages of shared memory, by bulk copies.
__global__ void __launch_bounds__(kThreads, 1) Copies(const float *x, float *y, Int lines, int bytes) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  struct Shared {
    float line[2][1024];
    CopyBarrier full[2];
  };
  Shared &shared = *dynamicShared<Shared>();
  const auto begin = [&](Int line) {
    if (threadIdx.x == 0 && line < lines) {
      shared.full[line % 2].arriveExpecting(bytes);
      copyBulk(shared.line[line % 2], x + line * (bytes / 4), bytes, shared.full[line % 2]);
    }
  };
  if (threadIdx.x == 0) {
    shared.full[0].begin(1);
    shared.full[1].begin(1);
  }
  fenceProxyAsync();
  __syncthreads();
  begin(0);
  for (Int line = 0; line < lines; ++line) {
    begin(line + 1);
    shared.full[line % 2].wait(static_cast<int>(line / 2 % 2));
    y[line * kThreads + threadIdx.x] = shared.line[line % 2][threadIdx.x];
    __syncthreads();
  }
#endif
}
