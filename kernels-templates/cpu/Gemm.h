// gemm: dense products of buffers, then the epilogue. Blocks of 64 rows times tiles of columns; a wide inner extent
// goes by lanes.
#pragma once
#include "kernels-templates/cpu/Products.h"

namespace sn::rt::cpu {
class Gemm {
public:
  std::vector<BufferSource> sources;
  Slot epilogue;
  int64_t columns = 0;

  void layout(Carver &carver, int64_t rows, const Context &context) {
    Tiles tiles(columns);
    blocks = (rows + kRows - 1) / kRows;
    spacing = kRows * tiles.size;
    bool byLanes = false;
    for (const BufferSource &source : sources)
      byLanes = byLanes || lanesOf(source, context) > 1;
    buffersPerWorker = 1 + (byLanes ? treeDepth(context.lanes) : 0);
    buffers = carver.take<float>(context.pool.workers() * buffersPerWorker * spacing);
    sums = carver.take<double>(blocks * tiles.count);
  }

  void run(Context &context, Launch &launch) {
    epilogue.begin(launch);
    Tiles tiles(columns);
    context.pool.parallelFor(blocks * tiles.count, [&](int64_t task, int worker) {
      int64_t block = task / tiles.count;
      plan::Range rows{block * kRows, std::min(launch.batch.rows, (block + 1) * kRows)},
          tile = tiles[task % tiles.count];
      float *accumulator = buffers + worker * buffersPerWorker * spacing;
      contract(context, rows, tile, accumulator);
      sums[task] = 0;
      SlotScratch &scratch = context.slots[static_cast<size_t>(worker)];
      for (int64_t row = rows.begin; row < rows.end; ++row)
        epilogue.call({.row = row,
                       .dataRow = launch.batch.ids[row],
                       .begin = tile.begin,
                       .count = tile.size(),
                       .accumulator = accumulator + (row - rows.begin) * tile.size(),
                       .delta = scratch.delta},
                      *context.ops, scratch, &sums[task]);
    });
    launch.sum += treeSum(sums, blocks * tiles.count);
  }

private:
  static constexpr int64_t kRows = 64, kWideInner = 4096;

  /// A wide inner extent is some wide layer's: its sum goes by that layer's lanes.
  static int lanesOf(const BufferSource &source, const Context &context) {
    return source.weights.inner >= kWideInner ? context.lanes : 1;
  }
  void contract(const Context &context, plan::Range rows, plan::Range tile, float *accumulator) const {
    const int64_t size = rows.size() * tile.size();
    bool first = true;
    for (const BufferSource &source : sources) {
      const float *x = source.x + rows.begin * source.weights.inner;
      const int64_t stride = source.weights.inner;
      if (int lanes = lanesOf(source, context); lanes > 1) {
        float *total = sumLanes(lanes, accumulator + spacing, spacing, size, *context.ops, [&](int lane, float *out) {
          plan::Range inner = plan::laneRange(stride, lane, lanes);
          multiply(context.product, x + inner.begin, stride, rows.size(), source.weights, inner, tile, 0, out,
                   tile.size());
          return true;
        });
        if (first)
          std::copy_n(total, size, accumulator);
        else
          context.ops->add(size, accumulator, total);
      } else {
        multiply(context.product, x, stride, rows.size(), source.weights, {0, stride}, tile, first ? 0 : 1, accumulator,
                 tile.size());
      }
      first = false;
    }
  }

  int64_t blocks = 0, spacing = 0, buffersPerWorker = 1;
  float *buffers = nullptr;
  double *sums = nullptr;
};
} // namespace sn::rt::cpu
