// instance: Wide<sn::cuda::Csr, optimizer::Adam, 0>
// instance: Wide<sn::cuda::Csr, optimizer::Adam, 1>
// instance: Wide<sn::cuda::Csr, optimizer::Adam, 3>
// instance: Wide<sn::cuda::Csr, optimizer::Adam, 4>
// instance: Wide<sn::cuda::Csr, optimizer::Adam, 5>
// instance: Wide<sn::cuda::Csr, optimizer::Adam, 8>
// instance: Wide<sn::cuda::Csr, optimizer::Adam, 11>
// instance: Wide<sn::cuda::Csr, optimizer::Adam, 12>
// instance: Wide<sn::cuda::Csr, optimizer::Adam, 13>
// instance: Wide<sn::cuda::CsrStoredOnly, optimizer::Adam, 8>
// instance: Wide<sn::cuda::CsrStoredOnly, optimizer::Adam, 11>
// instance: Wide<sn::cuda::CsrStoredOnly, optimizer::Adam, 12>
// instance: Wide<sn::cuda::Dense, optimizer::Adam, 8>
// instance: Wide<sn::cuda::Dense, optimizer::Adam, 11>
// instance: Wide<sn::cuda::Dense, optimizer::Adam, 12>
// instance: Scaled<sn::cuda::Csr, optimizer::Adam, 8>
#include "kernels-templates/cuda/wide_output.cuh"
#include "test/unit/nvrtc/units/slots.cuh"

SN_KERNEL(Wide, WideOutput<Sweep::Single, Loss<TargetWeight>>)
SN_KERNEL(Scaled, WideOutput<Sweep::Single, Loss<TargetScale>>)
