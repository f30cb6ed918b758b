// csr_gather: rows of a data set times W, then the epilogue. acc[r,:] = sum over entries v m w[index,:], by lanes over
// the features.
#pragma once
#include "kernels-templates/cpu/DataSource.h"
#include "kernels-templates/cpu/Products.h"
#include "kernels-templates/cpu/Target.h"

namespace sn::rt::cpu {
class CsrGather {
public:
  DataSource source;
  Weights weights;
  DeferredRows *deferred = nullptr; // of the weights, where updates are put off
  Slot epilogue;
  int64_t columns = 0;

  void layout(Carver &carver, int64_t rows, const Context &context) {
    Tiles tiles(columns);
    blockRows = source.dense() ? kDenseRows : kRows;
    tasks = (rows + blockRows - 1) / blockRows;
    const int64_t workers = context.pool.workers(), depth = treeDepth(context.lanes);
    int64_t lineRows = source.dense() ? kDenseRows : 1;
    partialSize = lineRows * tiles.size;
    partials = carver.take<float>(workers * depth * partialSize);
    chosen = carver.take<int32_t>(workers * kEntries);
    values = carver.take<float>(workers * kEntries);
    factors = carver.take<float>(workers * DataSource::kScratch);
    laneSize = laneWidest(context.lanes);
    dense = carver.take<float>(source.dense() ? workers * kDenseRows * laneSize : 0);
    sums = carver.take<double>(tasks);
  }

  void run(Context &context, Launch &launch) {
    epilogue.begin(launch);
    source.begin(launch);
    if (deferred)
      catchUp(context, launch.batch);
    context.pool.parallelFor(tasks, [&](int64_t task, int worker) {
      plan::Range rows{task * blockRows, std::min(launch.batch.rows, (task + 1) * blockRows)};
      sums[task] = 0;
      Tiles tiles(columns);
      for (int64_t tile = 0; tile < tiles.count; ++tile) {
        if (source.dense())
          denseBlock(context, launch, rows, tiles[tile], worker, &sums[task]);
        else
          for (int64_t row = rows.begin; row < rows.end; ++row)
            sparseRow(context, launch, row, tiles[tile], worker, &sums[task]);
      }
    });
    launch.sum += treeSum(sums, tasks);
  }

private:
  static constexpr int64_t kRows = 8, kDenseRows = 64, kEntries = 1024;

  /// The weights of all features that the batch stores. Each is brought up to date by whoever comes first, and comes
  /// out the same.
  void catchUp(Context &context, const Batch &batch) {
    context.pool.parallelFor(tasks, [&](int64_t task, int) {
      for (int64_t row = task * blockRows; row < std::min(batch.rows, (task + 1) * blockRows); ++row) {
        const int32_t *end = source.data.indices + source.entriesEnd(batch.ids[row]);
        for (const int32_t *index = source.data.indices + source.entriesBegin(batch.ids[row]); index < end; ++index)
          deferred->catchUp(*index);
      }
    });
  }

  int64_t laneWidest(int lanes) const {
    int64_t widest = 0;
    for (int lane = 0; lane < lanes; ++lane)
      widest = std::max(widest, plan::laneRange(weights.inner, lane, lanes).size());
    return widest;
  }
  void finish(Context &context, const Launch &launch, int64_t row, plan::Range tile, const float *accumulator,
              int worker, double *sum) {
    SlotScratch &scratch = context.slots[static_cast<size_t>(worker)];
    epilogue.call({.row = row,
                   .dataRow = launch.batch.ids[row],
                   .begin = tile.begin,
                   .count = tile.size(),
                   .accumulator = accumulator,
                   .delta = scratch.delta},
                  *context.ops, scratch, sum);
  }

