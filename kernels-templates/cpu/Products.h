// Contractions of tiles with weights in either layout, and sums over lanes.
#pragma once
#include "kernels-templates/cpu/Update.h"

namespace sn::rt::cpu {
/// The right factor E [inner, outer] of a contraction x E: a parameter in its layout, transposed or not. Stored
/// [inner][outer], or [outer][inner] where `outerFirst`.
struct Weights {
  Trained trained;
  int64_t inner = 0, outer = 0;
  bool outerFirst = false;

  int64_t stride() const { return outerFirst ? inner : outer; }
  /// Offset of E[k, c].
  int64_t offset(int64_t k, int64_t c) const { return outerFirst ? c * inner + k : k * outer + c; }
  const float *at(int64_t k, int64_t c) const { return trained.value + offset(k, c); }
};

/// out[rows, columns] = x[rows, inner range] E[inner range, columns] + beta out. `x` points at the first column of the
/// inner range.
inline void multiply(const Contraction &product, const float *x, int64_t strideX, int64_t rows, const Weights &w,
                     plan::Range inner, plan::Range columns, float beta, float *out, int64_t strideOut) {
  product('N', w.outerFirst ? 'T' : 'N', rows, columns.size(), inner.size(), 1, x, strideX,
          w.at(inner.begin, columns.begin), w.stride(), beta, out, strideOut);
}
/// out[rows, inner] = delta[rows, columns] E[:, columns]^T + beta out.
inline void multiplyTransposed(const Contraction &product, const float *delta, int64_t strideDelta, int64_t rows,
                               const Weights &w, plan::Range columns, float beta, float *out) {
  product('N', w.outerFirst ? 'N' : 'T', rows, w.inner, columns.size(), 1, delta, strideDelta, w.at(0, columns.begin),
          w.stride(), beta, out, w.inner);
}
/// Gradient of E[inner range, columns] in the order of E's storage, without gaps: out = factor x^T delta + beta out.
inline void multiplyGradient(const Contraction &product, const float *x, int64_t strideX, const float *delta,
                             int64_t strideDelta, int64_t rows, bool outerFirst, int64_t inner, int64_t columns,
                             float factor, float beta, float *out) {
  if (outerFirst)
    product('T', 'N', columns, inner, rows, factor, delta, strideDelta, x, strideX, beta, out, inner);
  else
    product('T', 'N', inner, columns, rows, factor, x, strideX, delta, strideDelta, beta, out, columns);
}
/// Hands on the gradient of E[inner range, columns] as multiplyGradient leaves it: to the optimizer or to a buffer.
inline void applyBlock(const UpdateSlot &update, const Descent &descent, const Weights &w, plan::Range inner,
                       plan::Range columns, const float *gradient, const VectorOps &ops, double *sum) {
  const plan::Range lines = w.outerFirst ? columns : inner, along = w.outerFirst ? inner : columns;
  if (along.size() == w.stride()) {
    descent.take(update, w.trained, w.offset(inner.begin, columns.begin), lines.size() * along.size(), gradient, ops,
                 sum);
    return;
  }
  for (int64_t line = 0; line < lines.size(); ++line) {
    int64_t offset = (lines.begin + line) * w.stride() + along.begin;
    descent.take(update, w.trained, offset, along.size(), gradient + line * along.size(), ops, sum);
  }
}

/// One left factor of a contraction: a buffer [B, weights.inner] and what it is multiplied by.
struct BufferSource {
  const float *x = nullptr;
  Weights weights;
  float *gradient = nullptr; // buffer [B, weights.inner] that receives delta E^T, or null
  Descent descent{};         // where the gradient of the weights goes, in kernels that form it
};

/// Buffers that sumLanes needs for `lanes` lanes.
constexpr int treeDepth(int lanes) {
  int depth = 1;
  while ((1 << (depth - 1)) < lanes)
    ++depth;
  return depth + 1;
}
/// Combines the lanes' partial sums, computed one after another, in the order of plan::combineLanes while keeping only
/// treeDepth(lanes) buffers of `size` floats, `spacing` apart. compute(lane, out) returns false for an empty lane,
/// which then adds nothing. Returns the buffer with the result, or null if all lanes are empty.
template <typename Compute>
float *sumLanes(int lanes, float *buffers, int64_t spacing, int64_t size, const VectorOps &ops, Compute compute) {
  struct Partial {
    float *values;
    bool empty;
  };
  std::array<Partial, 34> stack;
  int top = 0;
  for (int depth = 0; depth < treeDepth(lanes); ++depth)
    stack[static_cast<size_t>(depth)].values = buffers + depth * spacing;
  auto merge = [&] {
    Partial &into = stack[static_cast<size_t>(top - 2)], &from = stack[static_cast<size_t>(top - 1)];
    if (into.empty)
      std::swap(into, from);
    else if (!from.empty)
      ops.add(size, into.values, from.values);
    --top;
  };
  for (int lane = 0; lane < lanes; ++lane) {
    Partial &partial = stack[static_cast<size_t>(top)];
    partial.empty = !compute(lane, partial.values);
    ++top;
    for (int finished = lane + 1; (finished & 1) == 0; finished >>= 1)
      merge();
  }
  while (top > 1)
    merge();
  return stack[0].empty ? nullptr : stack[0].values;
}
} // namespace sn::rt::cpu
