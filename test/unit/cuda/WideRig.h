// What tests of the dense and wide templates share: operands in host memory, the passes of a step run one after another
// as the device runs them, and sources, data sets and rules of optimizers with a plain counterpart in doubles.
#pragma once
#include "runtime/hal/cuda/Launches.h"
#include "runtime/plan/Lanes.h"
#include "test/emulator/Launch.h"
#include "test/unit/cuda/Common.h"
#include <cmath>
#include <cstring>
#include <deque>
#include <functional>
#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <vector>
// Device text comes after everything else.
#include "test/emulator/cuda.h"
//
#include "kernels-templates/cuda/slot.cuh"

namespace sn::test::dense {
using namespace sn::cuda;
using Doubles = std::vector<double>;
inline constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

/// Momentum with weight decay's term in the sum: states {v}; hypers {mu, rate}.
struct MomentumFunction {
  static void run(const float *in, const float *scalars, float *out, double &sum) {
    out[1] = scalars[0] * in[2] + scalars[1] * in[1];
    out[0] = in[0] + out[1];
    sum += 0.5 * double(in[0]) * double(in[0]);
  }
};
struct Momentum {
  using Weights = UpdateRule<MomentumFunction, 1>;
  using Bias = Weights;
};
inline constexpr float kMu = 0.5f, kRate = 0.25f;

/// How a source of a step is to be made.
struct SourceSpec {
  Int inner = 1;
  bool outerFirst = false;
  bool gradient = false; // input gradient wanted
  enum Descent { ToOptimizer, Over, Accumulate } descent = ToOptimizer;
  float scale = 1;
};

/// Operands of one step. Floats that a kernel must not read are NaN.
class WideRig {
public:
  StepArgs args;
  Frame frame;
  plan::Step step;
  std::vector<Source> sources;
  std::vector<Bias> biases;
  rt::Loader loader = rt::Loader::CsrBinary;

  WideRig(Int rows, Int maxRows, Int columns) {
    frame.rows = rows;
    frame.seed = 7;
    args.frame = &frame;
    args.maxRows = maxRows;
    args.columns = columns;
    args.lanes = 16;
    args.wideLanes = plan::wideLanes(columns, kWideLanes);
    hypers = {kMu, kRate};
    args.updateHypers = hypers.data();
    for (Int row = 0; row < maxRows; ++row)
      ids.push_back((row * 37 + 11) % kExamples);
    args.ids = ids.data();
  }
  static constexpr Int kExamples = 211; // rows of the data set

  float *floats(Int count, float fill) { return arena.emplace_back(static_cast<size_t>(count), fill).data(); }
  float *uniform(Int count, float spread = 1) {
    float *values = floats(count, 0);
    std::uniform_real_distribution<float> draw(-spread, spread);
    for (Int i = 0; i < count; ++i)
      values[i] = draw(random);
    return values;
  }
  /// [maxRows, width], NaN beyond the batch.
  float *batch(Int width) {
    float *values = uniform(args.maxRows * width);
    std::fill(values + frame.rows * width, values + args.maxRows * width, kNaN);
    return values;
  }
  Trained trained(Int count) {
    Trained result;
    result.value = uniform(count, 0.3f);
    result.states[0] = uniform(count, 0.1f);
    return result;
  }
  void add(const SourceSpec &spec, Int outer) {
    Source source;
    source.inner = spec.inner;
    source.outer = outer;
    source.outerFirst = spec.outerFirst;
    source.x = batch(spec.inner);
    source.weights = trained(spec.inner * outer);
    source.scale = spec.scale;
    if (spec.gradient)
      source.gradient = floats(args.maxRows * spec.inner, kNaN);
    source.accumulate = spec.descent == SourceSpec::Accumulate;
    if (spec.descent != SourceSpec::ToOptimizer)
      source.descent = source.accumulate ? uniform(spec.inner * outer) : floats(spec.inner * outer, kNaN);
    sources.push_back(source);
  }
  /// One more source of the same x size and memory as the last, with the transpose of its (square) weights, late.
  void addTransposeOfLast() {
    Source source = sources.back();
    source.outerFirst = !source.outerFirst;
    source.x = batch(source.inner);
    source.late = 1;
    source.accumulate = 1;
    if (source.gradient)
      source.gradient = floats(args.maxRows * source.inner, kNaN);
    sources.push_back(source);
  }
  void addBias(Int size) { biases.push_back({trained(size), size}); }

