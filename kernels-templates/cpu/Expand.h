// expand: a data set as dense rows, for kernels that read buffers; the epilogue takes each segment.
#pragma once
#include "kernels-templates/cpu/DataSource.h"
#include "kernels-templates/cpu/Slot.h"

namespace sn::rt::cpu {
class Expand {
public:
  DataSource source;
  Slot epilogue;
  int64_t columns = 0;

  void layout(Carver &carver, int64_t rows, const Context &context) {
    tasks = (rows + kRows - 1) / kRows;
    const int64_t workers = context.pool.workers();
    lines = carver.take<float>(workers * plan::kTile);
    values = carver.take<float>(workers * plan::kTile);
    factors = carver.take<float>(workers * DataSource::kScratch);
    sums = carver.take<double>(tasks);
  }

  void run(Context &context, Launch &launch) {
    epilogue.begin(launch);
    source.begin(launch);
    context.pool.parallelFor(tasks, [&](int64_t task, int worker) {
      sums[task] = 0;
      for (int64_t row = task * kRows; row < std::min(launch.batch.rows, (task + 1) * kRows); ++row)
        expandRow(context, launch.batch, row, worker, &sums[task]);
    });
    launch.sum += treeSum(sums, tasks);
  }

private:
  static constexpr int64_t kRows = 8;

  void expandRow(Context &context, const Batch &batch, int64_t row, int worker, double *sum) {
    const Tiles tiles(columns);
    const int64_t example = batch.ids[row];
    int64_t position = source.dense() ? 0 : source.entriesBegin(example);
    float *line = lines + worker * plan::kTile, *scratch = factors + worker * DataSource::kScratch;
    for (int64_t index = 0; index < tiles.count; ++index) {
      const plan::Range tile = tiles[index];
      if (source.dense())
        source.columns(example, tile.begin, tile.size(), *context.ops, scratch, line);
      else
        position = scatter(*context.ops, example, position, tile, scratch, values + worker * plan::kTile, line);
      SlotScratch &slots = context.slots[static_cast<size_t>(worker)];
      epilogue.call({.row = row,
                     .dataRow = example,
                     .begin = tile.begin,
                     .count = tile.size(),
                     .accumulator = line,
                     .delta = slots.delta},
                    *context.ops, slots, sum);
    }
  }
  /// The tile's entries, of which the first is at `position`; returns the position behind the last.
  int64_t scatter(const VectorOps &ops, int64_t example, int64_t position, plan::Range tile, float *scratch,
                  float *value, float *line) const {
    const int32_t *indices = source.data.indices;
    const int64_t rowEnd = source.entriesEnd(example);
    int64_t end = position;
    while (end < rowEnd && indices[end] < tile.end)
      ++end;
    source.entries(example, position, end - position, 1, ops, scratch, value);
    std::fill_n(line, tile.size(), 0.0f);
    for (int64_t i = position; i < end; ++i)
      line[indices[i] - tile.begin] = value[i - position];
    return end;
  }

  int64_t tasks = 0;
  float *lines = nullptr, *values = nullptr, *factors = nullptr;
  double *sums = nullptr;
};
} // namespace sn::rt::cpu
