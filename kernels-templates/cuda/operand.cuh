// Operands of a tile's product (tile.cuh): functors (i, k) -> float, and how a block fetches them.
//
// An operand has `float operator()(int i, Int k) const` for i in [0, side) of the tile and k in the product's range, 0
// beyond its borders, and `bool alongDepth`: which of the two runs through memory. One whose elements lie in memory has
// also `bool aligned(Int begin) const` and `float4 load4(int i, Int k) const`, the four neighbours (i, k) ... (i, k +
// 3) if alongDepth, else (i, k) ... (i + 3, k), all inside its borders, where aligned(begin) holds and k - begin, or
// else i, is a multiple of 4; and `Int extent`, the border of i. The former three are the same for all threads of a
// block.
#pragma once
#include "kernels-templates/cuda/prelude.cuh"
#include "kernels-templates/cuda/weights.cuh"

namespace sn::cuda {
/// Whether an address is a multiple of 16 bytes.
__device__ __forceinline__ bool isAligned16(const void *address) {
  return (reinterpret_cast<unsigned long long>(address) & 15) == 0;
}

/// Element (i, k) of a matrix of floats, 0 for i at or beyond `extent`. It lies at base[i * stride + k] if
/// `alongDepth`, else at base[k * stride + i]. In global or shared memory.
struct MatrixOperand {
  const float *base = nullptr;
  Int stride = 0;
  Int extent = 0;
  bool alongDepth = true;
  __device__ __forceinline__ Int offset(int i, Int k) const { return alongDepth ? i * stride + k : k * stride + i; }
  __device__ __forceinline__ float operator()(int i, Int k) const { return i < extent ? base[offset(i, k)] : 0.0f; }
  __device__ __forceinline__ bool aligned(Int begin) const {
    return stride % 4 == 0 && isAligned16(alongDepth ? base + begin : base);
  }
  __device__ __forceinline__ float4 load4(int i, Int k) const {
    return *reinterpret_cast<const float4 *>(base + offset(i, k));
  }
};
/// The same of weights in the storage `Weights` (weights.cuh): element (i, k) is number first + i * stride + k, or
/// first + k * stride + i.
template <class Weights> struct WeightsOperand {
  const float *base = nullptr; // Trained::value
  Int first = 0;
  Int stride = 0;
  Int extent = 0;
  bool alongDepth = true;
  __device__ __forceinline__ Int offset(int i, Int k) const {
    return first + (alongDepth ? i * stride + k : k * stride + i);
  }
  __device__ __forceinline__ float operator()(int i, Int k) const {
    return i < extent ? Weights::load(base, offset(i, k)) : 0.0f;
  }
  __device__ __forceinline__ bool aligned(Int begin) const {
    return stride % 4 == 0 && (alongDepth ? first + begin : first) % 4 == 0 && isAligned16(base);
  }
  __device__ __forceinline__ float4 load4(int i, Int k) const { return Weights::load4(base, offset(i, k)); }
};

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
  const float *value = source.weights.value;
  if (source.outerFirst)
    return {value, column * source.inner, source.inner, end - column, true};
  return {value, column, source.outer, end - column, false};
}
/// Rows [k, ...) of E as the right factor of delta E^T; depth is the columns of E from `column` on.
template <class Weights = Fp32Weights>
__device__ __forceinline__ WeightsOperand<Weights> transposedWeightsOperand(const Source &source, Int column, Int k) {
  const float *value = source.weights.value;
  if (source.outerFirst)
    return {value, column * source.inner + k, source.inner, source.inner - k, false};
  return {value, k * source.outer + column, source.outer, source.inner - k, true};
}

/// Whether four neighbours of an operand can be had by one load.
template <class Operand> inline constexpr bool kLoadsFour = requires(const Operand &operand) {
  operand.load4(0, Int(0));
};
template <class Operand> __device__ __forceinline__ bool isAligned(const Operand &operand, Int begin) {
  if constexpr (kLoadsFour<Operand>)
    return operand.aligned(begin);
  else
    return false;
}
/// (i, k) ... (i, k + 3) of an operand that runs along its depth, 0 from `end` on. `aligned`: isAligned() of the
/// product's begin, k being a multiple of 4 beyond it.
template <class Operand>
__device__ __forceinline__ void fetchAlong(const Operand &operand, bool aligned, int i, Int k, Int end,
                                           float (&to)[4]) {
  if constexpr (kLoadsFour<Operand>)
    if (aligned && i < operand.extent && k + 4 <= end) {
      const float4 four = operand.load4(i, k);
      to[0] = four.x, to[1] = four.y, to[2] = four.z, to[3] = four.w;
      return;
    }
#pragma unroll
  for (int n = 0; n < 4; ++n)
    to[n] = k + n < end ? operand(i, k + n) : 0.0f;
}
/// (i, k) ... (i + 3, k) of an operand that runs across its depth; i is a multiple of 4.
template <class Operand>
__device__ __forceinline__ void fetchAcross(const Operand &operand, bool aligned, int i, Int k, Int end,
                                            float (&to)[4]) {
  if constexpr (kLoadsFour<Operand>)
    if (aligned && i + 4 <= operand.extent && k < end) {
      const float4 four = operand.load4(i, k);
      to[0] = four.x, to[1] = four.y, to[2] = four.z, to[3] = four.w;
      return;
    }
#pragma unroll
  for (int n = 0; n < 4; ++n)
    to[n] = k < end ? operand(i + n, k) : 0.0f;
}
} // namespace sn::cuda
