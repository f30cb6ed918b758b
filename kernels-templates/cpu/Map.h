// map: pointwise work on [B, N], with or without a target; or on vectors [N] alone.
#pragma once
#include "kernels-templates/cpu/Target.h"

namespace sn::rt::cpu {
class Map {
public:
  TargetSlots slots;
  int64_t columns = 0;
  bool vectors = false; // all results are vectors [N]: one row is run

  void layout(Carver &carver, int64_t rows, const Context &) {
    rows = vectors ? 1 : rows;
    tasks = (rows + kRows - 1) / kRows;
    partials = carver.take<double>(tasks);
  }

  void run(Context &context, Launch &launch) {
    slots.begin(launch);
    const Tiles tiles(columns);
    const bool sums = slots.needsTargetSums();
    const int64_t rows = vectors ? 1 : launch.batch.rows;
    context.pool.parallelFor(tasks, [&](int64_t task, int worker) {
      partials[task] = 0;
      SlotScratch &scratch = context.slots[static_cast<size_t>(worker)];
      for (int64_t row = task * kRows; row < std::min(rows, (task + 1) * kRows); ++row) {
        const int64_t dataRow = launch.batch.ids[row];
        const RowTarget target = slots.target ? rowTarget(*slots.target, dataRow, sums) : RowTarget{};
        int64_t cursor = slots.start(dataRow, 0);
        for (int64_t tile = 0; tile < tiles.count; ++tile)
          slots.run({.row = row,
                     .dataRow = dataRow,
                     .begin = tiles[tile].begin,
                     .count = tiles[tile].size(),
                     .delta = scratch.delta,
                     .rowTarget = target},
                    cursor, *context.ops, scratch, &partials[task]);
      }
    });
    launch.sum += treeSum(partials, tasks);
  }

private:
  static constexpr int64_t kRows = 8;
  int64_t tasks = 0;
  double *partials = nullptr;
};
} // namespace sn::rt::cpu
