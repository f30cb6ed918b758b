// wide_softmax, sweep `statistics`: the row maximum and the row sum of exp(z - maximum) over a wide output, without
// storing z. The other sweeps are WideOutput's; their slots read the two as row scalars.
#pragma once
#include "kernels-templates/cpu/Products.h"
#include "kernels-templates/cpu/Target.h"
#include <cmath>
#include <limits>

namespace sn::rt::cpu {
class WideSoftmaxStatistics {
public:
  std::vector<BufferSource> sources;
  Slot logit;
  int64_t columns = 0;
  float *maximum = nullptr, *sum = nullptr; // out: [B]

  void layout(Carver &carver, int64_t rows, const Context &context) {
    lanes = plan::wideLanes(columns, context.lanes);
    stride = widestTile(columns, lanes);
    tiles = carver.take<float>(context.pool.workers() * rows * stride);
    partials = carver.take<Pair>(lanes * rows);
    sums = carver.take<double>(lanes);
  }

  void run(Context &context, Launch &launch) {
    logit.begin(launch);
    const int64_t rows = launch.batch.rows;
    context.pool.parallelFor(lanes, [&](int64_t lane, int worker) {
      sums[lane] = 0;
      walkLane(context, launch, static_cast<int>(lane), worker);
    });
    plan::combineLanes(lanes, [&](int into, int from) {
      for (int64_t row = 0; row < rows; ++row)
        partials[into * rows + row] = join(partials[into * rows + row], partials[from * rows + row]);
    });
    for (int64_t row = 0; row < rows; ++row) {
      maximum[row] = partials[row].maximum;
      sum[row] = static_cast<float>(partials[row].sum);
    }
    launch.sum += treeSum(sums, lanes);
  }

private:
  struct Pair {
    float maximum;
    double sum; // of exp(z - maximum)
  };
  static Pair join(Pair a, Pair b) {
    if (a.maximum < b.maximum)
      std::swap(a, b);
    if (b.sum != 0) // an empty partial has maximum -inf
      a.sum += b.sum * std::exp(static_cast<double>(b.maximum) - static_cast<double>(a.maximum));
    return a;
  }
  void walkLane(Context &context, const Launch &launch, int lane, int worker) {
    const Batch &batch = launch.batch;
    const plan::Range range = plan::laneRange(columns, lane, lanes);
    const Tiles cut(range.size());
    float *z = tiles + worker * batch.rows * stride;
    Pair *partial = partials + lane * batch.rows;
    SlotScratch &scratch = context.slots[static_cast<size_t>(worker)];
    std::fill_n(partial, batch.rows, Pair{-std::numeric_limits<float>::infinity(), 0});
    for (int64_t index = 0; index < cut.count; ++index) {
      const plan::Range tile{range.begin + cut[index].begin, range.begin + cut[index].end};
      for (size_t s = 0; s < sources.size(); ++s) {
        const Weights &w = sources[s].weights;
        multiply(context.product, sources[s].x, w.inner, batch.rows, w, {0, w.inner}, tile, s == 0 ? 0 : 1, z, stride);
      }
      for (int64_t row = 0; row < batch.rows; ++row) {
        float *line = z + row * stride;
        logit.call({.row = row,
                    .dataRow = batch.ids[row],
                    .begin = tile.begin,
                    .count = tile.size(),
                    .accumulator = line,
                    .delta = line},
                   *context.ops, scratch, &sums[lane]);
        Pair here{context.ops->maximum(tile.size(), line), 0};
        here.sum = context.ops->expSum(tile.size(), line, here.maximum);
        partial[row] = join(partial[row], here);
      }
    }
  }

  int lanes = 1;
  int64_t stride = 0;
  float *tiles = nullptr;
  Pair *partials = nullptr;
  double *sums = nullptr;
};
} // namespace sn::rt::cpu
