// wide_topk: the k best columns of each row of a wide output; scores are never stored. Equal scores: the lower column
// wins. A block keeps the best of a chunk of rows x a part of the columns, then a block for each row joins the parts.
//
// A candidate is a key: the score's bits made to ascend, then the complement of the column. Keys are distinct and their
// order is total, so what is kept does not depend on the order in which threads come. NaN is below every number.
#pragma once
#include "kernels-templates/cuda/data_source.cuh"
#include "kernels-templates/cuda/sparse.cuh"
#include "kernels-templates/cuda/tile.cuh"

namespace sn::cuda {
using Key = unsigned long long; // 0: none

__device__ __forceinline__ Key keyOf(float score, Int column) {
  const unsigned bits = __float_as_uint(score == 0 ? 0.0f : score); // one zero
  const unsigned ascending = score != score ? 0 : bits >> 31 ? ~bits : bits | 0x80000000u;
  return static_cast<Key>(ascending) << 32 | ~static_cast<unsigned>(column);
}
__device__ __forceinline__ float scoreOf(Key key) {
  const unsigned ascending = static_cast<unsigned>(key >> 32);
  const unsigned bits = ascending == 0 ? 0x7fffffffu : ascending >> 31 ? ascending & 0x7fffffffu : ~ascending;
  return __uint_as_float(bits);
}
__device__ __forceinline__ int columnOf(Key key) { return static_cast<int>(~static_cast<unsigned>(key)); }

/// Threads that select together: a warp or the whole block.
struct WarpTeam {
  static __device__ __forceinline__ int rank() { return lane(); }
  static __device__ __forceinline__ int size() { return kWarp; }
  static __device__ __forceinline__ void sync() { __syncwarp(); }
};
struct BlockTeam {
  static __device__ __forceinline__ int rank() { return static_cast<int>(threadIdx.x); }
  static __device__ __forceinline__ int size() { return kThreads; }
  static __device__ __forceinline__ void sync() { __syncthreads(); }
};
/// A bound that exactly `keep` of key(0 .. count - 1) reach, 0 < keep <= count: found digit by digit from the highest.
/// `bins`: the team's own. All threads of the team must call it; keys must be distinct.
template <class Team, class KeyAt> __device__ Key selectBound(Int count, Int keep, unsigned *bins, const KeyAt &keyAt) {
  Key bound = 0, known = 0; // known: the digits of `bound` that are final
  for (int shift = 56; shift >= 0; shift -= 8) {
    for (int bin = Team::rank(); bin < topk::kBins; bin += Team::size())
      bins[bin] = 0;
    Team::sync();
    for (Int i = Team::rank(); i < count; i += Team::size()) {
      const Key key = keyAt(i);
      if ((key & known) == bound)
        atomicAdd(bins + (key >> shift & (topk::kBins - 1)), 1u);
    }
    Team::sync();
    // Every warp for itself; each lane has eight bins, the first lane the highest.
    constexpr int kEach = topk::kBins / kWarp;
    unsigned here = 0;
    for (int i = 0; i < kEach; ++i)
      here += bins[topk::kBins - 1 - lane() * kEach - i];
    unsigned before = here;
    for (int by = 1; by < kWarp; by *= 2) {
      const unsigned other = __shfl_up_sync(kFullWarp, before, by);
      if (lane() >= by)
        before += other;
    }
    before -= here;
    const bool mine = before < keep && keep <= before + here;
    int digit = topk::kBins - 1 - lane() * kEach;
    unsigned inside = 0;
    if (mine)
      for (;; --digit) {
        inside = bins[digit];
        if (keep <= before + inside)
          break;
        before += inside;
      }
    const int owner = __ffs(static_cast<int>(__ballot_sync(kFullWarp, mine))) - 1;
    digit = __shfl_sync(kFullWarp, digit, owner);
    keep -= __shfl_sync(kFullWarp, before, owner);
    inside = __shfl_sync(kFullWarp, inside, owner);
    bound |= static_cast<Key>(digit) << shift;
    known |= static_cast<Key>(topk::kBins - 1) << shift;
    Team::sync();
    if (inside == keep)
      break;
  }
  return bound;
}

/// Sorts keys[0 .. count - 1], best first, by the block: bitonic, where places beyond the end count as the worst.
__device__ inline void sortKeys(Key *keys, Int count) {
  const auto exchange = [keys, count](Int low, Int high) {
    if (high < count && keys[low] < keys[high]) {
      const Key key = keys[low];
      keys[low] = keys[high];
      keys[high] = key;
    }
  };
  for (Int run = 2; run / 2 < count; run *= 2) {
    const Int pairs = ceilDiv(count, run) * (run / 2);
    __syncthreads();
    for (Int i = threadIdx.x; i < pairs; i += kThreads) { // the second half of each run backwards
      const Int begin = i / (run / 2) * run, at = i % (run / 2);
      exchange(begin + at, begin + run - 1 - at);
    }
    for (Int step = run / 4; step > 0; step /= 2) {
      __syncthreads();
      for (Int i = threadIdx.x; i < pairs; i += kThreads) {
        const Int low = i / step * 2 * step + i % step;
        exchange(low, low + step);
      }
    }
  }
  __syncthreads();
}

/// `Score`: a Slot that gives delta. `Loader`: of what is excluded. Pass 0 takes topk::sharedBytes of dynamic shared
/// memory. Pass 0: a block is a chunk of rows (x) and a part
/// of the columns (y). Pass 1: a block is a row.
template <class Score, class TileType = Tile, class Weights = Fp32Weights> struct WideTopk {
  template <class Loader, class Optimizer, int Pass> static __device__ void run(const StepArgs &args) {
    if constexpr (Pass == 0)
      collect<Loader>(args);
    else
      join(args);
  }

private:
  static constexpr int kSide = TileType::kSide, kWarps = kThreads / kWarp, kWords = kSide / kWarp;

  /// The lists of a launch whose columns are cut in `parts`.
  struct Shape {
    Int parts, keep, capacity; // keep: the length that a part's list comes to; capacity: its room
    __device__ Shape(const StepArgs &args, const Frame &frame, Int numberOfParts)
        : parts(numberOfParts), keep(least(frame.k, ceilDiv(args.columns, parts))),
          capacity(topk::capacityOf(keep, kSide)) {}
  };
  static __device__ int *counts(const StepArgs &args) { return static_cast<int *>(args.work[topk::kCounts]); }
  struct Shared {
    typename TileType::Shared tile;
    unsigned bins[kWarps][topk::kBins];
    Key bounds[kSide];                // what a candidate must reach
    Int next[kSide];                  // where the row's excluded columns continue
    unsigned excluded[kSide][kWords]; // of the tile, one bit for each column
    int counts[kSide];
  };
  static_assert(sizeof(Shared) == topk::sharedBytes(kSide, sizeof(typename TileType::Shared)));

  template <class Loader> static __device__ void collect(const StepArgs &args) {
    Shared &shared = *dynamicShared<Shared>();
    const Frame &frame = *args.frame;
    const Shape shape(args, frame, gridDim.y);
    const Int row = static_cast<Int>(blockIdx.x) * kSide;
    const int rows = static_cast<int>(greatest(0, least(kSide, frame.rows - row)));
    const Range columns = laneRange(args.columns, static_cast<int>(blockIdx.y), static_cast<int>(gridDim.y));
    double sum = 0;
    if (blockIdx.x == 0 && blockIdx.y == 0 && threadIdx.x == 0)
      counts(args)[0] = static_cast<int>(gridDim.y);
    if (rows > 0 && shape.keep > 0) {
      Key *lists = static_cast<Key *>(args.work[topk::kLists]) + (row * shape.parts + blockIdx.y) * shape.capacity;
      const Int stride = shape.parts * shape.capacity;
      begin<Loader>(args, row, rows, columns.begin, shared);
      for (Int column = columns.begin; column < columns.end; column += kSide) {
        const Int end = least(columns.end, column + kSide);
        offerTile<Loader>(args, frame, row, rows, column, end, lists, stride, shared, sum);
        for (int r = warp(); r < rows; r += kWarps)
          if (shared.counts[r] > shape.keep && (end == columns.end || shared.counts[r] + kSide > shape.capacity))
            shorten(lists + r * stride, shape.keep, shared.counts[r], shared.bounds[r], shared.bins[warp()]);
        __syncthreads();
      }
      for (int r = static_cast<int>(threadIdx.x); r < rows; r += kThreads)
        counts(args)[1 + (row + r) * shape.parts + blockIdx.y] = shared.counts[r];
    }
    reportSums(args, sum, 0);
  }

  static __device__ bool excludes(const StepArgs &args) {
    return args.data.dense ? args.data.values != nullptr : args.data.indptr != nullptr;
  }
  template <class Loader>
  static __device__ void begin(const StepArgs &args, Int row, int rows, Int column, Shared &shared) {
    for (int r = warp(); r < rows; r += kWarps) {
      if (lane() == 0) {
        shared.counts[r] = 0;
        shared.bounds[r] = 0;
      }
      if constexpr (!operand::same<Loader, NoData> && !operand::same<Loader, Dense>)
        if (excludes(args)) {
          const Int first = warpLowerBound(args.data.indices, entriesOf(args.data, args.ids[row + r]), column);
          if (lane() == 0)
            shared.next[r] = first;
        }
    }
    __syncthreads();
  }
  /// Marks the tile's excluded columns.
  template <class Loader>
  static __device__ void exclude(const StepArgs &args, Int row, int rows, Int column, Int end, Shared &shared) {
    for (int r = warp(); r < rows; r += kWarps) {
      if (lane() < kWords)
        shared.excluded[r][lane()] = 0;
      __syncwarp();
      if constexpr (operand::same<Loader, Dense>) {
        const Int example = args.ids[row + r];
        const float *known = args.data.values + storedRow(args.data, example) * args.data.storedColumns;
        for (Int c = column + lane(); excludes(args) && c < least(end, args.data.storedColumns); c += kWarp)
          if (known[c] != 0)
            mark(shared, r, c - column);
      } else if constexpr (!operand::same<Loader, NoData>) {
        if (!excludes(args))
          continue;
        const Int stop = entriesOf(args.data, args.ids[row + r]).end;
        Int position = shared.next[r];
        for (;;) {
          const Int at = position + lane();
          const bool inside = at < stop && args.data.indices[at] < end;
          if (inside)
            mark(shared, r, args.data.indices[at] - column);
          const int taken = __popc(__ballot_sync(kFullWarp, inside));
          position += taken;
          if (taken < kWarp)
            break;
        }
        __syncwarp();
        if (lane() == 0)
          shared.next[r] = position;
      }
    }
  }
  static __device__ __forceinline__ void mark(Shared &shared, int r, Int place) {
    atomicOr(&shared.excluded[r][place / kWarp], 1u << (place % kWarp));
  }

  /// Scores of the tile; what reaches its row's bound goes to the row's list. Ends with a barrier.
  template <class Loader>
  static __device__ void offerTile(const StepArgs &args, const Frame &frame, Int row, int rows, Int column, Int end,
                                   Key *lists, Int stride, Shared &shared, double &sum) {
    exclude<Loader>(args, row, rows, column, end, shared);
    TileType tile;
    tile.clear();
    for (int s = 0; s < args.sourceCount; ++s) {
      const Source &source = args.sources[s];
      tile.multiply(shared.tile, rowsOperand(source.x, source.inner, frame.rows, row),
                    weightsOperand<Weights>(source, end, column), 0, source.inner);
    }
    __syncthreads();
    tile.forEach([&](int i, int j, float value) {
      if (i >= rows || column + j >= end)
        return;
      Place at;
      at.row = row + i;
      at.example = args.ids[row + i];
      at.column = column + j;
      at.accumulator = value;
      Score::run(args, frame, at, sum);
      const Key key = keyOf(at.delta, column + j);
      if (key >= shared.bounds[i] && !(shared.excluded[i][j / kWarp] >> (j % kWarp) & 1))
        lists[i * stride + atomicAdd(&shared.counts[i], 1)] = key;
    });
    __syncthreads();
  }

  /// A list's best `keep` to its front. A warp.
  static __device__ void shorten(Key *list, Int keep, int &count, Key &bound, unsigned *bins) {
    const int before = count;
    const Key least = selectBound<WarpTeam>(before, keep, bins, [list](Int i) { return list[i]; });
    Int kept = 0;
    for (int first = 0; first < before; first += kWarp) {
      const Key key = first + lane() < before ? list[first + lane()] : 0;
      const bool keeps = first + lane() < before && key >= least;
      const unsigned keeping = __ballot_sync(kFullWarp, keeps);
      __syncwarp(); // all have read before anyone writes
      if (keeps)
        list[kept + __popc(keeping & ((1u << lane()) - 1))] = key;
      kept += __popc(keeping);
    }
    if (lane() == 0) {
      count = static_cast<int>(keep);
      bound = least;
    }
  }

  /// The best of a row's parts, sorted.
  static __device__ void join(const StepArgs &args) {
    __shared__ Key keys[topk::kInShared];
    __shared__ unsigned bins[topk::kBins];
    __shared__ int found;
    const Frame &frame = *args.frame;
    const Shape shape(args, frame, counts(args)[0]);
    const Int row = blockIdx.x, k = frame.k;
    if (row >= frame.rows || k <= 0)
      return;
    const Key *lists = static_cast<const Key *>(args.work[topk::kLists]) + row * shape.parts * shape.capacity;
    const int *lengths = counts(args) + 1 + row * shape.parts;
    Int total = 0;
    for (int part = 0; part < shape.parts; ++part)
      total += lengths[part];
    const Int room = shape.parts * shape.keep;
    const auto there = [&](Int i) { return i % shape.keep < lengths[i / shape.keep]; };
    const auto keyAt = [&](Int i) { return lists[i / shape.keep * shape.capacity + i % shape.keep]; };
    const Int keep = least(k, total);
    Key *best =
        k <= topk::kInShared ? keys : static_cast<Key *>(args.work[topk::kJoined]) + row * least(k, args.columns);
    // Missing places are keys 0, below every bound.
    Key bound = 1;
    if (keep < total)
      bound = selectBound<BlockTeam>(room, keep, bins, [&](Int i) { return there(i) ? keyAt(i) : 0; });
    if (threadIdx.x == 0)
      found = 0;
    __syncthreads();
    for (Int i = threadIdx.x; i < room && keep > 0; i += kThreads)
      if (there(i) && keyAt(i) >= bound)
        best[atomicAdd(&found, 1)] = keyAt(i);
    sortKeys(best, keep);
    for (Int i = threadIdx.x; i < k; i += kThreads) {
      args.topColumns[row * k + i] = i < keep ? columnOf(best[i]) : -1;
      args.topScores[row * k + i] = i < keep ? scoreOf(best[i]) : -infinity();
    }
  }
};
} // namespace sn::cuda
