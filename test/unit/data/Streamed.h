// Rows from the file beside the same rows in memory.
#pragma once
#include "test/unit/data/Support.h"

namespace sn::rt::test {
/// All rows of a streamed data set, those named.
inline DataSet rowsOf(const DataSet &streamed, const std::vector<int64_t> &rows) {
  DataSet got;
  got.loader = streamed.loader;
  got.columns = streamed.columns;
  const auto count = int64_t(rows.size());
  int64_t entries = 0;
  for (int64_t row : rows)
    entries +=
        got.loader == Loader::Dense ? got.columns : streamed.indptr[size_t(row) + 1] - streamed.indptr[size_t(row)];
  std::vector<int64_t> lengths(rows.size());
  got.indices.resize(got.loader == Loader::Dense ? 0 : size_t(entries));
  got.values.resize(got.loader == Loader::CsrBinary ? 0 : size_t(entries));
  const bool analog = got.loader == Loader::CsrAnalog;
  streamed.rowsFrom->read(rows.data(), count, got.indices.data(), got.values.data(), lengths.data());
  if (got.loader == Loader::Dense)
    return got;
  got.indptr = {0};
  for (int64_t length : lengths)
    got.indptr.push_back(got.indptr.back() + length);
  got.indices.resize(size_t(got.indptr.back()));
  got.values.resize(analog ? got.indices.size() : 0);
  return got;
}

/// The data set, streamed from the file, has the rows that it has in memory, in whatever order they are asked for.
inline void expectSameStreamed(const std::string &path, const std::string &name) {
  DataFile file = DataFile::open(path);
  const std::shared_ptr<const DataSet> whole = file.load(name);
  file.stream({true, false});
  const std::shared_ptr<const DataSet> streamed = file.load(name);
  EXPECT_EQ(file.loadWhole(name), whole);
  EXPECT_EQ(streamed->rows, whole->rows);
  EXPECT_EQ(streamed->columns, whole->columns);
  EXPECT_EQ(streamed->index, whole->index);
  EXPECT_EQ(streamed->weights, whole->weights);
  EXPECT_EQ(streamed->ignoreZeros, whole->ignoreZeros);
  EXPECT_EQ(streamed->inputOffset, whole->inputOffset);
  EXPECT_EQ(streamed->extents, whole->extents);
  EXPECT_EQ(streamed->storedRows(), whole->storedRows());
  if (!streamed->streamed()) // classes
    return;
  EXPECT_TRUE(streamed->indices.empty());
  EXPECT_TRUE(streamed->values.empty());
  std::vector<int64_t> order(size_t(whole->storedRows()));
  for (size_t i = 0; i < order.size(); ++i)
    order[i] = int64_t((i * 7 + 3) % order.size());
  order.push_back(0); // a row may come twice
  const DataSet got = rowsOf(*streamed, order);
  for (size_t i = 0; i < order.size(); ++i) {
    const auto row = size_t(order[i]);
    const bool dense = whole->loader == Loader::Dense;
    const int64_t begin = dense ? int64_t(row) * whole->columns : whole->indptr[row],
                  end = dense ? begin + whole->columns : whole->indptr[row + 1],
                  at = dense ? int64_t(i) * whole->columns : got.indptr[i];
    if (!dense) {
      ASSERT_EQ(got.indptr[i + 1] - at, end - begin) << "row " << row;
      EXPECT_TRUE(std::equal(whole->indices.begin() + begin, whole->indices.begin() + end, got.indices.begin() + at));
    }
    if (!whole->values.empty()) {
      EXPECT_TRUE(std::equal(whole->values.begin() + begin, whole->values.begin() + end, got.values.begin() + at));
    }
  }
}
} // namespace sn::rt::test
