// Slots as the compiler prints them, for the units of this folder: sigmoid outputs under cross-entropy, a masked hidden
// layer, rows that read statistics, Adam.
#pragma once
#include "kernels-templates/cuda/slot.cuh"

using namespace sn::cuda;

template <int Inputs, int Outputs, int Scalars, bool Sum> struct Arity {
  static constexpr int kInputs = Inputs, kOutputs = Outputs, kScalars = Scalars;
  static constexpr bool kSum = Sum;
};

struct HiddenFunction : Arity<3, 1, 1, false> { // (accumulator, bias, mask; slope) -> unit
  static __device__ __forceinline__ void run(const float *in, const float *scalars, float *out, double &) {
    const float v0 = in[0] + in[1];
    out[0] = (v0 > 0.0f ? v0 : scalars[0] * v0) * in[2];
  }
};
using Hidden =
    Slot<HiddenFunction, List<Accumulator, Column<0>, Mask<1u, 0x3f000000u>>, List<Element<1>>, List<Hyper<0>>>;

/// Cross-entropy of a sigmoid with a target of 0 (inputs: accumulator, bias), 1, or any.
template <int Inputs> struct LossFunction : Arity<Inputs, 1, 1, true> {
  static __device__ __forceinline__ void run(const float *in, const float *scalars, float *out, double &sum) {
    const float v0 = in[0] + in[1];
    const float target = Inputs == 3 ? in[2] : 0.0f;
    const float v1 = expf(-fabsf(v0));
    const float v2 = (v0 >= 0.0f ? 1.0f : v1) / (v1 + 1.0f);
    out[0] = (v2 - target) * scalars[0];
    sum += static_cast<double>(((v0 > 0.0f ? v0 : 0.0f) + log1pf(v1) - target * v0) * scalars[0]);
  }
};
template <class Scalar>
using Background = Slot<LossFunction<2>, List<Accumulator, Column<0>>, List<Delta>, List<Scalar>>;
template <class Scalar>
using Stored = Slot<LossFunction<3>, List<Accumulator, Column<0>, Target>, List<Delta>, List<Scalar>>;
template <class Scalar>
using Loss = TargetSlots<NoSlot, Background<Scalar>, Stored<Scalar>, Stored<Scalar>, Stored<Scalar>>;

/// The same over elements of memory, for maps and reductions.
template <class Out>
using ElementBackground = Slot<LossFunction<2>, List<Element<0>, Column<1>>, List<Out>, List<TargetWeight>>;
template <class Out>
using ElementStored = Slot<LossFunction<3>, List<Element<0>, Column<1>, Target>, List<Out>, List<TargetWeight>>;
using ElementLoss = TargetSlots<NoSlot, ElementBackground<Element<2>>, ElementStored<Element<2>>,
                                ElementStored<Element<2>>, ElementStored<Element<2>>>;

struct SoftmaxFunction : Arity<3, 1, 2, false> { // (accumulator, bias, target; greatest, sum) -> delta
  static __device__ __forceinline__ void run(const float *in, const float *scalars, float *out, double &) {
    out[0] = expf(in[0] + in[1] - scalars[0]) / scalars[1] - in[2];
  }
};
using Softmax = Slot<SoftmaxFunction, List<Accumulator, Column<0>, Target>, List<Delta>, List<Row<1>, Row<2>>>;
using SoftmaxLoss = TargetSlots<NoSlot, Softmax, Softmax, Softmax, Softmax>;

struct SumFunction : Arity<2, 1, 0, false> {
  static __device__ __forceinline__ void run(const float *in, const float *, float *out, double &) {
    out[0] = in[0] + in[1];
  }
};
using Logit = Slot<SumFunction, List<Accumulator, Column<0>>, List<Delta>, List<>>;

struct AdamFunction : Arity<4, 3, 5, true> { // (value, gradient, mean, square; rate, decay, one, two, epsilon)
  static __device__ __forceinline__ void run(const float *in, const float *scalars, float *out, double &sum) {
    const float v0 = in[1] - scalars[1] * in[0];
    const float v1 = scalars[2] * in[2] + (1.0f - scalars[2]) * v0;
    const float v2 = scalars[3] * in[3] + (1.0f - scalars[3]) * v0 * v0;
    out[0] = in[0] + scalars[0] * v1 / (sqrtf(v2) + scalars[4]);
    out[1] = v1;
    out[2] = v2;
    sum += static_cast<double>(0.5f * scalars[1] * in[0] * in[0]);
  }
};
namespace optimizer {
struct Adam {
  using Weights = UpdateRule<AdamFunction, 2>;
  using Bias = UpdateRule<AdamFunction, 2>;
};
} // namespace optimizer

#define SN_KERNEL(NAME, ...)                                                                                           \
  template <class Loader, class Optimizer, int Pass>                                                                   \
  __global__ void __launch_bounds__(kThreads, 1) NAME(const __grid_constant__ StepArgs args) {                            \
    __VA_ARGS__::template run<Loader, Optimizer, Pass>(args);                                                          \
  }
