// update: the optimizer over a whole parameter, with a gradient that several kernels have added up in a buffer.
#pragma once
#include "kernels-templates/cuda/slot.cuh"

namespace sn::cuda {
/// args.source: the parameter and its extents; `descent` is the gradient, of the parameter's shape and layout, applied
/// as it is. `Decays`: by the optimizer's rule for weights, else for biases.
template <bool Decays> class ParameterUpdate {
public:
  template <class Loader, class Optimizer, int Pass> static __device__ void run(const StepArgs &args) {
    const Source &source = args.source;
    const Int size = source.inner * source.outer, stride = static_cast<Int>(gridDim.x) * kThreads;
    double regularization = 0;
    for (Int i = static_cast<Int>(blockIdx.x) * kThreads + threadIdx.x; i < size; i += stride) {
      if constexpr (Decays)
        Optimizer::Weights::apply(args, source.weights, i, source.descent[i], regularization);
      else
        Optimizer::Bias::apply(args, source.weights, i, source.descent[i], regularization);
    }
    reportSums(args, 0, regularization);
  }
};
} // namespace sn::cuda
