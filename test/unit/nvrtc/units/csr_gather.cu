// instance: Gather<sn::cuda::Csr, sn::cuda::NoOptimizer, 0>
// instance: Gather<sn::cuda::Dense, sn::cuda::NoOptimizer, 0>
#include "kernels-templates/cuda/csr_gather.cuh"
#include "test/unit/nvrtc/units/slots.cuh"

SN_KERNEL(Gather, CsrGather<Hidden>)
