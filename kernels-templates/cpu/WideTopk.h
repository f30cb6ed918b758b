// wide_topk: the k best columns of each row of a wide output, tile by tile; scores are never stored. Equal scores: the
// lower column wins.
#pragma once
#include "kernels-templates/cpu/Products.h"
#include "kernels-templates/cpu/Target.h"
#include <limits>

namespace sn::rt::cpu {
class WideTopk {
public:
  std::vector<BufferSource> sources; // may be empty
  Slot score;                        // gives delta
  int64_t columns = 0;

  void layout(Carver &carver, int64_t rows, const Context &context) {
    blocks = (rows + kRows - 1) / kRows;
    // Rows times weights is what it costs to read the weights: as few, tall blocks as there are, and the workers share
    // the columns. What is best does not depend on who looked at which column, and tiles are cut alike however many do.
    groups = std::min(Tiles(columns).count, kGroups);
    parts = std::min<int64_t>(groups, (context.pool.workers() + blocks - 1) / std::max<int64_t>(1, blocks));
    stride = Tiles(columns).size;
    tiles = carver.take<float>(context.pool.workers() * std::min(rows, kRows) * stride);
    sums = carver.take<double>(blocks * groups);
  }

  void run(Context &context, Launch &launch) {
    score.begin(launch);
    if (!launch.topk)
      throw std::logic_error("wide_topk was launched without lists");
    const int64_t k = std::min(launch.topk->k, columns), rows = launch.batch.rows;
    // The length of the lists is the caller's choice at launch; the memory grows with the largest seen.
    AlignedMemory &memory = context.entries[0].values;
    memory.reserve(parts * rows * (k * static_cast<int64_t>(sizeof(Candidate)) + static_cast<int64_t>(sizeof(int64_t))));
    auto *sizes = reinterpret_cast<int64_t *>(memory.data());
    auto *lists = reinterpret_cast<Candidate *>(sizes + parts * rows);
    context.pool.parallelFor(blocks * parts, [&](int64_t task, int worker) {
      const int64_t part = task % parts, first = task / parts * kRows;
      walkBlock(context, launch, {first, std::min(rows, first + kRows)}, part, k, worker, lists + part * rows * k,
                sizes + part * rows);
    });
    context.pool.parallelFor(rows, [&](int64_t row, int) { join(*launch.topk, row, rows, k, lists, sizes); });
    launch.sum += treeSum(sums, blocks * groups);
  }

private:
  /// Groups: of neighbouring tiles; a part has whole ones. Sums go by groups, so that they do not depend on parts.
  static constexpr int64_t kRows = 256, kGroups = 64;
  struct Candidate {
    float score;
    int32_t column;
    /// Better candidates come first; as a heap order it puts the worst on top.
    bool operator<(const Candidate &other) const {
      return score > other.score || (score == other.score && column < other.column);
    }
  };
  /// One row's walk: its list so far and where its excluded columns continue.
  struct RowState {
    Candidate *list = nullptr;
    int64_t size = 0, excluded = 0;
  };

  int64_t firstTile(const Tiles &cut, int64_t group) const { return group * cut.count / groups; }
  /// The best of each row in a part's tiles: k of `lists` and one of `sizes` for each row of the batch.
  void walkBlock(Context &context, const Launch &launch, plan::Range rows, int64_t part, int64_t k, int worker,
                 Candidate *lists, int64_t *sizes) {
    const TopK &topk = *launch.topk;
    const Tiles cut(columns);
    const plan::Range mine{part * groups / parts, (part + 1) * groups / parts};
    std::array<RowState, kRows> states;
    for (int64_t row = rows.begin; row < rows.end; ++row) {
      RowState &state = states[static_cast<size_t>(row - rows.begin)];
      state.list = lists + row * k;
      if (topk.exclude && topk.exclude->loader != Loader::Dense)
        state.excluded = firstEntry(*topk.exclude, launch.batch.ids[row], cut[firstTile(cut, mine.begin)].begin);
    }
    for (int64_t group = mine.begin; group < mine.end; ++group) {
      double *sum = &sums[rows.begin / kRows * groups + group];
      *sum = 0;
      for (int64_t tile = firstTile(cut, group); tile < firstTile(cut, group + 1); ++tile)
        walkTile(context, launch, rows, cut[tile], k, worker, states.data(), sum);
    }
    for (int64_t row = rows.begin; row < rows.end; ++row)
      sizes[row] = states[static_cast<size_t>(row - rows.begin)].size;
  }
  void walkTile(Context &context, const Launch &launch, plan::Range rows, plan::Range tile, int64_t k, int worker,
                RowState *states, double *sum) {
    SlotScratch &scratch = context.slots[static_cast<size_t>(worker)];
    float *z = tiles + worker * std::min(launch.batch.rows, kRows) * stride;
    for (size_t s = 0; s < sources.size(); ++s) {
      const Weights &w = sources[s].weights;
      multiply(context.product, sources[s].x + rows.begin * w.inner, w.inner, rows.size(), w, {0, w.inner}, tile,
               s == 0 ? 0 : 1, z, stride);
    }
    for (int64_t row = rows.begin; row < rows.end; ++row) {
      float *line = z + (row - rows.begin) * stride;
      const int64_t dataRow = launch.batch.ids[row];
      score.call({.row = row,
                  .dataRow = dataRow,
                  .begin = tile.begin,
                  .count = tile.size(),
                  .accumulator = line,
                  .delta = line},
                 *context.ops, scratch, sum);
      select(*context.ops, launch.topk->exclude, dataRow, tile, line, k, states[row - rows.begin]);
    }
  }

