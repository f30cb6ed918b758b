#include "runtime/data/Entries.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <charconv>
#include <cmath>

namespace sn::rt {
namespace {
constexpr int64_t kMostRows = std::numeric_limits<uint32_t>::max() - 1;
constexpr int64_t kMostColumns = std::numeric_limits<int32_t>::max();
constexpr size_t kRejectsShown = 10;

int64_t numberOf(std::string_view text) {
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}
} // namespace

int64_t Entries::row(std::string_view name) { return rows.id(name); }

int64_t Entries::nextRow() {
  if (unnamedRows_ == kMostRows)
    userError("more than {} rows", kMostRows);
  namedRows = false;
  return unnamedRows_++;
}

void Entries::restart(int64_t row) {
  if (row < 0)
    return;
  if (row >= int64_t(liveFrom_.size()))
    liveFrom_.resize(std::max<int64_t>(row + 1, int64_t(liveFrom_.size()) * 2), -1);
  if (liveFrom_[row] >= 0)
    ++replacedRows;
  liveFrom_[row] = int64_t(rowIds_.size());
}

bool Entries::wants(double value) {
  sawValues = true;
  onlyOnes &= value == 1;
  lowest = std::min(lowest, value);
  highest = std::max(highest, value);
  bool wanted = !minimum || value >= *minimum;
  belowMinimum += !wanted;
  return wanted;
}

void Entries::add(int64_t row, std::string_view column, double value) {
  ++accepted;
  if (row < 0) {
    ++ofUnknownRows;
    return;
  }
  int64_t id = columns.id(column);
  if (id < 0) {
    ++ofUnknownColumns;
    return;
  }
  if (id >= kMostColumns)
    userError("more than {} columns", kMostColumns);
  rowIds_.push_back(uint32_t(row));
  columnIds_.push_back(int32_t(id));
  if (keepValues)
    values_.push_back(float(value));
}

void Entries::addLabel(int64_t row, std::string_view label) {
  int64_t id = labels.id(label);
  if (id < 0)
    return;
  labelRows_.push_back(uint32_t(row));
  labelColumns_.push_back(int32_t(id));
}

void Entries::reject(const std::string &place, const std::string &reason) {
  ++rejected;
  if (firstRejects.size() < kRejectsShown)
    firstRejects.push_back(fmt::format("{}: {}", place, reason));
}

void Entries::numberColumns(int64_t least, const std::string &path) {
  const Names &names = columns.names.names();
  int64_t most = -1;
  bool fromZero = columns.names.find("0") >= 0;
  for (int64_t i = 0; i < names.size(); ++i)
    most = std::max(most, numberOf(names[i]));
  int64_t base = fromZero ? 0 : 1, count = std::max(least, most - base + 1);
  constexpr int64_t kUnquestioned = int64_t(1) << 24, kEntriesShare = 64;
  if (count > kMostColumns)
    userError("{}: column numbers reach {}; at most {} columns are supported", path, count + base - 1, kMostColumns);
  if (count > kUnquestioned && count / kEntriesShare > int64_t(columnIds_.size()))
    userError(
        "{}: column numbers reach {}, with only {} entries in all; if that is meant, name the columns in use with "
        "--feature-index",
        path, count + base - 1, columnIds_.size());
  for (int32_t &id : columnIds_)
    id = int32_t(numberOf(names[id]) - base);
  Names numbered;
  for (int64_t i = 0; i < count; ++i)
    numbered.add(std::to_string(i + base));
  columns.names = NameIndex(std::move(numbered));
}

/// Sorts entries by row, keeping their order inside a row (counting sort).
DataSet Entries::toRows(std::vector<uint32_t> rowIds, std::vector<int32_t> columnIds, const std::vector<float> &values,
                        bool analog) const {
  DataSet data;
  data.loader = analog ? Loader::CsrAnalog : Loader::CsrBinary;
  data.rows = rowCount();
  data.indptr.assign(data.rows + 1, 0);
  for (uint32_t row : rowIds)
    ++data.indptr[row + 1];
  for (int64_t row = 0; row < data.rows; ++row)
    data.indptr[row + 1] += data.indptr[row];
  std::vector<int64_t> next(data.indptr.begin(), data.indptr.end() - 1);
  data.indices.resize(rowIds.size());
  data.values.resize(analog ? rowIds.size() : 0);
  for (size_t i = 0; i < rowIds.size(); ++i) {
    int64_t at = next[rowIds[i]]++;
    data.indices[at] = columnIds[i];
    if (analog)
      data.values[at] = values.empty() ? 1.0f : values[i];
  }
  return data;
}

DataSet Entries::takeDataSet(bool analog, Duplicates duplicates, Tidied &tidied) {
  if (replacedRows) { // keep the entries of each row's last line
    size_t to = 0;
    for (size_t i = 0; i < rowIds_.size(); ++i) {
      if (int64_t(i) < liveFrom_[rowIds_[i]])
        continue;
      rowIds_[to] = rowIds_[i];
      columnIds_[to] = columnIds_[i];
      if (keepValues)
        values_[to] = values_[i];
      ++to;
    }
    rowIds_.resize(to);
    columnIds_.resize(to);
    values_.resize(keepValues ? to : 0);
  }
  DataSet data = toRows(std::move(rowIds_), std::move(columnIds_), values_, analog);
  values_.clear();
  data.columns = columns.names.size();
  tidied = tidyRows(data, duplicates);
  for (size_t i = 0; i < data.values.size(); ++i)
    if (!std::isfinite(data.values[i]))
      userError("the values of repeated entries of column '{}' add up to {}; they should stay finite",
                columns.names.names()[data.indices[i]], data.values[i]);
  if (namedRows)
    data.rowNames = std::make_shared<const Names>(rows.names.names());
  data.columnNames = std::make_shared<const Names>(columns.names.names());
  return data;
}

DataSet Entries::takeLabels() {
  DataSet data = toRows(std::move(labelRows_), std::move(labelColumns_), {}, false);
  data.columns = labels.names.size();
  tidyRows(data, Duplicates::Sum);
  data.columnNames = std::make_shared<const Names>(labels.names.names());
  return data;
}
} // namespace sn::rt
