#include "runtime/hal/cuda/DataStore.h"
#include <algorithm>
#include <functional>
#include <numeric>

namespace sn::rt::cuda {
DataStore::~DataStore() {
  for (const auto &[device, host] : hosts)
    context.release(reinterpret_cast<DevicePointer>(device));
}

const void *DataStore::copy(const void *host, int64_t bytes) {
  const void *&device = devices[{host, bytes}];
  if (device)
    return device;
  const DevicePointer pointer = context.allocate(std::max<int64_t>(1, bytes));
  device = reinterpret_cast<const void *>(pointer);
  hosts[device] = host;
  context.copyIn(pointer, host, bytes);
  return device;
}

DataView DataStore::place(const DataView &view) {
  if (hosts.count(view.loader == Loader::Dense ? static_cast<const void *>(view.values) : view.indptr))
    return view;
  const int64_t stored =
      view.index && view.rows > 0 ? 1 + int64_t(*std::max_element(view.index, view.index + view.rows)) : view.rows;
  DataView placed = view;
  if (view.loader == Loader::Dense) {
    placed.values = array(view.values, stored * view.storedColumns);
  } else {
    static constexpr int64_t kNoRows[] = {0};
    placed.indptr = array(view.indptr ? view.indptr : kNoRows, view.indptr ? stored + 1 : 1);
    const int64_t entries = view.indptr ? view.indptr[stored] : 0;
    placed.indices = array(view.indices, entries);
    if (view.loader == Loader::CsrAnalog) // no pointer would mean: binary
      placed.values = array(view.values, entries);
  }
  if (view.index)
    placed.index = array(view.index, view.rows);
  if (view.weights)
    placed.weights = array(view.weights, view.rows);
  context.synchronize(); // the arrays are the caller's again
  return placed;
}

int64_t DataStore::mostEntries(const DataView &view, int64_t rows) const {
  const int64_t *indptr = hostOf(view.indptr);
  rows = std::min(rows, view.rows);
  if (!indptr) {
    const int64_t average = view.rows > 0 ? (view.entries * rows + view.rows - 1) / view.rows : 0;
    return average + average / 4;
  }
  const int32_t *index = hostOf(view.index);
  std::vector<int64_t> lengths(static_cast<size_t>(view.rows));
  for (int64_t example = 0; example < view.rows; ++example) {
    const int64_t row = index ? index[example] : example;
    lengths[static_cast<size_t>(example)] = indptr[row + 1] - indptr[row];
  }
  const auto border = lengths.begin() + rows;
  if (border != lengths.end())
    std::nth_element(lengths.begin(), border, lengths.end(), std::greater<>());
  return std::accumulate(lengths.begin(), border, int64_t(0));
}

int64_t DataStore::entriesOf(const DataView &placed, const int64_t *examples, int64_t count) const {
  const int64_t *indptr = hostOf(placed.indptr);
  const int32_t *index = placed.index ? hostOf(placed.index) : nullptr;
  int64_t entries = 0;
  for (int64_t i = 0; i < count && indptr; ++i) {
    const int64_t row = index ? index[examples[i]] : examples[i];
    entries += indptr[row + 1] - indptr[row];
  }
  return entries;
}
} // namespace sn::rt::cuda
