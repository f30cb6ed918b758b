// instance: Hidden_limit_norm<sn::cuda::NoData, sn::cuda::NoOptimizer, 0>
// instance: Hidden_limit_norm<sn::cuda::NoData, sn::cuda::NoOptimizer, 1>
// instance: Hidden_limit_norm<sn::cuda::NoData, sn::cuda::NoOptimizer, 2>
#include "kernels-templates/cuda/limit_norm.cuh"

template <class Loader, class Optimizer, int Pass>
__global__ void __launch_bounds__(sn::cuda::kThreads, 1) Hidden_limit_norm(const __grid_constant__ sn::cuda::StepArgs args) {
  sn::cuda::LimitNorm::run<Loader, Optimizer, Pass>(args);
}
