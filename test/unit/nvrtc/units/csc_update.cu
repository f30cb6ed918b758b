// instance: Update<sn::cuda::Csr, optimizer::Adam, 0>
// instance: Update<sn::cuda::Csr, optimizer::Adam, 1>
// instance: Update<sn::cuda::Csr, optimizer::Adam, 2>
// instance: Update<sn::cuda::Csr, optimizer::Adam, 3>
// instance: Update<sn::cuda::Csr, optimizer::Adam, 4>
// instance: Update<sn::cuda::Csr, optimizer::Adam, 5>
// instance: Update<sn::cuda::Csr, optimizer::Adam, 6>
// instance: Update<sn::cuda::Dense, optimizer::Adam, 0>
// instance: Update<sn::cuda::Csr, sn::cuda::NoOptimizer, 6>
#include "kernels-templates/cuda/csc_update.cuh"
#include "test/unit/nvrtc/units/slots.cuh"

SN_KERNEL(Update, CscUpdate)
