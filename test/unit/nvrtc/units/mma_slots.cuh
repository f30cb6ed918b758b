// Kernels over tensor-core tiles; empty for architectures that MmaTile refuses.
#pragma once
#include "kernels-templates/cuda/mma_tile.cuh"
#include "test/unit/nvrtc/units/slots.cuh"

#if __CUDA_ARCH__ >= 800
#define SN_MMA_RUN(...) __VA_ARGS__::template run<Loader, Optimizer, Pass>(args)
#else
#define SN_MMA_RUN(...)
#endif
#define SN_MMA_KERNEL(NAME, ...)                                                                                       \
  template <Precision P, class Loader, class Optimizer, int Pass>                                                      \
  __global__ void __launch_bounds__(kThreads, 1) NAME(const __grid_constant__ StepArgs args) {                         \
    SN_MMA_RUN(__VA_ARGS__);                                                                                           \
  }
