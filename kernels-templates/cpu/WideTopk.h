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
    stride = Tiles(columns).size;
    tiles = carver.take<float>(context.pool.workers() * kRows * stride);
    sums = carver.take<double>(blocks);
  }

  void run(Context &context, Launch &launch) {
    score.begin(launch);
    if (!launch.topk)
      throw std::logic_error("wide_topk was launched without lists");
    const TopK &topk = *launch.topk;
    const int64_t k = std::min(topk.k, columns);
    // The length of the lists is the caller's choice at launch; the memory grows with the largest seen.
    for (int worker = 0; worker < context.pool.workers(); ++worker)
      context.entries[static_cast<size_t>(worker)].values.reserve(kRows * k * static_cast<int64_t>(sizeof(Candidate)));
    context.pool.parallelFor(blocks, [&](int64_t block, int worker) {
      sums[block] = 0;
      walkBlock(context, launch, {block * kRows, std::min(launch.batch.rows, (block + 1) * kRows)}, k, worker,
                &sums[block]);
    });
    launch.sum += treeSum(sums, blocks);
  }

private:
  static constexpr int64_t kRows = 64;
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

  void walkBlock(Context &context, const Launch &launch, plan::Range rows, int64_t k, int worker, double *sum) {
    const TopK &topk = *launch.topk;
    const Tiles cut(columns);
    std::array<RowState, kRows> states;
    auto *lists = reinterpret_cast<Candidate *>(context.entries[static_cast<size_t>(worker)].values.data());
    for (int64_t i = 0; i < rows.size(); ++i) {
      states[static_cast<size_t>(i)].list = lists + i * k;
      if (topk.exclude && topk.exclude->loader != Loader::Dense)
        states[static_cast<size_t>(i)].excluded =
            topk.exclude->indptr[topk.exclude->storedRow(launch.batch.ids[rows.begin + i])];
    }
    SlotScratch &scratch = context.slots[static_cast<size_t>(worker)];
    float *z = tiles + worker * kRows * stride;
    for (int64_t tile = 0; tile < cut.count; ++tile) {
      for (size_t s = 0; s < sources.size(); ++s) {
        const Weights &w = sources[s].weights;
        multiply(context.product, sources[s].x + rows.begin * w.inner, w.inner, rows.size(), w, {0, w.inner}, cut[tile],
                 s == 0 ? 0 : 1, z, stride);
      }
      for (int64_t row = rows.begin; row < rows.end; ++row) {
        float *line = z + (row - rows.begin) * stride;
        const int64_t dataRow = launch.batch.ids[row];
        score.call({.row = row,
                    .dataRow = dataRow,
                    .begin = cut[tile].begin,
                    .count = cut[tile].size(),
                    .accumulator = line,
                    .delta = line},
                   *context.ops, scratch, sum);
        select(*context.ops, topk.exclude, dataRow, cut[tile], line, k, states[static_cast<size_t>(row - rows.begin)]);
      }
    }
    for (int64_t row = rows.begin; row < rows.end; ++row)
      write(topk, row, states[static_cast<size_t>(row - rows.begin)]);
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
  static void write(const TopK &topk, int64_t row, RowState &state) {
    std::sort_heap(state.list, state.list + state.size);
    for (int64_t i = 0; i < topk.k; ++i) {
      bool found = i < state.size;
      topk.columns[row * topk.k + i] = found ? state.list[i].column : -1;
      topk.scores[row * topk.k + i] = found ? state.list[i].score : -std::numeric_limits<float>::infinity();
    }
  }

  int64_t blocks = 0, stride = 0;
  float *tiles = nullptr;
  double *sums = nullptr;
};
} // namespace sn::rt::cpu
