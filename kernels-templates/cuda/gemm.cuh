// gemm: dense products of buffers, then the epilogue. A block makes a tile; where an inner extent is wide,
// a block makes the tile's part of one lane, and a second pass adds the lanes by the tree.
#pragma once
#include "kernels-templates/cuda/slot.cuh"
#include "kernels-templates/cuda/tile.cuh"

namespace sn::cuda {
/// Grid: x = tiles of the columns (pass gemm::kPartial: by units, the lanes of the sources one after another), y =
/// tiles of the rows. Dynamic shared memory: the tile's, but for pass gemm::kFinish.
template <class Epilogue, class TileType = Tile, class Weights = Fp32Weights> struct Gemm {
  template <class Loader, class Optimizer, int Pass> static __device__ void run(const StepArgs &args) {
    const Frame frame = *args.frame;
    const Int tiles = ceilDiv(args.columns, kSide);
    const Int column = blockIdx.x % tiles * kSide, row = static_cast<Int>(blockIdx.y) * kSide;
    double sum = 0;
    const auto finish = [&](int i, int j, float value) {
      if (row + i >= frame.rows || column + j >= args.columns)
        return;
      Place at;
      at.row = row + i;
      at.example = args.ids[at.row];
      at.column = column + j;
      at.accumulator = Pass == gemm::kFinish ? total(args, at) : value;
      Epilogue::run(args, frame, at, sum);
    };
    if constexpr (Pass == gemm::kFinish) {
#pragma unroll 1
      for (int n = static_cast<int>(threadIdx.x); n < kSide * kSide; n += kThreads)
        finish(n / kSide, n % kSide, 0);
    } else if (row < frame.rows) {
      auto &shared = *dynamicShared<typename TileType::Shared>();
      const int unit = static_cast<int>(blockIdx.x / tiles);
      TileType tile;
      tile.clear();
      contract<Pass>(args, frame.rows, unit, row, column, tile, shared);
      if constexpr (Pass == gemm::kPartial) {
        tile.forEach([&](int i, int j, float value) {
          if (row + i < frame.rows && column + j < args.columns)
            partials(args, unit)[(row + i) * args.columns + column + j] = value;
        });
      } else {
        tile.inShared(shared, [&](int first, int rows, const float *values) {
#pragma unroll 1
          for (int n = static_cast<int>(threadIdx.x); n < rows * kSide; n += kThreads)
            finish(first + n / kSide, n % kSide, values[n / kSide * TileType::kStride + n % kSide]);
        });
      }
    }
    if constexpr (Pass != gemm::kPartial)
      reportSums(args, sum, 0);
  }

private:
  static constexpr int kSide = TileType::kSide;

  static __device__ __forceinline__ int lanesOf(const StepArgs &args, const Source &source) {
    return source.inner >= gemm::kWideInner ? args.lanes : 1;
  }
  static __device__ __forceinline__ float *partials(const StepArgs &args, int unit) {
    return static_cast<float *>(args.work[gemm::kPartials]) + unit * args.maxRows * args.columns;
  }
  /// All sources in their order, or the lane of a source that is unit `unit`.
  template <int Pass>
  static __device__ __forceinline__ void contract(const StepArgs &args, Int rows, int unit, Int row, Int column,
                                                  TileType &tile, typename TileType::Shared &shared) {
#pragma unroll 1
    for (int s = 0; s < args.sourceCount; ++s) {
      const Source &source = args.sources[s];
      Range inner = {0, source.inner};
      if constexpr (Pass == gemm::kPartial) {
        const int lanes = lanesOf(args, source), lane = unit;
        unit -= lanes;
        if (lane < 0 || lane >= lanes)
          continue;
        inner = laneRange(source.inner, lane, lanes);
      }
      tile.multiply(shared, rowsOperand(source.x, source.inner, rows, row),
                    weightsOperand<Weights>(source, args.columns, column), inner.begin, inner.end);
    }
  }
  /// The lanes of each source by the tree, the sources in their order.
  static __device__ float total(const StepArgs &args, const Place &at) {
    const Int offset = at.row * args.columns + at.column;
    float result = 0;
    for (int s = 0, unit = 0; s < args.sourceCount; ++s) {
      const int lanes = lanesOf(args, args.sources[s]);
      LaneTree<1> tree;
      float sum = 0;
      for (int lane = 0; lane < lanes; ++lane, ++unit) {
        sum = partials(args, unit)[offset];
        tree.push(lane, &sum);
      }
      result = s == 0 ? sum : result + sum;
    }
    return result;
  }
};
} // namespace sn::cuda
