// instance: Product<Precision::Tf32, sn::cuda::NoData, sn::cuda::NoOptimizer, 0>
// instance: Product<Precision::Tf32, sn::cuda::NoData, sn::cuda::NoOptimizer, 1>
// instance: Product<Precision::Tf32, sn::cuda::NoData, sn::cuda::NoOptimizer, 2>
// instance: Product<Precision::Bf16x3, sn::cuda::NoData, sn::cuda::NoOptimizer, 0>
// instance: Product<Precision::Bf16x3, sn::cuda::NoData, sn::cuda::NoOptimizer, 1>
// instance: Product<Precision::Bf16x3, sn::cuda::NoData, sn::cuda::NoOptimizer, 2>
// instance: Product<Precision::Bf16, sn::cuda::NoData, sn::cuda::NoOptimizer, 0>
// instance: Product<Precision::Bf16, sn::cuda::NoData, sn::cuda::NoOptimizer, 1>
// instance: Product<Precision::Bf16, sn::cuda::NoData, sn::cuda::NoOptimizer, 2>
// instance: Update<Precision::Tf32, sn::cuda::NoData, optimizer::Adam, 0>
// instance: Update<Precision::Bf16x3, sn::cuda::NoData, optimizer::Adam, 0>
// instance: Update<Precision::Bf16, sn::cuda::NoData, optimizer::Adam, 0>
#include "kernels-templates/cuda/gemm.cuh"
#include "kernels-templates/cuda/gemm_update.cuh"
#include "test/unit/nvrtc/units/mma_slots.cuh"

SN_MMA_KERNEL(Product, Gemm<Hidden, MmaTile<P>>)
SN_MMA_KERNEL(Update, GemmUpdateBy<MmaTile<P>>)
