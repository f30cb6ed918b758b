// instance: Single<sn::cuda::Csr, optimizer::Adam, 3>
// instance: Single<sn::cuda::Csr, optimizer::Adam, 4>
// instance: Single<sn::cuda::Csr, optimizer::Adam, 5>
// instance: Bf16<sn::cuda::Csr, optimizer::Adam, 3>
// instance: Bf16<sn::cuda::Csr, optimizer::Adam, 4>
// instance: Statistics<sn::cuda::NoData, sn::cuda::NoOptimizer, 0>
#include "kernels-templates/cuda/wide_output.cuh"
#include "kernels-templates/cuda/wide_softmax.cuh"
#include "test/unit/nvrtc/units/slots.cuh"

SN_KERNEL(Single, WideOutput<Sweep::Single, Loss<TargetWeight>, FfmaTile<128>>)
SN_KERNEL(Bf16, WideOutput<Sweep::Single, Loss<TargetWeight>, FfmaTile<128>, Bf16Weights>)
SN_KERNEL(Statistics, WideSoftmaxStatistics<Logit, FfmaTile<128>>)
