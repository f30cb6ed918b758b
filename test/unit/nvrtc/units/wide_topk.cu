// instance: Lists<sn::cuda::Csr, sn::cuda::NoOptimizer, 0>
// instance: Lists<sn::cuda::Csr, sn::cuda::NoOptimizer, 1>
// instance: Lists<sn::cuda::Dense, sn::cuda::NoOptimizer, 0>
// instance: Lists<sn::cuda::Dense, sn::cuda::NoOptimizer, 1>
#include "kernels-templates/cuda/wide_topk.cuh"
#include "test/unit/nvrtc/units/slots.cuh"

SN_KERNEL(Lists, WideTopk<Logit>)
