// wide_output and the sweeps of wide_softmax that follow its statistics: contract, bias, activation, loss, delta, input
// gradient and update, tile by tile over a wide output. Deltas of a tile exist in shared memory. Batch x outputs is
// stored for late sources and where the plan allows it only, a weight gradient only in the buffer of a source whose
// weights have several users.
//
// Designed against: L2 traffic (a product of a tile and its operands: side / 4 flops a byte, so tiles are as large as
// the device's shared memory lets them be, and sums stay in registers over the whole walk of a block: no partial result
// is read again); latency of the slots (four elements of a thread at a time, all of whose loads come before the first
// store); searches in targets (one for each row and block: then cursors).
#pragma once
#include "kernels-templates/cuda/gradient_tile.cuh"
#include "kernels-templates/cuda/wide_walk.cuh"

namespace sn::cuda {
enum class Sweep { Single, Forward, Update, Loss, Norm };

/// Grids. Walks along rows (Forward, Loss, Norm; Single but pass wide::kUpdate): x = tiles of rows, y = wide lanes.
/// Walks along columns (Update; Single, pass wide::kUpdate): any number of blocks, which share the tiles of columns.
/// Pass wide::kDescend: a block for each tile of the source's weights, then, if biases are to be updated, one for each
/// tile of columns. Pass wide::kFinish of Norm: a thread for each row.
template <Sweep S, class Slots, class TileType = Tile, class Weights = Fp32Weights> struct WideOutput {
  template <class Loader, class Optimizer, int Pass> static __device__ void run(const StepArgs &args) {
    if constexpr (Pass == wide::kDescend)
      descendKept<Optimizer>(args);
    else if constexpr (Pass == wide::kFinish)
      finishNorms(args);
    else if constexpr (S == Sweep::Update || Pass % wide::kHeld == wide::kUpdate)
      walkColumns<Loader, Optimizer, Pass / wide::kHeld != 0>(args);
    else
      walkRows<Loader, Optimizer, Pass>(args);
  }

private:
  using Walk = WideWalk<Slots, TileType, Weights>;
  using Shared = typename Walk::Shared;
  using Window = typename Walk::Window;
  using Columns = typename Walk::Columns;
  static constexpr bool kBackprop = S == Sweep::Single || S == Sweep::Forward;
  static constexpr bool kCounts = S != Sweep::Update && S != Sweep::Norm;
  static constexpr int kSide = TileType::kSide, kLine = Walk::kLine, kTeam = Walk::kTeam;

  /// Deltas [rows, columns] that lie somewhere, of a batch's rows from the one at hand on.
  struct Deltas {
    const float *base;
    Int stride;
  };

  /// A block has a tile of rows and walks a lane of columns.
  template <class Loader, class Optimizer, int Pass>
  static __device__ __forceinline__ void walkRows(const StepArgs &args) {
    constexpr bool kHeld = Pass / wide::kHeld != 0, kKeeps = Pass % wide::kHeld == wide::kKeep;
    constexpr bool kUpdates = S == Sweep::Single && Pass % wide::kHeld == wide::kSweep;
    constexpr int kWidth = (kBackprop && !kHeld ? wide::kChunk : 1) * kSide;
    Shared &shared = *dynamicShared<Shared>();
    const Frame &frame = *args.frame;
    const int row = static_cast<int>(blockIdx.x) * kSide, rows = static_cast<int>(least(kSide, frame.rows - row));
    double sum = 0, regularization = 0, squares = 0;
    if (rows > 0) {
      const Columns range = Walk::laneOfTiles(args, static_cast<int>(blockIdx.y));
      TileType gradient;
      if constexpr (kHeld)
        gradient.clear();
      Walk::template beginRows<Loader>(args, {row, range.begin, rows, 0}, shared);
      int end = 0;
#pragma unroll 1
      for (int begin = range.begin; begin < range.end; begin = end) {
        end = min(begin + kWidth, range.end);
#pragma unroll 1
        for (int column = begin; column < end; column += kSide) {
          const Window at = {fresh(row), fresh(column), rows, min(kSide, end - column)};
          if constexpr (!kApart<TileType>)
            Walk::template computeDelta<Loader>(args, frame, at, shared, sum);
          else
            sum += Walk::template computeDeltaApart<Loader>(args, at, shared);
          if constexpr (S == Sweep::Norm)
            squares += sumSquares(at, shared);
          if (kBackprop && !kHeld && args.work[wide::kChunks])
            copyDelta(at, shared, chunkOf(args) + (column - begin), kWidth);
          if constexpr (kKeeps || kUpdates)
            keepDelta<kKeeps>(args, at, shared);
        }
        const Window at = {fresh(row), fresh(begin), rows, end - begin};
        if constexpr (kHeld)
          gradient.multiply(shared.stages, rowsOperand(shared.delta, kLine, rows, 0),
                            transposedWeightsOperand<Weights>(args.source, begin, 0), 0, at.columns);
        else if constexpr (kBackprop)
          backprop(args, at, begin == range.begin, shared);
        if constexpr (kUpdates)
          updateOnePass<Optimizer>(args, at,
                                   kHeld || !args.work[wide::kChunks] ? Deltas{shared.delta, kLine}
                                                                      : Deltas{chunkOf(args), kWidth},
                                   shared, regularization);
      }
      if constexpr (kHeld)
        writePart(args, args.source, {row, 0, rows, 0}, 0, gradient);
      if constexpr (S == Sweep::Norm)
        writeSquares(args, row, rows, static_cast<int>(blockIdx.y), squares);
    }
    reportSums(args, kCounts ? sum : 0, regularization);
  }
  /// The block's deltas of a chunk.
  static __device__ __forceinline__ float *chunkOf(const StepArgs &args) {
    return static_cast<float *>(args.work[wide::kChunks]) +
           (static_cast<Int>(blockIdx.y) * gridDim.x + blockIdx.x) * (kSide * kSide * wide::kChunk);
  }

  /// The lane's part of each input gradient += delta E^T, a chunk of columns at a time. Only this block touches these
  /// rows of the part.
  static __device__ __forceinline__ void backprop(const StepArgs &args, const Window &at, bool first, Shared &shared) {
#pragma unroll 1
    for (int s = 0; s < args.sourceCount; ++s) {
      if (!args.sources[s].gradient)
        continue;
#pragma unroll 1
      for (int inner = 0; inner < args.sources[s].inner; inner += kSide) {
        if constexpr (kApart<TileType>)
          backpropTileApart(args, args.sources[s], at, inner, first, shared);
        else
          backpropTile(args, args.sources[s], at, inner, first, shared);
      }
    }
  }
  static __device__ __noinline__ void backpropTileApart(const StepArgs &args, const Source &source, Window at,
                                                        int inner, bool first, Shared &shared) {
    backpropTile(args, source, at, inner, first, shared);
  }
  static __device__ __forceinline__ void backpropTile(const StepArgs &args, const Source &source, const Window &at,
                                                      int inner, bool first, Shared &shared) {
    TileType gradient;
    gradient.clear();
    if (!first)
      visitPart(args, source, at, inner, gradient, [](float &value, float &part) { value = part; });
    gradient.multiply(shared.stages, rowsOperand(chunkOf(args), kSide * wide::kChunk, at.rows, 0),
                      transposedWeightsOperand<Weights>(source, at.column, inner), 0, at.columns);
    writePart(args, source, at, inner, gradient);
  }
  /// f(value, part): for every value of the tile the place in the lane's part, from `inner` on.
  template <class F>
  static __device__ __forceinline__ void visitPart(const StepArgs &args, const Source &source, const Window &at,
                                                   int inner, TileType &gradient, F f) {
    float *part = source.partials + (static_cast<Int>(blockIdx.y) * args.maxRows + at.row) * source.inner + inner;
    const int width = static_cast<int>(least(kSide, source.inner - inner));
    gradient.forEach([&](int i, int j, float &value) {
      if (i < at.rows && j < width)
        f(value, part[i * source.inner + j]);
    });
  }
  static __device__ __forceinline__ void writePart(const StepArgs &args, const Source &source, const Window &at,
                                                   int inner, TileType &gradient) {
    visitPart(args, source, at, inner, gradient, [](float value, float &part) { part = value; });
  }

  /// A block has tiles of columns, one after another, and walks all rows for each of them. Gradients of weights and
  /// biases of a tile are complete then: everything that reads E of the tile has done so, since each product begins
  /// with a barrier.
  template <class Loader, class Optimizer, bool Held>
  static __device__ __forceinline__ void walkColumns(const StepArgs &args) {
    Shared &shared = *dynamicShared<Shared>();
    const Frame &frame = *args.frame;
    const Range tiles = laneRange(ceilDiv(args.columns, kSide), static_cast<int>(blockIdx.x), gridDim.x);
    const int first = static_cast<int>(tiles.begin) * kSide;
    const int last = static_cast<int>(least(tiles.end * kSide, args.columns));
    double regularization = 0;
#pragma unroll 1
    for (int column = first; column < last; column += kSide) {
      const int columns = min(kSide, last - column);
      TileType gradient;
      if constexpr (Held)
        gradient.clear();
      float bias = 0;
#pragma unroll 1
      for (int row = 0; row < frame.rows; row += kSide) {
        const Window at = {fresh(row), fresh(column), static_cast<int>(least(kSide, frame.rows - row)), columns};
        Walk::template bringRows<Loader>(args, at, column == first, shared);
        if constexpr (!kApart<TileType>) {
          double sum = 0; // the forward pass's
          Walk::template computeDelta<Loader>(args, frame, at, shared, sum);
        } else {
          Walk::template computeDeltaApart<Loader>(args, at, shared);
        }
        Walk::template leaveRows<Loader>(args, at, shared);
        bias += sumOfColumn({shared.delta, kLine}, at);
        keepDelta<false>(args, at, shared);
        if constexpr (Held)
          multiplyGradient(args.source, at, 0, {shared.delta, kLine}, gradient, shared);
        else if (args.work[wide::kDeltas])
          copyDelta(at, shared, scratchOf(args) + static_cast<Int>(row) * kSide, kSide);
      }
      const Window all = {0, column, static_cast<int>(frame.rows), columns};
      if constexpr (Held)
        descend<Optimizer>(args, args.source, all, 0, gradient, shared, regularization);
      else
        update<Optimizer>(args, all, {scratchOf(args), kSide}, shared, regularization);
      updateBiases<Optimizer>(args, frame.rows, column, columns, bias, shared, regularization);
    }
    reportSums(args, 0, regularization);
  }
  /// The block's deltas of all rows at a tile of columns.
  static __device__ __forceinline__ float *scratchOf(const StepArgs &args) {
    return static_cast<float *>(args.work[wide::kDeltas]) + blockIdx.x * args.maxRows * kSide;
  }

  /// gradient += x^T delta over the window's rows, from `inner` on.
  static __device__ __forceinline__ void multiplyGradient(const Source &source, const Window &at, int inner,
                                                          const Deltas &deltas, TileType &gradient, Shared &shared) {
    const MatrixOperand delta = columnsOperand(deltas.base, deltas.stride, at.columns, 0);
    const MatrixOperand x = columnsOperand(source.x + at.row * source.inner, source.inner, source.inner, inner);
    gradient.multiply(shared.stages, either(source.outerFirst, delta, x), either(source.outerFirst, x, delta), 0,
                      at.rows);
  }
  template <class Optimizer>
  static __device__ __forceinline__ void descend(const StepArgs &args, const Source &source, const Window &at,
                                                 int inner, TileType &gradient, Shared &shared,
                                                 double &regularization) {
    const GradientTile tile(source, inner, at.column, at.column + at.columns);
    tile.template descend<Optimizer, Weights>(args, gradient, shared.stages,
                                              GradientTile::factor(source, args.frame->rows), regularization);
  }
  /// The weights of all sources in the window's columns; the window has all rows.
  template <class Optimizer>
  static __device__ __forceinline__ void update(const StepArgs &args, const Window &at, const Deltas &deltas,
                                                Shared &shared, double &regularization) {
#pragma unroll 1
    for (int s = 0; s < args.sourceCount; ++s) {
      const Source &source = args.sources[s];
      if (source.late || (operand::same<Optimizer, NoOptimizer> && !source.descent))
        continue;
#pragma unroll 1
      for (int inner = 0; inner < source.inner; inner += kSide)
        if constexpr (kApart<TileType>)
          regularization += updateTileApart<Optimizer>(args, source, at, inner, deltas, shared);
        else
          updateTile<Optimizer>(args, source, at, inner, deltas, shared, regularization);
    }
  }
  /// The regularization term is its result.
  template <class Optimizer>
  static __device__ __noinline__ double updateTileApart(const StepArgs &args, const Source &source, Window at,
                                                        int inner, Deltas deltas, Shared &shared) {
    double regularization = 0;
    updateTile<Optimizer>(args, source, at, inner, deltas, shared, regularization);
    return regularization;
  }
  template <class Optimizer>
  static __device__ __forceinline__ void updateTile(const StepArgs &args, const Source &source, const Window &at,
                                                    int inner, const Deltas &deltas, Shared &shared,
                                                    double &regularization) {
    TileType gradient;
    gradient.clear();
    multiplyGradient(source, at, inner, deltas, gradient, shared);
    descend<Optimizer>(args, source, at, inner, gradient, shared, regularization);
  }
  /// Of a window of all rows and the tiles of a chunk.
  template <class Optimizer>
  static __device__ __forceinline__ void updateOnePass(const StepArgs &args, const Window &chunk, const Deltas &deltas,
                                                       Shared &shared, double &regularization) {
#pragma unroll 1
    for (int first = 0; first < chunk.columns; first += kSide) {
      const Window at = {chunk.row, chunk.column + first, chunk.rows, min(kSide, chunk.columns - first)};
      const Deltas mine = {deltas.base + first, deltas.stride};
      update<Optimizer>(args, at, mine, shared, regularization);
      updateBiases<Optimizer>(args, at.rows, at.column, at.columns, sumOfColumn(mine, at), shared, regularization);
    }
  }
  /// Of every kTeam-th row: kTeam threads share a column.
  static __device__ __forceinline__ float sumOfColumn(const Deltas &deltas, const Window &at) {
    const int t = thread(), j = t % kSide;
    float sum = 0;
    if (j < at.columns)
      for (int i = t / kSide; i < at.rows; i += kTeam)
        sum += deltas.base[i * deltas.stride + j];
    return sum;
  }
  /// `sum`: this thread's part of its column's deltas.
  template <class Optimizer>
  static __device__ __forceinline__ void updateBiases(const StepArgs &args, Int rows, Int column, int columns,
                                                      float sum, Shared &shared, double &regularization) {
    if (args.biasCount == 0)
      return;
    const int t = thread();
    __syncthreads();
    shared.biases[t] = sum;
    __syncthreads();
    if (t >= columns)
      return;
    float total = shared.biases[t];
#pragma unroll
    for (int part = 1; part < kTeam; ++part)
      total += shared.biases[t + part * kSide];
    const float gradient = total * (-1.0f / static_cast<float>(rows));
    for (int b = 0; b < args.biasCount; ++b)
      if (column + t < args.biases[b].size)
        Optimizer::Bias::apply(args, args.biases[b].trained, column + t, gradient, regularization);
  }

  static __device__ __forceinline__ void copyDelta(const Window &at, const Shared &shared, float *to, Int stride) {
    const int j = thread() % kSide;
    if (j < at.columns)
      for (int i = thread() / kSide; i < at.rows; i += kTeam)
        to[i * stride + j] = shared.delta[i * kLine + j];
  }
  /// To where passes kDescend find them: all (`Always`), or where a source is late.
  template <bool Always>
  static __device__ __forceinline__ void keepDelta(const StepArgs &args, const Window &at, const Shared &shared) {
    float *kept = static_cast<float *>(args.work[wide::kKept]);
    const Int stride = wide::keptStride(args.columns);
    if (Always || kept)
      copyDelta(at, shared, kept + (at.row * stride + at.column), stride);
  }
  /// A tile of a source's weights, or after these a tile of the biases, from kept deltas. Where this follows a sweep
  /// that updates, the source meets the transpose of its weights in a gradient buffer.
  template <class Optimizer> static __device__ __forceinline__ void descendKept(const StepArgs &args) {
    Shared &shared = *dynamicShared<Shared>();
    const Source &source = args.source;
    const Int rows = args.frame->rows, tiles = ceilDiv(source.outer, kSide), stride = wide::keptStride(args.columns);
    const Int ofWeights = tiles * ceilDiv(source.inner, kSide);
    const float *kept = static_cast<const float *>(args.work[wide::kKept]);
    double regularization = 0;
    if (blockIdx.x < ofWeights) {
      const Int column = blockIdx.x % tiles * kSide, inner = blockIdx.x / tiles * kSide;
      if (!operand::same<Optimizer, NoOptimizer> || source.descent) {
        const GradientTile gradient(source, inner, column, source.outer);
        TileType tile;
        tile.clear();
        gradient.multiply(tile, shared.stages, columnsOperand(kept, stride, args.columns, column), 0, rows);
        gradient.template descend<Optimizer, Weights>(args, tile, shared.stages, GradientTile::factor(source, rows),
                                                      regularization);
      }
    } else {
      const Int column = (blockIdx.x - ofWeights) * kSide;
      const int columns = static_cast<int>(least(kSide, args.columns - column)), j = thread() % kSide;
      float sum = 0;
      if (j < columns)
        for (Int row = thread() / kSide; row < rows; row += kTeam)
          sum += kept[row * stride + column + j];
      updateBiases<Optimizer>(args, rows, column, columns, sum, shared, regularization);
    }
    reportSums(args, 0, regularization);
  }

  /// A part of a row's squares: thread t has part t % kTeam of row t / kTeam.
  static __device__ __forceinline__ double sumSquares(const Window &at, const Shared &shared) {
    const int i = thread() / kTeam;
    double sum = 0;
    for (int j = thread() % kTeam; i < at.rows && j < at.columns; j += kTeam) {
      const double delta = shared.delta[i * kLine + j];
      sum += delta * delta;
    }
    return sum;
  }
  static __device__ __forceinline__ void writeSquares(const StepArgs &args, Int row, int rows, int lane, double sum) {
    for (int distance = 1; distance < kTeam; distance *= 2)
      sum += __shfl_xor_sync(kFullWarp, sum, distance);
    const int i = thread() / kTeam;
    if (thread() % kTeam == 0 && i < rows)
      static_cast<double *>(args.work[wide::kSquares])[lane * args.maxRows + row + i] = sum;
  }
  /// The lanes by the tree, in place.
  static __device__ __forceinline__ void finishNorms(const StepArgs &args) {
    const Int row = static_cast<Int>(blockIdx.x) * kThreads + thread();
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
