// instance: Hidden_csr_gather<sn::cuda::Csr, sn::cuda::NoOptimizer, 0>
// instance: Hidden_csr_gather<sn::cuda::Dense, sn::cuda::NoOptimizer, 0>
#include "kernels-templates/cuda/csr_gather.cuh"

struct slot_epilogue { // sigmoid(accumulator + bias) under a dropout mask
  static constexpr int kInputs = 3, kOutputs = 1, kScalars = 0;
  static constexpr bool kSum = false;
  static __device__ __forceinline__ void run(const float *in, const float *, float *out, double &) {
    const float v0 = in[0] + in[1];
    out[0] = 1.0f / (1.0f + expf(-v0)) * in[2];
  }
};
template <class Loader, class Optimizer, int Pass>
__global__ void __launch_bounds__(sn::cuda::kThreads) Hidden_csr_gather(const __grid_constant__ sn::cuda::StepArgs args) {
  sn::cuda::CsrGather<sn::cuda::Slot<slot_epilogue, sn::cuda::List<sn::cuda::Accumulator, sn::cuda::Column<0>, sn::cuda::Mask<1, 0x3f000000u>>,
                                     sn::cuda::List<sn::cuda::Element<1>>, sn::cuda::List<>>>::template run<Loader, Optimizer, Pass>(args);
}
