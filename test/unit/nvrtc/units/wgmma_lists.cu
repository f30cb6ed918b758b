// instance: Statistics<Precision::Tf32, sn::cuda::NoData, sn::cuda::NoOptimizer, 0>
// instance: Statistics<Precision::Bf16x3, sn::cuda::NoData, sn::cuda::NoOptimizer, 0>
// instance: Statistics<Precision::Bf16, sn::cuda::NoData, sn::cuda::NoOptimizer, 0>
// instance: Topk<Precision::Tf32, sn::cuda::NoData, sn::cuda::NoOptimizer, 0>
// instance: Topk<Precision::Bf16, sn::cuda::Csr, sn::cuda::NoOptimizer, 0>
// instance: Gather<Precision::Tf32, sn::cuda::Dense, sn::cuda::NoOptimizer, 0>
// instance: Gathered<Precision::Tf32, sn::cuda::Dense, optimizer::Adam, 0>
#include "kernels-templates/cuda/csc_update.cuh"
#include "kernels-templates/cuda/csr_gather.cuh"
#include "kernels-templates/cuda/wide_softmax.cuh"
#include "kernels-templates/cuda/wide_topk.cuh"
#include "test/unit/nvrtc/units/wgmma_slots.cuh"

SN_WGMMA_KERNEL(Statistics, WideSoftmaxStatistics<Logit, WgmmaTile<P>>)
SN_WGMMA_KERNEL(Topk, WideTopk<Logit, WgmmaTile<P>>)
SN_WGMMA_KERNEL(Gather, CsrGather<Hidden, WgmmaTile<P>>)
SN_WGMMA_KERNEL(Gathered, CscUpdateBy<WgmmaTile<P>, Bf16Weights>)
