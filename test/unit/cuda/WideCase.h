// Steps of wide_output on the emulator, compared with a plain computation in doubles: for tiles of every side, storages
// and schedules.
#pragma once
#include "test/unit/cuda/WideRig.h"
#include <map>
//
#include "kernels-templates/cuda/wide_output.cuh"

namespace sn::test::dense {
/// A loss of z = acc + bias that reads operands of every kind; w: weight of the example, h: a hyper-parameter, e: an
/// element, r: a row's value, s and b: sum of the target's row and whether it is binary.
///   l(z, t) = w h / 2 (z + e / 10 - t)^2 + s z / 100,   delta = dl/dz + b / 10 + r
enum class Kind { Whole, Background, Replacing }; // l(z, t); l(z, 0); adds l(z, t) - l(z, 0)
template <Kind K, bool Sums> struct Squares {
  static constexpr bool kSum = true;
  template <typename T> static T loss(T z, T e, T t, T w, T h, T s) {
    const T y = z + e / 10 - t;
    return w * h / 2 * y * y + s * z / 100;
  }
  template <typename T> static T delta(T z, T e, T t, T w, T h, T s, T b, T r) {
    return w * h * (z + e / 10 - t) + s / 100 + b / 10 + r;
  }
  static void run(const float *in, const float *scalars, float *out, double &sum) {
    const float z = in[0] + in[1], e = in[2], t = K == Kind::Background ? 0 : in[3];
    const float h = scalars[0], w = scalars[1], b = scalars[2], r = scalars[3], s = Sums ? scalars[4] : 0;
    out[0] = delta(z, e, t, w, h, s, b, r);
    out[1] = z;
    sum += double(loss(z, e, t, w, h, s));
    if (K == Kind::Replacing)
      sum -= double(loss(z, e, 0.0f, w, h, s));
  }
};
template <bool Sums> struct ScalarsOf { using Type = List<Hyper<1>, TargetWeight, TargetBinary, Row<2>>; };
template <> struct ScalarsOf<true> { using Type = List<Hyper<1>, TargetWeight, TargetBinary, Row<2>, TargetSum>; };
template <Kind K, bool Sums>
using LossSlot = Slot<Squares<K, Sums>, List<Accumulator, Column<0>, Element<1>, Target>, List<Delta, Element<3>>,
                      typename ScalarsOf<Sums>::Type>;
template <bool Sums>
using LossSlots =
    TargetSlots<LossSlot<Kind::Whole, false>, LossSlot<Kind::Background, Sums>, LossSlot<Kind::Replacing, Sums>,
                LossSlot<Kind::Whole, Sums>, LossSlot<Kind::Whole, Sums>>;

/// A step of wide_output and what it is compared with.
struct Case {
  Sweep sweep = Sweep::Single;
  rt::Loader loader = rt::Loader::CsrAnalog;
  bool storedOnly = false, hasTarget = true, sums = false;
  Int rows = 65, maxRows = 70, columns = 65;
  std::vector<SourceSpec> sources;
  bool transpose = false; // one more source, late
  int biases = 1;
  /// single: deltas are kept, as where slots store matrices; else formed again unless a tile has all rows.
  bool keeps = false;
};
template <class TileType> inline const Variant *variantOf() {
  return variantNamed(TileType::kSide == 64 ? "ffma_64" : "ffma_128");
}

/// Pass `pass` of a kernel over WideOutput.
template <template <Sweep> class Kernel, Sweep S, class Loader, class Optimizer>
void runWidePass(int pass, const StepArgs &args) {
  using Of = Kernel<S>;
  if constexpr (S == Sweep::Single || S == Sweep::Forward || S == Sweep::Update) {
    if (pass == wide::kHeld + wide::kSweep)
      return Of::template run<Loader, Optimizer, wide::kHeld + wide::kSweep>(args);
  }
  if constexpr (S == Sweep::Single) {
    if (pass == wide::kHeld + wide::kForward)
      return Of::template run<Loader, Optimizer, wide::kHeld + wide::kForward>(args);
    if (pass == wide::kHeld + wide::kUpdate)
      return Of::template run<Loader, Optimizer, wide::kHeld + wide::kUpdate>(args);
    if (pass == wide::kHeld + wide::kKeep)
      return Of::template run<Loader, Optimizer, wide::kHeld + wide::kKeep>(args);
  }
  if (pass == wide::kSweep)
    return Of::template run<Loader, Optimizer, wide::kSweep>(args);
  if constexpr (S == Sweep::Norm)
    if (pass == wide::kFinish)
      return Of::template run<Loader, Optimizer, wide::kFinish>(args);
  if constexpr (S == Sweep::Single || S == Sweep::Update)
    if (pass == wide::kDescend)
      return Of::template run<Loader, Optimizer, wide::kDescend>(args);
  if constexpr (S == Sweep::Single) {
    if (pass == wide::kForward)
      return Of::template run<Loader, Optimizer, wide::kForward>(args);
    if (pass == wide::kUpdate)
      return Of::template run<Loader, Optimizer, wide::kUpdate>(args);
    if (pass == wide::kKeep)
      return Of::template run<Loader, Optimizer, wide::kKeep>(args);
  }
  throw std::logic_error("a sweep has no pass " + std::to_string(pass));
}

template <class TileType> class WideCase {
public:
  explicit WideCase(const Case &of) : of(of), rig(of.rows, of.maxRows, of.columns) {
    rig.args.wideLanes = rt::cuda::wideLanesOf(*variantOf<TileType>(), of.maxRows, of.columns);
    for (const SourceSpec &spec : of.sources)
      rig.add(spec, of.columns);
    if (of.transpose)
      rig.addTransposeOfLast();
    for (int b = 0; b < of.biases; ++b)
      rig.addBias(of.columns);
    if (of.hasTarget)
      rig.setTarget(of.loader);
    rig.args.hypers = hypers;
    rig.args.pointers[0] = of.biases ? rig.biases[0].trained.value : rig.uniform(of.columns);
    rig.args.pointers[1] = rig.batch(of.columns);
    rig.args.pointers[2] = rig.batch(1);
    rig.args.pointers[3] = rig.floats(of.maxRows * of.columns, kNaN);
    rig.args.rows[0] = rig.floats(of.maxRows, kNaN);
    rig.step.sweep = kNames[static_cast<int>(of.sweep)];
    rig.step.target = of.hasTarget ? "target" : "";
    plan::SlotArg matrix;
    matrix.role = plan::Role::Element;
    if (of.keeps)
      rig.step.slots["dense"].out.push_back(matrix);
    plan::SlotArg scalar;
    scalar.role = plan::Role::TargetSum;
    if (of.sums)
      rig.step.slots["dense"].scalars.push_back(scalar);
  }

  /// Runs twice, the second time from what the first left, blocks in another order; then once more from the beginning
  /// in a third order: the same bits.
  void check() {
    rig.args.biasCount = static_cast<int>(rig.biases.size());
    const rt::cuda::StepShape shape{rig.step, rig.args, rig.sources, rig.loader, variantOf<TileType>()};
    const auto launches = rt::cuda::wideOutputLaunches(shape);
    if (of.sweep == Sweep::Single)
      EXPECT_EQ(rt::cuda::scheduleOf(shape).substr(0, 3), of.maxRows <= 64 && TileType::kSide == 64 ? "one"
                                                          : of.keeps                                ? "sto"
                                                                                                    : "two");
    std::vector<float> trained = snapshot(), first;
    for (uint64_t order : {0, 9}) {
      compute();
      sn::emulator::setOrder(order);
      const WideRig::Sums sums = rig.run(launches, kernel());
      compare(sums);
      if (first.empty())
        first = snapshot();
    }
    restore(trained);
    sn::emulator::setOrder(77);
    rig.run(launches, kernel());
    sn::emulator::setOrder(0);
    const std::vector<float> again = snapshot();
    EXPECT_EQ(0, std::memcmp(first.data(), again.data(), again.size() * sizeof(float)))
        << "depends on the order of blocks or on what was in the workspace";
  }

private:
  static constexpr const char *kNames[] = {"single", "forward", "update", "loss", "norm"};
  static constexpr float kHyper = 0.75f;
  bool updates() const { return of.sweep == Sweep::Single || of.sweep == Sweep::Update; }

  template <bool Sums> struct Of { template <Sweep S> using Kernel = WideOutput<S, LossSlots<Sums>, TileType>; };
  template <Sweep S, bool Sums, class Loader> static void runAs(int pass, const StepArgs &args) {
    runWidePass<Of<Sums>::template Kernel, S, Loader, Momentum>(pass, args);
  }
  /// Of the large tile those with sums: compilers take their time.
  template <Sweep S> std::function<void(int, const StepArgs &)> kernelOf() const {
    if constexpr (TileType::kSide == 64) {
      if (!of.hasTarget)
        return runAs<S, false, NoData>;
      if (!of.sums && of.loader == rt::Loader::Dense)
        return runAs<S, false, Dense>;
      if (!of.sums)
        return of.storedOnly ? runAs<S, false, CsrStoredOnly> : runAs<S, false, Csr>;
    }
    if (!of.sums || !of.hasTarget)
      throw std::logic_error("no kernel for this case");
    if (of.loader == rt::Loader::Dense)
      return runAs<S, true, Dense>;
    return of.storedOnly ? runAs<S, true, CsrStoredOnly> : runAs<S, true, Csr>;
  }
  std::function<void(int, const StepArgs &)> kernel() const {
    switch (of.sweep) {
    case Sweep::Single:
      return kernelOf<Sweep::Single>();
    case Sweep::Forward:
      return kernelOf<Sweep::Forward>();
    case Sweep::Update:
      return kernelOf<Sweep::Update>();
    case Sweep::Loss:
      return kernelOf<Sweep::Loss>();
    default:
      return kernelOf<Sweep::Norm>();
    }
  }

  /// Every tensor that the step may change.
  std::vector<std::pair<float *, Int>> tensors() const {
    std::vector<std::pair<float *, Int>> result;
    for (const Source &source : rig.sources) {
      const Int size = source.inner * source.outer;
      result.push_back({source.weights.value, size});
      result.push_back({source.weights.states[0], size});
      if (source.descent)
        result.push_back({source.descent, size});
      if (source.gradient)
        result.push_back({source.gradient, of.rows * source.inner});
    }
    for (const Bias &bias : rig.biases) {
      result.push_back({bias.trained.value, bias.size});
      result.push_back({bias.trained.states[0], bias.size});
    }
    result.push_back({rig.args.rows[0], of.rows});
    return result;
  }
  std::vector<float> snapshot() const {
    std::vector<float> all;
    for (auto [values, count] : tensors())
      all.insert(all.end(), values, values + count);
    return all;
  }
  void restore(const std::vector<float> &all) {
    size_t at = 0;
    for (auto [values, count] : tensors()) {
      std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(at), count, values);
      at += static_cast<size_t>(count);
    }
  }

