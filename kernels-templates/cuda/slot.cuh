// A slot: a pointwise function that the compiler prints, bound to operands by types. Evaluated element by element; what
// is not used costs nothing.
#pragma once
#include "kernels-templates/cuda/weights.cuh"

namespace sn::cuda {
// Operands, as runtime/plan/Plan.h, Role. Numbers are places in StepArgs::pointers or, from the slot's first, in
// hypers.
struct Accumulator {};
template <int Place> struct Element {};
template <int Place> struct Column {};
template <unsigned Stream, unsigned BitsOfP> struct Mask {};
struct Target {};
struct Index {};
struct Delta {};
template <int Place> struct Row {};
template <int Place> struct Hyper {};
template <int Number> struct Reduction {};
struct TargetWeight {};
struct TargetScale {};
struct TargetSum {};
struct TargetBinary {};
template <class... Items> struct List { static constexpr int kCount = sizeof...(Items); };

/// What a target row hands to slots as scalars.
struct RowTarget {
  float weight = 1, scale = 1, sum = 0, binary = 0;
};
/// One element and what the kernel at hand provides for it.
struct Place {
  Int row = 0;     // of the batch
  Int example = 0; // row of the data set
  Int column = 0;
  float accumulator = 0, target = 0;
  float delta = 0; // out: the tile-local result
  RowTarget rowTarget;
  const float *reductions = nullptr;
};

namespace operand {
__device__ __forceinline__ float load(Accumulator, const StepArgs &, const Frame &, const Place &at) {
  return at.accumulator;
}
template <int P>
__device__ __forceinline__ float load(Element<P>, const StepArgs &args, const Frame &, const Place &at) {
  return args.pointers[P][at.row * args.columns + at.column];
}
template <int P>
__device__ __forceinline__ float load(Column<P>, const StepArgs &args, const Frame &, const Place &at) {
  return args.pointers[P][at.column];
}
template <unsigned S, unsigned B>
__device__ __forceinline__ float load(Mask<S, B>, const StepArgs &, const Frame &frame, const Place &at) {
  return maskValue(randomWord(frame.seed, S, frame.epoch, at.example, at.column), __uint_as_float(B));
}
__device__ __forceinline__ float load(Target, const StepArgs &, const Frame &, const Place &at) { return at.target; }
__device__ __forceinline__ float load(Index, const StepArgs &, const Frame &, const Place &at) {
  return static_cast<float>(at.column);
}
__device__ __forceinline__ float load(Delta, const StepArgs &, const Frame &, const Place &at) { return at.delta; }
template <int P> __device__ __forceinline__ float load(Row<P>, const StepArgs &args, const Frame &, const Place &at) {
  return args.pointers[P][at.row];
}
template <int P> __device__ __forceinline__ float load(Hyper<P>, const StepArgs &args, const Frame &, const Place &) {
  return args.hypers[P];
}
template <int N> __device__ __forceinline__ float load(Reduction<N>, const StepArgs &, const Frame &, const Place &at) {
  return at.reductions[N];
}
__device__ __forceinline__ float load(TargetWeight, const StepArgs &, const Frame &, const Place &at) {
  return at.rowTarget.weight;
}
__device__ __forceinline__ float load(TargetScale, const StepArgs &, const Frame &, const Place &at) {
  return at.rowTarget.scale;
}
__device__ __forceinline__ float load(TargetSum, const StepArgs &, const Frame &, const Place &at) {
  return at.rowTarget.sum;
}
__device__ __forceinline__ float load(TargetBinary, const StepArgs &, const Frame &, const Place &at) {
  return at.rowTarget.binary;
}

__device__ __forceinline__ void store(Delta, const StepArgs &, Place &at, float value) { at.delta = value; }
template <int P> __device__ __forceinline__ void store(Element<P>, const StepArgs &args, Place &at, float value) {
  args.pointers[P][at.row * args.columns + at.column] = value;
}
template <int P> __device__ __forceinline__ void store(Column<P>, const StepArgs &args, Place &at, float value) {
  args.pointers[P][at.column] = value;
}

template <class Scalar> inline constexpr bool needsTargetSums = false;
template <> inline constexpr bool needsTargetSums<TargetScale> = true;
template <> inline constexpr bool needsTargetSums<TargetSum> = true;
} // namespace operand

/// `Function` has kInputs, kOutputs, kScalars, kSum and
/// `static __device__ void run(const float *in, const float *scalars, float *out, double &sum)`.
template <class Function, class In, class Out, class Scalars> struct Slot;
template <class Function, class... In, class... Out, class... Scalars>
struct Slot<Function, List<In...>, List<Out...>, List<Scalars...>> {
  static constexpr bool kPresent = true, kSum = Function::kSum;
  static constexpr bool kTargetSums = (false || ... || operand::needsTargetSums<Scalars>);

