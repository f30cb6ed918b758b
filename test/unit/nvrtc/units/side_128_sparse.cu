// Products of dense data and lists over tiles of 128 x 128.
// instance: Gather<sn::cuda::Dense, sn::cuda::NoOptimizer, 0>
// instance: Csc<sn::cuda::Dense, optimizer::Adam, 0>
// instance: Lists<sn::cuda::Csr, sn::cuda::NoOptimizer, 0>
// instance: Lists<sn::cuda::Csr, sn::cuda::NoOptimizer, 1>
#include "kernels-templates/cuda/csc_update.cuh"
#include "kernels-templates/cuda/csr_gather.cuh"
#include "kernels-templates/cuda/wide_topk.cuh"
#include "test/unit/nvrtc/units/slots.cuh"

SN_KERNEL(Gather, CsrGather<Hidden, FfmaTile<128>>)
SN_KERNEL(Csc, CscUpdateBy<FfmaTile<128>, Fp32Weights>)
SN_KERNEL(Lists, WideTopk<Logit, FfmaTile<128>>)
