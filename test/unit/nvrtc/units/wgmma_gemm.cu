// instance: Product<Precision::Tf32, sn::cuda::NoData, sn::cuda::NoOptimizer, 0>
// instance: Product<Precision::Tf32, sn::cuda::NoData, sn::cuda::NoOptimizer, 1>
// instance: Product<Precision::Bf16x3, sn::cuda::NoData, sn::cuda::NoOptimizer, 0>
// instance: Product<Precision::Bf16x3, sn::cuda::NoData, sn::cuda::NoOptimizer, 1>
// instance: Product<Precision::Bf16, sn::cuda::NoData, sn::cuda::NoOptimizer, 0>
// instance: Product<Precision::Bf16, sn::cuda::NoData, sn::cuda::NoOptimizer, 1>
// instance: Update<Precision::Tf32, sn::cuda::NoData, optimizer::Adam, 0>
// instance: Update<Precision::Bf16x3, sn::cuda::NoData, optimizer::Adam, 0>
// instance: Update<Precision::Bf16, sn::cuda::NoData, optimizer::Adam, 0>
// instance: NarrowProduct<Precision::Bf16, sn::cuda::NoData, sn::cuda::NoOptimizer, 0>
// instance: NarrowUpdate<Precision::Bf16, sn::cuda::NoData, optimizer::Adam, 0>
#include "kernels-templates/cuda/gemm.cuh"
#include "kernels-templates/cuda/gemm_update.cuh"
#include "test/unit/nvrtc/units/wgmma_slots.cuh"

SN_WGMMA_KERNEL(Product, Gemm<Hidden, WgmmaTile<P>>)
SN_WGMMA_KERNEL(Update, GemmUpdateBy<WgmmaTile<P>>)
SN_WGMMA_KERNEL(NarrowProduct, Gemm<Hidden, WgmmaTile<P>, Bf16Weights>)
SN_WGMMA_KERNEL(NarrowUpdate, GemmUpdateBy<WgmmaTile<P>, Bf16Weights>)