  /// The outputs of an element, not yet stored.
  struct Outputs {
    float values[sizeof...(Out) + 1];
  };
  static __device__ __forceinline__ Outputs evaluate(const StepArgs &args, const Frame &frame, const Place &at,
                                                     double &sum) {
    const float in[] = {operand::load(In{}, args, frame, at)..., 0.0f};
    const float scalars[] = {operand::load(Scalars{}, args, frame, at)..., 0.0f};
    Outputs out;
    Function::run(in, scalars, out.values, sum);
    return out;
  }
  /// Elements and columns go to memory, a delta to at.delta.
  static __device__ __forceinline__ void write(const StepArgs &args, Place &at, const Outputs &out) {
    int next = 0;
    (operand::store(Out{}, args, at, out.values[next++]), ...);
  }
  static __device__ __forceinline__ void clear(const StepArgs &args, Place &at) {
    (operand::store(Out{}, args, at, 0.0f), ...);
  }
  static __device__ __forceinline__ void run(const StepArgs &args, const Frame &frame, Place &at, double &sum) {
    write(args, at, evaluate(args, frame, at, sum));
  }
};
/// Where a step has no slot of some name.
struct NoSlot {
  static constexpr bool kPresent = false, kSum = false, kTargetSums = false;
};

// The loader kind of a step's data set: the template argument `Loader` of every kernel. How rows are stored beyond it
// (binary, indexed, weighted) is looked up at run time.
struct NoData {};        // the step has no data set
struct Csr {};           // sparse; a target's entries that are not stored are zeros that count
struct CsrStoredOnly {}; // sparse target, zeros ignored
struct Dense {};

/// The slots of a pointwise kernel: `Body` where the step has no target, else one for each loader kind.
template <class Body, class Background, class Stored, class StoredOnly, class DenseSlot> struct TargetSlots {
  static constexpr bool kPresent = true;
  static constexpr bool kTargetSums = Body::kTargetSums || Background::kTargetSums || Stored::kTargetSums ||
                                      StoredOnly::kTargetSums || DenseSlot::kTargetSums;
  /// One element; `isStored`: at.target is a stored entry of a sparse target. Stored entries replace the outputs of the
  /// background, which may take the memory of the inputs.
  template <class Loader>
  static __device__ __forceinline__ void run(const StepArgs &args, const Frame &frame, Place &at, bool isStored,
                                             double &sum);
};
namespace operand {
template <class A, class B> inline constexpr bool same = false;
template <class A> inline constexpr bool same<A, A> = true;
} // namespace operand
template <class Body, class Background, class Stored, class StoredOnly, class DenseSlot>
template <class Loader>
__device__ __forceinline__ void
TargetSlots<Body, Background, Stored, StoredOnly, DenseSlot>::run(const StepArgs &args, const Frame &frame, Place &at,
                                                                  bool isStored, double &sum) {
  if constexpr (operand::same<Loader, NoData>) {
    Body::run(args, frame, at, sum);
  } else if constexpr (operand::same<Loader, Dense>) {
    DenseSlot::run(args, frame, at, sum);
  } else if constexpr (operand::same<Loader, Csr>) {
    if (isStored) {
      const auto replacing = Stored::evaluate(args, frame, at, sum);
      Background::evaluate(args, frame, at, sum); // its part of the sum
      Stored::write(args, at, replacing);
    } else {
      Background::run(args, frame, at, sum);
    }
  } else {
    if (isStored)
      StoredOnly::run(args, frame, at, sum);
    else
      StoredOnly::clear(args, at);
  }
}

/// The optimizer's rule for one kind of parameter: inputs are the value, the descent gradient, then the states; outputs
/// the value and the states. `Storage` is how the values lie in memory (weights.cuh); states and biases are floats.
template <class Function, int States> struct UpdateRule {
  static_assert(States <= kStates);
  /// The value and states of one place before its update. Several may be loaded before the first is updated.
  struct Values {
    float value[States + 1];
  };
  template <class Storage = Fp32Weights>
  static __device__ __forceinline__ Values load(const Trained &trained, Int offset) {
    Values before;
    before.value[0] = Storage::load(trained.value, offset);
#pragma unroll
    for (int i = 0; i < States; ++i)
      before.value[i + 1] = trained.states[i][offset];
    return before;
  }
  template <class Storage = Fp32Weights>
  static __device__ __forceinline__ void update(const StepArgs &args, const Trained &trained, Int offset,
                                                const Values &before, float gradient, double &regularization) {
    const Values after = updated(args, before, gradient, regularization);
    Storage::store(args, trained, offset, after.value[0]);
#pragma unroll
    for (int i = 0; i < States; ++i)
      trained.states[i][offset] = after.value[i + 1];
  }
  /// Updates the value at `offset`; `regularization` grows by the rule's term.
  template <class Storage = Fp32Weights>
  static __device__ __forceinline__ void apply(const StepArgs &args, const Trained &trained, Int offset, float gradient,
                                               double &regularization) {
    update<Storage>(args, trained, offset, load<Storage>(trained, offset), gradient, regularization);
  }

  /// Places offset ... offset + 3, a multiple of four: the same bits as one by one, with a quarter of the loads, stores
  /// and, where an update is rounded by random numbers, of these.
  struct Values4 {
    float4 value[States + 1];
  };
  template <class Storage = Fp32Weights>
  static __device__ __forceinline__ Values4 load4(const Trained &trained, Int offset) {
    Values4 before;
    before.value[0] = Storage::load4(trained.value, offset);
#pragma unroll
    for (int i = 0; i < States; ++i)
      before.value[i + 1] = *reinterpret_cast<const float4 *>(trained.states[i] + offset);
    return before;
  }
  template <class Storage = Fp32Weights>
  static __device__ __forceinline__ void update4(const StepArgs &args, const Trained &trained, Int offset,
                                                 const Values4 &before, float4 gradient, double &regularization) {
    Values one[4];
#pragma unroll
    for (int i = 0; i < States + 1; ++i) {
      one[0].value[i] = before.value[i].x;
      one[1].value[i] = before.value[i].y;
      one[2].value[i] = before.value[i].z;
      one[3].value[i] = before.value[i].w;
    }
    one[0] = updated(args, one[0], gradient.x, regularization);
    one[1] = updated(args, one[1], gradient.y, regularization);
    one[2] = updated(args, one[2], gradient.z, regularization);
    one[3] = updated(args, one[3], gradient.w, regularization);
    const auto four = [&](int i) {
      return make_float4(one[0].value[i], one[1].value[i], one[2].value[i], one[3].value[i]);
    };
    Storage::store4(args, trained, offset, four(0));
#pragma unroll
    for (int i = 0; i < States; ++i)
      *reinterpret_cast<float4 *>(trained.states[i] + offset) = four(i + 1);
  }

private:
  static __device__ __forceinline__ Values updated(const StepArgs &args, const Values &before, float gradient,
                                                   double &regularization) {
    float in[States + 2];
    in[0] = before.value[0];
    in[1] = gradient;
#pragma unroll
    for (int i = 0; i < States; ++i)
      in[i + 2] = before.value[i + 1];
    Values after;
    Function::run(in, args.updateHypers, after.value, regularization);
    return after;
  }
};
/// The template argument `Optimizer` of every kernel has the types Weights and Bias; this one is for steps that update
/// nothing.
struct NoOptimizer {
  struct Weights {
    struct Values {};
    struct Values4 {};
    template <class Storage = Fp32Weights> static __device__ __forceinline__ Values load(const Trained &, Int) {
      return {};
    }
    template <class Storage = Fp32Weights>
    static __device__ __forceinline__ void update(const StepArgs &, const Trained &, Int, const Values &, float,
                                                  double &) {}
    template <class Storage = Fp32Weights>
    static __device__ __forceinline__ void apply(const StepArgs &, const Trained &, Int, float, double &) {}
    template <class Storage = Fp32Weights> static __device__ __forceinline__ Values4 load4(const Trained &, Int) {
      return {};
    }
    template <class Storage = Fp32Weights>
    static __device__ __forceinline__ void update4(const StepArgs &, const Trained &, Int, const Values4 &, float4,
                                                   double &) {}
  };
  using Bias = Weights;
};
/// The gradient of one value of a source's weights, complete and scaled: to the optimizer, or to its buffer.
template <class Optimizer, class Storage = Fp32Weights>
__device__ __forceinline__ void descend(const StepArgs &args, const Source &source, Int offset, float gradient,
                                        double &regularization) {
  if (!source.descent)
    Optimizer::Weights::template apply<Storage>(args, source.weights, offset, gradient, regularization);
  else if (source.accumulate)
    source.descent[offset] += gradient;
  else
    source.descent[offset] = gradient;
}
/// The gradients of places offset ... offset + 3, a multiple of four.
template <class Optimizer, class Storage = Fp32Weights>
__device__ __forceinline__ void descend4(const StepArgs &args, const Source &source, Int offset, float4 gradient,
                                         double &regularization) {
  using Rule = typename Optimizer::Weights;
  if (!source.descent) {
    Rule::template update4<Storage>(args, source.weights, offset, Rule::template load4<Storage>(source.weights, offset),
                                    gradient, regularization);
    return;
  }
  float4 *const to = reinterpret_cast<float4 *>(source.descent + offset);
  if (source.accumulate) {
    const float4 before = *to;
    gradient = make_float4(before.x + gradient.x, before.y + gradient.y, before.z + gradient.z, before.w + gradient.w);
  }
  *to = gradient;
}
} // namespace sn::cuda
