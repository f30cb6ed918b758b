#include "runtime/hal/cuda/DataStore.h"
#include "runtime/hal/Landing.h"
#include <algorithm>

namespace sn::rt::cuda {
namespace {
/// What tells a data set on the device from others.
const void *arrayOf(const DataView &view) {
  return view.loader == Loader::Dense ? static_cast<const void *>(view.values) : view.indptr;
}
} // namespace

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
  if (hosts.count(arrayOf(view)) || landings.count(arrayOf(view)))
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

void DataStore::adopt(const DataView &landed, const DataView &streamed) { landings[arrayOf(landed)] = streamed; }
void DataStore::forget(const DataView &landed) { landings.erase(arrayOf(landed)); }

DataView DataStore::onHost(const DataView &placed) const {
  if (auto streamed = landings.find(arrayOf(placed)); streamed != landings.end())
    return streamed->second;
  if (placed.source) // not landed yet: its arrays are the host's
    return placed;
  DataView view = placed;
  view.indptr = hostOf(placed.indptr);
  view.index = placed.index ? hostOf(placed.index) : nullptr;
  return view;
}

int64_t DataStore::mostEntries(const DataView &view, int64_t rows) const { return rt::mostEntries(onHost(view), rows); }

int64_t DataStore::entriesOf(const DataView &placed, const int64_t *examples, int64_t count) const {
  const DataView view = onHost(placed);
  int64_t entries = 0;
  for (int64_t i = 0; i < count && view.indptr; ++i) {
    const int64_t row = view.storedRow(examples[i]);
    entries += view.indptr[row + 1] - view.indptr[row];
  }
  return entries;
}
} // namespace sn::rt::cuda
