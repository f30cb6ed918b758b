#include "runtime/data/StoredRows.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <cmath>
#include <numeric>

namespace sn::rt {
namespace {
/// Numbers between two rows that are read along rather than left out: a page, which the system reads anyway.
constexpr int64_t kPage = 1024;
constexpr int64_t kMostAtOnce = int64_t(1) << 18;

/// Rows that are read together: numbers [first, end), and those of `order` from `from` to before `to`.
struct Extent {
  int64_t first = 0, end = 0;
  size_t from = 0, to = 0;
};

class RowsInFile final : public RowSource {
public:
  explicit RowsInFile(StoredRows where) : where(std::move(where)) {}
  void read(const int64_t *rows, int64_t count, int32_t *indices, float *values, int64_t *lengths) override;

private:
  /// A row as asked for: its place among those asked for, and in the arrays it goes to.
  struct Wanted {
    int64_t row = 0, begin = 0, length = 0, to = 0;
  };
  template <typename... Args> [[noreturn]] void refuse(fmt::format_string<Args...> format, Args &&...args) const {
    userError("{}: {}: {}", where.path, where.name, fmt::format(format, std::forward<Args>(args)...));
  }
  bool dense() const { return where.loader == Loader::Dense; }
  std::vector<Wanted> wanted(const int64_t *rows, int64_t count) const;
  static std::vector<Extent> extentsOf(const std::vector<Wanted> &order, int64_t gap);
  template <typename T>
  void fetch(const StoredNumbers &from, const std::vector<Wanted> &order, const std::vector<Extent> &extents,
             T *to) const;
  void checkColumns(const Wanted &row, const int32_t *columns) const;
  void checkValues(const Wanted &row, const int32_t *columns, const float *values) const;
  int64_t tidied(const Wanted &row, int32_t *columns, float *values) const;

