// wide_output and the sweeps of wide_softmax that follow its statistics: contract, bias, activation, loss, delta, input
// gradient and update, tile by tile over a wide output. Batch x outputs is never stored, a weight gradient only in the
// buffer of a source whose weights have several users.
#pragma once
#include "kernels-templates/cpu/Products.h"
#include "kernels-templates/cpu/Target.h"

namespace sn::rt::cpu {
class WideOutput {
public:
  std::vector<BufferSource> sources;
  TargetSlots slots;
  std::vector<BiasVector> biases;
  UpdateSlot updateWeights, updateBiases;
  int64_t columns = 0;
  bool backprop = false; // sweeps single and forward: write the sources' gradients
  bool update = false;   // sweeps single and update: form gradients, for the optimizer or for buffers
  bool counts = true;    // the loss is summed (every sweep but update and norm)
  bool norms = false;    // sweep norm: only the sums of squares of the rows of delta
  float *norm = nullptr; // out: [B]
  /// Sources, ascending, that meet the transpose of their weights in a gradient buffer. Lanes run at the same time,
  /// each in its own part of the buffer, but the parts for a matrix and for its transpose cross: these sources wait
  /// until all lanes are done. (The matrix is square then: the deltas kept for it are as wide as the matrix.)
  std::vector<size_t> late;

  void layout(Carver &carver, int64_t rows, const Context &context) {
    const int64_t workers = context.pool.workers();
    lanes = plan::wideLanes(columns, context.lanes);
    stride = roundUp(widestTile(columns, lanes), 16);
    deltaSize = rows * stride;
    deltas = carver.take<float>(workers * deltaSize);
    cursors = carver.take<int64_t>(workers * rows);
    targets = carver.take<RowTarget>(rows);
    partials.assign(sources.size(), nullptr);
    int64_t deepest = 0;
    for (size_t s = 0; s < sources.size(); ++s) {
      deepest = std::max(deepest, sources[s].weights.inner);
      if (backprop && sources[s].gradient)
        partials[s] = carver.take<float>(lanes * rows * sources[s].weights.inner);
    }
    kept = carver.take<float>(update && !late.empty() ? rows * columns : 0);
    gradientSize = update ? std::max<int64_t>(deepest * stride, stride) : 0;
    gradients = carver.take<float>(workers * gradientSize);
    squares = carver.take<double>(norms ? lanes * rows : 0);
    losses = carver.take<double>(lanes);
    regularizations = carver.take<double>(lanes);
  }

  void run(Context &context, Launch &launch) {
    slots.begin(launch);
    updateWeights.begin(launch);
    updateBiases.begin(launch);
    const Batch &batch = launch.batch;
    const bool walks = slots.needsTargetSums(); // of whole rows: work to share
    context.pool.parallelFor(walks ? batch.rows : 0,
                             [&](int64_t row, int) { targets[row] = rowTarget(*slots.target, batch.ids[row], true); });
    for (int64_t row = 0; row < batch.rows && !walks; ++row)
      targets[row] = slots.target ? rowTarget(*slots.target, batch.ids[row], false) : RowTarget{};
    context.pool.parallelFor(lanes, [&](int64_t lane, int worker) {
      losses[lane] = regularizations[lane] = 0;
      walkLane(context, launch, static_cast<int>(lane), worker);
    });
    if (backprop)
      combineGradients(context, batch.rows);
    if (norms)
      combineNorms(batch.rows);
    for (size_t i = 0; update && i < late.size(); ++i)
      addLateGradient(context, batch.rows, sources[late[i]]);
    double loss = treeSum(losses, lanes);
    launch.sum += counts ? loss : 0;
    launch.regularization += treeSum(regularizations, lanes);
  }

private:
  bool isLate(size_t source) const { return std::find(late.begin(), late.end(), source) != late.end(); }
  void addLateGradient(Context &context, int64_t rows, const BufferSource &source) {
    const Weights &w = source.weights;
    const Tiles tiles(columns, stride);
    context.pool.parallelFor(tiles.count, [&](int64_t index, int worker) {
      const plan::Range tile = tiles[index];
      float *gradient = gradients + worker * gradientSize;
      multiplyGradient(context.product, source.x, w.inner, kept + tile.begin, columns, rows, w.outerFirst, w.inner,
                       tile.size(), source.descent.factor(rows), 0, gradient);
      applyBlock(updateWeights, source.descent, w, {0, w.inner}, tile, gradient, *context.ops, nullptr);
    });
  }

