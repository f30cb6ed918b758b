// Kernels over the tiles of sm_90a; empty for architectures that WgmmaTile refuses.
#pragma once
#include "kernels-templates/cuda/wgmma_tile.cuh"
#include "test/unit/nvrtc/units/slots.cuh"

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
#define SN_WGMMA_RUN(...) __VA_ARGS__::template run<Loader, Optimizer, Pass>(args)
#else
#define SN_WGMMA_RUN(...)
#endif
#define SN_WGMMA_KERNEL(NAME, ...)                                                                                     \
  template <Precision P, class Loader, class Optimizer, int Pass>                                                      \
  __global__ void __launch_bounds__(kThreads, 1) NAME(const __grid_constant__ StepArgs args) {                         \
    SN_WGMMA_RUN(__VA_ARGS__);                                                                                         \
  }
