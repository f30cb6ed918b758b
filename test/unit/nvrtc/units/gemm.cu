// instance: Product<sn::cuda::NoData, sn::cuda::NoOptimizer, 0>
// instance: Product<sn::cuda::NoData, sn::cuda::NoOptimizer, 1>
// instance: Product<sn::cuda::NoData, sn::cuda::NoOptimizer, 2>
#include "kernels-templates/cuda/gemm.cuh"
#include "test/unit/nvrtc/units/slots.cuh"

SN_KERNEL(Product, Gemm<Hidden>)
