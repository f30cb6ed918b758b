// instance: Statistics<sn::cuda::NoData, sn::cuda::NoOptimizer, 0>
// instance: Statistics<sn::cuda::NoData, sn::cuda::NoOptimizer, 2>
// instance: Softmaxes<sn::cuda::Csr, optimizer::Adam, 0>
// instance: Softmaxes<sn::cuda::CsrStoredOnly, optimizer::Adam, 0>
// instance: Softmaxes<sn::cuda::Dense, optimizer::Adam, 0>
#include "kernels-templates/cuda/wide_softmax.cuh"
#include "test/unit/nvrtc/units/slots.cuh"

#include "kernels-templates/cuda/wide_output.cuh"
SN_KERNEL(Statistics, WideSoftmaxStatistics<Logit>)
SN_KERNEL(Softmaxes, WideOutput<Sweep::Single, SoftmaxLoss>)
