// Lists of recommended columns and how good they are: recall, precision and normalised discounted cumulative gain at k.
#pragma once
#include "runtime/data/DataSet.h"
#include <functional>

namespace sn::rt {
/// The k best columns of `count` data-set rows from `first` on, into count x k places, best first; unfilled places hold
/// column -1 and score -infinity.
using ListSource = std::function<void(int64_t first, int64_t count, int64_t k, int32_t *columns, float *scores)>;

/// Averages over the users who have at least one relevant column.
struct RankingAt {
  int64_t k = 0;
  double recall = 0;    // hits / relevant
  double precision = 0; // hits / k
  double ndcg =
      0; // sum over hits of 1/log2(1 + place), divided by the same sum of an ideal list of min(k, relevant) hits
};
struct RankingReport {
  std::vector<RankingAt> at;
  int64_t users = 0, skipped = 0; // skipped: rows without a relevant column
};

/// The relevant columns of each of `rows` data-set rows: stored entries that are not zero of the matching row of
/// `truth`.
struct Truth {
  std::shared_ptr<const DataSet> set;
  std::vector<int64_t> rowOf; // data-set row -> row of `set`, or -1
  /// Sorted relevant columns of a data-set row.
  std::vector<int32_t> relevant(int64_t row) const;
};
/// Matches the rows of `truth` with those of `data` by name where both have names, else by order (then the counts must
/// agree). `columnNames` (may be null) are those of the ranked columns: names of the truth's columns must be a prefix
/// of them. UserError otherwise.
Truth alignTruth(std::shared_ptr<const DataSet> truth, const std::string &path, const DataSet &data,
                 const Names *columnNames);

/// Draws lists of max(at) places in blocks of `block` rows and averages. `onRows` (may be empty) hears of progress.
RankingReport rank(const ListSource &lists, const Truth &truth, const std::vector<int64_t> &at, int64_t block,
                   const std::function<void(int64_t)> &onRows = {});
/// The measures of one list of `relevant.size() > 0` relevant columns.
RankingAt measureList(const int32_t *columns, int64_t k, const std::vector<int32_t> &relevant);
} // namespace sn::rt
