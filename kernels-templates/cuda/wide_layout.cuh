// Passes and work areas of the dense and wide templates: plain data that runtime/hal/cuda/WideLaunches.cpp shares with
// them.
#pragma once
#include "kernels-templates/cuda/abi.cuh"

namespace sn::cuda {
/// Rows and columns of a tile of a product (tile.cuh).
inline constexpr int kTileSide = 64;

namespace gemm {
/// Passes: everything at once; or the products by sources and lanes, then their sums and the epilogue.
inline constexpr int kWhole = 0, kPartial = 1, kFinish = 2;
/// From this inner extent on a source's sum goes by the lanes of the plan (kernels-templates/cpu/Gemm.h).
inline constexpr Int kWideInner = 4096;
/// Work area: float [units][maxRows][columns], a unit for each lane of each source.
inline constexpr int kPartials = 0;
} // namespace gemm

namespace wide {
/// Passes of WideOutput: the sweep; the gradient of a late source (StepArgs::source) from the kept deltas; sweep Norm:
/// the lanes' squares to the rows. Of WideSoftmaxStatistics: kSweep and kFinish.
inline constexpr int kSweep = 0, kLate = 1, kFinish = 2;
/// Work areas. float [blocks][maxRows][kTileSide]: the deltas of the tile that a block of Single or Update is at;
inline constexpr int kDeltas = 0;
/// float [maxRows][columns]: what late sources wait for;
inline constexpr int kKept = 1;
/// Norm, double [wideLanes][maxRows];
inline constexpr int kSquares = 0;
/// statistics: float and double [wideLanes][maxRows].
inline constexpr int kMaxima = 0, kSums = 1;
} // namespace wide
} // namespace sn::cuda
