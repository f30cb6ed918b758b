// limit_norm: columns of E [inner, outer] whose Euclidean norm is above a limit are scaled down to it. Squares are
// summed in double precision; where the matrix lies [inner][outer], by lanes of the inner extent.
#pragma once
#include "kernels-templates/cuda/lanes.cuh"
#include "kernels-templates/cuda/pointwise.cuh"
#include "kernels-templates/cuda/slot.cuh"

namespace sn::cuda {
/// args.source: the matrix. Pass 0 does all of it where a column lies in one piece ([outer][inner], or one column): a
/// warp or a block for each. Else passes 0 to 2: sums of squares in work area 0 [lanes * pieces, outer] of double, a
/// block for each 32 columns of each piece; factors in work area 1 [outer]; products.
///
/// Weights in BF16 are rounded to one of their two neighbours at random, as an update is: a factor of 0.999 moves no
/// value to its nearest neighbour but itself, so that columns would stay above the limit for ever. A column's norm is
/// at the limit on average then, and above it by 2^-7 of it at most.
template <class Weights> class LimitNormOf {
public:
  template <class Loader, class Optimizer, int Pass> static __device__ void run(const StepArgs &args) {
    const Source &source = args.source;
    if constexpr (Pass == 1)
      factors(args, source);
    else if constexpr (Pass == 2)
      scale(args, source);
    else if (source.outerFirst || source.outer == 1)
      limitLines(args, source);
    else
      squares(args, source);
  }

private:
  static constexpr int kWarps = kThreads / kWarp;

  /// What a column is multiplied by; 1 also where its norm is no number.
  static __device__ __forceinline__ float factorOf(const StepArgs &args, double sumOfSquares) {
    const double norm = sqrt(sumOfSquares);
    return norm > args.limit ? static_cast<float>(args.limit / norm) : 1.0f;
  }
  /// Pieces of a lane.
  static __device__ __forceinline__ int piecesOf(const StepArgs &args, const Source &source) {
    const unsigned blocks = (static_cast<unsigned>(source.outer) + kWarp - 1) / kWarp * args.lanes,
                   rows = static_cast<unsigned>(source.inner) / (args.lanes * kRowsOfNormPiece);
    return max(1u, min(kNormBlocks / blocks, rows));
  }
  static __device__ __forceinline__ void multiply(const StepArgs &args, const Source &source, Int i, float factor) {
    Weights::template store<Rounding::Scaling>(args, source.weights, i,
                                               Weights::load(source.weights.value, i) * factor);
  }
  static __device__ __forceinline__ double square(float value) { return static_cast<double>(value) * value; }

  static __device__ __forceinline__ void limitLines(const StepArgs &args, const Source &source) {
    __shared__ double scratch[kWarp];
    __shared__ double total;
    const bool narrow = source.inner <= kNarrowRow;
    const Int line = narrow ? static_cast<Int>(blockIdx.x) * kWarps + warp() : static_cast<Int>(blockIdx.x);
    if (line >= source.outer)
      return; // a warp, or the block
    const int thread = narrow ? lane() : static_cast<int>(threadIdx.x), threads = narrow ? kWarp : kThreads;
    const Int begin = line * source.inner;
    double sum = 0;
    for (Int i = thread; i < source.inner; i += threads)
      sum += square(Weights::load(source.weights.value, begin + i));
    if (narrow) {
      for (int offset = kWarp / 2; offset > 0; offset /= 2)
        sum += __shfl_xor_sync(kFullWarp, sum, offset);
    } else {
      sum = blockSum(sum, scratch);
      if (threadIdx.x == 0)
        total = sum;
      __syncthreads();
      sum = total;
    }
    const float factor = factorOf(args, sum);
    if (factor != 1)
      for (Int i = thread; i < source.inner; i += threads)
        multiply(args, source, begin + i, factor);
  }

  static __device__ __forceinline__ void squares(const StepArgs &args, const Source &source) {
    __shared__ double partials[kWarps][kWarp];
    const unsigned tiles = (static_cast<unsigned>(source.outer) + kWarp - 1) / kWarp, part = blockIdx.x / tiles;
    const Int column = static_cast<Int>(blockIdx.x % tiles) * kWarp + lane();
    const int pieces = piecesOf(args, source);
    const Range lane = shortLaneRange(source.inner, part / pieces, args.lanes),
                rows = shortLaneRange(lane.end - lane.begin, part % pieces, pieces);
    double sum = 0;
    if (column < source.outer)
      for (Int row = lane.begin + rows.begin + warp(); row < lane.begin + rows.end; row += kWarps)
        sum += square(Weights::load(source.weights.value, row * source.outer + column));
    partials[warp()][sn::cuda::lane()] = sum;
    __syncthreads();
    if (warp() == 0 && column < source.outer)
      static_cast<double *>(args.work[0])[part * source.outer + column] =
          laneTree<kWarps>(kWarps, [&](int w) { return partials[w][sn::cuda::lane()]; });
  }

  static __device__ __forceinline__ void factors(const StepArgs &args, const Source &source) {
    const Int column = static_cast<Int>(blockIdx.x) * kThreads + threadIdx.x;
    if (column >= source.outer)
      return;
    const double *sums = static_cast<const double *>(args.work[0]) + column;
    const int pieces = piecesOf(args, source);
    const double total = laneTree<kMostReduceLanes>(args.lanes, [=](int lane) {
      double sum = 0;
      for (int piece = 0; piece < pieces; ++piece)
        sum += sums[(static_cast<Int>(lane) * pieces + piece) * source.outer];
      return sum;
    });
    static_cast<float *>(args.work[1])[column] = factorOf(args, total);
  }

  static __device__ __forceinline__ void scale(const StepArgs &args, const Source &source) {
    const float *factors = static_cast<const float *>(args.work[1]);
    const Int size = source.inner * source.outer, stride = static_cast<Int>(gridDim.x) * kThreads;
    Int i = static_cast<Int>(blockIdx.x) * kThreads + threadIdx.x, column = i % source.outer;
    const Int step = stride % source.outer;
    for (; i < size; i += stride) {
      const float factor = factors[column];
      if (factor != 1)
        multiply(args, source, i, factor);
      column += step;
      if (column >= source.outer)
        column -= source.outer;
    }
  }
};
using LimitNorm = LimitNormOf<Fp32Weights>;
} // namespace sn::cuda
