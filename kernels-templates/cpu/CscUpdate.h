// csc_update: weight gradient of a data-set source and the optimizer, feature by feature. The batch is transposed
// first: each feature's entries in batch order; so a sum never depends on threads and needs no atomics.
#pragma once
#include "kernels-templates/cpu/CsrGather.h"

namespace sn::rt::cpu {
class CscUpdate {
public:
  DataView data;
  Corruptions corruption;
  Weights weights;              // inner: features
  const float *delta = nullptr; // [B, weights.outer]
  UpdateSlot update;
  /// Hyper-parameters that, if all are zero, let untouched features keep value and state; unset: every feature is
  /// always updated.
  std::optional<std::vector<std::string>> idleWhenZero;

  void layout(Carver &carver, int64_t rows, const Context &context) {
    const int64_t workers = context.pool.workers();
    ranges = Tiles(weights.inner, rangeWidth(weights.inner));
    blockFeatures = std::clamp<int64_t>(kBlock / std::max<int64_t>(1, weights.outer), 1, ranges.size);
    if (dense())
      blockFeatures = std::min(kDenseFeatures, std::max<int64_t>(1, ranges.size));
    gradientSize = blockFeatures * weights.outer;
    gradients = carver.take<float>(workers * gradientSize);
    transposed = carver.take<float>(weights.outerFirst && !dense() ? workers * gradientSize : 0);
    starts = carver.take<int32_t>(dense() ? 0 : rows * (ranges.count + 1));
    offsets = carver.take<int64_t>(rows + 1);
    factors = carver.take<float>(workers * kEntries);
    x = carver.take<float>(dense() ? workers * rows * blockFeatures : 0);
    sums = carver.take<double>(ranges.count);
  }

  void run(Context &context, Launch &launch) {
    update.begin(launch);
    corruption.begin(launch);
    bool touchedOnly = idleWhenZero.has_value() && !weights.outerFirst;
    for (size_t i = 0; touchedOnly && i < idleWhenZero->size(); ++i)
      touchedOnly = launch.scalar((*idleWhenZero)[i]) == 0;
    if (!dense())
      prepareEntries(context, launch.batch);
    context.pool.parallelFor(ranges.count, [&](int64_t task, int worker) {
      sums[task] = 0;
      if (dense())
        denseRange(context, launch.batch, ranges[task], worker, &sums[task]);
      else
        sparseRange(context, launch.batch, task, touchedOnly, worker, &sums[task]);
    });
    launch.regularization += treeSum(sums, ranges.count);
  }

private:
  static constexpr int64_t kBlock = 16384, kDenseFeatures = 128, kEntries = 1024, kMostRanges = 512;
  bool dense() const { return data.loader == Loader::Dense; }

  /// About 64 ranges of at most kTile features; wider ones where there would be more than kMostRanges, since every row
  /// of the batch is looked at for every range.
  static int64_t rangeWidth(int64_t features) {
    const int64_t narrow = std::clamp<int64_t>(roundUp(features / 64, 16), 16, plan::kTile);
    return std::max(narrow, roundUp((features + kMostRanges - 1) / kMostRanges, 16));
  }

  /// Masked values of the batch's entries, scaled by -1/B, and where each range of features starts in each row.
  void prepareEntries(Context &context, const Batch &batch) {
    offsets[0] = 0;
    for (int64_t row = 0; row < batch.rows; ++row)
      offsets[row + 1] = offsets[row] + data.indptr[batch.ids[row] + 1] - data.indptr[batch.ids[row]];
    context.batchValues.reserve(offsets[batch.rows] * static_cast<int64_t>(sizeof(float)));
    values = reinterpret_cast<float *>(context.batchValues.data());
    constexpr int64_t kRows = 16;
    context.pool.parallelFor((batch.rows + kRows - 1) / kRows, [&](int64_t task, int worker) {
      for (int64_t row = task * kRows; row < std::min(batch.rows, (task + 1) * kRows); ++row)
        prepareRow(context, batch, row, worker);
    });
  }
  void prepareRow(const Context &context, const Batch &batch, int64_t row, int worker) {
    const int64_t dataRow = batch.ids[row], first = data.indptr[dataRow], n = offsets[row + 1] - offsets[row];
    const int32_t *index = data.indices + first;
    float *value = values + offsets[row];
    const float factor = -1.0f / static_cast<float>(batch.rows);
    for (int64_t i = 0; i < n; ++i)
      value[i] = data.values ? data.values[first + i] * factor : factor;
    for (int64_t i = 0; i < n; i += kEntries)
      corruption.apply(dataRow, index + i, std::min(kEntries, n - i), *context.ops, factors + worker * kEntries,
                       value + i);
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
      const int32_t *index = data.indices + data.indptr[batch.ids[row]];
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
        updateTouched(bounds, first, block, n, gradient, sum);
      else
        updateAll({first + block, first + block + n}, gradient, worker, sum);
    }
  }
  /// One call for each run of touched features.
  void updateTouched(const int64_t *bounds, int64_t first, int64_t block, int64_t n, const float *gradient,
                     double *sum) const {
    for (int64_t f = block; f < block + n;) {
      int64_t end = f;
      while (end < block + n && bounds[end] < bounds[end + 1])
        ++end;
      if (end > f)
        updateBlock(update, weights, {first + f, first + end}, {0, weights.outer},
                    gradient + (f - block) * weights.outer, sum);
      f = end + 1;
    }
  }
  /// `gradient` is [features][units].
  void updateAll(plan::Range features, const float *gradient, int worker, double *sum) const {
    if (weights.outerFirst) {
      float *turned = transposed + worker * gradientSize;
      for (int64_t unit = 0; unit < weights.outer; ++unit)
        for (int64_t f = 0; f < features.size(); ++f)
          turned[unit * features.size() + f] = gradient[f * weights.outer + unit];
      gradient = turned;
    }
    updateBlock(update, weights, features, {0, weights.outer}, gradient, sum);
  }

  void denseRange(Context &context, const Batch &batch, plan::Range range, int worker, double *sum) {
    const float factor = -1.0f / static_cast<float>(batch.rows);
    float *gradient = gradients + worker * gradientSize, *copy = x + worker * batch.rows * blockFeatures;
    for (int64_t begin = range.begin; begin < range.end; begin += blockFeatures) {
      const plan::Range features{begin, std::min(range.end, begin + blockFeatures)};
      const int64_t there = std::clamp<int64_t>(data.storedColumns - begin, 0, features.size());
      for (int64_t row = 0; row < batch.rows; ++row) {
        float *to = copy + row * blockFeatures;
        std::copy_n(data.values + batch.ids[row] * data.storedColumns + begin, there, to);
        std::fill(to + there, to + features.size(), 0.0f);
        corruption.applyRange(batch.ids[row], begin, there, *context.ops, factors + worker * kEntries, to);
      }
      multiplyGradient(context.product, copy, blockFeatures, delta, weights.outer, batch.rows, weights.outerFirst,
                       features.size(), weights.outer, factor, 0, gradient);
      updateBlock(update, weights, features, {0, weights.outer}, gradient, sum);
    }
  }

  Tiles ranges{0};
  int64_t blockFeatures = 1, gradientSize = 0;
  float *gradients = nullptr, *transposed = nullptr, *values = nullptr, *factors = nullptr, *x = nullptr;
  int32_t *starts = nullptr;
  int64_t *offsets = nullptr;
  double *sums = nullptr;
};
} // namespace sn::rt::cpu