  /// Offers the stretches between excluded columns.
  static void select(const VectorOps &ops, const DataView *exclude, int64_t dataRow, plan::Range tile,
                     const float *scores, int64_t k, RowState &state) {
    int64_t begin = 0;
    const int64_t storedRow = exclude ? exclude->storedRow(dataRow) : 0;
    if (exclude && exclude->loader == Loader::Dense) {
      const float *known = exclude->values + storedRow * exclude->storedColumns;
      for (int64_t column = tile.begin; column < std::min(tile.end, exclude->storedColumns); ++column)
        if (known[column] != 0) {
          offer(ops, tile.begin, begin, column - tile.begin, scores, k, state);
          begin = column - tile.begin + 1;
        }
    } else if (exclude) {
      for (; state.excluded < exclude->indptr[storedRow + 1] && exclude->indices[state.excluded] < tile.end;
           ++state.excluded) {
        int64_t place = exclude->indices[state.excluded] - tile.begin;
        offer(ops, tile.begin, begin, place, scores, k, state);
        begin = place + 1;
      }
    }
    offer(ops, tile.begin, begin, tile.size(), scores, k, state);
  }
  /// Columns arrive in ascending order, so a later column must be strictly better than the worst kept one.
  static void offer(const VectorOps &ops, int64_t first, int64_t begin, int64_t end, const float *scores, int64_t k,
                    RowState &state) {
    int64_t i = begin;
    for (; i < end && state.size < k; ++i) {
      state.list[state.size++] = {scores[i], static_cast<int32_t>(first + i)};
      std::push_heap(state.list, state.list + state.size);
    }
    if (k == 0)
      return;
    for (i = ops.nextAbove(i, end, scores, state.list[0].score); i < end;
         i = ops.nextAbove(i + 1, end, scores, state.list[0].score)) {
      std::pop_heap(state.list, state.list + k);
      state.list[k - 1] = {scores[i], static_cast<int32_t>(first + i)};
      std::push_heap(state.list, state.list + k);
    }
  }
  /// Joins the parts' lists of a row in that of the first, and hands it out.
  void join(const TopK &topk, int64_t row, int64_t rows, int64_t k, Candidate *lists, const int64_t *sizes) const {
    Candidate *best = lists + row * k;
    int64_t size = sizes[row];
    for (int64_t part = 1; part < parts; ++part)
      for (int64_t i = 0; i < sizes[part * rows + row]; ++i) {
        const Candidate &next = lists[(part * rows + row) * k + i];
        if (size == k && !(next < best[0]))
          continue;
        if (size == k)
          std::pop_heap(best, best + size--);
        best[size++] = next;
        std::push_heap(best, best + size);
      }
    std::sort_heap(best, best + size);
    for (int64_t i = 0; i < topk.k; ++i) {
      const bool found = i < size;
      topk.columns[row * topk.k + i] = found ? best[i].column : -1;
      topk.scores[row * topk.k + i] = found ? best[i].score : -std::numeric_limits<float>::infinity();
    }
  }

  int64_t blocks = 0, groups = 1, parts = 1, stride = 0;
  float *tiles = nullptr;
  double *sums = nullptr;
};
} // namespace sn::rt::cpu
