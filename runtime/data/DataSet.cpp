#include "runtime/data/DataSet.h"
#include "runtime/plan/Error.h"
#include <algorithm>

namespace sn::rt {
namespace {
struct Entry {
  int32_t column;
  int64_t order; // equal columns keep their order
  float value;
};

void sortRow(int32_t *columns, float *values, int64_t count, std::vector<Entry> &scratch) {
  if (!values) {
    std::sort(columns, columns + count);
    return;
  }
  scratch.resize(count);
  for (int64_t i = 0; i < count; ++i)
    scratch[i] = {columns[i], i, values[i]};
  std::sort(scratch.begin(), scratch.end(), [](const Entry &a, const Entry &b) {
    return a.column != b.column ? a.column < b.column : a.order < b.order;
  });
  for (int64_t i = 0; i < count; ++i) {
    columns[i] = scratch[i].column;
    values[i] = scratch[i].value;
  }
}
} // namespace

Tidied tidyRows(DataSet &data, Duplicates duplicates) {
  Tidied tidied;
  bool analog = data.loader == Loader::CsrAnalog;
  std::vector<Entry> scratch;
  int64_t to = 0, begin = 0;
  for (int64_t row = 0; row < data.storedRows(); ++row) {
    int64_t end = data.indptr[row + 1], rowStart = to;
    int32_t *first = data.indices.data() + begin;
    if (!std::is_sorted(first, first + (end - begin))) {
      ++tidied.sortedRows;
      sortRow(first, analog ? data.values.data() + begin : nullptr, end - begin, scratch);
    }
    for (int64_t from = begin; from < end; ++from) {
      bool repeated = to > rowStart && data.indices[to - 1] == data.indices[from];
      if (repeated && analog)
        data.values[to - 1] = data.values[from] + (duplicates == Duplicates::Sum ? data.values[to - 1] : 0.0f);
      if (repeated) {
        ++tidied.merged;
        continue;
      }
      data.indices[to] = data.indices[from];
      if (analog)
        data.values[to] = data.values[from];
      ++to;
    }
    begin = end;
    data.indptr[row + 1] = to;
  }
  data.indices.resize(to);
  if (analog)
    data.values.resize(to);
  return tidied;
}

DataView viewOf(const DataSet &data, int64_t layerColumns) {
  if (layerColumns < data.columns)
    userError("data set {}: has {} columns, but the layer it is bound to has only {} units", data.name, data.columns,
              layerColumns);
  DataView view;
  view.loader = data.loader;
  view.rows = data.rows;
  view.columns = layerColumns;
  view.storedColumns = data.columns;
  view.entries = data.entries();
  view.indptr = data.loader == Loader::Dense ? nullptr : data.indptr.data();
  view.indices = data.loader == Loader::Dense || data.streamed() ? nullptr : data.indices.data();
  view.values = data.loader == Loader::CsrBinary || data.streamed() ? nullptr : data.values.data();
  view.source = data.rowsFrom.get();
  view.ignoreZeros = data.ignoreZeros;
  view.index = data.index.empty() ? nullptr : data.index.data();
  view.weights = data.weights.empty() ? nullptr : data.weights.data();
  view.inputOffset = data.inputOffset;
  return view;
}

int64_t bytesOf(const DataSet &data) {
  return static_cast<int64_t>(data.indptr.size() * sizeof(int64_t) + data.indices.size() * sizeof(int32_t) +
                              (data.values.size() + data.weights.size()) * sizeof(float) +
                              data.index.size() * sizeof(int32_t));
}
} // namespace sn::rt
