// Operands of a tile's product (tile.cuh): functors (i, k) -> float, and how a block fetches them.
//
// An operand has `float operator()(int i, Int k) const` for i in [0, side) of the tile and k in the product's range, 0
// beyond its borders, and `bool alongDepth`: which of the two runs through memory. Where it is no WeightsOperand it is
// asked for one element after the other.
//
// Extents of a product, features and rows of a batch, are below 2^31; offsets are not.
#pragma once
#include "kernels-templates/cuda/prelude.cuh"
#include "kernels-templates/cuda/weights.cuh"

namespace sn::cuda {
/// Element (i, k) of a matrix in the storage `Weights` (weights.cuh), 0 for i at or beyond `extent`. It is element
/// i * stride + k from `base` if `alongDepth`, else k * stride + i. In global or shared memory.
template <class Weights> struct WeightsOperand {
  const float *base = nullptr;
  Int stride = 0;
  Int extent = 0;
  bool alongDepth = true;
  __device__ __forceinline__ float operator()(int i, Int k) const {
    return i < extent ? Weights::load(base, offset(i, k)) : 0.0f;
  }
  __device__ __forceinline__ Int offset(int i, Int k) const { return alongDepth ? i * stride + k : k * stride + i; }
  /// `base` so many elements on.
  static __device__ __forceinline__ const float *advanced(const float *base, Int elements) {
    return reinterpret_cast<const float *>(reinterpret_cast<const char *>(base) + elements * Weights::kBytes);
  }
  /// Whether four neighbours along memory can be had by one load: those from i, where i is a multiple of 4, or if
  /// alongDepth those from k, where k - begin is one.
  __device__ __forceinline__ bool aligned(Int begin) const {
    const auto address = reinterpret_cast<unsigned long long>(alongDepth ? advanced(base, begin) : base);
    return stride % 4 == 0 && address % (4 * Weights::kBytes) == 0;
  }
};
using MatrixOperand = WeightsOperand<Fp32Weights>;

/// One of two, by value: through a reference both would live in memory.
__device__ __forceinline__ MatrixOperand either(bool first, MatrixOperand a, MatrixOperand b) {
  return {first ? a.base : b.base, first ? a.stride : b.stride, first ? a.extent : b.extent,
          first ? a.alongDepth : b.alongDepth};
}

/// Rows [row, ...) of x [rows, inner] as the left factor of x E.
__device__ __forceinline__ MatrixOperand rowsOperand(const float *x, Int inner, Int rows, Int row) {
  return {x + row * inner, inner, rows - row, true};
}
/// Columns [column, ...) of x [rows, width] with the rows as depth: x^T as a factor of x^T delta, or delta itself.
__device__ __forceinline__ MatrixOperand columnsOperand(const float *x, Int width, Int end, Int column) {
  return {x + column, width, end - column, false};
}
/// Columns [column, end) of E [inner, outer] as the right factor of x E; depth is inner.
template <class Weights = Fp32Weights>
__device__ __forceinline__ WeightsOperand<Weights> weightsOperand(const Source &source, Int end, Int column) {
  using Operand = WeightsOperand<Weights>;
  const float *value = source.weights.value;
  if (source.outerFirst)
    return {Operand::advanced(value, column * source.inner), source.inner, end - column, true};
  return {Operand::advanced(value, column), source.outer, end - column, false};
}
/// Rows [k, ...) of E as the right factor of delta E^T; depth is the columns of E from `column` on.
template <class Weights = Fp32Weights>
__device__ __forceinline__ WeightsOperand<Weights> transposedWeightsOperand(const Source &source, Int column, Int k) {
  using Operand = WeightsOperand<Weights>;
  const float *value = source.weights.value;
  if (source.outerFirst)
    return {Operand::advanced(value, column * source.inner + k), source.inner, source.inner - k, false};
  return {Operand::advanced(value, k * source.outer + column), source.outer, source.inner - k, true};
}

/// A walk of a thread through an operand's slices, `Depth` deep each, for a tile of `Side`. It fetches elements (i +
/// line, k + deeper) of the slice where it is, 0 beyond all borders, (i, k) being set at first. `rest`: what is left of
/// the depth from where the slice begins.
///
/// This one asks a functor for each element.
template <class Operand, int Side, int Depth> class SliceWalk {
public:
  __device__ __forceinline__ SliceWalk(const Operand &operand, Int begin, int i, int k)
      : operand(operand), begin(begin), i(i), k(k) {}
  __device__ __forceinline__ void next() { begin += Depth; }
  /// Four neighbours of the depth of an operand along it; k + deeper is a multiple of 4.
  __device__ __forceinline__ void along(int rest, int line, int deeper, float (&to)[4]) const {
#pragma unroll
    for (int n = 0; n < 4; ++n)
      to[n] = one(rest, line, deeper + n);
  }
  /// Four lines of an operand across its depth; i is a multiple of 4.
  __device__ __forceinline__ void across(int rest, int deeper, float (&to)[4]) const {
#pragma unroll
    for (int n = 0; n < 4; ++n)
      to[n] = one(rest, n, deeper);
  }
  /// An element of an operand across its depth.
  __device__ __forceinline__ float one(int rest, int line, int deeper) const {
    return k + deeper < rest ? operand(i + line, begin + k + deeper) : 0.0f;
  }

private:
  Operand operand; // a reference would keep it in memory
  Int begin;
  int i, k;
};
/// The same through memory: it keeps the address of (i, k), from which what it fetches lies at multiples of the stride.
template <class Weights, int Side, int Depth> class SliceWalk<WeightsOperand<Weights>, Side, Depth> {
  using Operand = WeightsOperand<Weights>;

public:
  __device__ __forceinline__ SliceWalk(const Operand &operand, Int begin, int i, int k)
      : base(Operand::advanced(operand.base, operand.offset(i, begin + k))), stride(operand.stride),
        lines(static_cast<int>(least(operand.extent, Side)) - i), k(k), alongDepth(operand.alongDepth),
        aligned(operand.aligned(begin)) {}
  __device__ __forceinline__ void next() { base = Operand::advanced(base, alongDepth ? Depth : Depth * stride); }
  __device__ __forceinline__ void along(int rest, int line, int deeper, float (&to)[4]) const {
    const Int from = line * stride + deeper;
    if (aligned && line < lines && k + deeper + 4 <= rest) {
      take(from, to);
    } else {
#pragma unroll
      for (int n = 0; n < 4; ++n)
        to[n] = line < lines && k + deeper + n < rest ? Weights::load(base, from + n) : 0.0f;
    }
  }
  __device__ __forceinline__ void across(int rest, int deeper, float (&to)[4]) const {
    const Int from = deeper * stride;
    if (aligned && 4 <= lines && k + deeper < rest) {
      take(from, to);
    } else {
#pragma unroll
      for (int n = 0; n < 4; ++n)
        to[n] = n < lines && k + deeper < rest ? Weights::load(base, from + n) : 0.0f;
    }
  }
  __device__ __forceinline__ float one(int rest, int line, int deeper) const {
    return line < lines && k + deeper < rest ? Weights::load(base, line + deeper * stride) : 0.0f;
  }

private:
  __device__ __forceinline__ void take(Int from, float (&to)[4]) const {
    const float4 four = Weights::load4(Operand::advanced(base, from), 0); // an aligned address, if not one of 16 bytes
    to[0] = four.x, to[1] = four.y, to[2] = four.z, to[3] = four.w;
  }

  const float *base;
  Int stride;
  int lines; // from i on
  int k;
  bool alongDepth, aligned;
};
} // namespace sn::cuda