  /// What the next run must give, from what the rig holds now.
  void compute() {
    const Int columns = of.columns;
    const float *bias = rig.args.pointers[0], *element = rig.args.pointers[1], *rows = rig.args.pointers[2];
    delta = contraction(rig);
    z.assign(delta.size(), 0);
    loss = 0;
    for (Int row = 0; row < of.rows; ++row) {
      const double w = of.hasTarget ? rig.weight(row) : 1, s = of.sums ? rig.targetSum(row) : 0;
      const double b = of.hasTarget && of.loader == rt::Loader::CsrBinary ? 1 : 0;
      for (Int c = 0; c < columns; ++c) {
        const size_t at = static_cast<size_t>(row * columns + c);
        bool stored = false;
        const double t = of.hasTarget ? rig.target(row, c, &stored) : 0, x = delta[at] + double(bias[c]);
        const bool counts = !of.storedOnly || stored;
        using L = Squares<Kind::Whole, true>;
        const double e = double(element[at]), h = double(kHyper), r = double(rows[row]);
        z[at] = counts ? x : 0;
        loss += counts ? L::loss<double>(x, e, t, w, h, s) : 0;
        delta[at] = counts ? L::delta<double>(x, e, t, w, h, s, b, r) : 0;
      }
    }
    computeUpdates();
  }
  void computeUpdates() {
    regularization = 0;
    gradients.clear();
    weights.clear();
    biasesThen.clear();
    inputGradients.clear();
    std::map<const float *, Doubles> buffers; // sources may share one
    for (const Source &source : rig.sources) {
      inputGradients.push_back(inputGradient(source));
      Doubles gradient = weightGradient(source, delta, of.rows);
      double ignored = 0;
      weights.emplace_back(source.weights, gradient, source.descent ? ignored : regularization);
      if (source.descent && source.accumulate)
        for (size_t i = 0; i < gradient.size(); ++i)
          gradient[i] += buffers.count(source.descent) ? buffers[source.descent][i] : double(source.descent[i]);
      if (source.descent)
        buffers[source.descent] = gradient;
      gradients = buffers;
    }
    for (const Bias &bias : rig.biases) {
      Doubles gradient(static_cast<size_t>(of.columns));
      for (size_t i = 0; i < delta.size(); ++i)
        gradient[i % gradient.size()] -= delta[i] / double(of.rows);
      biasesThen.emplace_back(bias.trained, gradient, regularization);
    }
  }
  Doubles inputGradient(const Source &source) const {
    Doubles gradient(static_cast<size_t>(of.rows * source.inner));
    for (Int row = 0; row < of.rows; ++row)
      for (Int c = 0; c < of.columns; ++c)
        for (Int k = 0; k < source.inner; ++k)
          gradient[static_cast<size_t>(row * source.inner + k)] +=
              delta[static_cast<size_t>(row * of.columns + c)] * double(source.weights.value[offsetOf(source, k, c)]);
    return gradient;
  }

