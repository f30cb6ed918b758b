// instance: Norm_row_reduce<sn::cuda::NoData, sn::cuda::NoOptimizer, 0>
// instance: Softmax_row_reduce<sn::cuda::NoData, sn::cuda::NoOptimizer, 0>
// instance: Output_row_reduce<sn::cuda::Csr, sn::cuda::NoOptimizer, 0>
// instance: Output_row_reduce<sn::cuda::CsrStoredOnly, sn::cuda::NoOptimizer, 0>
// instance: Output_row_reduce<sn::cuda::Dense, sn::cuda::NoOptimizer, 0>
#include "kernels-templates/cuda/row_reduce.cuh"

struct slot_value { // the element
  static constexpr int kInputs = 1, kOutputs = 1, kScalars = 0;
  static constexpr bool kSum = false;
  static __device__ __forceinline__ void run(const float *in, const float *scalars, float *out, double &sum) {
    out[0] = in[0];
  }
};
struct slot_exp { // exp(z - max)
  static constexpr int kInputs = 1, kOutputs = 1, kScalars = 1;
  static constexpr bool kSum = false;
  static __device__ __forceinline__ void run(const float *in, const float *scalars, float *out, double &sum) {
    out[0] = expf(in[0] - scalars[0]);
  }
};
struct slot_softmax { // softmax
  static constexpr int kInputs = 1, kOutputs = 1, kScalars = 2;
  static constexpr bool kSum = false;
  static __device__ __forceinline__ void run(const float *in, const float *scalars, float *out, double &sum) {
    out[0] = expf(in[0] - scalars[0]) / scalars[1];
  }
};
struct slot_softmax_stored { // softmax less the target
  static constexpr int kInputs = 2, kOutputs = 1, kScalars = 4;
  static constexpr bool kSum = true;
  static __device__ __forceinline__ void run(const float *in, const float *scalars, float *out, double &sum) {
    const float p = expf(in[0] - scalars[0]) / scalars[1], t = in[1] * scalars[2];
    out[0] = p - t + scalars[3];
    sum -= static_cast<double>(t * logf(p));
  }
};
template <class Loader, class Optimizer, int Pass>
__global__ void __launch_bounds__(sn::cuda::kThreads, 1) Norm_row_reduce(const __grid_constant__ sn::cuda::StepArgs args) {
  sn::cuda::RowReduce<sn::cuda::List<sn::cuda::Reduce<sn::cuda::Slot<slot_value, sn::cuda::List<sn::cuda::Element<0>>, sn::cuda::List<sn::cuda::Delta>, sn::cuda::List<>>, true>,
                           sn::cuda::Reduce<sn::cuda::Slot<slot_exp, sn::cuda::List<sn::cuda::Element<0>>, sn::cuda::List<sn::cuda::Delta>, sn::cuda::List<sn::cuda::Reduction<0>>>, false>>, sn::cuda::NoSlot>::template run<Loader, Optimizer, Pass>(args);
}
template <class Loader, class Optimizer, int Pass>
__global__ void __launch_bounds__(sn::cuda::kThreads, 1) Softmax_row_reduce(const __grid_constant__ sn::cuda::StepArgs args) {
  sn::cuda::RowReduce<sn::cuda::List<sn::cuda::Reduce<sn::cuda::Slot<slot_value, sn::cuda::List<sn::cuda::Element<0>>, sn::cuda::List<sn::cuda::Delta>, sn::cuda::List<>>, true>,
                           sn::cuda::Reduce<sn::cuda::Slot<slot_exp, sn::cuda::List<sn::cuda::Element<0>>, sn::cuda::List<sn::cuda::Delta>, sn::cuda::List<sn::cuda::Reduction<0>>>, false>>,
                       sn::cuda::TargetSlots<sn::cuda::Slot<slot_softmax, sn::cuda::List<sn::cuda::Element<0>>, sn::cuda::List<sn::cuda::Element<1>>, sn::cuda::List<sn::cuda::Reduction<0>, sn::cuda::Reduction<1>>>, sn::cuda::NoSlot, sn::cuda::NoSlot, sn::cuda::NoSlot, sn::cuda::NoSlot>>::template run<Loader, Optimizer, Pass>(args);
}
template <class Loader, class Optimizer, int Pass>
__global__ void __launch_bounds__(sn::cuda::kThreads, 1) Output_row_reduce(const __grid_constant__ sn::cuda::StepArgs args) {
  sn::cuda::RowReduce<sn::cuda::List<sn::cuda::Reduce<sn::cuda::Slot<slot_value, sn::cuda::List<sn::cuda::Element<0>>, sn::cuda::List<sn::cuda::Delta>, sn::cuda::List<>>, true>,
                           sn::cuda::Reduce<sn::cuda::Slot<slot_exp, sn::cuda::List<sn::cuda::Element<0>>, sn::cuda::List<sn::cuda::Delta>, sn::cuda::List<sn::cuda::Reduction<0>>>, false>>,
                       sn::cuda::TargetSlots<sn::cuda::NoSlot, sn::cuda::Slot<slot_softmax, sn::cuda::List<sn::cuda::Element<0>>, sn::cuda::List<sn::cuda::Element<1>>, sn::cuda::List<sn::cuda::Reduction<0>, sn::cuda::Reduction<1>>>,
                                             sn::cuda::Slot<slot_softmax_stored, sn::cuda::List<sn::cuda::Element<0>, sn::cuda::Target>, sn::cuda::List<sn::cuda::Element<1>>, sn::cuda::List<sn::cuda::Reduction<0>, sn::cuda::Reduction<1>, sn::cuda::TargetScale, sn::cuda::TargetSum>>,
                                             sn::cuda::Slot<slot_softmax_stored, sn::cuda::List<sn::cuda::Element<0>, sn::cuda::Target>, sn::cuda::List<sn::cuda::Element<1>>, sn::cuda::List<sn::cuda::Reduction<0>, sn::cuda::Reduction<1>, sn::cuda::TargetScale, sn::cuda::TargetSum>>,
                                             sn::cuda::Slot<slot_softmax_stored, sn::cuda::List<sn::cuda::Element<0>, sn::cuda::Target>, sn::cuda::List<sn::cuda::Element<1>>, sn::cuda::List<sn::cuda::Reduction<0>, sn::cuda::Reduction<1>, sn::cuda::TargetScale, sn::cuda::TargetSum>>>>::template run<Loader, Optimizer, Pass>(args);
}
