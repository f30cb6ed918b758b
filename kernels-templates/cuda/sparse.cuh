// What csr_gather, csc_update and wide_topk, and the host that launches them (runtime/hal/cuda/SparseLaunches.cpp),
// agree on: plain numbers.
#pragma once
#include "kernels-templates/cuda/abi.cuh"

namespace sn::cuda {
/// Columns that a warp sums at a time in csr_gather and csc_update.
inline constexpr int kStretch = 128;

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
inline constexpr int kRows = 64, kColumns = 64; // of a block's tile
inline constexpr int kInShared = 1024;          // keys that are sorted in shared memory
inline constexpr int kMostSpare = 1024;
} // namespace topk
} // namespace sn::cuda
