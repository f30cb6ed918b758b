// Batches of streamed data sets on their way to the device.
#pragma once
#include "runtime/hal/Landing.h"
#include "runtime/hal/cuda/DataStore.h"
#include "runtime/hal/cuda/Modules.h"

namespace sn::rt::cuda {
/// Rows go through page-locked memory of the same layout and a stream of their own, so that they cross while kernels
/// run: what is designed against is the bus (about 25 GB/s), and that nothing on the way waits for the host but the
/// step that needs the rows. All addresses stay the same, for recorded graphs.
class CudaLanding final : public Landing {
public:
  CudaLanding(const Context &context, Modules &modules, DataStore &data, const DataView &streamed, int64_t maxRows);
  ~CudaLanding() override;
  const DataView &view() const override { return landed; }
  void fetch(int half, const int64_t *examples, int64_t count) override;
  void use(int half) override;

private:
  /// Where an array lies in both blocks.
  struct Places {
    int64_t indptr = 0, indices = 0, values = 0, ids = 0, bytes = 0;
  };
  void copy(int64_t offset, int64_t bytes) const;
  int64_t idsAt(int half) const { return places.ids + half * layout.rows * static_cast<int64_t>(sizeof(int64_t)); }
  template <typename T> T *pinnedAt(int64_t offset) const { return reinterpret_cast<T *>(pinned.data() + offset); }

  const Context &context;
  Modules &modules;
  DataStore &data;
  const DataView streamed;
  const LandingLayout layout;
  Places places;
  DeviceBlock block, index;
  PinnedBlock pinned;
  StreamHandle stream = nullptr;
  EventHandle arrived[2] = {}; // the last fetch of each half
  bool sent[2] = {};
  int64_t counts[2] = {};
  DataView landed;
};
} // namespace sn::rt::cuda
