// Steps on the emulator: passes as the runtime launches them, data sets, and what they must come to. Include it after
// every other header.
#pragma once
#include "runtime/hal/cuda/Launches.h"
#include "runtime/plan/Lanes.h"
#include "runtime/plan/Philox.h"
#include "test/emulator/Launch.h"
#include "test/support/Random.h"
#include "test/unit/cuda/Common.h"
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <optional>
#include <vector>
// after the standard headers
#include "test/emulator/cuda.h"
// after the emulator's
#include "kernels-templates/cuda/slot.cuh"

namespace sn::test {
using namespace sn::cuda;
using Floats = std::vector<float>;

inline Floats randomFloats(Random &random, int64_t count) {
  Floats values(static_cast<size_t>(count));
  for (float &value : values)
    value = static_cast<float>(random.real(-1, 1));
  return values;
}
/// What no kernel may leave in a result or read.
inline Floats untouched(int64_t count) { return Floats(static_cast<size_t>(count), NAN); }

/// A data set of the shapes that loaders give, in memory of exactly its size.
struct DataSet {
  int64_t examples, columns, storedColumns;
  std::vector<Int> indptr{0};
  std::vector<int> indices, index;
  Floats values, weights;
  bool dense, binary = false;

  struct Kind {
    bool dense = false, binary = false, indexed = false, weighted = false;
    double density = 0.1;
    int64_t missing = 0; // dense: columns that are not stored
  };
  DataSet(Random &random, int64_t examples, int64_t columns, const Kind &kind)
      : examples(examples), columns(columns), storedColumns(columns - kind.missing), dense(kind.dense),
        binary(kind.binary) {
    const int64_t rows = kind.indexed ? (examples + 1) / 2 : examples;
    for (int64_t row = 0; row < rows; ++row) {
      const bool empty = row % 3 == 1;
      for (int64_t column = 0; column < storedColumns; ++column)
        if (dense)
          values.push_back(static_cast<float>(random.real(-1, 1)));
        else if (!empty && random.chance(kind.density))
          add(random, column);
      indptr.push_back(static_cast<Int>(indices.size()));
    }
    for (int64_t example = 0; example < examples && kind.indexed; ++example)
      index.push_back(static_cast<int>(random.integer(0, rows - 1)));
    for (int64_t example = 0; example < examples && kind.weighted; ++example)
      weights.push_back(static_cast<float>(random.real(0.5, 2)));
  }
  cuda::DataView view() const {
    cuda::DataView view;
    view.rows = examples;
    view.columns = columns;
    view.storedColumns = storedColumns;
    view.indptr = dense ? nullptr : indptr.data();
    view.indices = dense ? nullptr : indices.data();
    view.values = values.empty() ? (binary ? nullptr : &kNothing) : values.data();
    view.index = index.empty() ? nullptr : index.data();
    view.weights = weights.empty() ? nullptr : weights.data();
    view.dense = dense;
    return view;
  }
  float weight(int64_t example) const { return weights.empty() ? 1.0f : weights[static_cast<size_t>(example)]; }
  /// The stored value, or nothing.
  std::optional<float> stored(int64_t example, int64_t column) const {
    const size_t row =
        index.empty() ? static_cast<size_t>(example) : static_cast<size_t>(index[static_cast<size_t>(example)]);
    if (dense)
      return column < storedColumns
                 ? std::optional(values[row * static_cast<size_t>(storedColumns) + static_cast<size_t>(column)])
                 : std::nullopt;
    for (auto i = static_cast<size_t>(indptr[row]); i < static_cast<size_t>(indptr[row + 1]); ++i)
      if (indices[i] == column)
        return binary ? 1.0f : values[i];
    return std::nullopt;
  }
  /// kernels-templates/cpu/Target.h, rowTarget with sums.
  RowTarget target(int64_t example) const {
    double sum = 0;
    int64_t count = 0;
    for (int64_t column = 0; column < storedColumns; ++column)
      if (const std::optional<float> value = stored(example, column)) {
        sum += *value;
        ++count;
      }
    RowTarget result;
    result.weight = weight(example);
    result.binary = binary && !dense ? 1.0f : 0.0f;
    if (binary && !dense) {
      result.scale = count ? 1.0f / static_cast<float>(count) : 0.0f;
      result.sum = count ? 1.0f : 0.0f;
    } else {
      result.sum = static_cast<float>(sum);
    }
    return result;
  }

private:
  static constexpr float kNothing = 0;
  void add(Random &random, int64_t column) {
    indices.push_back(static_cast<int>(column));
    if (!binary)
      values.push_back(static_cast<float>(random.real(-1, 1)));
  }
};

/// A batch and the arguments that every step has.
struct Batch {
  Frame frame;
  std::vector<Int> ids;
  StepArgs args;