  const StoredRows where;
};

std::vector<RowsInFile::Wanted> RowsInFile::wanted(const int64_t *rows, int64_t count) const {
  std::vector<Wanted> result(static_cast<size_t>(count));
  int64_t to = 0;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t row = rows[i];
    Wanted &one = result[static_cast<size_t>(i)] = {row, row * where.columns, where.columns, to};
    if (!dense()) {
      one.begin = where.begins.empty() ? where.indptr[row] : where.begins[static_cast<size_t>(row)];
      one.length = where.indptr[row + 1] - where.indptr[row];
    }
    to += one.length;
  }
  return result;
}

std::vector<Extent> RowsInFile::extentsOf(const std::vector<Wanted> &order, int64_t gap) {
  std::vector<Extent> extents;
  for (size_t i = 0; i < order.size(); ++i) {
    const int64_t first = order[i].begin, end = first + order[i].length;
    if (first == end)
      continue; // an empty row copies nothing, wherever it falls
    if (extents.empty() || first > extents.back().end + gap || end - extents.back().first > kMostAtOnce)
      extents.push_back({first, end, i, i});
    extents.back().end = std::max(extents.back().end, end);
    extents.back().to = i + 1;
  }
  return extents;
}

template <typename T>
void RowsInFile::fetch(const StoredNumbers &from, const std::vector<Wanted> &order, const std::vector<Extent> &extents,
                       T *to) const {
  for (const Extent &extent : extents)
    from.soon(extent.first, extent.end - extent.first);
  std::vector<T> block;
  for (const Extent &extent : extents) {
    if (extent.to - extent.from == 1) {
      from.read(extent.first, extent.end - extent.first, to + order[extent.from].to);
      continue;
    }
    block.resize(static_cast<size_t>(extent.end - extent.first));
    from.read(extent.first, extent.end - extent.first, block.data());
    for (size_t i = extent.from; i < extent.to; ++i)
      std::copy_n(block.begin() + (order[i].length > 0 ? order[i].begin - extent.first : 0), order[i].length,
                  to + order[i].to);
  }
}

void RowsInFile::checkColumns(const Wanted &row, const int32_t *columns) const {
  for (int64_t i = 0; i < row.length; ++i)
    if (columns[i] < 0 || columns[i] >= where.columns) {
      int64_t stored = 0; // as stored: 64-bit numbers beyond 32 bits were clamped
      where.indices->read(row.begin + i, 1, &stored);
      refuse("row {} stores column {} ({}[{}]), but columns run from 0 to {}", row.row, stored, where.indicesName,
             row.begin + i, where.columns - 1);
    }
}

void RowsInFile::checkValues(const Wanted &row, const int32_t *columns, const float *values) const {
  for (int64_t i = 0; i < row.length; ++i)
    if (!std::isfinite(values[i]))
      refuse("row {}, column {} holds the value {} (as float32); values should be finite", row.row,
             columns ? columns[i] : i, values[i]);
}

/// Sorts the row and merges its duplicates. Returns how many entries are left.
int64_t RowsInFile::tidied(const Wanted &row, int32_t *columns, float *values) const {
  bool tidy = true;
  for (int64_t i = 1; i < row.length && tidy; ++i)
    tidy = columns[i - 1] < columns[i];
  if (tidy)
    return row.length;
  DataSet one;
  one.loader = where.loader;
  one.indptr = {0, row.length};
  one.indices.assign(columns, columns + row.length);
  if (values)
    one.values.assign(values, values + row.length);
  tidyRows(one, Duplicates::Sum);
  std::copy(one.indices.begin(), one.indices.end(), columns);
  std::copy(one.values.begin(), one.values.end(), values);
  const Wanted left{row.row, row.begin, one.indptr[1], row.to};
  if (values)
    checkValues(left, columns, values);
  return left.length;
}

void RowsInFile::read(const int64_t *rows, int64_t count, int32_t *indices, float *values, int64_t *lengths) {
  const std::vector<Wanted> asked = wanted(rows, count);
  std::vector<Wanted> order = asked;
  std::stable_sort(order.begin(), order.end(), [](const Wanted &a, const Wanted &b) { return a.begin < b.begin; });
  const auto gapOf = [](const StoredNumbers &numbers) { return std::max(kPage, numbers.chunkNumbers() / 8); };
  if (!dense())
    fetch(*where.indices, order, extentsOf(order, gapOf(*where.indices)), indices);
  if (where.loader != Loader::CsrBinary)
    fetch(*where.values, order, extentsOf(order, gapOf(*where.values)), values);
  if (where.convert && values && !asked.empty())
    where.convert(values, asked.back().to + asked.back().length);
  int64_t to = 0; // rows move together where duplicates went
  for (size_t i = 0; i < asked.size(); ++i) {
    const Wanted &row = asked[i];
    float *own = values ? values + row.to : nullptr;
    if (!dense())
      checkColumns(row, indices + row.to);
    if (own)
      checkValues(row, dense() ? nullptr : indices + row.to, own);
    if (dense())
      continue;
    const int64_t length = lengths[i] = tidied(row, indices + row.to, own);
    if (to != row.to) {
      std::copy_n(indices + row.to, length, indices + to);
      if (own)
        std::copy_n(own, length, values + to);
    }
    to += length;
  }
}

class RowsInMemory final : public RowSource {
public:
  explicit RowsInMemory(const DataSet &data) : data(data) {}
  void read(const int64_t *rows, int64_t count, int32_t *indices, float *values, int64_t *lengths) override {
    for (int64_t i = 0; i < count; ++i) {
      const int64_t row = rows[i], dense = data.loader == Loader::Dense;
      const int64_t begin = dense ? row * data.columns : data.indptr[static_cast<size_t>(row)];
      const int64_t length = dense ? data.columns : data.indptr[static_cast<size_t>(row) + 1] - begin;
      if (!dense) {
        indices = std::copy_n(data.indices.begin() + begin, length, indices);
        lengths[i] = length;
      }
      if (data.loader != Loader::CsrBinary)
        values = std::copy_n(data.values.begin() + begin, length, values);
    }
  }

private:
  const DataSet &data;
};
} // namespace

std::shared_ptr<RowSource> rowsInFile(StoredRows where) { return std::make_shared<RowsInFile>(std::move(where)); }
void keepInFile(DataSet &data, StoredRows where) {
  for (const auto &numbers : {where.indices, where.values})
    if (numbers) {
      if (numbers->chunks() * numbers->chunkBytes() > numbers->cacheBytes()) // else each is unpacked once
        data.chunks = std::max(data.chunks, numbers->chunks());
      data.readerBytes += numbers->cacheBytes();
    }
  data.rowsFrom = rowsInFile(std::move(where));
}
std::shared_ptr<RowSource> rowsInMemory(const DataSet &data) { return std::make_shared<RowsInMemory>(data); }

double timesRead(int64_t chunks, int64_t rows, int64_t batch) {
  if (chunks <= 1 || rows <= batch)
    return 1;
  // A batch of examples drawn evenly meets a chunk with the probability 1 - (1 - 1/chunks)^batch.
  const double met = -std::expm1(static_cast<double>(batch) * std::log1p(-1 / static_cast<double>(chunks)));
  return met * std::ceil(static_cast<double>(rows) / static_cast<double>(batch));
}
} // namespace sn::rt
