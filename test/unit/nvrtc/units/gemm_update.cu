// instance: Update<sn::cuda::NoData, optimizer::Adam, 0>
// instance: Update<sn::cuda::NoData, sn::cuda::NoOptimizer, 0>
#include "kernels-templates/cuda/gemm_update.cuh"
#include "test/unit/nvrtc/units/slots.cuh"

SN_KERNEL(Update, GemmUpdate)
