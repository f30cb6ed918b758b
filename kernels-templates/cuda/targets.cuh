// Data sets as targets: tiles of their values for slots that go element by element, and what a whole row hands to
// slots.
#pragma once
#include "kernels-templates/cuda/data_source.cuh"

namespace sn::cuda {
/// Stands in a tile where a sparse target stores nothing: a NaN that no data set holds (data with NaN is refused).
inline constexpr unsigned kNotStoredBits = 0x7fe5eed5u;
__device__ __forceinline__ float notStored() { return __uint_as_float(kNotStoredBits); }
__device__ __forceinline__ bool isStored(float value) { return __float_as_uint(value) != kNotStoredBits; }

template <class Loader>
inline constexpr bool kSparse = operand::same<Loader, Csr> || operand::same<Loader, CsrStoredOnly>;

/// The value of a dense target row; columns beyond those stored are 0.
__device__ __forceinline__ float denseTarget(const DataView &data, Int example, Int column) {
  return column < data.storedColumns ? data.values[storedRow(data, example) * data.storedColumns + column] : 0.0f;
}

/// Writes the stored values of columns [first, first + columns) of an example's sparse row to line[column - first] (1
/// where binary) and leaves the rest. By `threads` threads, of which this is number `thread`.
__device__ __forceinline__ void scatterRow(const DataView &data, Int example, Int first, int columns, float *line,
                                           int thread, int threads) {
  const Range entries = entriesOf(data, example);
  for (Int i = lowerBound(data.indices, entries, first) + thread; i < entries.end; i += threads) {
    const Int column = data.indices[i] - first;
    if (column >= columns)
      return;
    line[column] = data.values ? data.values[i] : 1.0f;
  }
}
/// Threads that share one of `rows` rows in a block of `threads`: a power of two, at most a warp.
__device__ __forceinline__ int threadsPerRow(int threads, int rows) {
  int team = kWarp;
  while (team > 1 && team * rows > threads)
    team /= 2;
  return team;
}
/// tile[r * stride + c] = the target's value at row firstRow + r of the batch and column firstColumn + c, or
/// notStored() where a sparse target stores none; r < rows, c < columns. All rows must be rows of the batch. All
/// threads of the block must call it, with a barrier between the last use of the tile and the call; it ends with a
/// barrier.
template <class Loader>
__device__ __forceinline__ void stageTargets(const StepArgs &args, Int firstRow, int rows, Int firstColumn, int columns,
                                             float *tile, int stride) {
  const int thread = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
  for (int i = thread; i < rows * columns; i += threads) {
    const int r = i / columns, c = i - r * columns;
    if constexpr (kSparse<Loader>)
      tile[r * stride + c] = notStored();
    else
      tile[r * stride + c] = denseTarget(args.data, args.ids[firstRow + r], firstColumn + c);
  }
  __syncthreads();
  if constexpr (kSparse<Loader>) {
    const int team = threadsPerRow(threads, rows);
    for (int r = thread / team; r < rows; r += threads / team)
      scatterRow(args.data, args.ids[firstRow + r], firstColumn, columns, tile + r * stride, thread % team, team);
    __syncthreads();
  }
}

/// What an example's target hands to slots but for scale and sum, which take a walk of the row.
__device__ __forceinline__ RowTarget plainRowTarget(const StepArgs &args, Int example) {
  RowTarget result;
  result.binary = args.data.dense || args.data.values ? 0.0f : 1.0f;
  if (args.data.weights)
    result.weight = args.data.weights[example];
  return result;
}
/// All of it. The 32 lanes of a warp must call it for one example; each has the result. The sum is double, the order of
/// its terms fixed.
__device__ __forceinline__ RowTarget fullRowTarget(const StepArgs &args, Int example) {
  const DataView &data = args.data;
  RowTarget result = plainRowTarget(args, example);
  const Int row = storedRow(data, example);
  Int begin = 0, end = 0;
  if (data.dense) {
    begin = row * data.storedColumns;
    end = begin + least(data.columns, data.storedColumns);
  } else {
    begin = data.indptr[row];
    end = data.indptr[row + 1];
  }
  if (!data.dense && !data.values) {
    result.scale = end > begin ? 1.0f / static_cast<float>(end - begin) : 0.0f;
    result.sum = end > begin ? 1.0f : 0.0f;
    return result;
  }
  double sum = 0;
  for (Int i = begin + lane(); i < end; i += kWarp)
    sum += data.values[i];
  for (int offset = kWarp / 2; offset > 0; offset /= 2)
    sum += __shfl_xor_sync(kFullWarp, sum, offset);
  result.sum = static_cast<float>(sum);
  return result;
}
/// Of a row of the batch, for the slots `Slots`: where they read scale or sum (Slots::kTargetSums), the pass
/// target_rows (common.cuh) must have filled work area kTargetRowsArea.
template <class Loader, class Slots>
__device__ __forceinline__ RowTarget rowTargetOf(const StepArgs &args, Int row, Int example) {
  if constexpr (operand::same<Loader, NoData>)
    return RowTarget{};
  else if constexpr (Slots::kTargetSums)
    return static_cast<const RowTarget *>(args.work[kTargetRowsArea])[row];
  else
    return plainRowTarget(args, example);
}
} // namespace sn::cuda
