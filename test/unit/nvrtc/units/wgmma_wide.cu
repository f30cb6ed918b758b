// instance: Single<Precision::Tf32, sn::cuda::Csr, optimizer::Adam, 1>
// instance: Single<Precision::Tf32, sn::cuda::Csr, optimizer::Adam, 3>
// instance: Single<Precision::Tf32, sn::cuda::Csr, optimizer::Adam, 4>
// instance: Single<Precision::Tf32, sn::cuda::Csr, optimizer::Adam, 5>
// instance: Single<Precision::Tf32, sn::cuda::Csr, optimizer::Adam, 11>
// instance: Single<Precision::Tf32, sn::cuda::Csr, optimizer::Adam, 13>
// instance: Forward<Precision::Tf32, sn::cuda::Csr, sn::cuda::NoOptimizer, 0>
// instance: Forward<Precision::Tf32, sn::cuda::Csr, sn::cuda::NoOptimizer, 8>
// instance: Single<Precision::Bf16x3, sn::cuda::Csr, optimizer::Adam, 1>
// instance: Single<Precision::Bf16x3, sn::cuda::Csr, optimizer::Adam, 3>
// instance: Single<Precision::Bf16x3, sn::cuda::Csr, optimizer::Adam, 4>
// instance: Single<Precision::Bf16x3, sn::cuda::Csr, optimizer::Adam, 5>
// instance: Single<Precision::Bf16x3, sn::cuda::Csr, optimizer::Adam, 11>
// instance: Single<Precision::Bf16x3, sn::cuda::Csr, optimizer::Adam, 13>
// instance: Forward<Precision::Bf16x3, sn::cuda::Csr, sn::cuda::NoOptimizer, 0>
// instance: Forward<Precision::Bf16x3, sn::cuda::Csr, sn::cuda::NoOptimizer, 8>
// instance: Single<Precision::Bf16, sn::cuda::Csr, optimizer::Adam, 1>
// instance: Single<Precision::Bf16, sn::cuda::Csr, optimizer::Adam, 3>
// instance: Single<Precision::Bf16, sn::cuda::Csr, optimizer::Adam, 4>
// instance: Single<Precision::Bf16, sn::cuda::Csr, optimizer::Adam, 5>
// instance: Single<Precision::Bf16, sn::cuda::Csr, optimizer::Adam, 11>
// instance: Single<Precision::Bf16, sn::cuda::Csr, optimizer::Adam, 13>
// instance: Forward<Precision::Bf16, sn::cuda::Csr, sn::cuda::NoOptimizer, 0>
// instance: Forward<Precision::Bf16, sn::cuda::Csr, sn::cuda::NoOptimizer, 8>
// instance: Change<Precision::Tf32, sn::cuda::Csr, optimizer::Adam, 0>
// instance: Change<Precision::Bf16, sn::cuda::Dense, optimizer::Adam, 0>
// instance: Norm<Precision::Tf32, sn::cuda::Csr, sn::cuda::NoOptimizer, 0>
#include "kernels-templates/cuda/wide_output.cuh"
#include "test/unit/nvrtc/units/wgmma_slots.cuh"

SN_WGMMA_KERNEL(Single, WideOutput<Sweep::Single, Loss<TargetWeight>, WgmmaTile<P>>)
SN_WGMMA_KERNEL(Forward, WideOutput<Sweep::Forward, Loss<TargetWeight>, WgmmaTile<P>>)
SN_WGMMA_KERNEL(Change, WideOutput<Sweep::Update, Loss<TargetWeight>, WgmmaTile<P>, Bf16Weights>)
SN_WGMMA_KERNEL(Norm, WideOutput<Sweep::Norm, Loss<TargetWeight>, WgmmaTile<P>>)
