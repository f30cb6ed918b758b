// csr_gather: rows of a data set times W, then the epilogue. acc[r,:] = sum over entries v m w[index,:], by lanes over
// the features.
#pragma once
#include "kernels-templates/cpu/Products.h"
#include "kernels-templates/cpu/Target.h"

namespace sn::rt::cpu {
/// Random zeroing of stored entries: the factors of `corruption` for `n` entries of a row are multiplied into `value`.
class Corruptions {
public:
  std::vector<plan::Corruption> list;
  void begin(const Launch &launch) {
    seed = launch.batch.seed;
    epoch = launch.batch.epoch;
  }
  void apply(int64_t dataRow, const int32_t *index, int64_t n, const VectorOps &ops, float *factor,
             float *value) const {
    for (const plan::Corruption &corruption : list) {
      ops.maskAt({seed, corruption.stream, epoch}, dataRow, index, n, static_cast<float>(corruption.p), factor);
      multiply(value, factor, n);
    }
  }
  /// The same for columns [first, first + n) of a dense row.
  void applyRange(int64_t dataRow, int64_t first, int64_t n, const VectorOps &ops, float *factor, float *value) const {
    for (const plan::Corruption &corruption : list) {
      ops.maskRange({seed, corruption.stream, epoch}, dataRow, first, n, static_cast<float>(corruption.p), factor);
      multiply(value, factor, n);
    }
  }

private:
  static void multiply(float *value, const float *factor, int64_t n) {
    for (int64_t i = 0; i < n; ++i)
      value[i] *= factor[i];
  }
  uint64_t seed = 0;
  uint32_t epoch = 0;
};

class CsrGather {
public:
  DataView data;
  Corruptions corruption;
  Weights weights;
  Slot epilogue;
  int64_t columns = 0;

  void layout(Carver &carver, int64_t rows, const Context &context) {
    Tiles tiles(columns);
    blockRows = data.loader == Loader::Dense ? kDenseRows : kRows;
    tasks = (rows + blockRows - 1) / blockRows;
    const int64_t workers = context.pool.workers(), depth = treeDepth(context.lanes);
    int64_t lineRows = data.loader == Loader::Dense ? kDenseRows : 1;
    partialSize = lineRows * tiles.size;
    partials = carver.take<float>(workers * depth * partialSize);
    chosen = carver.take<int32_t>(workers * kEntries);
    values = carver.take<float>(workers * kEntries);
    factors = carver.take<float>(workers * kEntries);
    laneSize = laneWidest(context.lanes);
    dense = carver.take<float>(data.loader == Loader::Dense ? workers * kDenseRows * laneSize : 0);
    sums = carver.take<double>(tasks);
  }

  void run(Context &context, Launch &launch) {
    epilogue.begin(launch);
    corruption.begin(launch);
    context.pool.parallelFor(tasks, [&](int64_t task, int worker) {
      plan::Range rows{task * blockRows, std::min(launch.batch.rows, (task + 1) * blockRows)};
      sums[task] = 0;
      Tiles tiles(columns);
      for (int64_t tile = 0; tile < tiles.count; ++tile) {
        if (data.loader == Loader::Dense)
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
    int64_t dataRow = launch.batch.ids[row], position = data.indptr[dataRow], end = data.indptr[dataRow + 1];
    int32_t *index = chosen + worker * kEntries;
    float *value = values + worker * kEntries, *factor = factors + worker * kEntries;
    float *buffers = partials + worker * treeDepth(context.lanes) * partialSize;
    int64_t used = 0, filled = 0; // entries of the chunk: summed, prepared
    auto refill = [&] {
      filled = prepareChunk(dataRow, position, end, index, value, factor, ops);
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
  int64_t prepareChunk(int64_t dataRow, int64_t &position, int64_t end, int32_t *index, float *value, float *factor,
                       const VectorOps &ops) const {
    int64_t kept = 0;
    while (kept == 0 && position < end) {
      int64_t n = std::min(kEntries, end - position);
      std::copy_n(data.indices + position, n, index);
      if (data.values)
        std::copy_n(data.values + position, n, value);
      else
        std::fill_n(value, n, 1.0f);
      position += n;
      if (corruption.list.empty())
        return n;
      corruption.apply(dataRow, index, n, ops, factor, value);
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
          inner.end = std::min(inner.end, data.storedColumns);
          if (inner.size() <= 0)
            return false;
          for (int64_t row = rows.begin; row < rows.end; ++row) {
            int64_t dataRow = launch.batch.ids[row];
            float *to = x + (row - rows.begin) * laneSize;
            std::copy_n(data.values + dataRow * data.storedColumns + inner.begin, inner.size(), to);
            for (int64_t first = 0; first < inner.size() && !corruption.list.empty(); first += kEntries)
              corruption.applyRange(dataRow, inner.begin + first, std::min(kEntries, inner.size() - first), ops,
                                    factors + worker * kEntries, to + first);
          }
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
