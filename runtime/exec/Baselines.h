// Recommenders without a network, to compare with: popularity and item-based nearest neighbours.
#pragma once
#include "runtime/base/ThreadPool.h"
#include "runtime/exec/Ranking.h"

namespace sn::rt {
/// The most frequent columns of `history` (ties: lower column), without those stored in the row of `exclude` (may be
/// null). Both must outlive the source. `history` must be sparse (UserError).
ListSource popularityLists(const DataSet &history, const DataSet *exclude);

/// Deshpande and Karypis, "Item-based top-N recommendation algorithms", ACM TOIS 22 (2004): sim(i, j) = cooc(i, j) /
/// sqrt(n_i n_j) over the rows of `history` taken as binary; each column keeps its `neighbours` most similar ones
/// (ties: lower column); a row's score of column j is the sum of sim(i, j) over the row's columns i that have j as a
/// neighbour. Columns without a score are not listed. The result does not depend on the number of workers.
ListSource itemKnnLists(const DataSet &history, const DataSet *exclude, int64_t neighbours, ThreadPool &workers);
} // namespace sn::rt
