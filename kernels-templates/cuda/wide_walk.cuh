// What blocks of wide layers do on a tile of an output: products, targets, slots.
#pragma once
#include "kernels-templates/cuda/targets.cuh"
#include "kernels-templates/cuda/tile.cuh"

namespace sn::cuda {
/// A value that the compiler takes as new. What it derives from it is computed where it is needed: kept in registers
/// over a walk, addresses of all phases would leave too few of them for a product's sums.
__device__ __forceinline__ int fresh(int value) {
#ifndef SN_EMULATOR
  asm volatile("" : "+r"(value));
#endif
  return value;
}
__device__ __forceinline__ int thread() { return fresh(static_cast<int>(threadIdx.x)); }

namespace operand {
/// The slot that runs on every element of a tile; where zeros are ignored, none does.
template <class Slots, class Loader> struct EverywhereOf;
template <class Body, class Background, class Stored, class StoredOnly, class OfDense>
struct EverywhereOf<TargetSlots<Body, Background, Stored, StoredOnly, OfDense>, NoData> {
  using Type = Body;
};
template <class Body, class Background, class Stored, class StoredOnly, class OfDense>
struct EverywhereOf<TargetSlots<Body, Background, Stored, StoredOnly, OfDense>, Dense> {
  using Type = OfDense;
};
template <class Body, class Background, class Stored, class StoredOnly, class OfDense>
struct EverywhereOf<TargetSlots<Body, Background, Stored, StoredOnly, OfDense>, Csr> {
  using Type = Background;
};
/// The slot of stored entries.
template <class Slots, class Loader> struct StoredOf;
template <class Body, class Background, class Stored, class StoredOnly, class OfDense>
struct StoredOf<TargetSlots<Body, Background, Stored, StoredOnly, OfDense>, Csr> {
  using Type = Stored;
};
template <class Body, class Background, class Stored, class StoredOnly, class OfDense>
struct StoredOf<TargetSlots<Body, Background, Stored, StoredOnly, OfDense>, CsrStoredOnly> {
  using Type = StoredOnly;
};
} // namespace operand

/// A slot on all elements of a tile of kSide x kSide in shared memory, by the whole block. A thread has one column and
/// every kRowsAtOnce-th row, kBatch of them at a time, whose loads all come before the first store: slots are chains of
/// dependent instructions, and a block of large tiles has too few warps to hide them.
/// placeOf(i, j): what a slot is given at row i, column j. takes(i, j): whether its results count there; where they do
/// not the slot is evaluated all the same, and the rows beyond the last are the last one again.
template <class Slot, int Side, class PlaceOf, class Takes>
__device__ __forceinline__ void runOnTile(const StepArgs &args, const Frame &frame, int rows, int columns, float *delta,
                                          double &sum, const PlaceOf &placeOf, const Takes &takes) {
  constexpr int kBatch = 4, kRowsAtOnce = kThreads / Side, kLine = wide::lineOf(Side);
  const int j = thread() % Side;
  if (j >= columns)
    return;
#pragma unroll 1
  for (int first = thread() / Side; first < rows; first += kBatch * kRowsAtOnce) {
    Place at[kBatch];
    typename Slot::Outputs out[kBatch];
#pragma unroll
    for (int b = 0; b < kBatch; ++b) {
      const int i = first + b * kRowsAtOnce;
      at[b] = placeOf(i < rows ? i : rows - 1, j);
      double term = 0;
      out[b] = Slot::evaluate(args, frame, at[b], term);
      if (Slot::kSum && i < rows)
        sum += term;
    }
#pragma unroll
    for (int b = 0; b < kBatch; ++b) {
      const int i = first + b * kRowsAtOnce;
      if (i >= rows || !takes(i, j))
        continue;
      Slot::write(args, at[b], out[b]);
      delta[i * kLine + j] = at[b].delta;
    }
  }
}

/// A tile that multiplies from shared memory says so by a member kFromShared. Others of side 128 leave a product few
/// registers beside its sums and factors: their phases are functions of their own (kApart), so that nothing of one
/// takes the registers of another. The former must not be: wgmma waits at every call.
template <class TileType> inline constexpr bool kFromShared = requires { TileType::kFromShared; };
template <class TileType> inline constexpr bool kApart = TileType::kSide > 64 && !kFromShared<TileType>;

/// Slots: TargetSlots.
template <class Slots, class TileType, class Weights> struct WideWalk {
  static constexpr int kSide = TileType::kSide, kLine = wide::lineOf(kSide);
  static constexpr int kTeam = kThreads / kSide; // threads that share a row's entries: neighbours in a warp
  static constexpr int kWords = kSide / kWarp;
  static_assert(kTeam >= 2 && kWarp % kTeam == 0 && kSide % kWarp == 0);

  /// A row of the batch on the block's way along columns.
  struct RowState {
    Int example;
    /// Of a sparse target: where the entries of the coming columns begin, and the row's end. Of a dense one: `next` is
    /// where the row lies.
    Int next, end;
    RowTarget target;
  };
  static_assert(sizeof(RowState) == wide::kStateBytes);
  struct Shared {
    typename TileType::Shared stages;
    __align__(16) float delta[kSide * kLine]; // first the products, then the deltas
    RowState rows[kSide];
    unsigned marks[kSide][kWords]; // bit by bit: where the tile has a stored entry
    float biases[kThreads];        // partial sums of the bias gradient
  };
  static_assert(sizeof(Shared) <= wide::sharedBytes(kSide, sizeof(typename TileType::Shared)));
  /// A tile of the output: rows [row, row + rows) of the batch, columns [column, column + columns). Registers are
  /// scarce through a product: ints, as a data set's columns are.
  struct Window {
    int row, column;
    int rows, columns;
  };
  struct Columns {
    int begin, end;
  };

  /// The columns of a wide lane: whole tiles.
  static __device__ __forceinline__ Columns laneOfTiles(const StepArgs &args, int lane) {
    const Range tiles = laneRange(ceilDiv(args.columns, kSide), lane, args.wideLanes);
    return {static_cast<int>(tiles.begin) * kSide, static_cast<int>(least(tiles.end * kSide, args.columns))};
  }

  /// The states of the window's rows, whose columns are the first of the block. By the first of each row's team, like
  /// everything that changes them. No thread may be at the rows before.
  template <class Loader>
  static __device__ __forceinline__ void beginRows(const StepArgs &args, const Window &at, Shared &shared) {
    const int i = thread() / kTeam;
    if (thread() % kTeam != 0 || i >= at.rows)
      return;
    RowState state = {args.ids[at.row + i], 0, 0, {}};
    state.target = rowTargetOf<Loader, Slots>(args, at.row + i, state.example);
    if constexpr (kSparse<Loader>) {
      const Range entries = entriesOf(args.data, state.example);
      state.next = at.column > 0 ? lowerBound(args.data.indices, entries, at.column) : entries.begin;
      state.end = entries.end;
    } else if constexpr (operand::same<Loader, Dense>) {
      state.next = storedRow(args.data, state.example) * args.data.storedColumns;
    }
    shared.rows[i] = state;
  }
  /// The same on a way along rows: those that the block has met at the tile of columns before are in its work area.
  /// Where all rows are one tile they never left.
  template <class Loader>
  static __device__ __forceinline__ void bringRows(const StepArgs &args, const Window &at, bool first, Shared &shared) {
    if (first)
      return beginRows<Loader>(args, at, shared);
    const int i = thread() / kTeam;
    if (args.frame->rows > kSide && thread() % kTeam == 0 && i < at.rows)
      shared.rows[i] = statesOf(args)[at.row + i];
  }
  template <class Loader>
  static __device__ __forceinline__ void leaveRows(const StepArgs &args, const Window &at, const Shared &shared) {
    const int i = thread() / kTeam;
    if (args.frame->rows > kSide && thread() % kTeam == 0 && i < at.rows)
      statesOf(args)[at.row + i] = shared.rows[i];
  }

  /// shared.delta = sum x E on the window, then what the slots make of it; nothing beyond the window means anything.
  /// Ends with a barrier.
  template <class Loader>
  static __device__ __forceinline__ void computeDelta(const StepArgs &args, const Frame &frame, const Window &at,
                                                      Shared &shared, double &sum) {
    if constexpr (kSparse<Loader>)
      markStored(args, at, shared);
    multiplySources(args, frame, at, shared);
    if constexpr (operand::same<Loader, CsrStoredOnly>)
      clearOthers<Loader>(args, at, shared);
    else
      runEverywhere<Loader>(args, frame, at, shared, sum);
    if constexpr (kSparse<Loader>) {
      __syncthreads();
      runStored<Loader>(args, frame, at, shared, sum);
    }
    __syncthreads();
  }
  /// The same as a function of its own. The sum of the slots is its result.
  template <class Loader>
  static __device__ __noinline__ double computeDeltaApart(const StepArgs &args, Window at, Shared &shared) {
    double sum = 0;
    computeDelta<Loader>(args, *args.frame, at, shared, sum);
    return sum;
  }
  /// The products, in shared.delta. Ends with a barrier. `SharedType`: has stages and delta.
  template <class SharedType>
  static __device__ __forceinline__ void multiplySources(const StepArgs &args, const Frame &frame, const Window &at,
                                                         SharedType &shared) {
    TileType tile;
    tile.clear();
#pragma unroll 1
    for (int s = 0; s < args.sourceCount; ++s) {
      const Source &source = args.sources[s];
      tile.multiply(shared.stages, rowsOperand(source.x, source.inner, frame.rows, at.row),
                    weightsOperand<Weights>(source, at.column + at.columns, at.column), 0, source.inner);
    }
    tile.forEach([&](int i, int j, float value) { shared.delta[i * kLine + j] = value; });
    __syncthreads();
  }

private:
  static __device__ __forceinline__ RowState *statesOf(const StepArgs &args) {
    return static_cast<RowState *>(args.work[wide::kStates]) + blockIdx.x * args.maxRows;
  }
  /// Row by row, by its team alone, so that the barrier of the product that follows is enough.
  static __device__ __forceinline__ void markStored(const StepArgs &args, const Window &at, Shared &shared) {
    const int i = thread() / kTeam, part = thread() % kTeam;
    for (int word = part; word < kWords; word += kTeam)
      shared.marks[i][word] = 0;
    __syncwarp();
    if (i >= at.rows)
      return;
    const RowState &state = shared.rows[i];
    for (Int n = state.next + part; n < state.end; n += kTeam) {
      const int j = args.data.indices[n] - at.column;
      if (j >= at.columns)
        break;
      atomicOr(&shared.marks[i][j / kWarp], 1u << (j % kWarp));
    }
  }
  static __device__ __forceinline__ bool isMarked(const Shared &shared, int i, int j) {
    return shared.marks[i][j / kWarp] >> (j % kWarp) & 1;
  }
  template <class Loader>
  static __device__ __forceinline__ Place placeOf(const Window &at, int i, int j, const Shared &shared) {
    const RowState &state = shared.rows[i];
    Place place;
    place.row = at.row + i;
    place.example = state.example;
    place.column = at.column + j;
    place.accumulator = shared.delta[i * kLine + j];
    place.rowTarget = state.target;
    return place;
  }
  /// The slot of all elements. Those that are stored keep their product.
  template <class Loader>
  static __device__ __forceinline__ void runEverywhere(const StepArgs &args, const Frame &frame, const Window &at,
                                                       Shared &shared, double &sum) {
    runOnTile<typename operand::EverywhereOf<Slots, Loader>::Type, kSide>(
        args, frame, at.rows, at.columns, shared.delta, sum,
        [&](int i, int j) {
          Place place = placeOf<Loader>(at, i, j, shared);
          if constexpr (operand::same<Loader, Dense>)
            place.target =
                place.column < args.data.storedColumns ? args.data.values[shared.rows[i].next + place.column] : 0.0f;
          return place;
        },
        [&](int i, int j) {
          if constexpr (kSparse<Loader>)
            return !isMarked(shared, i, j);
          else
            return true;
        });
  }
  /// Zeros are ignored: where nothing is stored, outputs are 0.
  template <class Loader>
  static __device__ __forceinline__ void clearOthers(const StepArgs &args, const Window &at, Shared &shared) {
    const int j = thread() % kSide;
    if (j < at.columns)
#pragma unroll 1
      for (int i = thread() / kSide; i < at.rows; i += kTeam)
        if (!isMarked(shared, i, j)) {
          Place place = placeOf<Loader>(at, i, j, shared);
          operand::StoredOf<Slots, Loader>::Type::clear(args, place);
          shared.delta[i * kLine + j] = place.delta;
        }
  }
  /// The slot of stored entries, whose outputs replace those of the background; the rows' states move on to the next
  /// tile. All elements must have been run before.
  template <class Loader>
  static __device__ __forceinline__ void runStored(const StepArgs &args, const Frame &frame, const Window &at,
                                                   Shared &shared, double &sum) {
    using Stored = typename operand::StoredOf<Slots, Loader>::Type;
    const int i = thread() / kTeam, part = thread() % kTeam;
    int taken = 0;
    if (i < at.rows) {
      const Int end = shared.rows[i].end;
      for (Int n = shared.rows[i].next + part; n < end; n += kTeam, ++taken) {
        const int j = args.data.indices[n] - at.column;
        if (j >= at.columns)
          break;
        Place place = placeOf<Loader>(at, i, j, shared);
        place.target = args.data.values ? args.data.values[n] : 1.0f;
        Stored::run(args, frame, place, sum);
        shared.delta[i * kLine + j] = place.delta;
      }
    }
#pragma unroll
    for (int distance = 1; distance < kTeam; distance *= 2)
      taken += __shfl_xor_sync(kFullWarp, taken, distance);
    __syncwarp(); // all of a row's threads have read where it continues
    if (part == 0 && i < at.rows)
      shared.rows[i].next += taken;
  }
};
} // namespace sn::cuda
