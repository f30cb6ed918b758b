// instance: Bias_column_reduce<sn::cuda::NoData, optimizer::Adam, 0>
// instance: Bias_column_reduce<sn::cuda::NoData, optimizer::Adam, 1>
// instance: Mean_column_reduce<sn::cuda::NoData, sn::cuda::NoOptimizer, 0>
// instance: Mean_column_reduce<sn::cuda::NoData, sn::cuda::NoOptimizer, 1>
// instance: Both_column_reduce<sn::cuda::NoData, optimizer::Adam, 1>
#include "kernels-templates/cuda/column_reduce.cuh"

namespace optimizer {
struct slot_adam { // value, gradient, two moments; Alpha, Mu, Mu1, Lambda
  static __device__ __forceinline__ void run(const float *in, const float *scalars, float *out, double &sum) {
    const float gradient = in[1] - scalars[3] * in[0];
    out[1] = scalars[1] * in[2] + (1.0f - scalars[1]) * gradient;
    out[2] = scalars[2] * in[3] + (1.0f - scalars[2]) * gradient * gradient;
    out[0] = in[0] + scalars[0] * out[1] / (sqrtf(out[2]) + 1e-8f);
    sum += static_cast<double>(0.5f * scalars[3] * in[0] * in[0]);
  }
};
struct Adam {
  using Weights = sn::cuda::UpdateRule<slot_adam, 2>;
  using Bias = sn::cuda::UpdateRule<slot_adam, 2>;
};
} // namespace optimizer
struct slot_product { // delta times activation
  static constexpr int kInputs = 2, kOutputs = 1, kScalars = 0;
  static constexpr bool kSum = false;
  static __device__ __forceinline__ void run(const float *in, const float *scalars, float *out, double &sum) {
    out[0] = in[0] * in[1];
  }
};
struct slot_finish { // mean over the batch
  static constexpr int kInputs = 1, kOutputs = 1, kScalars = 1;
  static constexpr bool kSum = true;
  static __device__ __forceinline__ void run(const float *in, const float *scalars, float *out, double &sum) {
    out[0] = in[0] / scalars[0];
    sum += static_cast<double>(in[0]);
  }
};
template <class Loader, class Optimizer, int Pass>
__global__ void __launch_bounds__(sn::cuda::kThreads, 1) Bias_column_reduce(const __grid_constant__ sn::cuda::StepArgs args) {
  sn::cuda::ColumnReduce<sn::cuda::Slot<slot_product, sn::cuda::List<sn::cuda::Element<0>, sn::cuda::Element<1>>, sn::cuda::List<sn::cuda::Delta>, sn::cuda::List<>>, sn::cuda::NoSlot>::template run<Loader, Optimizer, Pass>(args);
}
template <class Loader, class Optimizer, int Pass>
__global__ void __launch_bounds__(sn::cuda::kThreads, 1) Mean_column_reduce(const __grid_constant__ sn::cuda::StepArgs args) {
  sn::cuda::ColumnReduce<sn::cuda::Slot<slot_product, sn::cuda::List<sn::cuda::Element<0>, sn::cuda::Element<1>>, sn::cuda::List<sn::cuda::Delta>, sn::cuda::List<>>,
                          sn::cuda::Slot<slot_finish, sn::cuda::List<sn::cuda::Accumulator>, sn::cuda::List<sn::cuda::Column<2>>, sn::cuda::List<sn::cuda::Hyper<0>>>>::template run<Loader, Optimizer, Pass>(args);
}
template <class Loader, class Optimizer, int Pass>
__global__ void __launch_bounds__(sn::cuda::kThreads, 1) Both_column_reduce(const __grid_constant__ sn::cuda::StepArgs args) {
  sn::cuda::ColumnReduce<sn::cuda::Slot<slot_product, sn::cuda::List<sn::cuda::Element<0>, sn::cuda::Element<1>>, sn::cuda::List<sn::cuda::Delta>, sn::cuda::List<>>,
                          sn::cuda::Slot<slot_finish, sn::cuda::List<sn::cuda::Accumulator>, sn::cuda::List<sn::cuda::Column<2>>, sn::cuda::List<sn::cuda::Hyper<0>>>>::template run<Loader, Optimizer, Pass>(args);
}
