// instance: Wide<sn::cuda::Csr, optimizer::Adam, 0>
// instance: Wide<sn::cuda::Csr, optimizer::Adam, 8>
// instance: Wide<sn::cuda::CsrStoredOnly, optimizer::Adam, 0>
// instance: Wide<sn::cuda::CsrStoredOnly, optimizer::Adam, 8>
// instance: Wide<sn::cuda::Dense, optimizer::Adam, 0>
// instance: Wide<sn::cuda::Dense, optimizer::Adam, 8>
// instance: Wide<sn::cuda::Csr, optimizer::Adam, 1>
// instance: Scaled<sn::cuda::Csr, optimizer::Adam, 8>
#include "kernels-templates/cuda/wide_output.cuh"
#include "test/unit/nvrtc/units/slots.cuh"

SN_KERNEL(Wide, WideOutput<Sweep::Update, Loss<TargetWeight>>)
SN_KERNEL(Scaled, WideOutput<Sweep::Update, Loss<TargetScale>>)
