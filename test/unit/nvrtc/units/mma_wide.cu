// instance: Single<Precision::Tf32, sn::cuda::Csr, optimizer::Adam, 0>
// instance: Single<Precision::Tf32, sn::cuda::Csr, optimizer::Adam, 4>
// instance: Single<Precision::Tf32, sn::cuda::Csr, optimizer::Adam, 8>
// instance: Single<Precision::Tf32, sn::cuda::Csr, optimizer::Adam, 11>
// instance: Single<Precision::Tf32, sn::cuda::Csr, optimizer::Adam, 12>
// instance: Single<Precision::Bf16x3, sn::cuda::Csr, optimizer::Adam, 8>
// instance: Single<Precision::Bf16x3, sn::cuda::Csr, optimizer::Adam, 12>
// instance: Single<Precision::Bf16, sn::cuda::Csr, optimizer::Adam, 8>
// instance: Single<Precision::Bf16, sn::cuda::Csr, optimizer::Adam, 12>
// instance: Forward<Precision::Bf16, sn::cuda::Csr, sn::cuda::NoOptimizer, 8>
// instance: Statistics<Precision::Tf32, sn::cuda::NoData, sn::cuda::NoOptimizer, 0>
// instance: Statistics<Precision::Bf16x3, sn::cuda::NoData, sn::cuda::NoOptimizer, 0>
// instance: Topk<Precision::Bf16, sn::cuda::NoData, sn::cuda::NoOptimizer, 0>
#include "kernels-templates/cuda/wide_output.cuh"
#include "kernels-templates/cuda/wide_softmax.cuh"
#include "kernels-templates/cuda/wide_topk.cuh"
#include "test/unit/nvrtc/units/mma_slots.cuh"

SN_MMA_KERNEL(Single, WideOutput<Sweep::Single, Loss<TargetWeight>, MmaTile<P>>)
SN_MMA_KERNEL(Forward, WideOutput<Sweep::Forward, Loss<TargetWeight>, MmaTile<P>>)
SN_MMA_KERNEL(Statistics, WideSoftmaxStatistics<Logit, MmaTile<P>>)
SN_MMA_KERNEL(Topk, WideTopk<Logit, MmaTile<P>>)
