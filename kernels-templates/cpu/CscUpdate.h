// csc_update: weight gradient of a data-set source and the optimizer (or a gradient buffer), feature by feature. The
// batch is transposed first: each feature's entries in batch order; so a sum never depends on threads and needs no
// atomics.
#pragma once
#include "kernels-templates/cpu/CsrGather.h"

namespace sn::rt::cpu {
class CscUpdate {
public:
  DataSource source;
  Weights weights;              // inner: features
  const float *delta = nullptr; // [B, weights.outer]
  Descent descent;
  UpdateSlot update; // where `descent` has no buffer
  /// Hyper-parameters that, if all are zero, let untouched features keep value and state; unset: every feature is
  /// always updated.
  std::optional<std::vector<std::string>> idleWhenZero;
  /// Of the weights, where the updates of untouched features are put off.
  DeferredRows *deferred = nullptr;

  void layout(Carver &carver, int64_t rows, const Context &context) {
    const int64_t workers = context.pool.workers();
    ranges = Tiles(weights.inner, rangeWidth(weights.inner));
    blockFeatures = std::clamp<int64_t>(kBlock / std::max<int64_t>(1, weights.outer), 1, ranges.size);
    if (source.dense())
      blockFeatures = std::min(kDenseFeatures, std::max<int64_t>(1, ranges.size));
    gradientSize = blockFeatures * weights.outer;
    gradients = carver.take<float>(workers * gradientSize);
    transposed = carver.take<float>(weights.outerFirst && !source.dense() ? workers * gradientSize : 0);
    starts = carver.take<int32_t>(source.dense() ? 0 : rows * (ranges.count + 1));
    begins = carver.take<int64_t>(rows);
    offsets = carver.take<int64_t>(rows + 1);
    factors = carver.take<float>(workers * DataSource::kScratch);
    x = carver.take<float>(source.dense() ? workers * rows * blockFeatures : 0);
    sums = carver.take<double>(ranges.count);
    products = deferred ? static_cast<int64_t>(deferred->sums()) : 0;
    before = carver.take<double>(ranges.count * products);
    after = carver.take<double>(ranges.count * products);
  }

  void run(Context &context, Launch &launch) {
    update.begin(launch);
    source.begin(launch);
    lazy = deferred && deferred->active();
    const bool touchedOnly = lazy || (!weights.outerFirst && leavesUntouched(launch));
    if (!source.dense())
      prepareEntries(context, launch.batch);
    context.pool.parallelFor(ranges.count, [&](int64_t task, int worker) {
      sums[task] = 0;
      if (source.dense())
        denseRange(context, launch.batch, ranges[task], worker, &sums[task]);
      else
        sparseRange(context, launch.batch, task, touchedOnly, worker, &sums[task]);
    });
    launch.regularization += lazy ? finishLazy(launch) : treeSum(sums, ranges.count);
  }

private:
  static constexpr int64_t kBlock = 16384, kDenseFeatures = 128, kMostRanges = 512;

  /// Whether a gradient of zero changes nothing.
  bool leavesUntouched(const Launch &launch) const {
    if (descent.buffer)
      return descent.accumulate;
    bool idle = idleWhenZero.has_value();
    for (size_t i = 0; idle && i < idleWhenZero->size(); ++i)
      idle = launch.scalar((*idleWhenZero)[i]) == 0;
    return idle;
  }

  /// About 64 ranges of at most kTile features; wider ones where there would be more than kMostRanges, since every row
  /// of the batch is looked at for every range.
  static int64_t rangeWidth(int64_t features) {
    const int64_t narrow = std::clamp<int64_t>(roundUp(features / 64, 16), 16, plan::kTile);
    return std::max(narrow, roundUp((features + kMostRanges - 1) / kMostRanges, 16));
  }

