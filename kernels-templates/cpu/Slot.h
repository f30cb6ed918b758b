// A slot bound to its operands, called on a segment of one row.
#pragma once
#include "kernels-templates/cpu/Context.h"
#include "runtime/plan/Abi.h"
#include <array>
#include <cassert>

namespace sn::rt::cpu {
/// What a target row hands to slots as scalars.
struct RowTarget {
  float weight = 1, scale = 1, sum = 0, binary = 0;
};

/// `count` consecutive columns from `begin` of one row, and what the kernel at hand provides for them (null where it
/// has none).
struct Segment {
  int64_t row = 0;     // of the batch
  int64_t dataRow = 0; // the example
  int64_t begin = 0, count = 0;
  const float *accumulator = nullptr; // count values
  float *delta = nullptr;             // count values, may be the accumulator
  const float *target = nullptr;      // count values
  RowTarget rowTarget{};
  const float *reductions = nullptr;
};

struct SpanOperand {
  plan::Role role = plan::Role::Accumulator;
  float *base = nullptr;    // Element, Column
  int64_t stride = 0;       // Element: floats between rows; 0 for Column
  plan::RandomPoint random; // Mask
  float p = 0;              // Mask
};
struct ScalarOperand {
  plan::Role role = plan::Role::Hyper;
  const float *rows = nullptr; // Row: a value for each row of the batch
  int64_t index = 0;           // Reduction
  plan::Expr value;            // Hyper
  float current = 0;           // Hyper: of this launch
};

class Slot {
public:
  sn_slot function = nullptr;
  std::vector<SpanOperand> in, out;
  std::vector<ScalarOperand> scalars;

  explicit operator bool() const { return function != nullptr; }
  /// Evaluates what is fixed for a launch.
  void begin(const Launch &launch) {
    for (ScalarOperand &scalar : scalars)
      if (scalar.role == plan::Role::Hyper)
        scalar.current = static_cast<float>(scalar.value.evaluate(launch.scalar));
    for (SpanOperand &span : in) {
      span.random.seed = launch.batch.seed;
      span.random.epoch = launch.batch.epoch;
    }
  }
  /// Whether it reads what only a walk of the target's row gives.
  bool needsTargetSums() const {
    for (const ScalarOperand &scalar : scalars)
      if (scalar.role == plan::Role::TargetScale || scalar.role == plan::Role::TargetSum)
        return true;
    return false;
  }

  /// Calls the function on the segment; `sum` may be null for slots without one.
  void call(const Segment &at, const VectorOps &ops, SlotScratch &scratch, double *sum) const {
    Spans spans;
    for (size_t i = 0; i < in.size(); ++i)
      spans.in[i] = input(in[i], at, ops, scratch.made[i]);
    for (size_t i = 0; i < out.size(); ++i)
      spans.out[i] = output(out[i], at);
    fillScalars(at, spans.scalars.data());
    function(at.count, spans.in.data(), spans.out.data(), spans.scalars.data(), sum);
  }

  /// The first half of a call on scattered columns: copies the inputs at `place[0..n)` (relative to the segment) into
  /// the scratch. Target values come from scratch.target.
  void gather(const Segment &at, const int32_t *place, int64_t n, const VectorOps &ops, SlotScratch &scratch) const;
  /// The second half: calls the function on the gathered inputs and writes its outputs to their places.
  void scatter(const Segment &at, const int32_t *place, int64_t n, SlotScratch &scratch, double *sum) const;
  /// Zeroes the outputs on the segment.
  void clear(const Segment &at) const {
    for (const SpanOperand &span : out)
      std::memset(output(span, at), 0, static_cast<size_t>(at.count) * sizeof(float));
  }

private:
  struct Spans {
    std::array<const float *, kMaxOperands> in;
    std::array<float *, kMaxOperands> out;
    std::array<float, kMaxOperands> scalars;
  };
  static const float *input(const SpanOperand &span, const Segment &at, const VectorOps &ops, float *scratch) {
    switch (span.role) {
    case plan::Role::Accumulator:
      return at.accumulator;
    case plan::Role::Target:
      return at.target;
    case plan::Role::Delta:
      return at.delta;
    case plan::Role::Mask:
      ops.maskRange(span.random, at.dataRow, at.begin, at.count, span.p, scratch);
      return scratch;
    case plan::Role::Index:
      for (int64_t i = 0; i < at.count; ++i)
        scratch[i] = static_cast<float>(at.begin + i);
      return scratch;
    default:
      return span.base + at.row * span.stride + at.begin;
    }
  }
  static float *output(const SpanOperand &span, const Segment &at) {
    return span.role == plan::Role::Delta ? at.delta : span.base + at.row * span.stride + at.begin;
  }
  void fillScalars(const Segment &at, float *values) const {
    for (const ScalarOperand &scalar : scalars)
      *values++ = scalarValue(scalar, at);
  }
  static float scalarValue(const ScalarOperand &scalar, const Segment &at) {
    switch (scalar.role) {
    case plan::Role::Row:
      return scalar.rows[at.row];
    case plan::Role::TargetWeight:
      return at.rowTarget.weight;
    case plan::Role::TargetScale:
      return at.rowTarget.scale;
    case plan::Role::TargetSum:
      return at.rowTarget.sum;
    case plan::Role::TargetBinary:
      return at.rowTarget.binary;
    case plan::Role::Reduction:
      return at.reductions[scalar.index];
    default:
      return scalar.current;
    }
  }
};

inline void Slot::gather(const Segment &at, const int32_t *place, int64_t n, const VectorOps &ops,
                         SlotScratch &scratch) const {
  for (size_t i = 0; i < in.size(); ++i) {
    const SpanOperand &span = in[i];
    if (span.role == plan::Role::Target)
      continue;
    float *to = scratch.in[i];
    if (span.role == plan::Role::Mask) {
      std::array<int32_t, plan::kTile> columns;
      for (int64_t j = 0; j < n; ++j)
        columns[static_cast<size_t>(j)] = static_cast<int32_t>(at.begin) + place[j];
      ops.maskAt(span.random, at.dataRow, columns.data(), n, span.p, to);
      continue;
    }
    if (span.role == plan::Role::Index) {
      for (int64_t j = 0; j < n; ++j)
        to[j] = static_cast<float>(at.begin + place[j]);
      continue;
    }
    const float *from = input(span, at, ops, nullptr);
    for (int64_t j = 0; j < n; ++j)
      to[j] = from[place[j]];
  }
}

inline void Slot::scatter(const Segment &at, const int32_t *place, int64_t n, SlotScratch &scratch, double *sum) const {
  Spans spans;
  for (size_t i = 0; i < in.size(); ++i)
    spans.in[i] = in[i].role == plan::Role::Target ? scratch.target : scratch.in[i];
  for (size_t i = 0; i < out.size(); ++i)
    spans.out[i] = scratch.out[i];
  fillScalars(at, spans.scalars.data());
  function(n, spans.in.data(), spans.out.data(), spans.scalars.data(), sum);
  for (size_t i = 0; i < out.size(); ++i) {
    float *to = output(out[i], at);
    for (int64_t j = 0; j < n; ++j)
      to[place[j]] = scratch.out[i][j];
  }
}
} // namespace sn::rt::cpu
