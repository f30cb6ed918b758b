// wide_softmax, sweep `statistics`: the row maximum and the row sum of exp(z - maximum) over a wide output, without
// storing z. The other sweeps are WideOutput's; their slots read the two as row scalars.
#pragma once
#include "kernels-templates/cuda/wide_walk.cuh"

namespace sn::cuda {
/// Grid: x = tiles of rows of the batch, y = wide lanes. Pass wide::kFinish: a thread for each row. The pairs (maximum,
/// sum) of a row are kept while its block walks the lane's columns; those of its threads and of the lanes are joined in
/// a fixed order.
template <class Logit, class TileType = Tile, class Weights = Fp32Weights> struct WideSoftmaxStatistics {
  template <class Loader, class Optimizer, int Pass> static __device__ void run(const StepArgs &args) {
    if constexpr (Pass == wide::kFinish)
      finish(args);
    else
      walkRows(args);
  }

private:
  using Walk = WideWalk<TargetSlots<Logit, NoSlot, NoSlot, NoSlot, NoSlot>, TileType, Weights>;
  using Shared = typename Walk::Shared;
  using Window = typename Walk::Window;
  static constexpr int kSide = TileType::kSide, kLine = Walk::kLine, kTeam = Walk::kTeam;
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
    Shared &shared = *dynamicShared<Shared>();
    const Frame &frame = *args.frame;
    const int row = static_cast<int>(blockIdx.x) * kSide, rows = static_cast<int>(least(kSide, frame.rows - row));
    const int lane = static_cast<int>(blockIdx.y), i = static_cast<int>(threadIdx.x) / kTeam;
    double sum = 0;
    if (rows > 0) {
      const typename Walk::Columns range = Walk::laneOfTiles(args, lane);
      Pair pair = {-infinity(), 0};
      Walk::template beginRows<NoData>(args, {row, range.begin, rows, 0}, shared);
#pragma unroll 1
      for (int column = range.begin; column < range.end; column += kSide) {
        const Window at = {row, column, rows, min(kSide, range.end - column)};
        Walk::template computeDelta<NoData>(args, frame, at, shared, sum); // here: the logits
        if (i < rows)
          pair = join(pair, partOf(shared.delta + i * kLine, at.columns));
      }
      write(args, row, rows, lane, pair);
    }
    reportSums(args, sum, 0);
  }
  /// Every kTeam-th logit of a line, from the thread's part on.
  static __device__ __forceinline__ Pair partOf(const float *line, int columns) {
    const int begin = static_cast<int>(threadIdx.x) % kTeam;
    Pair pair = {-infinity(), 0};
    for (int j = begin; j < columns; j += kTeam)
      if (line[j] > pair.maximum)
        pair.maximum = line[j];
    for (int j = begin; j < columns; j += kTeam)
      if (line[j] != -infinity()) // which adds nothing, also where all are
        pair.sum += expf(line[j] - pair.maximum);
    return pair;
  }
  static __device__ __forceinline__ void write(const StepArgs &args, Int row, int rows, int lane, Pair pair) {
    for (int distance = 1; distance < kTeam; distance *= 2) {
      const Pair other = {__shfl_xor_sync(kFullWarp, pair.maximum, distance),
                          __shfl_xor_sync(kFullWarp, pair.sum, distance)};
      pair = join(pair, other);
    }
    const int i = static_cast<int>(threadIdx.x) / kTeam;
    if (threadIdx.x % kTeam != 0 || i >= rows)
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