  /// A data set as the target, weighted and indexed. Sparse rows: empty ones, entries at borders of tiles and at
  /// random.
  void setTarget(rt::Loader kind) {
    loader = kind;
    DataView &data = args.data;
    data.rows = kExamples;
    data.columns = args.columns;
    index.resize(kExamples);
    for (Int row = 0; row < kExamples; ++row)
      index[static_cast<size_t>(row)] = static_cast<int>((row * 5 + 3) % kExamples);
    data.index = index.data();
    data.weights = uniform(kExamples);
    if (kind == rt::Loader::Dense) {
      data.dense = 1;
      data.storedColumns = std::max<Int>(1, args.columns - 2);
      data.values = uniform(kExamples * data.storedColumns);
      return;
    }
    indptr = {0};
    for (Int row = 0; row < kExamples; ++row) {
      for (Int column = 0; column < args.columns && row % 5 != 0; ++column)
        if (const Int c = column % 64; c == 0 || c == 63 || random() % 7 == 0)
          if (random() % 3 != 0)
            indices.push_back(static_cast<int>(column));
      indptr.push_back(static_cast<Int>(indices.size()));
    }
    data.indptr = indptr.data();
    data.indices = indices.data();
    if (kind == rt::Loader::CsrAnalog)
      data.values = uniform(static_cast<Int>(indices.size()));
  }
  /// The target's value, or 0 and false where none is stored.
  double target(Int row, Int column, bool *stored = nullptr) const {
    const DataView &data = args.data;
    const Int line = storedRowOf(row);
    if (data.dense)
      return column < data.storedColumns ? double(data.values[line * data.storedColumns + column]) : 0.0;
    for (Int i = data.indptr[line]; i < data.indptr[line + 1]; ++i)
      if (data.indices[i] == column) {
        if (stored)
          *stored = true;
        return data.values ? double(data.values[i]) : 1.0;
      }
    return 0;
  }
  double targetSum(Int row) const {
    double sum = 0;
    const DataView &data = args.data;
    for (Int column = 0; column < args.columns; ++column)
      sum += target(row, column);
    if (data.dense || data.values)
      return sum;
    return sum > 0 ? 1 : 0;
  }
  double weight(Int row) const { return args.data.weights[ids[static_cast<size_t>(row)]]; }