  void compare(const WideRig::Sums &sums) {
    const double slack = 1e-4 * (1 + std::fabs(loss));
    if (of.sweep == Sweep::Single || of.sweep == Sweep::Forward || of.sweep == Sweep::Loss)
      EXPECT_NEAR(sums.sum, loss, slack);
    else
      EXPECT_EQ(sums.sum, 0);
    expectNear(z, rig.args.pointers[3], "z");
    for (size_t s = 0; s < rig.sources.size(); ++s) {
      const Source &source = rig.sources[s];
      if (source.gradient && (of.sweep == Sweep::Single || of.sweep == Sweep::Forward))
        expectNear(inputGradients[s], source.gradient, "input gradient");
      if (!updates())
        continue;
      if (source.descent)
        expectNear(gradients.at(source.descent), source.descent, "weight gradient");
      else
        weights[s].check(source.weights, "weights " + std::to_string(s));
    }
    for (size_t b = 0; b < rig.biases.size() && updates(); ++b)
      biasesThen[b].check(rig.biases[b].trained, "bias");
    EXPECT_NEAR(sums.regularization, updates() ? regularization : 0, 1e-4 * (1 + regularization));
    if (of.sweep == Sweep::Norm)
      compareNorms();
  }
  void compareNorms() {
    Doubles norms(static_cast<size_t>(of.rows));
    for (size_t i = 0; i < delta.size(); ++i)
      norms[i / static_cast<size_t>(of.columns)] += delta[i] * delta[i];
    expectNear(norms, rig.args.rows[0], "norm");
  }

  Case of;
  WideRig rig;
  const float hypers[2] = {kNaN, kHyper};
  Doubles delta, z;
  double loss = 0, regularization = 0;
  std::vector<Doubles> inputGradients;
  std::map<const float *, Doubles> gradients;
  std::vector<Expected> weights, biasesThen;
};

template <class TileType> void checkWide(const Case &of) {
  SCOPED_TRACE("sweep " + std::to_string(static_cast<int>(of.sweep)) + ", loader " +
               std::to_string(static_cast<int>(of.loader)) + (of.storedOnly ? " stored only" : "") +
               (of.keeps ? " keeps" : "") + ", " + std::to_string(of.rows) + " x " + std::to_string(of.columns) +
               ", side " + std::to_string(TileType::kSide));
  WideCase<TileType>(of).check();
}
inline constexpr Sweep kSweeps[] = {Sweep::Single, Sweep::Forward, Sweep::Update, Sweep::Loss, Sweep::Norm};
} // namespace sn::test::dense
