// gemm_update: grad W = -1/B x^T delta by lanes of the batch, and the optimizer (or a gradient buffer), block by block
// of the weights.
#pragma once
#include "kernels-templates/cpu/Products.h"

namespace sn::rt::cpu {
class GemmUpdate {
public:
  BufferSource source;
  const float *delta = nullptr; // [B, weights.outer]
  UpdateSlot update;

  void layout(Carver &carver, int64_t rows, const Context &context) {
    const Weights &w = source.weights;
    lanes = plan::batchLanes(rows);
    spacing = Tiles(w.inner, kSide).size * Tiles(w.outer, kSide).size;
    buffers = carver.take<float>(context.pool.workers() * treeDepth(lanes) * spacing);
    sums = carver.take<double>(Tiles(w.inner, kSide).count * Tiles(w.outer, kSide).count);
  }

  void run(Context &context, Launch &launch) {
    update.begin(launch);
    const Weights &w = source.weights;
    const Tiles inner(w.inner, kSide), outer(w.outer, kSide);
    const float factor = source.descent.factor(launch.batch.rows);
    context.pool.parallelFor(inner.count * outer.count, [&](int64_t task, int worker) {
      plan::Range k = inner[task / outer.count], c = outer[task % outer.count];
      float *partials = buffers + worker * treeDepth(lanes) * spacing;
      float *gradient =
          sumLanes(lanes, partials, spacing, k.size() * c.size(), *context.ops, [&](int lane, float *out) {
            plan::Range rows = plan::laneRange(launch.batch.rows, lane, lanes);
            multiplyGradient(context.product, source.x + rows.begin * w.inner + k.begin, w.inner,
                             delta + rows.begin * w.outer + c.begin, w.outer, rows.size(), w.outerFirst, k.size(),
                             c.size(), factor, 0, out);
            return true;
          });
      sums[task] = 0;
      applyBlock(update, source.descent, w, k, c, gradient, *context.ops, &sums[task]);
    });
    launch.regularization += treeSum(sums, inner.count * outer.count);
  }

private:
  static constexpr int64_t kSide = 128;
  int lanes = 1;
  int64_t spacing = 0;
  float *buffers = nullptr;
  double *sums = nullptr;
};
} // namespace sn::rt::cpu