  void walkLane(Context &context, const Launch &launch, int lane, int worker) {
    const plan::Range range = plan::laneRange(columns, lane, lanes);
    const Tiles tiles(range.size());
    int64_t *cursor = cursors + worker * launch.batch.rows;
    for (int64_t row = 0; row < launch.batch.rows; ++row)
      cursor[row] = slots.start(launch.batch.ids[row], range.begin);
    std::fill_n(squares + (norms ? lane * launch.batch.rows : 0), norms ? launch.batch.rows : 0, 0.0);
    for (int64_t index = 0; index < tiles.count; ++index) {
      plan::Range tile = {range.begin + tiles[index].begin, range.begin + tiles[index].end};
      float *delta = deltas + worker * deltaSize;
      computeDelta(context, launch, tile, cursor, delta, worker, &losses[lane]);
      for (int64_t row = 0; row < launch.batch.rows && norms; ++row)
        squares[lane * launch.batch.rows + row] += context.ops->sumSquares(tile.size(), delta + row * stride);
      if (backprop)
        backpropTile(context, launch.batch.rows, lane, tile, delta, index == 0);
      for (int64_t row = 0; row < launch.batch.rows && update && !late.empty(); ++row)
        std::copy_n(delta + row * stride, tile.size(), kept + row * columns + tile.begin);
      if (update)
        updateTile(context, launch.batch.rows, tile, delta, gradients + worker * gradientSize, &regularizations[lane]);
    }
  }

  /// acc = sum x W on the tile; the slots turn it into delta in place.
  void computeDelta(Context &context, const Launch &launch, plan::Range tile, int64_t *cursor, float *delta, int worker,
                    double *loss) {
    const Batch &batch = launch.batch;
    for (size_t s = 0; s < sources.size(); ++s) {
      const Weights &w = sources[s].weights;
      multiply(context.product, sources[s].x, w.inner, batch.rows, w, {0, w.inner}, tile, s == 0 ? 0 : 1, delta,
               stride);
    }
    SlotScratch &scratch = context.slots[static_cast<size_t>(worker)];
    for (int64_t row = 0; row < batch.rows; ++row) {
      float *line = delta + row * stride;
      slots.run({.row = row,
                 .dataRow = batch.ids[row],
                 .begin = tile.begin,
                 .count = tile.size(),
                 .accumulator = line,
                 .delta = line,
                 .rowTarget = targets[row]},
                cursor[row], *context.ops, scratch, loss);
    }
  }
  void backpropTile(const Context &context, int64_t rows, int lane, plan::Range tile, const float *delta, bool first) {
    for (size_t s = 0; s < sources.size(); ++s)
      if (partials[s]) {
        const Weights &w = sources[s].weights;
        multiplyTransposed(context.product, delta, stride, rows, w, tile, first ? 0 : 1,
                           partials[s] + lane * rows * w.inner);
      }
  }
  void updateTile(const Context &context, int64_t rows, plan::Range tile, const float *delta, float *gradient,
                  double *sum) {
    for (size_t s = 0; s < sources.size(); ++s) {
      const BufferSource &source = sources[s];
      const Weights &w = source.weights;
      if (isLate(s) || (!updateWeights && !source.descent.buffer))
        continue;
      multiplyGradient(context.product, source.x, w.inner, delta, stride, rows, w.outerFirst, w.inner, tile.size(),
                       source.descent.factor(rows), 0, gradient);
      applyBlock(updateWeights, source.descent, w, {0, w.inner}, tile, gradient, *context.ops, sum);
    }
    if (biases.empty())
      return;
    std::fill_n(gradient, tile.size(), 0.0f);
    context.ops->addRows(rows, tile.size(), delta, stride, gradient);
    context.ops->scale(tile.size(), -1.0f / static_cast<float>(rows), gradient);
    for (const BiasVector &bias : biases)
      updateBiases.apply(bias.trained, tile.begin, tile.size(), gradient, sum);
  }

  /// Input gradients: the lanes' partial sums by the tree.
  void combineGradients(Context &context, int64_t rows) {
    constexpr int64_t kChunk = 4096;
    for (size_t s = 0; s < sources.size(); ++s) {
      if (!partials[s])
        continue;
      const int64_t size = rows * sources[s].weights.inner;
      float *partial = partials[s], *result = sources[s].gradient;
      context.pool.parallelFor((size + kChunk - 1) / kChunk, [&](int64_t task, int) {
        const int64_t begin = task * kChunk, n = std::min(kChunk, size - begin);
        plan::combineLanes(lanes, [&](int into, int from) {
          context.ops->add(n, partial + into * size + begin, partial + from * size + begin);
        });
        std::copy_n(partial + begin, n, result + begin);
      });
    }
  }

  void combineNorms(int64_t rows) {
    plan::combineLanes(lanes, [&](int into, int from) {
      for (int64_t row = 0; row < rows; ++row)
        squares[into * rows + row] += squares[from * rows + row];
    });
    for (int64_t row = 0; row < rows; ++row)
      norm[row] = static_cast<float>(squares[row]);
  }

  int lanes = 1;
  int64_t stride = 0, deltaSize = 0, gradientSize = 0;
  float *deltas = nullptr, *gradients = nullptr, *kept = nullptr;
  int64_t *cursors = nullptr;
  RowTarget *targets = nullptr;
  std::vector<float *> partials; // by source: lanes x rows x inner
  double *losses = nullptr, *regularizations = nullptr, *squares = nullptr;
};
} // namespace sn::rt::cpu
