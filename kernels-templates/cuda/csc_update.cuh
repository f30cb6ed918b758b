// csc_update: weight gradient of a data-set source and the optimizer (or a gradient buffer), feature by feature:
// grad W[i,:] = factor * sum over rows r that store i, in batch order: v m delta[r,:].
//
// A sparse batch is transposed first: entries are counted for each feature, placed in any order, then ordered by their
// rows. So a sum depends neither on the order in which blocks run nor on that of atomic operations.
#pragma once
#include "kernels-templates/cuda/data_source.cuh"
#include "kernels-templates/cuda/gather.cuh"
#include "kernels-templates/cuda/gradient_tile.cuh"

namespace sn::cuda {
/// `TileType`: of the product where data are dense; then dynamic shared memory for TileType::Shared. `Weights`: how the
/// weights lie in memory.
template <class TileType, class Weights> class CscUpdateBy {
public:
  template <class Loader, class Optimizer, int Pass> static __device__ void run(const StepArgs &args) {
    if constexpr (operand::same<Loader, Dense>)
      updateDense<Optimizer>(args);
    else if constexpr (Pass == csc::kCount)
      forEntries(args, [&](int feature, Int, float) { atomicAdd(counts(args) + feature, 1u); });
    else if constexpr (Pass == csc::kSumChunks)
      sumChunks(args);
    else if constexpr (Pass == csc::kScanChunks)
      scanChunks(args);
    else if constexpr (Pass == csc::kWriteStarts)
      writeStarts(args);
    else if constexpr (Pass == csc::kPlace)
      forEntries(args, [&](int feature, Int row, float factor) {
        // The counts go down to zero again: what is taken is the last free place.
        const unsigned place = starts(args)[feature] + atomicAdd(counts(args) + feature, ~0u) - 1;
        entries(args, csc::kPlaced)[place] = {static_cast<int>(row), factor};
      });
    else if constexpr (Pass == csc::kOrder)
      orderLists(args);
    else
      updateSparse<Optimizer>(args);
  }

private:
  static constexpr unsigned kLong = 128; // a list above this is summed by the whole block
  static constexpr int kWarps = kThreads / kWarp;
  using Pair = unsigned long long; // touched features << 32 | entries

  struct Entry {
    int row;
    float factor;
  };
  static __device__ unsigned *counts(const StepArgs &args) { return static_cast<unsigned *>(args.work[csc::kCounts]); }
  static __device__ unsigned *starts(const StepArgs &args) { return static_cast<unsigned *>(args.work[csc::kStarts]); }
  static __device__ Pair *chunks(const StepArgs &args) { return static_cast<Pair *>(args.work[csc::kChunks]); }
  static __device__ int *touched(const StepArgs &args) { return static_cast<int *>(args.work[csc::kTouched]); }
  static __device__ Entry *entries(const StepArgs &args, int area) { return static_cast<Entry *>(args.work[area]); }
  /// Of the whole batch, after pass 2.
  static __device__ Int touchedCount(const StepArgs &args) {
    return static_cast<Int>(chunks(args)[ceilDiv(args.source.inner, csc::kChunk)] >> 32);
  }
  static __device__ float factorOf(const StepArgs &args) {
    return -args.source.scale / static_cast<float>(args.frame->rows);
  }

  /// visit(feature, row, factor v m) for each entry of the batch whose value is not zero. A block for each row.
  template <class Visit> static __device__ void forEntries(const StepArgs &args, Visit visit) {
    const Frame &frame = *args.frame;
    const Int row = blockIdx.x;
    if (row >= frame.rows)
      return;
    const Int example = args.ids[row];
    const float scale = entryScale(args.data, example, factorOf(args));
    const Range range = entriesOf(args.data, example);
    for (Int position = range.begin + threadIdx.x; position < range.end; position += blockDim.x) {
      const int feature = args.data.indices[position];
      const float value = entryValue(args, frame, example, position, feature, scale);
      if (value != 0)
        visit(feature, row, value);
    }
  }

  static __device__ __forceinline__ Pair pairOf(unsigned count) { return static_cast<Pair>(count > 0) << 32 | count; }
  /// Exclusive prefix sums over the block; `total`: of all its values. All threads must call it.
  static __device__ Pair blockScan(Pair value, Pair &total) {
    __shared__ Pair sums[kWarps];
    Pair inclusive = value;
    for (int by = 1; by < kWarp; by *= 2) {
      const Pair other = __shfl_up_sync(kFullWarp, inclusive, by);
      if (lane() >= by)
        inclusive += other;
    }
    __syncthreads(); // of the last call's sums
    if (lane() == kWarp - 1)
      sums[warp()] = inclusive;
    __syncthreads();
    Pair before = 0;
    total = 0;
    for (int w = 0; w < kWarps; ++w) {
      if (w < warp())
        before += sums[w];
      total += sums[w];
    }
    return before + inclusive - value;
  }
  static __device__ void sumChunks(const StepArgs &args) {
    const Int begin = static_cast<Int>(blockIdx.x) * csc::kChunk, end = least(begin + csc::kChunk, args.source.inner);
    Pair sum = 0, total;
    for (Int feature = begin + threadIdx.x; feature < end; feature += kThreads)
      sum += pairOf(counts(args)[feature]);
    blockScan(sum, total);
    if (threadIdx.x == 0)
      chunks(args)[blockIdx.x] = total;
  }
  /// chunks[i] = the sum of those before; one more for the sum of all. One block.
  static __device__ void scanChunks(const StepArgs &args) {
    const Int count = ceilDiv(args.source.inner, csc::kChunk);
    Pair carry = 0;
    for (Int first = 0; first < count; first += kThreads) {
      const Int i = first + threadIdx.x;
      Pair total;
      const Pair before = blockScan(i < count ? chunks(args)[i] : 0, total);
      if (i < count)
        chunks(args)[i] = carry + before;
      carry += total;
    }
    if (threadIdx.x == 0)
      chunks(args)[count] = carry;
  }
  /// starts[i] = the first place of feature i's list, one more for their end; touched[] = the features with entries.
  static __device__ void writeStarts(const StepArgs &args) {
    const Int begin = static_cast<Int>(blockIdx.x) * csc::kChunk;
    Pair carry = chunks(args)[blockIdx.x];
    for (Int first = begin; first < begin + csc::kChunk && first < args.source.inner; first += kThreads) {
      const Int feature = first + threadIdx.x;
      const unsigned count = feature < args.source.inner ? counts(args)[feature] : 0;
      Pair total;
      const Pair before = carry + blockScan(pairOf(count), total);
      if (feature < args.source.inner)
        starts(args)[feature] = static_cast<unsigned>(before);
      if (count > 0)
        touched(args)[before >> 32] = static_cast<int>(feature);
      if (feature == args.source.inner - 1)
        starts(args)[feature + 1] = static_cast<unsigned>(before) + count;
      carry += total;
    }
  }

  /// Each list in the order of its rows. A warp takes a list.
  static __device__ void orderLists(const StepArgs &args) {
    const Int warps = static_cast<Int>(gridDim.x) * kWarps, lists = touchedCount(args);
    for (Int i = static_cast<Int>(blockIdx.x) * kWarps + warp(); i < lists; i += warps) {
      const int feature = touched(args)[i];
      const unsigned begin = starts(args)[feature], count = starts(args)[feature + 1] - begin;
      const Entry *from = entries(args, csc::kPlaced) + begin;
      Entry *to = entries(args, csc::kOrdered) + begin;
      if (count <= kWarp)
        orderShort(from, to, static_cast<int>(count));
      else
        orderLong(args, from, to, count);
    }
  }
  static __device__ void orderShort(const Entry *from, Entry *to, int count) {
    Entry mine{0x7fffffff, 0};
    if (lane() < count)
      mine = from[lane()];
    int rank = 0;
    for (int i = 0; i < count; ++i)
      rank += __shfl_sync(kFullWarp, mine.row, i) < mine.row ? 1 : 0;
    if (lane() < count)
      to[rank] = mine;
  }
  /// An entry's place is the number of rows below its own: one bit for each row of a window, sums of bits by words.
  static __device__ void orderLong(const StepArgs &args, const Entry *from, Entry *to, unsigned count) {
    const int window = static_cast<int>(least(csc::kWindow, ceilDiv(args.maxRows, kWarp) * kWarp)),
              words = window / kWarp;
    unsigned *bits = dynamicShared<unsigned>() + warp() * 2 * words, *below = bits + words;
    unsigned done = 0; // entries of the windows before
    for (Int first = 0; done < count; first += window) {
      for (int w = lane(); w < words; w += kWarp)
        bits[w] = 0;
      __syncwarp();
      for (unsigned i = lane(); i < count; i += kWarp) {
        const Int row = from[i].row - first;
        if (row >= 0 && row < window)
          atomicOr(bits + row / kWarp, 1u << (row % kWarp));
      }
      __syncwarp();
      unsigned sum = done;
      for (int w = 0; w < words; w += kWarp) {
        const unsigned here = w + lane() < words ? __popc(bits[w + lane()]) : 0;
        unsigned inclusive = here;
        for (int by = 1; by < kWarp; by *= 2) {
          const unsigned other = __shfl_up_sync(kFullWarp, inclusive, by);
          if (lane() >= by)
            inclusive += other;
        }
        if (w + lane() < words)
          below[w + lane()] = sum + inclusive - here;
        sum += __shfl_sync(kFullWarp, inclusive, kWarp - 1);
      }
      __syncwarp();
      for (unsigned i = lane(); i < count; i += kWarp) {
        const Entry entry = from[i];
        const Int row = entry.row - first;
        if (row >= 0 && row < window)
          to[below[row / kWarp] + __popc(bits[row / kWarp] & ((1u << (row % kWarp)) - 1))] = entry;
      }
      __syncwarp();
      done = sum;
    }
  }

  using Deltas = Lines<Fp32Weights>;
  static constexpr int kPerLane = Deltas::kPerLane;

  /// The features of a block at a time: one for each warp, and the columns of a stretch.
  struct __align__(16) Group {
    static constexpr int kPadded = kStretch + 4; // a column's four neighbouring features lie in different banks
    float gradients[kWarps][kPadded], partials[kWarps][kStretch];
    Int features[kWarps]; // -1: none
    unsigned begins[kWarps], counts[kWarps];
  };
  template <class Optimizer> static __device__ void updateSparse(const StepArgs &args) {
    __shared__ Group group;
    const Source &source = args.source;
    const Deltas deltas{args.delta, source.outer, 1, source.outer};
    const bool listed = source.descent ? source.accumulate != 0 : args.touchedOnly != 0;
    // Columns side by side in memory: a block's features lie far apart, so that it does not get all the long lists of
    // data whose features are sorted by frequency. Else the features lie side by side.
    const Int features = listed ? touchedCount(args) : source.inner, groups = ceilDiv(features, kWarps);
    const Int stretches = ceilDiv(source.outer, kStretch);
    double regularization = 0;
    for (Int i = blockIdx.x; i < groups * stretches; i += gridDim.x) {
      const Int at = i / stretches, first = i % stretches * kStretch;
      const Int chosen = source.outerFirst ? at * kWarps + warp() : at + warp() * groups;
      __syncthreads(); // of the last group
      const Int feature = chosen >= features ? -1 : listed ? touched(args)[chosen] : chosen;
      if (lane() == 0) {
        group.features[warp()] = feature;
        group.begins[warp()] = feature < 0 ? 0 : starts(args)[feature];
        group.counts[warp()] = feature < 0 ? 0 : starts(args)[feature + 1] - starts(args)[feature];
      }
      __syncthreads();
      if (deltas.atOnce() == kPerLane)
        sumGroup<kPerLane>(args, deltas, first, group);
      else
        sumGroup<1>(args, deltas, first, group);
      // Where the weights of four places are neighbours in memory, a thread takes them at once: updates are bound by
      // memory, and would be by the random numbers of BF16 if each place had its own.
      if (source.outerFirst ? !listed && source.inner % 4 == 0 : source.outer % 4 == 0)
        descendByFours<Optimizer>(args, source, first, group, regularization);
      else
        descendOneByOne<Optimizer>(args, source, first, group, regularization);
    }
    reportSums(args, 0, regularization);
  }
  template <class Optimizer>
  static __device__ __forceinline__ void descendByFours(const StepArgs &args, const Source &source, Int first,
                                                        const Group &group, double &regularization) {
    constexpr int kFours = kWarps / 4; // of a column's features
    for (int place = static_cast<int>(threadIdx.x); place < kWarps * kStretch / 4; place += kThreads) {
      const int member = source.outerFirst ? place % kFours * 4 : place / (kStretch / 4);
      const int column = source.outerFirst ? place / kFours : place % (kStretch / 4) * 4;
      const Int f = group.features[member], c = first + column;
      if (f < 0 || c >= source.outer)
        continue;
      if (source.outerFirst)
        descend4<Optimizer, Weights>(args, source, c * source.inner + f,
                                     make_float4(group.gradients[member][column], group.gradients[member + 1][column],
                                                 group.gradients[member + 2][column],
                                                 group.gradients[member + 3][column]),
                                     regularization);
      else
        descend4<Optimizer, Weights>(args, source, f * source.outer + c,
                                     *reinterpret_cast<const float4 *>(&group.gradients[member][column]),
                                     regularization);
    }
  }
  template <class Optimizer>
  static __device__ __forceinline__ void descendOneByOne(const StepArgs &args, const Source &source, Int first,
                                                         const Group &group, double &regularization) {
    for (int place = static_cast<int>(threadIdx.x); place < kWarps * kStretch; place += kThreads) {
      const int member = source.outerFirst ? place % kWarps : place / kStretch;
      const int column = source.outerFirst ? place / kWarps : place % kStretch;
      const Int f = group.features[member], c = first + column;
      if (f >= 0 && c < source.outer)
        descend<Optimizer, Weights>(args, source, source.outerFirst ? c * source.inner + f : f * source.outer + c,
                                    group.gradients[member][column], regularization);
    }
  }
  /// gradients[w] of the group's features; ends with a barrier.
  template <int Width>
  static __device__ void sumGroup(const StepArgs &args, const Deltas &deltas, Int first, Group &group) {
    const Entry *ordered = entries(args, csc::kOrdered);
    if (group.counts[warp()] <= kLong)
      sumList<Width>(deltas, first, ordered + group.begins[warp()], group.counts[warp()], group.gradients[warp()]);
    for (int member = 0; member < kWarps; ++member) {
      const Int count = group.counts[member];
      if (count <= kLong)
        continue;
      const Range mine = laneRange(count, warp(), kWarps);
      sumList<Width>(deltas, first, ordered + group.begins[member] + mine.begin,
                     static_cast<unsigned>(mine.end - mine.begin), group.partials[warp()]);
      __syncthreads();
      for (int place = static_cast<int>(threadIdx.x); place < kStretch; place += kThreads)
        group.gradients[member][place] = combineWarps(group.partials, kWarps, place);
      __syncthreads();
    }
    __syncthreads();
  }
  /// out[c] = the sum over a list's entries, in their order, of factor x delta. A warp.
  template <int Width>
  static __device__ void sumList(const Deltas &deltas, Int first, const Entry *list, unsigned count, float *out) {
    float sums[kPerLane] = {};
    for (unsigned i = 0; i < count; i += kWarp) {
      Entries now;
      if (i + lane() < count) {
        const Entry entry = list[i + lane()];
        now.index = entry.row;
        now.factor = entry.factor;
      }
      now.live = count - i < kWarp ? (1u << (count - i)) - 1 : kFullWarp;
      addLines<Width>(deltas, first, now, now.live, sums);
    }
#pragma unroll
    for (int i = 0; i < kPerLane; ++i)
      out[placeOf<Width>(i)] = sums[i];
  }

  /// A block is a tile of features x columns; the sum over the batch in the order of its rows. The tile's rows and
  /// columns are those of the weights' memory (gradient_tile.cuh).
  template <class Optimizer> static __device__ void updateDense(const StepArgs &args) {
    auto &shared = *dynamicShared<typename TileType::Shared>();
    const Frame &frame = *args.frame;
    const Source &source = args.source;
    const Int tiles = ceilDiv(source.outer, TileType::kSide);
    const Int feature = blockIdx.x / tiles * TileType::kSide, column = blockIdx.x % tiles * TileType::kSide;
    const DataFeatures features{args, frame, feature};
    const auto deltas = columnsOperand(args.delta, source.outer, source.outer, column);
    TileType tile;
    tile.clear();
    if (source.outerFirst)
      tile.multiply(shared, deltas, features, 0, frame.rows);
    else
      tile.multiply(shared, features, deltas, 0, frame.rows);
    double regularization = 0;
    GradientTile(source, feature, column, source.outer)
        .template descend<Optimizer, Weights>(args, tile, shared, factorOf(args), regularization);
    reportSums(args, 0, regularization);
  }
};
using CscUpdate = CscUpdateBy<Tile, Fp32Weights>;
} // namespace sn::cuda
