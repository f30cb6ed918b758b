// wide_softmax, sweep `statistics`: the row maximum and the row sum of exp(z - maximum) over a wide output, without
// storing z. The other sweeps are WideOutput's; their slots read the two as row scalars.
#pragma once
#include "kernels-templates/cuda/slot.cuh"
#include "kernels-templates/cuda/tile.cuh"

namespace sn::cuda {
/// Grid: x = 64 rows of the batch each, y = wide lanes. Pass wide::kFinish: a thread for each row.
template <class Logit, class TileType = Tile> struct WideSoftmaxStatistics {
  template <class Loader, class Optimizer, int Pass> static __device__ void run(const StepArgs &args) {
    if constexpr (Pass == wide::kFinish)
      finish(args);
    else
      walkRows(args);
  }

private:
  static constexpr int kSide = TileType::kSide, kStride = TileType::kStride;
  struct Pair {
    float maximum;
    double sum; // of exp(z - maximum)
  };
  static __device__ __forceinline__ Pair join(Pair a, Pair b) {
    if (a.maximum < b.maximum) {
      const Pair other = a;
      a = b;
      b = other;
    }
    if (b.sum != 0) // an empty partial has maximum -inf
      a.sum += b.sum * exp(static_cast<double>(b.maximum) - static_cast<double>(a.maximum));
    return a;
  }

  static __device__ __forceinline__ void walkRows(const StepArgs &args) {
    __shared__ typename TileType::Shared shared;
    const Frame frame = *args.frame;
    const Int row = static_cast<Int>(blockIdx.x) * kSide;
    const int lane = static_cast<int>(blockIdx.y), thread = static_cast<int>(threadIdx.x);
    double sum = 0;
    if (row < frame.rows) {
      const int rows = static_cast<int>(least(kSide, frame.rows - row));
      const Range range = laneRange(args.columns, lane, args.wideLanes);
      Pair pair = {-infinity(), 0};
      for (Int column = range.begin; column < range.end; column += kSide) {
        const int columns = static_cast<int>(least(kSide, range.end - column));
        computeLogits(args, frame, row, rows, column, columns, shared, sum);
        if (thread / 4 < rows)
          pair = join(pair, quarter(shared.values + thread / 4 * kStride, columns));
      }
      write(args, row, rows, lane, pair);
    }
    reportSums(args, sum, 0);
  }
  /// shared.values = z of rows [row, row + rows) and columns [column, column + columns). Ends with a barrier.
  static __device__ __forceinline__ void computeLogits(const StepArgs &args, const Frame &frame, Int row, int rows,
                                                       Int column, int columns, typename TileType::Shared &shared,
                                                       double &sum) {
    TileType tile;
    tile.clear();
#pragma unroll 1
    for (int s = 0; s < args.sourceCount; ++s) {
      const Source &source = args.sources[s];
      tile.multiply(shared, rowsOperand(source.x, source.inner, frame.rows, row),
                    weightsOperand(source, column + columns, column), 0, source.inner);
    }
    float *z = tile.toShared(shared);
    const int j = static_cast<int>(threadIdx.x) % kSide;
    if (j < columns)
#pragma unroll 1
      for (int i = static_cast<int>(threadIdx.x) / kSide; i < rows; i += kThreads / kSide) {
        Place at;
        at.row = row + i;
        at.example = args.ids[at.row];
        at.column = column + j;
        at.accumulator = z[i * kStride + j];
        Logit::run(args, frame, at, sum);
        z[i * kStride + j] = at.delta;
      }
    __syncthreads();
  }
  /// Every fourth logit of a line, from number threadIdx.x % 4 on.
  static __device__ __forceinline__ Pair quarter(const float *line, int columns) {
    const int begin = static_cast<int>(threadIdx.x) % 4;
    Pair pair = {-infinity(), 0};
    for (int j = begin; j < columns; j += 4)
      if (line[j] > pair.maximum)
        pair.maximum = line[j];
    for (int j = begin; j < columns; j += 4)
      if (line[j] != -infinity()) // which adds nothing, also where all are
        pair.sum += expf(line[j] - pair.maximum);
    return pair;
  }
  static __device__ __forceinline__ void write(const StepArgs &args, Int row, int rows, int lane, Pair pair) {
    for (int distance = 1; distance < 4; distance *= 2) {
      const Pair other = {__shfl_xor_sync(kFullWarp, pair.maximum, distance),
                          __shfl_xor_sync(kFullWarp, pair.sum, distance)};
      pair = join(pair, other);
    }
    const int i = static_cast<int>(threadIdx.x) / 4;
    if (threadIdx.x % 4 != 0 || i >= rows)
      return;
    const Int at = lane * args.maxRows + row + i;
    static_cast<float *>(args.work[wide::kMaxima])[at] = pair.maximum;
    static_cast<double *>(args.work[wide::kSums])[at] = pair.sum;
  }

  /// The lanes by the tree, in place.
  static __device__ __forceinline__ void finish(const StepArgs &args) {
    const Int row = static_cast<Int>(blockIdx.x) * kThreads + threadIdx.x;
    if (row >= args.frame->rows)
      return;
    float *maxima = static_cast<float *>(args.work[wide::kMaxima]) + row;
    double *sums = static_cast<double *>(args.work[wide::kSums]) + row;
    for (int stride = 1; stride < args.wideLanes; stride *= 2)
      for (int into = 0; into + stride < args.wideLanes; into += 2 * stride) {
        const Int a = into * args.maxRows, b = (into + stride) * args.maxRows;
        const Pair joined = join({maxima[a], sums[a]}, {maxima[b], sums[b]});
        maxima[a] = joined.maximum;
        sums[a] = joined.sum;
      }
    args.rows[0][row] = maxima[0];
    args.rows[1][row] = static_cast<float>(sums[0]);
  }
};
} // namespace sn::cuda
