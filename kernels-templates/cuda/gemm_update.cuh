// gemm_update: grad W = -1/B x^T delta by lanes of the batch, and the optimizer (or a gradient buffer), tile by tile of
// the weights.
#pragma once
#include "kernels-templates/cuda/gradient_tile.cuh"

namespace sn::cuda {
/// Grid: x = tiles of the columns of E times tiles of its inner extent; neighbours share their part of x. Dynamic
/// shared memory: the tile's.
template <class TileType, class Weights = Fp32Weights> struct GemmUpdateBy {
  template <class Loader, class Optimizer, int Pass> static __device__ void run(const StepArgs &args) {
    auto &shared = *dynamicShared<typename TileType::Shared>();
    constexpr int kSide = TileType::kSide;
    const Source &source = args.source;
    const Int rows = args.frame->rows, tiles = ceilDiv(source.outer, kSide);
    const Int column = blockIdx.x % tiles * kSide, inner = blockIdx.x / tiles * kSide;
    const GradientTile gradient(source, inner, column, source.outer);
    const MatrixOperand delta = columnsOperand(args.delta, source.outer, source.outer, column);
    const int lanes = batchLanes(rows);
    LaneTree<TileType::kCount> tree;
    TileType tile;
#pragma unroll 1
    for (int lane = 0; lane < lanes; ++lane) {
      const Range range = laneRange(rows, lane, lanes);
      tile.clear();
      gradient.multiply(tile, shared, delta, range.begin, range.end);
      tree.push(lane, tile.acc);
    }
    double regularization = 0;
    gradient.template descend<Optimizer, Weights>(args, tile, shared, GradientTile::factor(source, rows),
                                                  regularization);
    reportSums(args, 0, regularization);
  }
};
using GemmUpdate = GemmUpdateBy<Tile>;
} // namespace sn::cuda
