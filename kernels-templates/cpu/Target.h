// Slots over a target row: dense, or CSR with a background that stored entries replace.
#pragma once
#include "kernels-templates/cpu/Slot.h"
#include <algorithm>
#include <numeric>
#include <optional>

namespace sn::rt::cpu {
/// Position of an example's first stored entry at or after `column`.
inline int64_t firstEntry(const DataView &data, int64_t example, int64_t column) {
  const int64_t row = data.storedRow(example);
  const int32_t *begin = data.indices + data.indptr[row], *end = data.indices + data.indptr[row + 1];
  return std::lower_bound(begin, end, column) - data.indices;
}

/// The slots of a pointwise kernel: `body` where there is no target, else the four target slots (those its loader kind
/// needs are set).
struct TargetSlots {
  Slot body, background, stored, storedOnly, dense;
  std::optional<DataView> target;

  bool sparse() const { return target.has_value() && target->loader != Loader::Dense; }
  void begin(const Launch &launch) {
    for (Slot *slot : {&body, &background, &stored, &storedOnly, &dense})
      slot->begin(launch);
  }
  bool needsTargetSums() const {
    return target.has_value() && (background.needsTargetSums() || stored.needsTargetSums() ||
                                  storedOnly.needsTargetSums() || dense.needsTargetSums() || body.needsTargetSums());
  }

  /// Runs on one segment. `cursor` is the position of the row's first stored entry at or after the segment, and moves
  /// past it.
  void run(Segment at, int64_t &cursor, const VectorOps &ops, SlotScratch &scratch, double *sum) const {
    if (!target)
      body.call(at, ops, scratch, sum);
    else if (sparse())
      runSparse(at, cursor, ops, scratch, sum);
    else
      runDense(at, ops, scratch, sum);
  }
  /// Where `cursor` starts for a walk of a row from `column` on.
  int64_t start(int64_t dataRow, int64_t column) const { return sparse() ? firstEntry(*target, dataRow, column) : 0; }

private:
  void runDense(Segment at, const VectorOps &ops, SlotScratch &scratch, double *sum) const {
    const float *row = target->values + target->storedRow(at.dataRow) * target->storedColumns;
    if (at.begin + at.count <= target->storedColumns) {
      at.target = row + at.begin;
    } else {
      int64_t there = std::clamp<int64_t>(target->storedColumns - at.begin, 0, at.count);
      std::copy_n(row + at.begin, there, scratch.target);
      std::fill(scratch.target + there, scratch.target + at.count, 0.0f);
      at.target = scratch.target;
    }
    dense.call(at, ops, scratch, sum);
  }
  void runSparse(const Segment &at, int64_t &cursor, const VectorOps &ops, SlotScratch &scratch, double *sum) const {
    const int64_t end = target->indptr[target->storedRow(at.dataRow) + 1], first = cursor;
    while (cursor < end && target->indices[cursor] < at.begin + at.count) {
      scratch.place[cursor - first] = static_cast<int32_t>(target->indices[cursor] - at.begin);
      scratch.target[cursor - first] = target->values ? target->values[cursor] : 1.0f;
      ++cursor;
    }
    const int64_t n = cursor - first;
    const Slot &entries = target->ignoreZeros ? storedOnly : stored;
    // Inputs are gathered first: the background's outputs may take their memory.
    if (n > 0)
      entries.gather(at, scratch.place, n, ops, scratch);
    if (!target->ignoreZeros)
      background.call(at, ops, scratch, sum);
    else
      entries.clear(at);
    if (n > 0)
      entries.scatter(at, scratch.place, n, scratch, sum);
  }
};

/// What an example's target hands to slots (see plan::Role); scale and sum of its row only where asked for.
inline RowTarget rowTarget(const DataView &data, int64_t example, bool sums) {
  RowTarget result;
  result.binary = data.loader == Loader::CsrBinary ? 1.0f : 0.0f;
  if (data.weights)
    result.weight = data.weights[example];
  if (!sums)
    return result;
  const int64_t row = data.storedRow(example);
  if (data.loader == Loader::CsrBinary) {
    int64_t n = data.indptr[row + 1] - data.indptr[row];
    result.scale = n > 0 ? 1.0f / static_cast<float>(n) : 0.0f;
    result.sum = n > 0 ? 1.0f : 0.0f;
    return result;
  }
  const float *begin = data.values, *end = data.values;
  if (data.loader == Loader::Dense) {
    begin += row * data.storedColumns;
    end = begin + std::min(data.columns, data.storedColumns);
  } else {
    begin += data.indptr[row];
    end += data.indptr[row + 1];
  }
  result.sum = static_cast<float>(std::accumulate(begin, end, 0.0));
  return result;
}
} // namespace sn::rt::cpu