  /// Masked values of the batch's entries, scaled by the gradient's factor, and where each range of features starts in
  /// each row.
  void prepareEntries(Context &context, const Batch &batch) {
    offsets[0] = 0;
    for (int64_t row = 0; row < batch.rows; ++row) {
      begins[row] = source.entriesBegin(batch.ids[row]);
      offsets[row + 1] = offsets[row] + source.entriesEnd(batch.ids[row]) - begins[row];
    }
    context.batchValues.reserve(offsets[batch.rows] * static_cast<int64_t>(sizeof(float)));
    values = reinterpret_cast<float *>(context.batchValues.data());
    constexpr int64_t kRows = 16;
    context.pool.parallelFor((batch.rows + kRows - 1) / kRows, [&](int64_t task, int worker) {
      for (int64_t row = task * kRows; row < std::min(batch.rows, (task + 1) * kRows); ++row)
        prepareRow(context, batch, row, worker);
    });
  }
  void prepareRow(const Context &context, const Batch &batch, int64_t row, int worker) {
    const int64_t n = offsets[row + 1] - offsets[row];
    const int32_t *index = source.data.indices + begins[row];
    source.entries(batch.ids[row], begins[row], n, descent.factor(batch.rows), *context.ops,
                   factors + worker * DataSource::kScratch, values + offsets[row]);
    int32_t *start = starts + row * (ranges.count + 1);
    int64_t position = 0;
    for (int64_t range = 0; range <= ranges.count; ++range) {
      const int64_t border = range < ranges.count ? ranges[range].begin : ranges.width;
      while (position < n && index[position] < border)
        ++position;
      start[range] = static_cast<int32_t>(position);
    }
  }

  /// Calls visit(row, feature - first feature, value) for the range's entries whose value is not zero, rows ascending.
  template <typename Visit> void forEntries(const Batch &batch, int64_t range, Visit visit) const {
    const int64_t first = ranges[range].begin;
    for (int64_t row = 0; row < batch.rows; ++row) {
      const int32_t *start = starts + row * (ranges.count + 1) + range;
      const int32_t *index = source.data.indices + begins[row];
      const float *value = values + offsets[row];
      for (int32_t i = start[0]; i < start[1]; ++i)
        if (value[i] != 0)
          visit(static_cast<int32_t>(row), index[i] - first, value[i]);
    }
  }
  /// Sorts the range's entries by feature, rows ascending in each. bounds[f] .. bounds[f + 1] are feature f's entries
  /// in `lists`.
  const int64_t *transpose(const Batch &batch, int64_t range, EntryLists &lists) const {
    const int64_t features = ranges[range].size();
    lists.bounds.reserve((ranges.size + 2) * static_cast<int64_t>(sizeof(int64_t)));
    int64_t *bounds = reinterpret_cast<int64_t *>(lists.bounds.data());
    std::fill_n(bounds, features + 2, 0);
    forEntries(batch, range, [&](int32_t, int64_t feature, float) { ++bounds[feature + 2]; });
    std::partial_sum(bounds, bounds + features + 2, bounds);
    lists.rows.reserve(bounds[features + 1] * static_cast<int64_t>(sizeof(int32_t)));
    lists.values.reserve(bounds[features + 1] * static_cast<int64_t>(sizeof(float)));
    int32_t *rows = reinterpret_cast<int32_t *>(lists.rows.data());
    float *sorted = reinterpret_cast<float *>(lists.values.data());
    // bounds[f + 1] is the next free place of feature f; when all are placed it is where f + 1 begins.
    forEntries(batch, range, [&](int32_t row, int64_t feature, float value) {
      int64_t place = bounds[feature + 1]++;
      rows[place] = row;
      sorted[place] = value;
    });
    return bounds;
  }

