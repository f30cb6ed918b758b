// Constants of the pointwise and reducing templates that device code and runtime/hal/cuda/PointwiseLaunches.cpp share.
#pragma once
#include "kernels-templates/cuda/abi.cuh"

namespace sn::cuda {
/// map, expand: a block takes a tile of [rows, columns] of at most kElements elements, kElementColumns columns (or all,
/// if there are fewer) and kElementRows rows. Tiles of a row come one after another, then those of the next rows.
inline constexpr int kElements = 1024, kElementColumns = 256, kElementRows = 64;
/// Blocks take several tiles where there would be more of them.
inline constexpr int kElementBlocks = 16384;

/// row_reduce: a row of at most so many columns is a warp's, else a block's.
inline constexpr int kNarrowRow = 512;
/// row_reduce: lanes over the columns, at most; each has a place in a warp.
inline constexpr int kMostReduceLanes = 32;

/// update, limit_norm: blocks stride through memory; a thread takes about so many values, more where there would be
/// more than kUpdateBlocks blocks.
inline constexpr int kUpdateValues = 8, kUpdateBlocks = 8192;
/// limit_norm, [inner][outer]: blocks of the first pass at most, and rows of a lane's piece at least.
inline constexpr int kNormBlocks = 2048, kRowsOfNormPiece = 64;
} // namespace sn::cuda