  struct Sums {
    double sum = 0, regularization = 0;
  };
  /// Runs the passes; run(number) runs the step's own kernel with `args` of the pass. Workspace is kept from call to
  /// call.
  Sums run(const rt::cuda::Launches &launches, const std::function<void(int, const StepArgs &)> &run) {
    prepare(launches);
    Sums total;
    for (const rt::cuda::Pass &pass : launches.passes) {
      StepArgs at = args;
      if (!sources.empty())
        at.source = sources[pass.source];
      const size_t blocks = static_cast<size_t>(pass.blocks * pass.blocksY);
      Doubles sums(blocks, kNaN), regularizations(blocks, kNaN);
      at.sums = pass.sums ? sums.data() : nullptr;
      at.regularizations = pass.sums ? regularizations.data() : nullptr;
      require(pass.zeroed.empty());
      sn::emulator::launch(static_cast<unsigned>(pass.blocks), static_cast<unsigned>(pass.blocksY),
                           static_cast<unsigned>(pass.threads), static_cast<size_t>(pass.shared), [&] {
                             if (pass.kernel.empty())
                               run(pass.number, at);
                             else if (pass.kernel == "sn::cuda::combine_lanes")
                               combineLanes(at);
                             else if (pass.kernel == "sn::cuda::target_rows")
                               targetRows(at);
                             else
                               throw std::logic_error("no kernel " + pass.kernel);
                           });
      if (!pass.sums)
        continue;
      const PartialSums parts[] = {{sums.data(), static_cast<Int>(blocks)},
                                   {regularizations.data(), static_cast<Int>(blocks)}};
      double results[2] = {double(kNaN), double(kNaN)};
      sn::emulator::launch(2, 1, kThreads, 0, [&] { finishSums({parts, results}); });
      total.sum += results[0];
      total.regularization += results[1];
    }
    return total;
  }

private:
  Int storedRowOf(Int row) const { return args.data.index[ids[static_cast<size_t>(row)]]; }
  static void require(bool holds) {
    if (!holds)
      throw std::logic_error("a pass asks for zeroed areas");
  }
  void prepare(const rt::cuda::Launches &launches) {
    args.sourceCount = static_cast<int>(sources.size());
    args.biasCount = static_cast<int>(biases.size());
    for (size_t s = 0; s < launches.partialFloats.size(); ++s)
      if (launches.partialFloats[s] && !sources[s].partials)
        sources[s].partials = floats(launches.partialFloats[s], kNaN);
    args.sources = sources.data();
    args.biases = biases.data();
    for (size_t area = 0; area < kWorkAreas; ++area)
      if (launches.workBytes[area] && !args.work[area])
        args.work[area] = floats((launches.workBytes[area] + 7) / 8 * 2, kNaN);
  }
  std::deque<std::vector<float>> arena;
  std::vector<float> hypers;
  std::vector<Int> ids, indptr;
  std::vector<int> index, indices;
  std::mt19937 random{12345};
};

/// E[k, c] of a source, and where it lies.
inline size_t offsetOf(const Source &source, Int k, Int c) {
  return static_cast<size_t>(source.outerFirst ? c * source.inner + k : k * source.outer + c);
}
/// acc[row, c] = sum x E of all sources.
inline Doubles contraction(const WideRig &rig) {
  const Int columns = rig.args.columns;
  Doubles acc(static_cast<size_t>(rig.frame.rows * columns));
  for (const Source &source : rig.sources)
    for (Int row = 0; row < rig.frame.rows; ++row)
      for (Int k = 0; k < source.inner; ++k)
        for (Int c = 0; c < columns; ++c)
          acc[static_cast<size_t>(row * columns + c)] +=
              double(source.x[row * source.inner + k]) * double(source.weights.value[offsetOf(source, k, c)]);
  return acc;
}
/// x^T delta of a source, in the layout of its weights, times -scale / rows.
inline Doubles weightGradient(const Source &source, const Doubles &delta, Int rows) {
  Doubles gradient(static_cast<size_t>(source.inner * source.outer));
  for (Int row = 0; row < rows; ++row)
    for (Int k = 0; k < source.inner; ++k)
      for (Int c = 0; c < source.outer; ++c)
        gradient[offsetOf(source, k, c)] +=
            double(source.x[row * source.inner + k]) * delta[static_cast<size_t>(row * source.outer + c)];
  for (double &value : gradient)
    value *= -double(source.scale) / double(rows);
  return gradient;
}

inline void expectNear(const Doubles &expected, const float *actual, const std::string &what) {
  double most = 1;
  for (double value : expected)
    most = std::max(most, std::fabs(value));
  int shown = 0;
  for (size_t i = 0; i < expected.size() && shown < 4; ++i)
    if (!(std::fabs(expected[i] - double(actual[i])) <= 2e-5 * most)) {
      ADD_FAILURE() << what << "[" << i << "] is " << actual[i] << ", not " << expected[i];
      ++shown;
    }
}
/// What a trained tensor becomes; `regularization` grows as the rule says.
struct Expected {
  Doubles value, state;
  Expected(const Trained &before, const Doubles &gradient, double &regularization) {
    for (size_t i = 0; i < gradient.size(); ++i) {
      state.push_back(double(kMu) * double(before.states[0][i]) + double(kRate) * gradient[i]);
      value.push_back(double(before.value[i]) + state.back());
      regularization += 0.5 * double(before.value[i]) * double(before.value[i]);
    }
  }
  void check(const Trained &after, const std::string &what) const {
    expectNear(value, after.value, what + " value");
    expectNear(state, after.states[0], what + " state");
  }
};
} // namespace sn::test::dense
