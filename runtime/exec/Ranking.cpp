#include "runtime/exec/Ranking.h"
#include "runtime/exec/Binding.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <cmath>
#include <numeric>

namespace sn::rt {
namespace {
double discount(int64_t place) { return 1.0 / std::log2(static_cast<double>(place) + 2.0); }
} // namespace

std::vector<int32_t> Truth::relevant(int64_t row) const {
  std::vector<int32_t> columns;
  int64_t r = rowOf[static_cast<size_t>(row)];
  if (r < 0)
    return columns;
  if (set->loader == Loader::Dense) {
    r = set->storedRow(r);
    for (int64_t c = 0; c < set->columns; ++c)
      if (set->values[static_cast<size_t>(r * set->columns + c)] != 0)
        columns.push_back(static_cast<int32_t>(c));
    return columns;
  }
  auto [begin, end] = rt::rowOf(*set, r);
  for (const int32_t *column = begin; column != end; ++column)
    if (set->values.empty() || set->values[static_cast<size_t>(column - set->indices.data())] != 0)
      columns.push_back(*column);
  return columns;
}

Truth alignTruth(std::shared_ptr<const DataSet> truth, const std::string &path, const DataSet &data,
                 const Names *columnNames) {
  checkColumnNames(*truth, path, columnNames);
  Truth aligned{truth, std::vector<int64_t>(static_cast<size_t>(data.rows))};
  if (!truth->rowNames || !data.rowNames) {
    if (truth->rows != data.rows)
      userError("'{}' has {} rows and the data {}; without row names in both, row i of one must be row i of the other",
                path, truth->rows, data.rows);
    std::iota(aligned.rowOf.begin(), aligned.rowOf.end(), 0);
    return aligned;
  }
  NameIndex index(*truth->rowNames);
  int64_t found = 0;
  for (int64_t row = 0; row < data.rows; ++row) {
    aligned.rowOf[row] = index.find((*data.rowNames)[row]);
    found += aligned.rowOf[row] >= 0;
  }
  if (found == 0)
    userError("'{}': none of its row names is a row name of the data (its first is '{}', theirs '{}')", path,
              truth->rows ? (*truth->rowNames)[0] : "", data.rows ? (*data.rowNames)[0] : "");
  return aligned;
}

RankingAt measureList(const int32_t *columns, int64_t k, const std::vector<int32_t> &relevant) {
  RankingAt measured{k};
  int64_t hits = 0;
  for (int64_t place = 0; place < k; ++place)
    if (columns[place] >= 0 && std::binary_search(relevant.begin(), relevant.end(), columns[place])) {
      ++hits;
      measured.ndcg += discount(place);
    }
  double ideal = 0;
  int64_t count = static_cast<int64_t>(relevant.size());
  for (int64_t place = 0; place < std::min(k, count); ++place)
    ideal += discount(place);
  measured.recall = static_cast<double>(hits) / static_cast<double>(count);
  measured.precision = static_cast<double>(hits) / static_cast<double>(k);
  measured.ndcg /= ideal;
  return measured;
}

RankingReport rank(const ListSource &lists, const Truth &truth, const std::vector<int64_t> &at, int64_t block,
                   const std::function<void(int64_t)> &onRows) {
  RankingReport report;
  for (int64_t k : at)
    report.at.push_back({k});
  int64_t longest = *std::max_element(at.begin(), at.end()), rows = static_cast<int64_t>(truth.rowOf.size());
  std::vector<int32_t> columns(static_cast<size_t>(block * longest));
  std::vector<float> scores(columns.size());
  for (int64_t first = 0; first < rows; first += block) {
    int64_t count = std::min(block, rows - first);
    lists(first, count, longest, columns.data(), scores.data());
    for (int64_t i = 0; i < count; ++i) {
      std::vector<int32_t> relevant = truth.relevant(first + i);
      if (relevant.empty()) {
        ++report.skipped;
        continue;
      }
      ++report.users;
      for (RankingAt &average : report.at) {
        RankingAt one = measureList(columns.data() + i * longest, average.k, relevant);
        average.recall += one.recall, average.precision += one.precision, average.ndcg += one.ndcg;
      }
    }
    if (onRows)
      onRows(first + count);
  }
  for (RankingAt &average : report.at)
    if (report.users > 0) {
      double users = static_cast<double>(report.users);
      average.recall /= users, average.precision /= users, average.ndcg /= users;
    }
  return report;
}
} // namespace sn::rt
