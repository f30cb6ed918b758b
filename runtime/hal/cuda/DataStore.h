// Data sets on the device: each array copied once.
#pragma once
#include "runtime/hal/Device.h"
#include "runtime/hal/cuda/Context.h"
#include <map>

namespace sn::rt::cuda {
class DataStore {
public:
  explicit DataStore(const Context &context) : context(context) {}
  ~DataStore();
  DataStore(const DataStore &) = delete;
  DataStore &operator=(const DataStore &) = delete;

  /// From here on `landed`, on the device, stands for `streamed`, whose rows land there. forget() it before it goes.
  void adopt(const DataView &landed, const DataView &streamed);
  void forget(const DataView &landed);
  /// An array of the host on the device, as place() does it.
  const float *placeFloats(const float *host, int64_t count) { return array(host, count); }
  /// Device::place. A view that has been placed comes back as it is. UserError if memory does not suffice.
  DataView place(const DataView &view);
  /// The most stored entries that `rows` examples can have, each of them counted once; an estimate for a view that is
  /// not placed.
  int64_t mostEntries(const DataView &view, int64_t rows) const;
  /// The stored entries of these examples of a placed view.
  int64_t entriesOf(const DataView &placed, const int64_t *examples, int64_t count) const;

private:
  /// An array of the host on the device; never null. Equal arrays are copied once.
  const void *copy(const void *host, int64_t bytes);
  template <typename T> const T *array(const T *host, int64_t count) {
    return static_cast<const T *>(copy(host, count * static_cast<int64_t>(sizeof(T))));
  }
  /// The view with those arrays on the host that tell rows apart; null where they are not known.
  DataView onHost(const DataView &placed) const;
  template <typename T> const T *hostOf(const T *device) const {
    auto found = hosts.find(device);
    return found == hosts.end() ? nullptr : static_cast<const T *>(found->second);
  }

  const Context &context;
  std::map<std::pair<const void *, int64_t>, const void *> devices; // by host array and bytes
  std::map<const void *, const void *> hosts;                       // by device array
  std::map<const void *, DataView> landings;                        // by device array (arrayOf): the streamed views
};
} // namespace sn::rt::cuda
