// instance: Wide<sn::cuda::Csr, sn::cuda::NoOptimizer, 0>
// instance: Wide<sn::cuda::CsrStoredOnly, sn::cuda::NoOptimizer, 0>
// instance: Wide<sn::cuda::Dense, sn::cuda::NoOptimizer, 0>
// instance: Wide<sn::cuda::Csr, sn::cuda::NoOptimizer, 8>
// instance: Wide<sn::cuda::Dense, sn::cuda::NoOptimizer, 8>
// instance: Scaled<sn::cuda::Csr, sn::cuda::NoOptimizer, 0>
#include "kernels-templates/cuda/wide_output.cuh"
#include "test/unit/nvrtc/units/slots.cuh"

SN_KERNEL(Wide, WideOutput<Sweep::Forward, Loss<TargetWeight>>)
SN_KERNEL(Scaled, WideOutput<Sweep::Forward, Loss<TargetScale>>)
