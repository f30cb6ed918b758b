// instance: Input_expand<sn::cuda::Csr, sn::cuda::NoOptimizer, 0>
// instance: Input_expand<sn::cuda::Dense, sn::cuda::NoOptimizer, 0>
#include "kernels-templates/cuda/expand.cuh"

struct slot_epilogue { // relu(accumulator + bias)
  static constexpr int kInputs = 2, kOutputs = 1, kScalars = 0;
  static constexpr bool kSum = false;
  static __device__ __forceinline__ void run(const float *in, const float *scalars, float *out, double &sum) {
    out[0] = fmaxf(in[0] + in[1], 0.0f);
  }
};
template <class Loader, class Optimizer, int Pass>
__global__ void __launch_bounds__(sn::cuda::kThreads, 1) Input_expand(const __grid_constant__ sn::cuda::StepArgs args) {
  sn::cuda::Expand<sn::cuda::Slot<slot_epilogue, sn::cuda::List<sn::cuda::Accumulator, sn::cuda::Column<0>>, sn::cuda::List<sn::cuda::Element<1>>, sn::cuda::List<>>>::template run<Loader, Optimizer, Pass>(args);
}
