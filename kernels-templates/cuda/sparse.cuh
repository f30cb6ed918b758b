// What csr_gather, csc_update and wide_topk, and the host that launches them (runtime/hal/cuda/SparseLaunches.cpp),
// agree on: plain numbers.
#pragma once
#include "kernels-templates/cuda/abi.cuh"
#include "kernels-templates/cuda/both_sides.cuh"

namespace sn::cuda {
/// Columns that a warp sums at a time in csr_gather and csc_update, of elements of so many bytes: 16 bytes to a lane,
/// the most that an instruction loads.
SN_BOTH_SIDES constexpr int stretchOf(int bytes) { return 32 * 16 / bytes; }
/// The rows of deltas that csc_update sums are floats.
inline constexpr int kStretch = stretchOf(4);

// csc_update. Work areas: of 4 bytes for each feature (kCounts), one more (kStarts), 8 for each chunk and one more
// (kChunks), 4 for each feature that a batch can touch (kTouched), 8 for each entry (kPlaced, kOrdered).
namespace csc {
enum Area { kCounts, kStarts, kChunks, kTouched, kPlaced, kOrdered };
enum Pass { kCount, kSumChunks, kScanChunks, kWriteStarts, kPlace, kOrder, kUpdate, kPasses };
inline constexpr int kChunk = 4096;  // features of a block where lists' starts are found
inline constexpr int kWindow = 8192; // batch rows that a warp orders a list by at a time; 2 bits of shared memory each
inline constexpr int kOrderBlocks = 1024, kUpdateBlocks = 2048; // at most
} // namespace csc

// wide_topk. Work areas: capacity(...) keys of 8 bytes for each row and part (kLists), how many there are, of 4 bytes,
// after the number of parts (kCounts), where lists are longer than kInShared one of min(k, columns) keys for each row
// (kJoined).
namespace topk {
enum Area { kLists, kCounts, kJoined };
inline constexpr int kInShared = 1024; // keys that are sorted in shared memory
inline constexpr int kMostSpare = 1024;
inline constexpr int kBins = 256; // of a selection's digit
/// Keys that a part's list has room for: the best `keep`, and what may come before it is cut back to them, a row of a
/// tile at least.
SN_BOTH_SIDES constexpr Int capacityOf(Int keep, int side) {
  const Int spare = keep < kMostSpare ? keep : kMostSpare;
  return keep + (spare > side ? spare : side);
}
/// Bytes of a block's shared memory in pass 0, beside the `tileBytes` of its product's tile: for each warp the bins;
/// for each row a bound, a position, a count, a bit for each column.
SN_BOTH_SIDES constexpr int sharedBytes(int side, int tileBytes) {
  return tileBytes + kThreads / 32 * kBins * 4 + side * (8 + 8 + 4 + side / 32 * 4);
}
} // namespace topk
} // namespace sn::cuda
