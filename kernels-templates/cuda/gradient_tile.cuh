// Tiles of a weight gradient: as many of inner as columns of E [inner, outer], in the order of E's memory, whatever its
// orientation, so that neighbouring threads update neighbouring values.
#pragma once
#include "kernels-templates/cuda/slot.cuh"
#include "kernels-templates/cuda/tile.cuh"

namespace sn::cuda {
class GradientTile {
public:
  /// Of E[inner ..., column ...]; columns from `columnEnd` on are another block's.
  __device__ __forceinline__ GradientTile(const Source &source, Int inner, Int column, Int columnEnd)
      : source(source), inner(inner), column(column), columnEnd(columnEnd) {}

  /// What x^T delta is multiplied by.
  static __device__ __forceinline__ float factor(const Source &source, Int rows) {
    return static_cast<float>(-static_cast<double>(source.scale) / static_cast<double>(rows));
  }
  /// tile += x^T delta over rows [begin, end); delta(j, row) is the delta of column `column` + j.
  template <class TileType>
  __device__ __forceinline__ void multiply(TileType &tile, typename TileType::Shared &shared,
                                           const MatrixOperand &delta, Int begin, Int end) const {
    const MatrixOperand x = columnsOperand(source.x, source.inner, source.inner, inner);
    tile.multiply(shared, either(source.outerFirst, delta, x), either(source.outerFirst, x, delta), begin, end);
  }
  /// Hands on the gradient, factor times the tile: to the optimizer, for weights in the storage `Weights`, or to its
  /// buffer. All threads of the block call it; a barrier must come before `shared` is written again.
  template <class Optimizer, class Weights = Fp32Weights, class TileType>
  __device__ __forceinline__ void descend(const StepArgs &args, TileType &tile, typename TileType::Shared &shared,
                                          float factor, double &regularization) const {
    const bool fours = lineOfWeights() % 4 == 0 && (source.outerFirst ? inner : column) % 4 == 0;
    tile.inShared(shared, [&](int first, int rows, const float *values) {
      if (fours)
        descendFours<Optimizer, Weights, TileType>(args, first, rows, values, factor, regularization);
      else
        descendRows<Optimizer, Weights, TileType>(args, first, rows, values, factor, regularization);
    });
  }

private:
  __device__ __forceinline__ Int lineOfWeights() const { return source.outerFirst ? source.inner : source.outer; }

  /// Rows [first, first + rows) of the tile, where fours of neighbours lie as load4 of parameters wants them: 16 bytes
  /// to an access. Borders may cut a four all the same.
  template <class Optimizer, class Weights, class TileType>
  __device__ __forceinline__ void descendFours(const StepArgs &args, int first, int rows, const float *values,
                                               float factor, double &regularization) const {
    using Rule = typename Optimizer::Weights;
    constexpr int kFours = TileType::kSide / 4;
    constexpr int kBatch = 2;
    static_assert(TileType::kPartRows * kFours % (kBatch * kThreads) == 0);
#pragma unroll 1
    for (int at = static_cast<int>(threadIdx.x); at < rows * kFours; at += kBatch * kThreads) {
      Int offset[kBatch];
      bool whole[kBatch];
      typename Rule::Values4 before[kBatch];
#pragma unroll
      for (int b = 0; b < kBatch; ++b) {
        const int n = at + b * kThreads, i = first + n / kFours, j = n % kFours * 4;
        offset[b] = offsetOf(i, j);
        whole[b] = offset[b] >= 0 && offsetOf(i, j + 3) >= 0;
        if (whole[b] && !source.descent)
          before[b] = Rule::template load4<Weights>(source.weights, offset[b]);
      }
#pragma unroll
      for (int b = 0; b < kBatch; ++b) {
        const int n = at + b * kThreads, i = n / kFours, j = n % kFours * 4;
        const float *x = values + i * TileType::kStride + j;
        if (!whole[b]) {
          for (int c = 0; c < 4 && offsetOf(first + i, j + c) >= 0; ++c)
            sn::cuda::descend<Optimizer, Weights>(args, source, offset[b] + c, factor * x[c], regularization);
          continue;
        }
        const float4 sums = *reinterpret_cast<const float4 *>(x);
        const float4 gradient = make_float4(factor * sums.x, factor * sums.y, factor * sums.z, factor * sums.w);
        if (source.descent)
          descend4<Optimizer, Weights>(args, source, offset[b], gradient, regularization);
        else
          Rule::template update4<Weights>(args, source.weights, offset[b], before[b], gradient, regularization);
      }
    }
  }
  /// The same one by one, wherever they lie.
  template <class Optimizer, class Weights, class TileType>
  __device__ __forceinline__ void descendRows(const StepArgs &args, int first, int rows, const float *values,
                                              float factor, double &regularization) const {
    using Rule = typename Optimizer::Weights;
    constexpr int kSide = TileType::kSide;
    constexpr int kBatch = 4; // values and states on their way at a time
#pragma unroll 1
    for (int at = static_cast<int>(threadIdx.x); at < rows * kSide; at += kBatch * kThreads) {
      Int offset[kBatch];
      typename Rule::Values before[kBatch];
#pragma unroll
      for (int b = 0; b < kBatch; ++b) {
        const int n = at + b * kThreads;
        offset[b] = offsetOf(first + n / kSide, n % kSide);
        if (offset[b] >= 0 && !source.descent)
          before[b] = Rule::template load<Weights>(source.weights, offset[b]);
      }
#pragma unroll
      for (int b = 0; b < kBatch; ++b) {
        const int n = at + b * kThreads;
        const float gradient = factor * values[n / kSide * TileType::kStride + n % kSide];
        if (offset[b] < 0)
          continue;
        if (!source.descent)
          Rule::template update<Weights>(args, source.weights, offset[b], before[b], gradient, regularization);
        else if (source.accumulate)
          source.descent[offset[b]] += gradient;
        else
          source.descent[offset[b]] = gradient;
      }
    }
  }
  /// Where the tile's value (i, j) lies in the weights; -1: beyond its borders.
  __device__ __forceinline__ Int offsetOf(int i, int j) const {
    const Int line = (source.outerFirst ? column : inner) + i, along = (source.outerFirst ? inner : column) + j;
    const Int lines = source.outerFirst ? columnEnd : source.inner,
              width = source.outerFirst ? source.inner : columnEnd;
    return line < lines && along < width ? line * lineOfWeights() + along : -1;
  }

  const Source &source;
  Int inner, column, columnEnd;
};
} // namespace sn::cuda
