// row_reduce: maxima and sums over the columns of each row, by lanes of the columns; later slots read them. Then the
// body.
#pragma once
#include "kernels-templates/cpu/Target.h"
#include <limits>

namespace sn::rt::cpu {
class RowReduce {
public:
  struct Reduction {
    Slot slot; // gives delta
    bool maximum = false;
    float *rows = nullptr; // out: [B], or null
  };
  std::vector<Reduction> reductions; // at most kMaxOperands
  TargetSlots slots;                 // after the reductions; hasBody says whether
  bool hasBody = false;
  int64_t columns = 0;

  void layout(Carver &carver, int64_t rows, const Context &) {
    tasks = (rows + kRows - 1) / kRows;
    sums = carver.take<double>(tasks);
  }

  void run(Context &context, Launch &launch) {
    for (Reduction &reduction : reductions)
      reduction.slot.begin(launch);
    slots.begin(launch);
    bool targetSums = slots.needsTargetSums();
    for (const Reduction &reduction : reductions)
      targetSums = targetSums || (slots.target && reduction.slot.needsTargetSums());
    context.pool.parallelFor(tasks, [&](int64_t task, int worker) {
      sums[task] = 0;
      for (int64_t row = task * kRows; row < std::min(launch.batch.rows, (task + 1) * kRows); ++row)
        reduceRow(context, launch.batch, row, targetSums, worker, &sums[task]);
    });
    launch.sum += treeSum(sums, tasks);
  }

private:
  static constexpr int64_t kRows = 4;

  void reduceRow(Context &context, const Batch &batch, int64_t row, bool targetSums, int worker, double *sum) {
    SlotScratch &scratch = context.slots[static_cast<size_t>(worker)];
    std::array<float, kMaxOperands> results{};
    Segment at{.row = row, .dataRow = batch.ids[row], .delta = scratch.delta, .reductions = results.data()};
    if (slots.target)
      at.rowTarget = rowTarget(*slots.target, at.dataRow, targetSums);
    for (size_t i = 0; i < reductions.size(); ++i) {
      results[i] = reduce(context, reductions[i], at, scratch, sum);
      if (reductions[i].rows)
        reductions[i].rows[row] = results[i];
    }
    if (!hasBody)
      return;
    const Tiles tiles(columns);
    int64_t cursor = slots.start(at.dataRow, 0);
    for (int64_t tile = 0; tile < tiles.count; ++tile) {
      at.begin = tiles[tile].begin;
      at.count = tiles[tile].size();
      slots.run(at, cursor, *context.ops, scratch, sum);
    }
  }
  float reduce(const Context &context, const Reduction &reduction, Segment at, SlotScratch &scratch,
               double *sum) const {
    std::array<float, 64> partial;
    for (int lane = 0; lane < context.lanes; ++lane) {
      const plan::Range range = plan::laneRange(columns, lane, context.lanes);
      const Tiles tiles(range.size());
      float &value = partial[static_cast<size_t>(lane)];
      value = reduction.maximum ? -std::numeric_limits<float>::infinity() : 0.0f;
      for (int64_t tile = 0; tile < tiles.count; ++tile) {
        at.begin = range.begin + tiles[tile].begin;
        at.count = tiles[tile].size();
        reduction.slot.call(at, *context.ops, scratch, sum);
        value = combine(reduction, value,
                        reduction.maximum ? context.ops->maximum(at.count, at.delta)
                                          : context.ops->sum(at.count, at.delta));
      }
    }
    plan::combineLanes(context.lanes, [&](int into, int from) {
      float &value = partial[static_cast<size_t>(into)];
      value = combine(reduction, value, partial[static_cast<size_t>(from)]);
    });
    return partial[0];
  }
  static float combine(const Reduction &reduction, float a, float b) {
    return reduction.maximum ? std::max(a, b) : a + b;
  }

  int64_t tasks = 0;
  double *sums = nullptr;
};
} // namespace sn::rt::cpu
