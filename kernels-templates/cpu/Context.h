// What every skeleton runs with.
#pragma once
#include "kernels-templates/cpu/Vector.h"
#include "runtime/base/AlignedMemory.h"
#include "runtime/base/ThreadPool.h"
#include "runtime/hal/Device.h"
#include "runtime/plan/Lanes.h"
#include <cstring>
#include <stdexcept>

namespace sn::rt::cpu {
/// Most spans or scalars of one slot.
inline constexpr int kMaxOperands = 32;

/// Row-major single-precision product C = alpha op(A) op(B) + beta C, C of m x n, on the calling thread only ('N'
/// plain, 'T' transposed).
using Sgemm = int (*)(char transA, char transB, int64_t m, int64_t n, int64_t k, float alpha, const float *a,
                      int64_t lda, const float *b, int64_t ldb, float beta, float *c, int64_t ldc);

/// A checked call of the product; empty extents are allowed.
struct Contraction {
  Sgemm sgemm = nullptr;
  void operator()(char transA, char transB, int64_t m, int64_t n, int64_t k, float alpha, const float *a, int64_t lda,
                  const float *b, int64_t ldb, float beta, float *c, int64_t ldc) const {
    if (m <= 0 || n <= 0)
      return;
    if (k <= 0) {
      for (int64_t row = 0; row < m && beta == 0; ++row)
        std::memset(c + row * ldc, 0, static_cast<size_t>(n) * sizeof(float));
      return;
    }
    if (sgemm(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc) != 0)
      throw std::logic_error("the matrix product refused its arguments");
  }
};

/// Deals out workspace. Without memory it only measures: prepare measures for the largest batch, launch carves for
/// real.
class Carver {
public:
  explicit Carver(char *base = nullptr) : base(base) {}
  template <typename T> T *take(int64_t count) {
    char *here = base ? base + used : nullptr;
    used += roundUp(count * static_cast<int64_t>(sizeof(T)), kCacheLine);
    return reinterpret_cast<T *>(here);
  }
  int64_t bytes() const { return used; }

private:
  char *base;
  int64_t used = 0;
};

/// Spans of one worker, reused by every slot call.
struct SlotScratch {
  alignas(kCacheLine) float made[kMaxOperands][plan::kTile]; // masks and column numbers of a segment
  alignas(kCacheLine) float in[kMaxOperands][plan::kTile];   // gathered; lives while the background runs
  alignas(kCacheLine) float out[kMaxOperands][plan::kTile];
  alignas(kCacheLine) float target[plan::kTile];
  alignas(kCacheLine) float delta[plan::kTile];
  alignas(kCacheLine) int32_t place[plan::kTile];
};

/// Lists whose length depends on the data (entries of one range of features): one per worker, grown when a batch has
/// more.
struct EntryLists {
  AlignedMemory rows, values, bounds;
  int64_t bytes() const { return rows.bytes() + values.bytes() + bounds.bytes(); }
};

/// Shared by all kernels of a device; one kernel runs at a time.
struct Context {
  Context(int threads, std::function<void()> start) : pool(threads, std::move(start)) {}
  ThreadPool pool;
  Contraction product;
  const VectorOps *ops = nullptr;
  int lanes = plan::kLanes;
  AlignedMemory workspace;
  std::vector<SlotScratch> slots;  // by worker
  std::vector<EntryLists> entries; // by worker
  AlignedMemory batchValues;       // values of the batch's entries
};

/// Sum of the tasks' partial sums, by the tree.
inline double treeSum(double *partial, int64_t count) {
  if (count == 0)
    return 0;
  plan::combineLanes(static_cast<int>(count), [&](int into, int from) { partial[into] += partial[from]; });
  return partial[0];
}

/// Equal tiles of [0, width), at most plan::kTile wide; all but the last a multiple of 16 wide.
struct Tiles {
  int64_t width = 0, size = 0, count = 0;
  explicit Tiles(int64_t width, int64_t most = plan::kTile) : width(width) {
    if (width <= 0)
      return;
    int64_t wanted = plan::tilesOf(width, most);
    size = std::min(roundUp((width + wanted - 1) / wanted, 16), most);
    count = (width + size - 1) / size;
  }
  plan::Range operator[](int64_t tile) const { return {tile * size, std::min(width, (tile + 1) * size)}; }
};
/// Width of the widest tile among the lanes over `columns`.
inline int64_t widestTile(int64_t columns, int lanes) {
  int64_t widest = 0;
  for (int lane = 0; lane < lanes; ++lane)
    widest = std::max(widest, Tiles(plan::laneRange(columns, lane, lanes).size()).size);
  return widest;
}
} // namespace sn::rt::cpu
