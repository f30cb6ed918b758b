// The vector loops of the kernels that are neither slots nor matrix products. Their bodies (VectorBodies.inc) are
// compiled once for each instruction set level; results depend on the level (fused multiply-add), never on threads.
#pragma once
#include "runtime/hal/DeferredRows.h"
#include "runtime/plan/Philox.h"
#include <cstdint>
#include <string_view>

namespace sn::rt::cpu {
struct VectorOps {
  /// out[u] = sum over j < count of value[j] * base[index[j] * stride + u], j ascending, for u < units. `ahead` entries
  /// beyond `count` are readable in `index` and are prefetched.
  void (*gatherRows)(int64_t units, const int32_t *index, const float *value, int64_t count, int64_t ahead,
                     const float *base, int64_t stride, float *out);
  /// out[u] = sum over j < count of value[j] * base[u * stride + index[j]], j ascending.
  void (*gatherColumns)(int64_t units, const int32_t *index, const float *value, int64_t count, const float *base,
                        int64_t stride, float *out);
  /// into[i] += from[i].
  void (*add)(int64_t n, float *into, const float *from);
  /// x[i] *= factor.
  void (*scale)(int64_t n, float factor, float *x);
  /// into[c] += sum over rows r of x[r * stride + c], rows ascending.
  void (*addRows)(int64_t rows, int64_t columns, const float *x, int64_t stride, float *into);
  /// x[i] *= factor[i].
  void (*multiply)(int64_t n, const float *factor, float *x);
  /// into[i] += x[i]^2.
  void (*addSquares)(int64_t n, const float *x, double *into);
  /// Sum of x[i]^2, in 16 interleaved partial sums.
  double (*sumSquares)(int64_t n, const float *x);
  /// Largest value, -inf for n = 0.
  float (*maximum)(int64_t n, const float *x);
  /// Sum in 16 interleaved partial sums.
  float (*sum)(int64_t n, const float *x);
  /// Sum of exp(x[i] - shift); x[i] <= shift is expected.
  float (*expSum)(int64_t n, const float *x, float shift);
  /// First i in [from, n) with x[i] > bound, else n.
  int64_t (*nextAbove)(int64_t from, int64_t n, const float *x, float bound);
  /// out[i] = maskValue(randomWord(at, row, first + i), p).
  void (*maskRange)(const plan::RandomPoint &at, int64_t row, int64_t first, int64_t n, float p, float *out);
  /// out[i] = maskValue(randomWord(at, row, column[i]), p).
  void (*maskAt)(const plan::RandomPoint &at, int64_t row, const int32_t *column, int64_t n, float p, float *out);
  /// Of rows whose updates are put off.
  DeferralOps deferral;
};

/// The loops for a level of plan::kCpuLevels; the machine must support it. Throws std::logic_error for an unknown
/// level.
const VectorOps &vectorOps(std::string_view level);
} // namespace sn::rt::cpu
