// A data set as the left factor of a contraction: the values of an example's columns, weighted, shifted and masked.
// The semantics are those of kernels-templates/cpu/DataSource.h: rows go by the stored row, weights and masks by the
// example; a weight multiplies the stored entries of a sparse row, never those of a dense one.
#pragma once
#include "kernels-templates/cuda/slot.cuh"

namespace sn::cuda {
/// The row that is read for an example.
__device__ __forceinline__ Int storedRow(const DataView &data, Int example) {
  return data.index ? data.index[example] : example;
}
/// Positions in `indices` and `values` of an example's stored entries, columns ascending. Sparse data.
__device__ __forceinline__ Range entriesOf(const DataView &data, Int example) {
  const Int row = storedRow(data, example);
  return {data.indptr[row], data.indptr[row + 1]};
}
/// First position of `entries` whose column is not below `bound`, else their end.
__device__ __forceinline__ Int lowerBound(const int *indices, Range entries, Int bound) {
  while (entries.begin < entries.end) {
    const Int middle = (entries.begin + entries.end) / 2;
    if (indices[middle] < bound)
      entries.begin = middle + 1;
    else
      entries.end = middle;
  }
  return entries.begin;
}
/// The same by a whole warp, 32 positions at a time. All lanes must call it with equal arguments.
__device__ __forceinline__ Int warpLowerBound(const int *indices, Range entries, Int bound) {
  while (entries.begin < entries.end) {
    const Int step = ceilDiv(entries.end - entries.begin, kWarp);
    const Int probe = entries.begin + lane() * step;
    const int below = __popc(__ballot_sync(kFullWarp, probe < entries.end && indices[probe] < bound));
    if (below == 0)
      return entries.begin; // the first entry is not below
    entries.end = least(entries.end, entries.begin + below * step);
    entries.begin += (below - 1) * step + 1;
  }
  return entries.begin;
}

/// Product of the corruptions' masks at a column of an example.
__device__ __forceinline__ float corruptionMask(const StepArgs &args, const Frame &frame, Int example, Int column) {
  float mask = 1;
  for (int i = 0; i < args.corruptions; ++i)
    mask *= maskValue(randomWord(frame.seed, args.corruption[i].stream, frame.epoch, example, column),
                      args.corruption[i].p);
  return mask;
}
/// What an example's stored entries are multiplied by, beside `scale`.
__device__ __forceinline__ float entryScale(const DataView &data, Int example, float scale) {
  return data.weights ? scale * data.weights[example] : scale;
}
/// scale v m of the stored entry at `position`, which is of column `column`; `scale` as entryScale gives it.
__device__ __forceinline__ float entryValue(const StepArgs &args, const Frame &frame, Int example, Int position,
                                            Int column, float scale) {
  const float value = args.data.values ? args.data.values[position] * scale : scale;
  return args.corruptions ? value * corruptionMask(args, frame, example, column) : value;
}
/// (v + inputOffset) m of a column of the example's dense row; 0 beyond the stored columns.
__device__ __forceinline__ float denseValue(const StepArgs &args, const Frame &frame, Int example, Int column) {
  const DataView &data = args.data;
  if (column >= data.storedColumns)
    return 0;
  const float value = data.values[storedRow(data, example) * data.storedColumns + column] + data.inputOffset;
  return args.corruptions ? value * corruptionMask(args, frame, example, column) : value;
}

/// Examples of the batch from `row` on as an operand of a tile's product (tile.cuh): element (i, k) is feature k of
/// example row + i; 0 beyond the batch and the stored columns. Dense data.
struct DataRows {
  const StepArgs &args;
  const Frame &frame;
  Int row;
  bool alongDepth = true;
  __device__ __forceinline__ float operator()(int i, Int k) const {
    return row + i < frame.rows ? denseValue(args, frame, args.ids[row + i], k) : 0.0f;
  }
};
/// Features from `first` on as rows of such an operand, the examples of the batch as its depth: X^T.
struct DataFeatures {
  const StepArgs &args;
  const Frame &frame;
  Int first;
  bool alongDepth = false;
  __device__ __forceinline__ float operator()(int i, Int k) const {
    return denseValue(args, frame, args.ids[k], first + i);
  }
};
} // namespace sn::cuda
