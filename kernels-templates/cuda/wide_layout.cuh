// Passes and work areas of the dense and wide templates: plain data that runtime/hal/cuda/WideLaunches.cpp shares with
// them.
#pragma once
#include "kernels-templates/cuda/abi.cuh"
#include "kernels-templates/cuda/both_sides.cuh"

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
/// Passes of WideOutput. kSweep: all of a sweep; of Single in one pass, where a tile of side 64 has all rows of the
/// batch. kForward and kUpdate: Single in two passes, the second of which forms the deltas again; kKeep: a first pass
/// that stores them instead, for passes kDescend. kDescend: gradient and update of one source (StepArgs::source) from
/// stored deltas. kFinish, of Norm and of WideSoftmaxStatistics: the lanes' partial results to the rows.
inline constexpr int kSweep = 0, kDescend = 1, kFinish = 2, kForward = 3, kUpdate = 4, kKeep = 5;
/// Added to the number of a walk's pass: the gradient that the walk adds up, which is of one source (StepArgs::source)
/// whose inner extent a tile covers, stays in registers: input gradients on a walk along rows, weight gradients on one
/// along columns.
inline constexpr int kHeld = 8;
/// Tiles whose deltas a block keeps until it forms their input gradients, where these do not stay in registers.
inline constexpr int kChunk = 4;
/// Work areas. Deltas of a chunk, float [blocks][side][kChunk x side], where input gradients are not held; null if none
/// are wanted;
inline constexpr int kChunks = 0;
/// float [maxRows][keptStride(columns)]: deltas of kKeep, and of sources that are late;
inline constexpr int kKept = 1;
/// RowState [blocks][maxRows], where blocks walk several tiles of rows and of columns;
inline constexpr int kStates = 2, kStateBytes = 40;
/// float [blocks][maxRows][side]: the deltas of the tile that a block of an update is at, where weight gradients are
/// not held; null if none are wanted;
inline constexpr int kDeltas = 3;
/// Norm, double [wideLanes][maxRows];
inline constexpr int kSquares = 0;
/// statistics: float and double [wideLanes][maxRows].
inline constexpr int kMaxima = 0, kSums = 1;

/// Whether a thread's registers hold the sums of a second tile through a product: of side 64 always; of side 128 those
/// of an input gradient (a weight gradient comes with its optimizer) where products take their factors from shared
/// memory, as wgmma does: variants of one architecture.
SN_BOTH_SIDES constexpr bool holdsInputGradient(int side, bool fromShared) { return side == 64 || fromShared; }
SN_BOTH_SIDES constexpr bool holdsWeightGradient(int side) { return side == 64; }
/// Whether `single` has a form of one pass.
SN_BOTH_SIDES constexpr bool hasOnePass(int side) { return side == 64; }
/// Of a line of kept deltas: 16-byte loads stay aligned.
SN_BOTH_SIDES constexpr Int keptStride(Int columns) { return (columns + 3) / 4 * 4; }
/// Of a line of a tile of deltas in shared memory.
SN_BOTH_SIDES constexpr int lineOf(int side) { return side + 4; }
/// Shared memory of a block, at most, with tiles that stage their operands in `stages` bytes: the tile of deltas, a
/// mark for each of its places, the states of its rows, a partial sum for each thread.
SN_BOTH_SIDES constexpr int sharedBytes(int side, int stages) {
  const int bytes = stages + side * lineOf(side) * 4 + side * side / 8 + side * kStateBytes + kThreads * 4;
  return (bytes + 1023) / 1024 * 1024;
}
} // namespace wide
} // namespace sn::cuda
