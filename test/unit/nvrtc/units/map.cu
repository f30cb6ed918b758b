// instance: Hidden_map<sn::cuda::NoData, sn::cuda::NoOptimizer, 0>
// instance: Mean_map<sn::cuda::NoData, sn::cuda::NoOptimizer, 0>
// instance: Output_map<sn::cuda::Csr, sn::cuda::NoOptimizer, 0>
// instance: Output_map<sn::cuda::CsrStoredOnly, sn::cuda::NoOptimizer, 0>
// instance: Output_map<sn::cuda::Dense, sn::cuda::NoOptimizer, 0>
#include "kernels-templates/cuda/map.cuh"

struct slot_body { // sigmoid, dropout, noise of a row
  static constexpr int kInputs = 3, kOutputs = 2, kScalars = 1;
  static constexpr bool kSum = true;
  static __device__ __forceinline__ void run(const float *in, const float *scalars, float *out, double &sum) {
    const float v = 1.0f / (1.0f + expf(-in[0]));
    out[0] = v * in[1] * scalars[0];
    out[1] = v * (1.0f - v) + in[2];
    sum += static_cast<double>(v);
  }
};
struct slot_background { // cross entropy of 0
  static constexpr int kInputs = 1, kOutputs = 1, kScalars = 1;
  static constexpr bool kSum = true;
  static __device__ __forceinline__ void run(const float *in, const float *scalars, float *out, double &sum) {
    const float z = in[0];
    out[0] = scalars[0] / (1.0f + expf(-z));
    sum += static_cast<double>(scalars[0] * (fmaxf(z, 0.0f) + log1pf(expf(-fabsf(z)))));
  }
};
struct slot_stored { // cross entropy of t
  static constexpr int kInputs = 2, kOutputs = 1, kScalars = 3;
  static constexpr bool kSum = true;
  static __device__ __forceinline__ void run(const float *in, const float *scalars, float *out, double &sum) {
    const float z = in[0], t = in[1] * scalars[1];
    out[0] = scalars[0] * (1.0f / (1.0f + expf(-z)) - t) + scalars[2];
    sum += static_cast<double>(scalars[0] * (fmaxf(z, 0.0f) - z * t + log1pf(expf(-fabsf(z)))));
  }
};
struct slot_vector { // running mean
  static constexpr int kInputs = 2, kOutputs = 1, kScalars = 1;
  static constexpr bool kSum = false;
  static __device__ __forceinline__ void run(const float *in, const float *scalars, float *out, double &sum) {
    out[0] = in[0] * scalars[0] + in[1] * (1.0f - scalars[0]);
  }
};
template <class Loader, class Optimizer, int Pass>
__global__ void __launch_bounds__(sn::cuda::kThreads, 1) Hidden_map(const __grid_constant__ sn::cuda::StepArgs args) {
  sn::cuda::Map<sn::cuda::TargetSlots<sn::cuda::Slot<slot_body, sn::cuda::List<sn::cuda::Element<0>, sn::cuda::Mask<1,0x3f000000u>, sn::cuda::Column<1>>, sn::cuda::List<sn::cuda::Element<0>, sn::cuda::Element<2>>, sn::cuda::List<sn::cuda::Row<3>>>,
                         sn::cuda::NoSlot, sn::cuda::NoSlot, sn::cuda::NoSlot, sn::cuda::NoSlot>, false>::template run<Loader, Optimizer, Pass>(args);
}
template <class Loader, class Optimizer, int Pass>
__global__ void __launch_bounds__(sn::cuda::kThreads, 1) Mean_map(const __grid_constant__ sn::cuda::StepArgs args) {
  sn::cuda::Map<sn::cuda::TargetSlots<sn::cuda::Slot<slot_vector, sn::cuda::List<sn::cuda::Column<0>, sn::cuda::Column<1>>, sn::cuda::List<sn::cuda::Column<0>>, sn::cuda::List<sn::cuda::Hyper<0>>>, sn::cuda::NoSlot, sn::cuda::NoSlot, sn::cuda::NoSlot, sn::cuda::NoSlot>, true>::template run<Loader, Optimizer, Pass>(args);
}
template <class Loader, class Optimizer, int Pass>
__global__ void __launch_bounds__(sn::cuda::kThreads, 1) Output_map(const __grid_constant__ sn::cuda::StepArgs args) {
  sn::cuda::Map<sn::cuda::TargetSlots<sn::cuda::NoSlot, sn::cuda::Slot<slot_background, sn::cuda::List<sn::cuda::Element<0>>, sn::cuda::List<sn::cuda::Element<1>>, sn::cuda::List<sn::cuda::TargetWeight>>,
                         sn::cuda::Slot<slot_stored, sn::cuda::List<sn::cuda::Element<0>, sn::cuda::Target>, sn::cuda::List<sn::cuda::Element<1>>, sn::cuda::List<sn::cuda::TargetWeight, sn::cuda::TargetScale, sn::cuda::TargetSum>>,
                         sn::cuda::Slot<slot_stored, sn::cuda::List<sn::cuda::Element<0>, sn::cuda::Target>, sn::cuda::List<sn::cuda::Element<1>>, sn::cuda::List<sn::cuda::TargetWeight, sn::cuda::TargetScale, sn::cuda::TargetSum>>,
                         sn::cuda::Slot<slot_stored, sn::cuda::List<sn::cuda::Element<0>, sn::cuda::Target>, sn::cuda::List<sn::cuda::Element<1>>, sn::cuda::List<sn::cuda::TargetWeight, sn::cuda::TargetScale, sn::cuda::TargetSum>>>, false>::template run<Loader, Optimizer, Pass>(args);
}
