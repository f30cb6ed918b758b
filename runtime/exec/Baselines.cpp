#include "runtime/exec/Baselines.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace sn::rt {
namespace {
struct Scored {
  float score;
  int32_t column;
};
bool better(const Scored &a, const Scored &b) { return a.score != b.score ? a.score > b.score : a.column < b.column; }

void requireSparse(const DataSet &data) {
  if (data.loader == Loader::Dense)
    userError("the baselines need a sparse data set, and '{}' is dense", data.name);
}

bool isExcluded(const DataSet *exclude, int64_t row, int32_t column) {
  if (!exclude)
    return false;
  auto [begin, end] = rowOf(*exclude, row);
  return std::binary_search(begin, end, column);
}

std::vector<int64_t> columnCounts(const DataSet &data) {
  std::vector<int64_t> counts(static_cast<size_t>(data.columns));
  for (int64_t row = 0; row < data.rows; ++row)
    for (auto [at, end] = rowOf(data, row); at != end; ++at)
      ++counts[*at];
  return counts;
}

/// Rows by column: the transposed pattern.
struct Columns {
  std::vector<int64_t> begin;
  std::vector<int32_t> rows;
};
Columns transposed(const DataSet &data) {
  Columns columns{std::vector<int64_t>(static_cast<size_t>(data.columns) + 1), {}};
  std::vector<int64_t> counts = columnCounts(data);
  std::partial_sum(counts.begin(), counts.end(), columns.begin.begin() + 1);
  columns.rows.resize(static_cast<size_t>(columns.begin.back()));
  std::vector<int64_t> next(columns.begin.begin(), columns.begin.end() - 1);
  for (int64_t row = 0; row < data.rows; ++row)
    for (auto [at, end] = rowOf(data, row); at != end; ++at)
      columns.rows[next[*at]++] = static_cast<int32_t>(row);
  return columns;
}

/// Sparse accumulation over columns: values, and which of them were touched.
struct Accumulator {
  std::vector<double> values;
  std::vector<int32_t> touched;
  void add(int32_t column, double value) {
    if (values[column] == 0)
      touched.push_back(column);
    values[column] += value;
  }
  void clear() {
    for (int32_t column : touched)
      values[column] = 0;
    touched.clear();
  }
};

/// Keeps the best `count`, sorted.
void keepBest(std::vector<Scored> &list, int64_t count) {
  if (static_cast<int64_t>(list.size()) > count) {
    std::nth_element(list.begin(), list.begin() + count, list.end(), better);
    list.resize(static_cast<size_t>(count));
  }
  std::sort(list.begin(), list.end(), better);
}

class ItemKnn {
public:
  ItemKnn(const DataSet &history, const DataSet *exclude, int64_t neighbours, ThreadPool &workers)
      : history(history), exclude(exclude), workers(workers), similar(static_cast<size_t>(history.columns)),
        scratch(static_cast<size_t>(workers.workers())) {
    for (Accumulator &own : scratch)
      own.values.resize(static_cast<size_t>(history.columns));
    Columns columns = transposed(history);
    workers.parallelFor(history.columns, [&](int64_t column, int worker) {
      similar[column] = neighboursOf(columns, static_cast<int32_t>(column), neighbours, scratch[worker]);
    });
  }

  void lists(int64_t first, int64_t count, int64_t k, int32_t *columns, float *scores) {
    workers.parallelFor(
        count, [&](int64_t i, int worker) { list(first + i, k, columns + i * k, scores + i * k, scratch[worker]); });
  }

private:
  const DataSet &history, *exclude;
  ThreadPool &workers;
  std::vector<std::vector<Scored>> similar;
  std::vector<Accumulator> scratch; // one for each worker

  std::vector<Scored> neighboursOf(const Columns &columns, int32_t column, int64_t neighbours, Accumulator &own) const {
    for (int64_t j = columns.begin[column]; j < columns.begin[column + 1]; ++j)
      for (auto [at, end] = rowOf(history, columns.rows[j]); at != end; ++at)
        if (*at != column)
          own.add(*at, 1);
    auto countOf = [&](int32_t c) { return static_cast<double>(columns.begin[c + 1] - columns.begin[c]); };
    std::vector<Scored> best;
    best.reserve(own.touched.size());
    for (int32_t other : own.touched)
      best.push_back({static_cast<float>(own.values[other] / std::sqrt(countOf(column) * countOf(other))), other});
    own.clear();
    keepBest(best, neighbours);
    best.shrink_to_fit();
    return best;
  }

  void list(int64_t row, int64_t k, int32_t *columns, float *scores, Accumulator &own) const {
    for (auto [at, end] = rowOf(history, row); at != end; ++at)
      for (const Scored &neighbour : similar[*at])
        own.add(neighbour.column, neighbour.score);
    std::vector<Scored> best;
    for (int32_t column : own.touched)
      if (!isExcluded(exclude, row, column))
        best.push_back({static_cast<float>(own.values[column]), column});
    own.clear();
    keepBest(best, k);
    for (int64_t place = 0; place < k; ++place) {
      bool filled = place < static_cast<int64_t>(best.size());
      columns[place] = filled ? best[place].column : -1;
      scores[place] = filled ? best[place].score : -std::numeric_limits<float>::infinity();
    }
  }
};
} // namespace

ListSource popularityLists(const DataSet &history, const DataSet *exclude) {
  requireSparse(history);
  if (exclude)
    requireSparse(*exclude);
  std::vector<int64_t> counts = columnCounts(history);
  std::vector<int32_t> order(counts.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](int32_t a, int32_t b) { return counts[a] != counts[b] ? counts[a] > counts[b] : a < b; });
  return [order, counts, exclude](int64_t first, int64_t count, int64_t k, int32_t *columns, float *scores) {
    for (int64_t i = 0; i < count; ++i) {
      int64_t place = 0;
      for (size_t j = 0; j < order.size() && place < k; ++j)
        if (!isExcluded(exclude, first + i, order[j])) {
          columns[i * k + place] = order[j];
          scores[i * k + place++] = static_cast<float>(counts[order[j]]);
        }
      for (; place < k; ++place) {
        columns[i * k + place] = -1;
        scores[i * k + place] = -std::numeric_limits<float>::infinity();
      }
    }
  };
}

ListSource itemKnnLists(const DataSet &history, const DataSet *exclude, int64_t neighbours, ThreadPool &workers) {
  requireSparse(history);
  if (exclude)
    requireSparse(*exclude);
  auto knn = std::make_shared<ItemKnn>(history, exclude, neighbours, workers);
  return [knn](int64_t first, int64_t count, int64_t k, int32_t *columns, float *scores) {
    knn->lists(first, count, k, columns, scores);
  };
}
} // namespace sn::rt
