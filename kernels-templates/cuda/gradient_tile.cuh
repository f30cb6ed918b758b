// Tiles of a weight gradient: 64 of inner by 64 columns of E [inner, outer], in the order of E's memory, whatever its
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
  __device__ __forceinline__ void multiply(Tile &tile, Tile::Shared &shared, const MatrixOperand &delta, Int begin,
                                           Int end) const {
    const MatrixOperand x = columnsOperand(source.x, source.inner, source.inner, inner);
    tile.multiply(shared, either(source.outerFirst, delta, x), either(source.outerFirst, x, delta), begin, end);
  }
  /// Hands on the gradient, factor times the tile: to the optimizer or to its buffer.
  template <class Optimizer>
  __device__ __forceinline__ void descend(const StepArgs &args, Tile &tile, float factor,
                                          double &regularization) const {
    const Int line = source.outerFirst ? column : inner, lineEnd = source.outerFirst ? columnEnd : source.inner;
    const Int along = source.outerFirst ? inner : column, alongEnd = source.outerFirst ? source.inner : columnEnd;
    const Int stride = source.outerFirst ? source.inner : source.outer;
    tile.forEach([&](int i, int j, float value) {
      if (line + i < lineEnd && along + j < alongEnd)
        cuda::descend<Optimizer>(args, source, (line + i) * stride + along + j, factor * value, regularization);
    });
  }

private:
  const Source &source;
  Int inner, column, columnEnd;
};
} // namespace sn::cuda
