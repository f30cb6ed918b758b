// column_reduce: sums of a slot's values over the rows of the batch, by lanes of the batch; then biases, then the slot
// `finish`.
#pragma once
#include "kernels-templates/cpu/Target.h"
#include "kernels-templates/cpu/Update.h"

namespace sn::rt::cpu {
class ColumnReduce {
public:
  Slot value, finish;
  std::vector<BiasVector> biases;
  UpdateSlot update;
  int64_t columns = 0;

  void layout(Carver &carver, int64_t rows, const Context &context) {
    lanes = plan::batchLanes(rows);
    partials = carver.take<float>(lanes * columns);
    gradient = carver.take<float>(columns);
    int64_t tiles = Tiles(columns).count;
    sums = carver.take<double>(lanes * tiles);
    finishSums = carver.take<double>(tiles);
    biasSums = carver.take<double>(tiles);
  }

  void run(Context &context, Launch &launch) {
    value.begin(launch);
    finish.begin(launch);
    update.begin(launch);
    const Tiles tiles(columns);
    context.pool.parallelFor(lanes * tiles.count, [&](int64_t task, int worker) {
      const int lane = static_cast<int>(task / tiles.count);
      const plan::Range tile = tiles[task % tiles.count];
      sums[task] = 0;
      sumRows(context, launch, plan::laneRange(launch.batch.rows, lane, lanes), tile, worker,
              partials + lane * columns + tile.begin, &sums[task]);
    });
    context.pool.parallelFor(tiles.count, [&](int64_t tile, int worker) {
      finishTile(context, launch, tiles[tile], worker, &biasSums[tile], &finishSums[tile]);
    });
    launch.sum += treeSum(sums, lanes * tiles.count) + treeSum(finishSums, tiles.count);
    launch.regularization += treeSum(biasSums, tiles.count);
  }

private:
  void sumRows(Context &context, const Launch &launch, plan::Range rows, plan::Range tile, int worker, float *into,
               double *sum) {
    SlotScratch &scratch = context.slots[static_cast<size_t>(worker)];
    std::fill_n(into, tile.size(), 0.0f);
    for (int64_t row = rows.begin; row < rows.end; ++row) {
      value.call({.row = row,
                  .dataRow = launch.batch.ids[row],
                  .begin = tile.begin,
                  .count = tile.size(),
                  .delta = scratch.delta},
                 *context.ops, scratch, sum);
      context.ops->add(tile.size(), into, scratch.delta);
    }
  }
  void finishTile(Context &context, const Launch &launch, plan::Range tile, int worker, double *biasSum,
                  double *finishSum) {
    plan::combineLanes(lanes, [&](int into, int from) {
      context.ops->add(tile.size(), partials + into * columns + tile.begin, partials + from * columns + tile.begin);
    });
    const float *total = partials + tile.begin;
    *biasSum = *finishSum = 0;
    if (update && !biases.empty()) {
      const float factor = -1.0f / static_cast<float>(launch.batch.rows);
      for (int64_t i = 0; i < tile.size(); ++i)
        gradient[tile.begin + i] = total[i] * factor;
      for (const BiasVector &bias : biases)
        update.apply(bias.trained, tile.begin, tile.size(), gradient + tile.begin, biasSum);
    }
    if (!finish)
      return;
    SlotScratch &scratch = context.slots[static_cast<size_t>(worker)];
    finish.call({.begin = tile.begin, .count = tile.size(), .accumulator = total, .delta = scratch.delta}, *context.ops,
                scratch, finishSum);
  }

  int lanes = 1;
  float *partials = nullptr, *gradient = nullptr;
  double *sums = nullptr, *finishSums = nullptr, *biasSums = nullptr;
};
} // namespace sn::rt::cpu
