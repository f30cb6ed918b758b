// Weights in BF16 memory: what reads them by rows, updates them, scales them; products by tensor cores and, where there
// are none, without.
// instance: Gather<sn::cuda::Csr, sn::cuda::NoOptimizer, 0>
// instance: Gather<sn::cuda::Dense, sn::cuda::NoOptimizer, 0>
// instance: GatherMma<Precision::Bf16, sn::cuda::Dense, sn::cuda::NoOptimizer, 0>
// instance: Csc<sn::cuda::Csr, optimizer::Adam, 6>
// instance: Csc<sn::cuda::Dense, optimizer::Adam, 0>
// instance: CscMma<Precision::Bf16, sn::cuda::Dense, optimizer::Adam, 0>
// instance: Whole<sn::cuda::NoData, optimizer::Adam, 0>
// instance: Limit<sn::cuda::NoData, sn::cuda::NoOptimizer, 0>
// instance: Limit<sn::cuda::NoData, sn::cuda::NoOptimizer, 2>
// instance: Lists<sn::cuda::Csr, sn::cuda::NoOptimizer, 0>
// instance: ListsMma<Precision::Bf16, sn::cuda::Csr, sn::cuda::NoOptimizer, 0>
#include "kernels-templates/cuda/csc_update.cuh"
#include "kernels-templates/cuda/csr_gather.cuh"
#include "kernels-templates/cuda/limit_norm.cuh"
#include "kernels-templates/cuda/parameter_update.cuh"
#include "kernels-templates/cuda/wide_topk.cuh"
#include "test/unit/nvrtc/units/mma_slots.cuh"

SN_KERNEL(Gather, CsrGather<Hidden, Tile, Bf16Weights>)
SN_MMA_KERNEL(GatherMma, CsrGather<Hidden, MmaTile<P>, Bf16Weights>)
SN_KERNEL(Csc, CscUpdateBy<Tile, Bf16Weights>)
SN_MMA_KERNEL(CscMma, CscUpdateBy<MmaTile<P>, Bf16Weights>)
SN_KERNEL(Whole, ParameterUpdate<true, Bf16Weights>)
SN_KERNEL(Limit, LimitNormOf<Bf16Weights>)
SN_KERNEL(Lists, WideTopk<Logit, Tile, Bf16Weights>)
SN_MMA_KERNEL(ListsMma, WideTopk<Logit, MmaTile<P>, Bf16Weights>)
