// wide_output and the sweeps of wide_softmax that follow its statistics: contract, bias, activation, loss, delta, input
// gradient and update, tile by tile over a wide output. Batch x outputs is stored for late sources only, a weight
// gradient only in the buffer of a source whose weights have several users.
#pragma once
#include "kernels-templates/cuda/gradient_tile.cuh"
#include "kernels-templates/cuda/targets.cuh"

namespace sn::cuda {
enum class Sweep { Single, Forward, Update, Loss, Norm };

/// Grids. Single: a block for each wide lane, which takes the lane's tiles one after another. Update: any number of
/// blocks, which take tiles in turn. The others: x = 64 rows of the batch each, y = wide lanes.
/// Pass wide::kLate: tiles as GemmUpdate. Pass wide::kFinish of Norm: a thread for each row.
template <Sweep S, class Slots, class TileType = Tile> struct WideOutput {
  template <class Loader, class Optimizer, int Pass> static __device__ void run(const StepArgs &args) {
    if constexpr (Pass == wide::kLate)
      addLateGradient<Optimizer>(args);
    else if constexpr (Pass == wide::kFinish)
      finishNorms(args);
    else if constexpr (kUpdates)
      walkTiles<Loader, Optimizer>(args);
    else
      walkRows<Loader>(args);
  }

private:
  static constexpr bool kBackprop = S == Sweep::Single || S == Sweep::Forward;
  static constexpr bool kUpdates = S == Sweep::Single || S == Sweep::Update;
  static constexpr bool kCounts = S != Sweep::Update && S != Sweep::Norm;
  static constexpr int kSide = TileType::kSide, kStride = TileType::kStride;

  struct Shared {
    typename TileType::Shared stages;
    float delta[kSide * kStride]; // of the tile; first its targets
    float targets[kSide][4];      // RowTarget of its rows
    Int examples[kSide];          // data-set rows of its rows
    float biases[kThreads];       // partial sums of the bias gradient
  };
  /// A tile of the output: rows [row, row + rows) of the batch, columns [column, column + columns).
  struct Window {
    Int row, column;
    int rows, columns;
  };

  template <class Loader> static __device__ __forceinline__ void walkRows(const StepArgs &args) {
    __shared__ Shared shared;
    const Frame frame = *args.frame;
    const Int row = static_cast<Int>(blockIdx.x) * kSide;
    const int lane = static_cast<int>(blockIdx.y);
    const Range range = laneRange(args.columns, lane, args.wideLanes);
    double sum = 0, squares = 0;
    if (row < frame.rows) {
      const int rows = static_cast<int>(least(kSide, frame.rows - row));
      for (Int column = range.begin; column < range.end; column += kSide) {
        const Window at = {row, column, rows, static_cast<int>(least(kSide, range.end - column))};
        computeDelta<Loader>(args, frame, at, shared, sum);
        if constexpr (S == Sweep::Norm)
          squares += sumSquares(at, shared);
        if constexpr (kBackprop)
          backprop(args, at, lane, column == range.begin, shared);
      }
      if constexpr (S == Sweep::Norm)
        writeSquares(args, row, rows, lane, squares);
    }
    reportSums(args, kCounts ? sum : 0, 0);
  }

  template <class Loader, class Optimizer> static __device__ __forceinline__ void walkTiles(const StepArgs &args) {
    __shared__ Shared shared;
    const Frame frame = *args.frame;
    const int block = static_cast<int>(blockIdx.x);
    // A lane's tiles follow each other, since they add to one partial input gradient; else tiles are shared out.
    const Range range = S == Sweep::Single ? laneRange(args.columns, block, args.wideLanes)
                                           : Range{static_cast<Int>(block) * kSide, args.columns};
    const Int step = S == Sweep::Single ? kSide : static_cast<Int>(gridDim.x) * kSide;
    float *deltas = static_cast<float *>(args.work[wide::kDeltas]) + block * args.maxRows * kSide;
    double sum = 0, regularization = 0;
    for (Int column = range.begin; column < range.end; column += step) {
      const int columns = static_cast<int>(least(kSide, range.end - column));
      for (Int row = 0; row < frame.rows; row += kSide) {
        const Window at = {row, column, static_cast<int>(least(kSide, frame.rows - row)), columns};
        computeDelta<Loader>(args, frame, at, shared, sum);
        keepDelta(args, at, shared, deltas);
        if constexpr (kBackprop)
          backprop(args, at, block, column == range.begin, shared);
      }
      update<Optimizer>(args, frame.rows, column, columns, deltas, shared, regularization);
    }
    reportSums(args, kCounts ? sum : 0, regularization);
  }

  /// acc = sum x E on the window; the slots turn it into shared.delta, of which nothing
  /// beyond the window means anything. Ends with a barrier.
  template <class Loader>
  static __device__ __forceinline__ void computeDelta(const StepArgs &args, const Frame &frame, const Window &at,
                                                      Shared &shared, double &sum) {
    loadRows<Loader>(args, at, shared);
    TileType tile;
    tile.clear();
#pragma unroll 1
    for (int s = 0; s < args.sourceCount; ++s) {
      const Source &source = args.sources[s];
      tile.multiply(shared.stages, rowsOperand(source.x, source.inner, frame.rows, at.row),
                    weightsOperand(source, at.column + at.columns, at.column), 0, source.inner);
    }
    if constexpr (!operand::same<Loader, NoData>)
      stageTargets<Loader>(args, at.row, at.rows, at.column, at.columns, shared.delta, kStride);
    const float *values = tile.toShared(shared.stages);
    const int j = static_cast<int>(threadIdx.x) % kSide;
    if (j < at.columns)
#pragma unroll 1
      for (int i = static_cast<int>(threadIdx.x) / kSide; i < at.rows; i += kThreads / kSide)
        computeElement<Loader>(args, frame, at, i, j, values[i * kStride + j], shared, sum);
    __syncthreads();
  }
  /// shared.delta at (i, j): the target becomes the delta.
  template <class Loader>
  static __device__ __forceinline__ void computeElement(const StepArgs &args, const Frame &frame, const Window &at,
                                                        int i, int j, float accumulator, Shared &shared, double &sum) {
    float &delta = shared.delta[i * kStride + j];
    const bool stored = kSparse<Loader> && isStored(delta);
    const float *row = shared.targets[i];
    Place place;
    place.row = at.row + i;
    place.example = shared.examples[i];
    place.column = at.column + j;
    place.accumulator = accumulator;
    if constexpr (!operand::same<Loader, NoData>)
      place.target = !kSparse<Loader> || stored ? delta : 0.0f;
    place.rowTarget = {row[0], row[1], row[2], row[3]};
    Slots::template run<Loader>(args, frame, place, stored, sum);
    delta = place.delta;
  }
  /// What the slots read of each row. Others must be done with the window before; a barrier must follow.
  template <class Loader>
  static __device__ __forceinline__ void loadRows(const StepArgs &args, const Window &at, Shared &shared) {
    const int i = static_cast<int>(threadIdx.x);
    if (i >= at.rows)
      return;
    const Int example = args.ids[at.row + i];
    const RowTarget target = rowTargetOf<Loader, Slots>(args, at.row + i, example);
    shared.examples[i] = example;
    shared.targets[i][0] = target.weight;
    shared.targets[i][1] = target.scale;
    shared.targets[i][2] = target.sum;
    shared.targets[i][3] = target.binary;
  }

  /// The lane's part of each input gradient += delta E^T. Only this block touches the part's rows.
  static __device__ __forceinline__ void backprop(const StepArgs &args, const Window &at, int lane, bool first,
                                                  Shared &shared) {
    const MatrixOperand delta = {shared.delta, kStride, kSide, true};
#pragma unroll 1
    for (int s = 0; s < args.sourceCount; ++s) {
      const Source &source = args.sources[s];
      if (!source.gradient)
        continue;
      float *part = source.partials + (lane * args.maxRows + at.row) * source.inner;
#pragma unroll 1
      for (Int inner = 0; inner < source.inner; inner += kSide) {
        TileType tile;
        tile.clear();
        tile.multiply(shared.stages, delta, transposedWeightsOperand(source, at.column, inner), 0, at.columns);
        const auto inside = [&](int i, int j) { return i < at.rows && inner + j < source.inner; };
        if (!first) // all loads before the first store
          tile.forEach([&](int i, int j, float &value) {
            if (inside(i, j))
              value = part[i * source.inner + inner + j] + value;
          });
        tile.forEach([&](int i, int j, float value) {
          if (inside(i, j))
            part[i * source.inner + inner + j] = value;
        });
      }
    }
  }

  /// The window's deltas to the block's scratch, for the update; where sources are late, to theirs as well.
  static __device__ __forceinline__ void keepDelta(const StepArgs &args, const Window &at, const Shared &shared,
                                                   float *deltas) {
    bool late = false;
    for (int s = 0; s < args.sourceCount; ++s)
      late = late || args.sources[s].late;
    float *kept = static_cast<float *>(args.work[wide::kKept]);
    for (int n = static_cast<int>(threadIdx.x); n < at.rows * kSide; n += kThreads) {
      const int i = n / kSide, j = n % kSide;
      const float delta = shared.delta[i * kStride + j];
      deltas[(at.row + i) * kSide + j] = delta;
      if (late && j < at.columns)
        kept[(at.row + i) * args.columns + at.column + j] = delta;
    }
  }
  /// Gradients of the tile's weights and biases. Everything that reads E of the tile has done so: each product begins
  /// with a barrier.
  template <class Optimizer>
  static __device__ __forceinline__ void update(const StepArgs &args, Int rows, Int column, int columns,
                                                const float *deltas, Shared &shared, double &regularization) {
    const MatrixOperand delta = columnsOperand(deltas, kSide, columns, 0);
#pragma unroll 1
    for (int s = 0; s < args.sourceCount; ++s) {
      const Source &source = args.sources[s];
      if (source.late || (operand::same<Optimizer, NoOptimizer> && !source.descent))
        continue;
      const float factor = GradientTile::factor(source, rows);
#pragma unroll 1
      for (Int inner = 0; inner < source.inner; inner += kSide) {
        const GradientTile gradient(source, inner, column, column + columns);
        TileType tile;
        tile.clear();
        gradient.multiply(tile, shared.stages, delta, 0, rows);
        gradient.template descend<Optimizer>(args, tile, shared.stages, factor, regularization);
      }
    }
    if (args.biasCount > 0)
      updateBiases<Optimizer>(args, rows, column, columns, deltas, shared, regularization);
  }
  /// Four threads to a column, each for every fourth row.
  template <class Optimizer>
  static __device__ __forceinline__ void updateBiases(const StepArgs &args, Int rows, Int column, int columns,
                                                      const float *deltas, Shared &shared, double &regularization) {
    const int thread = static_cast<int>(threadIdx.x);
    float sum = 0;
    __syncthreads();
    for (Int n = thread; n < rows * kSide; n += kThreads)
      sum += deltas[n];
    shared.biases[thread] = sum;
    __syncthreads();
    if (thread >= columns)
      return;
    const float *part = shared.biases + thread;
    const float gradient =
        ((part[0] + part[kSide]) + (part[2 * kSide] + part[3 * kSide])) * (-1.0f / static_cast<float>(rows));
    for (int b = 0; b < args.biasCount; ++b)
      if (column + thread < args.biases[b].size)
        Optimizer::Bias::apply(args, args.biases[b].trained, column + thread, gradient, regularization);
  }

  /// One of the sources that meet the transpose of their weights in a gradient buffer: after the sweep, from its
  /// deltas.
  template <class Optimizer> static __device__ __forceinline__ void addLateGradient(const StepArgs &args) {
    __shared__ typename TileType::Shared shared;
    const Source &source = args.source;
    const Int rows = args.frame->rows, tiles = ceilDiv(source.outer, kSide);
    const Int column = blockIdx.x % tiles * kSide, inner = blockIdx.x / tiles * kSide;
    const float *kept = static_cast<const float *>(args.work[wide::kKept]);
    const GradientTile gradient(source, inner, column, source.outer);
    TileType tile;
    tile.clear();
    gradient.multiply(tile, shared, columnsOperand(kept, args.columns, args.columns, column), 0, rows);
    double regularization = 0; // none: the gradient goes to its buffer
    gradient.template descend<Optimizer>(args, tile, shared, GradientTile::factor(source, rows), regularization);
  }

  /// A quarter of a row's squares: thread t has quarter t % 4 of row t / 4.
  static __device__ __forceinline__ double sumSquares(const Window &at, const Shared &shared) {
    const int i = static_cast<int>(threadIdx.x) / 4;
    double sum = 0;
    for (int j = static_cast<int>(threadIdx.x) % 4; j < at.columns; j += 4) {
      const double delta = shared.delta[i * kStride + j];
      sum += delta * delta;
    }
    return sum;
  }
  static __device__ __forceinline__ void writeSquares(const StepArgs &args, Int row, int rows, int lane, double sum) {
    sum += __shfl_xor_sync(kFullWarp, sum, 1);
    sum += __shfl_xor_sync(kFullWarp, sum, 2);
    const int i = static_cast<int>(threadIdx.x) / 4;
    if (threadIdx.x % 4 == 0 && i < rows)
      static_cast<double *>(args.work[wide::kSquares])[lane * args.maxRows + row + i] = sum;
  }
  /// The lanes by the tree, in place.
  static __device__ __forceinline__ void finishNorms(const StepArgs &args) {
    const Int row = static_cast<Int>(blockIdx.x) * kThreads + threadIdx.x;
    if (row >= args.frame->rows)
      return;
    double *squares = static_cast<double *>(args.work[wide::kSquares]) + row;
    for (int stride = 1; stride < args.wideLanes; stride *= 2)
      for (int into = 0; into + stride < args.wideLanes; into += 2 * stride)
        squares[into * args.maxRows] += squares[(into + stride) * args.maxRows];
    args.rows[0][row] = static_cast<float>(squares[0]);
  }
};
} // namespace sn::cuda
