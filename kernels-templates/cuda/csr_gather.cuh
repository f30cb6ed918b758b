// csr_gather: rows of a data set times W, then the epilogue. acc[r,:] = sum over entries v m w[index,:], by lanes over
// the features, inside a lane in index order.
#pragma once
#include "kernels-templates/cuda/data_source.cuh"
#include "kernels-templates/cuda/gather.cuh"

namespace sn::cuda {
/// `Epilogue`: a Slot. Sparse data: a block is a row x a stretch of columns; its warps (a power of two that divides the
/// lanes, or one) take consecutive lanes each, so that the tree of all lanes is that of the warps' trees.
/// Dense data: a block is a tile of rows x columns; dynamic shared memory for TileType::Shared.
template <class Epilogue, class TileType = Tile, class Weights = Fp32Weights> struct CsrGather {
  template <class Loader, class Optimizer, int Pass> static __device__ void run(const StepArgs &args) {
    if constexpr (operand::same<Loader, Dense>)
      runDense(args);
    else
      runSparse(args);
  }

private:
  static constexpr int kStretch = Lines<Weights>::kStretch, kPerLane = Lines<Weights>::kPerLane;

  static __device__ void finish(const StepArgs &args, const Frame &frame, Int row, Int column, float accumulator,
                                double &sum) {
    Place at;
    at.row = row;
    at.example = args.ids[row];
    at.column = column;
    at.accumulator = accumulator;
    Epilogue::run(args, frame, at, sum);
  }

  static __device__ void runSparse(const StepArgs &args) {
    __shared__ float partials[kThreads / kWarp][kStretch];
    const Frame &frame = *args.frame;
    const Lines<Weights> lines = linesOf<Weights>(args.source);
    const Int stretches = ceilDiv(lines.columns, kStretch), row = blockIdx.x / stretches;
    const Int first = blockIdx.x % stretches * kStretch;
    double sum = 0;
    if (row < frame.rows) {
      const int atOnce = lines.atOnce();
      if (atOnce == kPerLane)
        gatherRow<kPerLane>(args, frame, row, lines, first, partials[warp()]);
      else if (kPerLane > 4 && atOnce == 4)
        gatherRow<4>(args, frame, row, lines, first, partials[warp()]);
      else
        gatherRow<1>(args, frame, row, lines, first, partials[warp()]);
      __syncthreads();
      const int warps = static_cast<int>(blockDim.x) / kWarp;
      for (int place = static_cast<int>(threadIdx.x); place < kStretch && first + place < lines.columns;
           place += static_cast<int>(blockDim.x))
        finish(args, frame, row, first + place, combineWarps(partials, warps, place), sum);
    }
    reportSums(args, sum, 0);
  }

  /// Entries from `position` on, at most 32. Those masked to zero are left out.
  static __device__ __forceinline__ Entries load(const StepArgs &args, const Frame &frame, Int example, float scale,
                                                 Int position, Int end) {
    Entries entries;
    bool counts = position + lane() < end;
    if (counts) {
      entries.index = args.data.indices[position + lane()];
      entries.factor = entryValue(args, frame, example, position + lane(), entries.index, scale);
      counts = args.corruptions == 0 || entries.factor != 0;
    }
    entries.live = __ballot_sync(kFullWarp, counts);
    return entries;
  }

  /// The sum over the warp's lanes of a row's stretch, to `out`.
  template <int Width>
  static __device__ __forceinline__ void gatherRow(const StepArgs &args, const Frame &frame, Int row,
                                                   const Lines<Weights> &lines, Int first, float *out) {
    const int *indices = args.data.indices;
    const int warps = static_cast<int>(blockDim.x) / kWarp, each = args.lanes / warps, firstLane = warp() * each;
    const Int example = args.ids[row], inner = args.source.inner;
    const float scale = entryScale(args.data, example, 1);
    Range there = entriesOf(args.data, example);
    if (warps > 1) {
      there.begin = warpLowerBound(indices, there, laneRange(inner, firstLane, args.lanes).begin);
      there.end = warpLowerBound(indices, there, laneRange(inner, firstLane + each - 1, args.lanes).end);
    }
    LaneTree<kPerLane> tree;
    Entries entries, next;      // the 32 at hand, and those on their way
    Int position = there.begin; // of those after `next`
    float sums[kPerLane];
    for (int l = firstLane; l < firstLane + each; ++l) {
      const Int border = laneRange(inner, l, args.lanes).end;
#pragma unroll
      for (int i = 0; i < kPerLane; ++i)
        sums[i] = 0;
      for (;;) {
        const unsigned mine = entries.live & __ballot_sync(kFullWarp, entries.index < border);
        addLines<Width>(lines, first, entries, mine, sums);
        entries.live &= ~mine;
        if (entries.live || position >= there.end + kWarp)
          break;
        entries = next;
        next = load(args, frame, example, scale, position, there.end);
        position += kWarp;
      }
      tree.push(l - firstLane, sums);
    }
#pragma unroll
    for (int i = 0; i < kPerLane; ++i)
      out[placeOf<Width>(i)] = sums[i];
  }

  /// After the last lane the tile holds the sum of all.
  static __device__ void runDense(const StepArgs &args) {
    auto &shared = *dynamicShared<typename TileType::Shared>();
    constexpr int kSide = TileType::kSide;
    const Frame &frame = *args.frame;
    const Int tiles = ceilDiv(args.source.outer, kSide);
    const Int row = blockIdx.x / tiles * kSide, column = blockIdx.x % tiles * kSide;
    double sum = 0;
    if (row < frame.rows) {
      const DataRows left{args, frame, row};
      const auto right = weightsOperand<Weights>(args.source, args.source.outer, column);
      LaneTree<TileType::kCount> tree;
      TileType tile;
      for (int l = 0; l < args.lanes; ++l) {
        const Range features = laneRange(args.source.inner, l, args.lanes);
        tile.clear();
        tile.multiply(shared, left, right, features.begin, least(features.end, args.data.storedColumns));
        tree.push(l, tile.acc);
      }
      // Element by element from shared memory: neighbouring threads at neighbouring addresses, and one text of the
      // slot.
      tile.inShared(shared, [&](int first, int rows, const float *values) {
#pragma unroll 1
        for (int n = static_cast<int>(threadIdx.x); n < rows * kSide; n += kThreads) {
          const int i = n / kSide, j = n % kSide;
          if (row + first + i < frame.rows && column + j < args.source.outer)
            finish(args, frame, row + first + i, column + j, values[i * TileType::kStride + j], sum);
        }
      });
    }
    reportSums(args, sum, 0);
  }
};
} // namespace sn::cuda
