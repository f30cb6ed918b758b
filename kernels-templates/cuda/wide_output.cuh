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
    else if constexpr (S == Sweep::Update || Pass == wide::kUpdate)
      walkColumns<Loader, Optimizer>(args);
    else
      walkRows<Loader, Optimizer, S == Sweep::Single && Pass == wide::kSweep, Pass == wide::kKeep>(args);
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
  template <class Loader, class Optimizer, bool Updates, bool Keeps>
  static __device__ __forceinline__ void walkRows(const StepArgs &args) {
    constexpr int kWidth = wide::kChunk * kSide;
    Shared &shared = *dynamicShared<Shared>();
    const Frame &frame = *args.frame;
    const int row = static_cast<int>(blockIdx.x) * kSide, rows = static_cast<int>(least(kSide, frame.rows - row));
    double sum = 0, regularization = 0, squares = 0;
    if (rows > 0) {
      const Columns range = Walk::laneOfTiles(args, static_cast<int>(blockIdx.y));
      float *chunk = static_cast<float *>(args.work[wide::kChunks]);
      const bool inChunks = kBackprop && (!kHoldsTwo<TileType> || chunk != nullptr);
      if (inChunks)
        chunk += (static_cast<Int>(blockIdx.y) * gridDim.x + blockIdx.x) * kSide * kWidth;
      TileType gradient;
      if (!inChunks)
        gradient.clear();
      Walk::template beginRows<Loader>(args, {row, range.begin, rows, 0}, shared);
      int end = 0;
#pragma unroll 1
      for (int begin = range.begin; begin < range.end; begin = end) {
        end = min(begin + (inChunks ? kWidth : kSide), range.end);
#pragma unroll 1
        for (int column = begin; column < end; column += kSide) {
          const Window at = {row, column, rows, min(kSide, end - column)};
          Walk::template computeDelta<Loader>(args, frame, at, shared, sum);
          if constexpr (S == Sweep::Norm)
            squares += sumSquares(at, shared);
          if (inChunks)
            copyDelta(at, shared, chunk + (column - begin), kWidth);
          if constexpr (Keeps || Updates)
            keepDelta<Keeps>(args, at, shared);
        }
        const Deltas deltas = inChunks ? Deltas{chunk, kWidth} : Deltas{shared.delta, kLine};
        if constexpr (kBackprop)
          backprop(args, {row, begin, rows, end - begin}, deltas, inChunks, begin == range.begin, gradient, shared);
        if constexpr (Updates)
#pragma unroll 1
          for (int column = begin; column < end; column += kSide)
            updateOnePass<Optimizer>(args, {row, column, rows, min(kSide, end - column)},
                                     {deltas.base + (column - begin), deltas.stride}, shared, regularization);
      }
      if (kBackprop && !inChunks)
        writePartial(args, row, rows, gradient);
      if constexpr (S == Sweep::Norm)
        writeSquares(args, row, rows, static_cast<int>(blockIdx.y), squares);
    }
    reportSums(args, kCounts ? sum : 0, regularization);
  }

  /// The lane's part of each input gradient, delta E^T on the window: added up in `gradient`, if it is that of the one
  /// source that wants one; else, a chunk of columns at a time, in the part itself, of which only this block touches
  /// these rows.
  static __device__ __forceinline__ void backprop(const StepArgs &args, const Window &at, const Deltas &deltas,
                                                  bool chunks, bool first, TileType &gradient, Shared &shared) {
    const MatrixOperand delta = rowsOperand(deltas.base, deltas.stride, at.rows, 0);
#pragma unroll 1
    for (int s = 0; s < args.sourceCount; ++s) {
      const Source &source = args.sources[s];
      if (!source.gradient)
        continue;
#pragma unroll 1
      for (Int inner = 0; inner < source.inner; inner += kSide) {
        if (chunks)
          gradient.clear();
        gradient.multiply(shared.stages, delta, transposedWeightsOperand<Weights>(source, at.column, inner), 0,
                          at.columns);
        if (chunks)
          addToPart(args, source, at, inner, first, gradient);
      }
    }
  }
  static __device__ __forceinline__ float *partOf(const StepArgs &args, const Source &source, Int row) {
    return source.partials + (static_cast<Int>(blockIdx.y) * args.maxRows + row) * source.inner;
  }
  static __device__ __forceinline__ void addToPart(const StepArgs &args, const Source &source, const Window &at,
                                                   Int inner, bool first, TileType &gradient) {
    float *part = partOf(args, source, at.row);
    const auto inside = [&](int i, int j) { return i < at.rows && inner + j < source.inner; };
    if (!first) // all loads before the first store
      gradient.forEach([&](int i, int j, float &value) {
        if (inside(i, j))
          value = part[i * source.inner + inner + j] + value;
      });
    gradient.forEach([&](int i, int j, float value) {
      if (inside(i, j))
        part[i * source.inner + inner + j] = value;
    });
  }
  static __device__ __forceinline__ void writePartial(const StepArgs &args, int row, int rows, TileType &gradient) {
#pragma unroll 1
    for (int s = 0; s < args.sourceCount; ++s)
      if (args.sources[s].gradient)
        addToPart(args, args.sources[s], {row, 0, rows, 0}, 0, true, gradient);
  }

  /// A block has tiles of columns, one after another, and walks all rows for each of them. Gradients of weights and
  /// biases of a tile are complete then: everything that reads E of the tile has done so, since each product begins
  /// with a barrier.
  template <class Loader, class Optimizer> static __device__ __forceinline__ void walkColumns(const StepArgs &args) {
    Shared &shared = *dynamicShared<Shared>();
    const Frame &frame = *args.frame;
    const Range tiles = laneRange(ceilDiv(args.columns, kSide), static_cast<int>(blockIdx.x), gridDim.x);
    const int first = static_cast<int>(tiles.begin), last = static_cast<int>(tiles.end);
    float *scratch = static_cast<float *>(args.work[wide::kDeltas]);
    const bool keeps = !kHoldsTwo<TileType> || scratch != nullptr;
    if (keeps)
      scratch += blockIdx.x * args.maxRows * kSide;
    double regularization = 0;
#pragma unroll 1
    for (int tile = first; tile < last; ++tile) {
      const int column = tile * kSide, columns = static_cast<int>(least(kSide, args.columns - column));
      TileType gradient;
      float bias = 0;
      int end = 0;
#pragma unroll 1
      for (int begin = 0; begin < frame.rows; begin = end) {
        end = static_cast<int>(keeps ? frame.rows : least(begin + kSide, frame.rows));
#pragma unroll 1
        for (int row = begin; row < end; row += kSide) {
          const Window at = {row, column, min(kSide, end - row), columns};
          double sum = 0; // the forward pass's
          Walk::template bringRows<Loader>(args, at, tile == first, shared);
          Walk::template computeDelta<Loader>(args, frame, at, shared, sum);
          Walk::template leaveRows<Loader>(args, at, shared);
          bias += sumOfColumn({shared.delta, kLine}, at);
          if (keeps)
            copyDelta(at, shared, scratch + static_cast<Int>(row) * kSide, kSide);
          keepDelta<false>(args, at, shared);
        }
        const Deltas deltas = keeps ? Deltas{scratch, kSide} : Deltas{shared.delta, kLine};
        update<Optimizer>(args, {begin, column, end - begin, columns}, deltas, keeps || begin == 0,
                          keeps || end == frame.rows, gradient, shared, regularization);
      }
      updateBiases<Optimizer>(args, frame.rows, column, columns, bias, shared, regularization);
    }
    reportSums(args, 0, regularization);
  }

  /// x^T delta of the window's rows for all sources. `begins`, `ends`: the window has the first, the last rows of the
  /// batch; with the last ones the gradient is complete and updates. Where a window has not both, `gradient` goes along
  /// from call to call: that of the one source that has one, and of one tile.
  template <class Optimizer>
  static __device__ __forceinline__ void update(const StepArgs &args, const Window &at, const Deltas &deltas,
                                                bool begins, bool ends, TileType &gradient, Shared &shared,
                                                double &regularization) {
    const MatrixOperand delta = columnsOperand(deltas.base, deltas.stride, at.columns, 0);
#pragma unroll 1
    for (int s = 0; s < args.sourceCount; ++s) {
      const Source &source = args.sources[s];
      if (source.late || (operand::same<Optimizer, NoOptimizer> && !source.descent))
        continue;
#pragma unroll 1
      for (Int inner = 0; inner < source.inner; inner += kSide) {
        if (begins)
          gradient.clear();
        const GradientTile tile(source, inner, at.column, at.column + at.columns);
        const MatrixOperand x = columnsOperand(source.x + at.row * source.inner, source.inner, source.inner, inner);
        gradient.multiply(shared.stages, either(source.outerFirst, delta, x), either(source.outerFirst, x, delta), 0,
                          at.rows);
        if (ends)
          tile.template descend<Optimizer, Weights>(args, gradient, shared.stages,
                                                    GradientTile::factor(source, args.frame->rows), regularization);
      }
    }
  }
  /// The window has all rows.
  template <class Optimizer>
  static __device__ __forceinline__ void updateOnePass(const StepArgs &args, const Window &at, const Deltas &deltas,
                                                       Shared &shared, double &regularization) {
    TileType gradient;
    update<Optimizer>(args, at, deltas, true, true, gradient, shared, regularization);
    updateBiases<Optimizer>(args, at.rows, at.column, at.columns, sumOfColumn(deltas, at), shared, regularization);
  }
  /// Of every kTeam-th row: kTeam threads share a column.
  static __device__ __forceinline__ float sumOfColumn(const Deltas &deltas, const Window &at) {
    const int thread = static_cast<int>(threadIdx.x), j = thread % kSide;
    float sum = 0;
    if (j < at.columns)
      for (int i = thread / kSide; i < at.rows; i += kTeam)
        sum += deltas.base[i * deltas.stride + j];
    return sum;
  }
  /// `sum`: this thread's part of its column's deltas.
  template <class Optimizer>
  static __device__ __forceinline__ void updateBiases(const StepArgs &args, Int rows, Int column, int columns,
                                                      float sum, Shared &shared, double &regularization) {
    if (args.biasCount == 0)
      return;
    const int thread = static_cast<int>(threadIdx.x);
    __syncthreads();
    shared.biases[thread] = sum;
    __syncthreads();
    if (thread >= columns)
      return;
    float total = shared.biases[thread];
#pragma unroll
    for (int part = 1; part < kTeam; ++part)
      total += shared.biases[thread + part * kSide];
    const float gradient = total * (-1.0f / static_cast<float>(rows));
    for (int b = 0; b < args.biasCount; ++b)
      if (column + thread < args.biases[b].size)
        Optimizer::Bias::apply(args, args.biases[b].trained, column + thread, gradient, regularization);
  }

  static __device__ __forceinline__ void copyDelta(const Window &at, const Shared &shared, float *to, Int stride) {
    const int j = static_cast<int>(threadIdx.x) % kSide;
    if (j < at.columns)
      for (int i = static_cast<int>(threadIdx.x) / kSide; i < at.rows; i += kTeam)
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
      const int columns = static_cast<int>(least(kSide, args.columns - column)), j = threadIdx.x % kSide;
      float sum = 0;
      if (j < columns)
        for (Int row = threadIdx.x / kSide; row < rows; row += kTeam)
          sum += kept[row * stride + column + j];
      updateBiases<Optimizer>(args, rows, column, columns, sum, shared, regularization);
    }
    reportSums(args, 0, regularization);
  }

  /// A part of a row's squares: thread t has part t % kTeam of row t / kTeam.
  static __device__ __forceinline__ double sumSquares(const Window &at, const Shared &shared) {
    const int i = static_cast<int>(threadIdx.x) / kTeam;
    double sum = 0;
    for (int j = static_cast<int>(threadIdx.x) % kTeam; i < at.rows && j < at.columns; j += kTeam) {
      const double delta = shared.delta[i * kLine + j];
      sum += delta * delta;
    }
    return sum;
  }
  static __device__ __forceinline__ void writeSquares(const StepArgs &args, Int row, int rows, int lane, double sum) {
    for (int distance = 1; distance < kTeam; distance *= 2)
      sum += __shfl_xor_sync(kFullWarp, sum, distance);
    const int i = static_cast<int>(threadIdx.x) / kTeam;
    if (threadIdx.x % kTeam == 0 && i < rows)
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
