// instance: Single<Precision::Tf32, sn::cuda::Csr, optimizer::Adam, 1>
// instance: Single<Precision::Tf32, sn::cuda::Csr, optimizer::Adam, 3>
// instance: Single<Precision::Tf32, sn::cuda::Csr, optimizer::Adam, 4>
// instance: Single<Precision::Tf32, sn::cuda::Csr, optimizer::Adam, 5>
// instance: Single<Precision::Bf16x3, sn::cuda::Csr, optimizer::Adam, 3>
// instance: Single<Precision::Bf16x3, sn::cuda::Csr, optimizer::Adam, 4>
// instance: Bf16<Precision::Bf16, sn::cuda::Csr, optimizer::Adam, 3>
// instance: Bf16<Precision::Bf16, sn::cuda::Csr, optimizer::Adam, 4>
// instance: Bf16<Precision::Bf16, sn::cuda::Dense, optimizer::Adam, 3>
// instance: Bf16<Precision::Bf16, sn::cuda::Dense, optimizer::Adam, 4>
// instance: Norm<Precision::Tf32, sn::cuda::Csr, sn::cuda::NoOptimizer, 0>
// instance: Statistics<Precision::Tf32, sn::cuda::NoData, sn::cuda::NoOptimizer, 0>
#include "kernels-templates/cuda/wide_output.cuh"
#include "kernels-templates/cuda/wide_softmax.cuh"
#include "test/unit/nvrtc/units/mma_slots.cuh"

SN_MMA_KERNEL(Single, WideOutput<Sweep::Single, Loss<TargetWeight>, MmaTile<P, 128>>)
SN_MMA_KERNEL(Bf16, WideOutput<Sweep::Single, Loss<TargetWeight>, MmaTile<P, 128>, Bf16Weights>)
SN_MMA_KERNEL(Norm, WideOutput<Sweep::Norm, Loss<TargetWeight>, MmaTile<P, 128>>)
SN_MMA_KERNEL(Statistics, WideSoftmaxStatistics<Logit, MmaTile<P, 128>>)