  /// Entries in chunks: the masked values of a chunk, then its lanes' sums. A lane that spans two chunks is summed in
  /// two pieces.
  void sparseRow(Context &context, const Launch &launch, int64_t row, plan::Range tile, int worker, double *sum) {
    const VectorOps &ops = *context.ops;
    const int64_t example = launch.batch.ids[row], end = source.entriesEnd(example);
    int64_t position = source.entriesBegin(example);
    int32_t *index = chosen + worker * kEntries;
    float *value = values + worker * kEntries, *factor = factors + worker * DataSource::kScratch;
    float *buffers = partials + worker * treeDepth(context.lanes) * partialSize;
    int64_t used = 0, filled = 0; // entries of the chunk: summed, prepared
    auto refill = [&] {
      filled = prepareChunk(example, position, end, index, value, factor, ops);
      used = 0;
    };
    alignas(kCacheLine) float piece[plan::kTile];
    float *total = sumLanes(context.lanes, buffers, partialSize, tile.size(), ops, [&](int lane, float *out) {
      int64_t laneEnd = plan::laneRange(weights.inner, lane, context.lanes).end;
      bool any = false;
      for (;;) {
        if (used == filled && position < end)
          refill();
        int64_t first = used;
        while (used < filled && index[used] < laneEnd)
          ++used;
        if (used > first) {
          gather(ops, index + first, value + first, used - first, filled - used, tile, any ? piece : out);
          if (any)
            ops.add(tile.size(), out, piece);
          any = true;
        }
        if (used < filled || position == end)
          return any;
      }
    });
    if (!total) {
      total = buffers;
      std::fill_n(total, tile.size(), 0.0f);
    }
    finish(context, launch, row, tile, total, worker, sum);
  }
  /// Masked entries from `position` on (which moves past them); entries masked to zero are left out.
  int64_t prepareChunk(int64_t example, int64_t &position, int64_t end, int32_t *index, float *value, float *factor,
                       const VectorOps &ops) const {
    int64_t kept = 0;
    while (kept == 0 && position < end) {
      int64_t n = std::min(kEntries, end - position);
      std::copy_n(source.data.indices + position, n, index);
      source.entries(example, position, n, 1, ops, factor, value);
      position += n;
      if (source.corruption.empty())
        return n;
      for (int64_t i = 0; i < n; ++i)
        if (value[i] != 0) {
          index[kept] = index[i];
          value[kept++] = value[i];
        }
    }
    return kept;
  }
  void gather(const VectorOps &ops, const int32_t *index, const float *value, int64_t n, int64_t ahead,
              plan::Range tile, float *out) const {
    if (weights.outerFirst)
      ops.gatherColumns(tile.size(), index, value, n, weights.at(0, tile.begin), weights.stride(), out);
    else
      ops.gatherRows(tile.size(), index, value, n, ahead, weights.at(0, tile.begin), weights.stride(), out);
  }

  void denseBlock(Context &context, const Launch &launch, plan::Range rows, plan::Range tile, int worker, double *sum) {
    const VectorOps &ops = *context.ops;
    float *buffers = partials + worker * treeDepth(context.lanes) * partialSize;
    float *x = dense + worker * kDenseRows * laneSize;
    float *total =
        sumLanes(context.lanes, buffers, partialSize, rows.size() * tile.size(), ops, [&](int lane, float *out) {
          plan::Range inner = plan::laneRange(weights.inner, lane, context.lanes);
          inner.end = std::min(inner.end, source.data.storedColumns);
          if (inner.size() <= 0)
            return false;
          for (int64_t row = rows.begin; row < rows.end; ++row)
            source.columns(launch.batch.ids[row], inner.begin, inner.size(), ops,
                           factors + worker * DataSource::kScratch, x + (row - rows.begin) * laneSize);
          multiply(context.product, x, laneSize, rows.size(), weights, inner, tile, 0, out, tile.size());
          return true;
        });
    if (!total) {
      total = buffers;
      std::fill_n(total, partialSize, 0.0f);
    }
    for (int64_t row = rows.begin; row < rows.end; ++row)
      finish(context, launch, row, tile, total + (row - rows.begin) * tile.size(), worker, sum);
  }

  int64_t tasks = 0, blockRows = 0, partialSize = 0, laneSize = 0;
  float *partials = nullptr, *values = nullptr, *factors = nullptr, *dense = nullptr;
  int32_t *chosen = nullptr;
  double *sums = nullptr;
};
} // namespace sn::rt::cpu