  void sparseRange(Context &context, const Batch &batch, int64_t range, bool touchedOnly, int worker, double *sum) {
    std::fill_n(before + range * products, products, 0.0);
    std::fill_n(after + range * products, products, 0.0);
    EntryLists &lists = context.entries[static_cast<size_t>(worker)];
    const int64_t *bounds = transpose(batch, range, lists);
    const int32_t *rows = reinterpret_cast<const int32_t *>(lists.rows.data());
    const float *sorted = reinterpret_cast<const float *>(lists.values.data());
    const int64_t first = ranges[range].begin, features = ranges[range].size(), units = weights.outer;
    float *gradient = gradients + worker * gradientSize;
    for (int64_t block = 0; block < features; block += blockFeatures) {
      const int64_t n = std::min(blockFeatures, features - block);
      for (int64_t f = block; f < block + n; ++f) {
        float *out = gradient + (f - block) * units;
        if (bounds[f] == bounds[f + 1])
          std::fill_n(out, touchedOnly ? 0 : units, 0.0f);
        else
          context.ops->gatherRows(units, rows + bounds[f], sorted + bounds[f], bounds[f + 1] - bounds[f],
                                  bounds[features] - bounds[f + 1], delta, units, out);
      }
      if (touchedOnly)
        updateTouched(*context.ops, bounds, range, block, n, gradient, sum);
      else
        updateAll(*context.ops, {first + block, first + block + n}, gradient, worker, sum);
    }
  }
  /// One call for each run of touched features.
  void updateTouched(const VectorOps &ops, const int64_t *bounds, int64_t range, int64_t block, int64_t n,
                     const float *gradient, double *sum) const {
    const int64_t first = ranges[range].begin;
    for (int64_t f = block; f < block + n;) {
      int64_t end = f;
      while (end < block + n && bounds[end] < bounds[end + 1])
        ++end;
      if (end > f)
        updateRun({first + f, first + end}, gradient + (f - block) * weights.outer, range, ops, sum);
      f = end + 1;
    }
  }
  void updateRun(plan::Range features, const float *gradient, int64_t range, const VectorOps &ops, double *sum) const {
    const bool measures = lazy && deferred->decays();
    for (int64_t f = features.begin; lazy && f < features.end; ++f) {
      deferred->catchUp(f);
      if (measures)
        deferred->addGram(f, before + range * products);
    }
    applyBlock(update, descent, weights, features, {0, weights.outer}, gradient, ops, sum);
    for (int64_t f = features.begin; lazy && f < features.end; ++f) {
      deferred->updated(f);
      if (measures)
        deferred->addGram(f, after + range * products);
    }
  }
  /// The regularisation term of all rows, and the sums for that of the next step.
  double finishLazy(const Launch &launch) const {
    if (!deferred->decays())
      return 0;
    plan::combineLanes(static_cast<int>(ranges.count), [&](int into, int from) {
      for (int64_t i = 0; i < products; ++i) {
        before[into * products + i] += before[from * products + i];
        after[into * products + i] += after[from * products + i];
      }
    });
    return 0.5 * static_cast<double>(static_cast<float>(launch.scalar("Lambda"))) * deferred->finishStep(before, after);
  }
  /// `gradient` is [features][units].
  void updateAll(const VectorOps &ops, plan::Range features, const float *gradient, int worker, double *sum) const {
    if (weights.outerFirst) {
      float *turned = transposed + worker * gradientSize;
      for (int64_t unit = 0; unit < weights.outer; ++unit)
        for (int64_t f = 0; f < features.size(); ++f)
          turned[unit * features.size() + f] = gradient[f * weights.outer + unit];
      gradient = turned;
    }
    applyBlock(update, descent, weights, features, {0, weights.outer}, gradient, ops, sum);
  }

  void denseRange(Context &context, const Batch &batch, plan::Range range, int worker, double *sum) {
    float *gradient = gradients + worker * gradientSize, *copy = x + worker * batch.rows * blockFeatures;
    for (int64_t begin = range.begin; begin < range.end; begin += blockFeatures) {
      const plan::Range features{begin, std::min(range.end, begin + blockFeatures)};
      for (int64_t row = 0; row < batch.rows; ++row)
        source.columns(batch.ids[row], begin, features.size(), *context.ops, factors + worker * DataSource::kScratch,
                       copy + row * blockFeatures);
      multiplyGradient(context.product, copy, blockFeatures, delta, weights.outer, batch.rows, weights.outerFirst,
                       features.size(), weights.outer, descent.factor(batch.rows), 0, gradient);
      applyBlock(update, descent, weights, features, {0, weights.outer}, gradient, *context.ops, sum);
    }
  }

  Tiles ranges{0};
  int64_t blockFeatures = 1, gradientSize = 0;
  float *gradients = nullptr, *transposed = nullptr, *values = nullptr, *factors = nullptr, *x = nullptr;
  int32_t *starts = nullptr;
  int64_t *begins = nullptr, *offsets = nullptr; // of each row: its entries in the data set, and in `values`
  double *sums = nullptr;
  bool lazy = false;
  int64_t products = 0;                       // of the values of a row: elements of a sum
  double *before = nullptr, *after = nullptr; // by range: sums over the features touched, before and after the update
};
} // namespace sn::rt::cpu