  /// `rows` of at most `maxRows` examples of a data set of `examples`.
  Batch(Random &random, int64_t rows, int64_t maxRows, int64_t columns, int64_t examples = 0) {
    frame.rows = rows;
    frame.seed = 0x1234567890abcdefu;
    frame.epoch = 3;
    examples = examples ? examples : maxRows;
    for (int64_t i = 0; i < maxRows; ++i) // those beyond the batch must not be looked at
      ids.push_back(i < rows ? random.integer(0, examples - 1) : int64_t{1} << 40);
    args.frame = &frame;
    args.ids = ids.data();
    args.columns = columns;
    args.maxRows = maxRows;
  }
  Batch(const Batch &) = delete;
};

/// What a step reports.
struct Outcome {
  double sum = 0, regularization = 0;
};

/// Runs the launches of a step. Work areas, sums and shared memory hold NaN before; blocks run in an order that changes
/// from call to call.
template <class Template, class Loader, class Optimizer = NoOptimizer>
Outcome runStep(const rt::cuda::Launches &launches, StepArgs args) {
  static uint64_t order = 0;
  sn::emulator::setOrder(order++);
  std::vector<Floats> work;
  for (size_t i = 0; i < launches.workBytes.size(); ++i)
    work.push_back(untouched((launches.workBytes[i] + 3) / 4));
  for (size_t i = 0; i < work.size(); ++i)
    args.work[i] = work[i].empty() ? nullptr : work[i].data();
  std::vector<std::vector<double>> partials;
  for (const rt::cuda::Pass &pass : launches.passes) {
    const int64_t blocks = pass.sums ? pass.blocks * pass.blocksY : 0;
    std::vector<double> sums(static_cast<size_t>(blocks), NAN), regularizations = sums;
    args.sums = pass.sums ? sums.data() : nullptr;
    args.regularizations = pass.sums ? regularizations.data() : nullptr;
    sn::emulator::launch(static_cast<unsigned>(pass.blocks), static_cast<unsigned>(pass.blocksY),
                         static_cast<unsigned>(pass.threads), static_cast<size_t>(pass.shared), [&] {
                           if (pass.kernel == "sn::cuda::target_rows")
                             targetRows(args);
                           else if (pass.number == 0)
                             Template::template run<Loader, Optimizer, 0>(args);
                           else if (pass.number == 1)
                             Template::template run<Loader, Optimizer, 1>(args);
                           else
                             Template::template run<Loader, Optimizer, 2>(args);
                         });
    partials.push_back(sums);
    partials.push_back(regularizations);
  }
  std::vector<PartialSums> parts;
  for (const std::vector<double> &partial : partials)
    parts.push_back({partial.data(), static_cast<Int>(partial.size())});
  std::vector<double> results(parts.size(), NAN);
  const FinishArgs finish{parts.data(), results.data()};
  sn::emulator::launch(static_cast<unsigned>(parts.size()), 1, kThreads, 0, [&] { finishSums(finish); });
  Outcome outcome;
  for (size_t i = 0; i < results.size(); i += 2) {
    outcome.sum += results[i];
    outcome.regularization += results[i + 1];
  }
  sn::emulator::setOrder(0);
  return outcome;
}

/// The shape that the launches go by: of a step that reports sums.
struct ShapeOf {
  ShapeOf() { step.slots["body"].sum = true; }
  plan::Step step;
  std::vector<Source> sources;
  rt::cuda::StepShape operator()(const StepArgs &args) const { return {step, args, sources}; }
};
/// With a target, of which slots read the rows' sums or not.
inline ShapeOf withTargetSums(bool read) {
  ShapeOf shape;
  shape.step.target = "Output";
  if (read)
    shape.step.slots["stored"].scalars.emplace_back().role = plan::Role::TargetSum;
  return shape;
}

/// The launches with at most `blocks` blocks in the last pass, for templates whose blocks take turns.
inline rt::cuda::Launches fewer(rt::cuda::Launches launches, int64_t blocks) {
  launches.passes.back().blocks = std::min(launches.passes.back().blocks, blocks);
  return launches;
}

inline void expectNear(const Floats &actual, const Floats &expected, double tolerance = 1e-5) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    if (std::isnan(expected[i]) && std::isnan(actual[i]))
      continue;
    ASSERT_NEAR(actual[i], expected[i], tolerance * (1 + std::fabs(expected[i]))) << "at " << i;
  }
}
inline void expectNear(double actual, double expected, double tolerance = 1e-5) {
  EXPECT_NEAR(actual, expected, tolerance * (1 + std::fabs(expected)));
}
} // namespace sn::test
