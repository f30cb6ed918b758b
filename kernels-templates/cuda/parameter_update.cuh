// update: the optimizer over a whole parameter, with a gradient that several kernels have added up in a buffer.
#pragma once
#include "kernels-templates/cuda/slot.cuh"

namespace sn::cuda {
/// args.source: the parameter and its extents; `descent` is the gradient, of the parameter's shape and layout, applied
/// as it is. `Decays`: by the optimizer's rule for weights, else for biases. A thread takes four neighbours at a time:
/// bound by memory, with 16 bytes to an access.
template <bool Decays, class Weights = Fp32Weights> class ParameterUpdate {
public:
  template <class Loader, class Optimizer, int Pass> static __device__ void run(const StepArgs &args) {
    if constexpr (Decays)
      update<typename Optimizer::Weights>(args);
    else
      update<typename Optimizer::Bias>(args);
  }

private:
  template <class Rule> static __device__ __forceinline__ void update(const StepArgs &args) {
    const Source &source = args.source;
    const Int size = source.inner * source.outer, fours = size / 4, stride = static_cast<Int>(gridDim.x) * kThreads,
              thread = static_cast<Int>(blockIdx.x) * kThreads + threadIdx.x;
    double regularization = 0;
    for (Int four = thread; four < fours; four += stride) {
      const auto before = Rule::template load4<Weights>(source.weights, 4 * four);
      const float4 gradient = *reinterpret_cast<const float4 *>(source.descent + 4 * four);
      Rule::template update4<Weights>(args, source.weights, 4 * four, before, gradient, regularization);
    }
    if (const Int last = 4 * fours + thread; last < size)
      Rule::template apply<Weights>(args, source.weights, last, source.descent[last], regularization);
    reportSums(args, 0, regularization);
  }
};
} // namespace sn::cuda
