// map: pointwise work on [B, N], with or without a target.
#pragma once
#include "kernels-templates/cpu/Target.h"

namespace sn::rt::cpu {
class Map {
public:
  TargetSlots slots;
  int64_t columns = 0;

  void layout(Carver &carver, int64_t rows, const Context &) {
    tasks = (rows + kRows - 1) / kRows;
    sums = carver.take<double>(tasks);
  }

  void run(Context &context, Launch &launch) {
    slots.begin(launch);
    const Tiles tiles(columns);
    const bool scaled = slots.needsRowTarget();
    context.pool.parallelFor(tasks, [&](int64_t task, int worker) {
      sums[task] = 0;
      SlotScratch &scratch = context.slots[static_cast<size_t>(worker)];
      for (int64_t row = task * kRows; row < std::min(launch.batch.rows, (task + 1) * kRows); ++row) {
        const int64_t dataRow = launch.batch.ids[row];
        RowTarget target = scaled ? rowTarget(*slots.target, dataRow) : RowTarget{};
        int64_t cursor = slots.start(dataRow, 0);
        for (int64_t tile = 0; tile < tiles.count; ++tile)
          slots.run({.row = row,
                     .dataRow = dataRow,
                     .begin = tiles[tile].begin,
                     .count = tiles[tile].size(),
                     .delta = scratch.delta,
                     .rowTarget = target},
                    cursor, *context.ops, scratch, &sums[task]);
      }
    });
    launch.sum += treeSum(sums, tasks);
  }

private:
  static constexpr int64_t kRows = 8;
  int64_t tasks = 0;
  double *sums = nullptr;
};
} // namespace sn::rt::cpu
