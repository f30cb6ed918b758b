// Batches of streamed data sets: fetched by a thread of their own, one ahead of the steps.
#pragma once
#include "runtime/exec/Binding.h"
#include <condition_variable>
#include <mutex>
#include <thread>

namespace sn::rt {
/// Fills one half of its landings (hal/Device.h) while kernels read the other. Users take turns: one batch at a time.
class RowFeed {
public:
  RowFeed(Device &device, int64_t maxRows) : device(device), maxRows(maxRows) {}
  ~RowFeed();
  RowFeed(const RowFeed &) = delete;
  RowFeed &operator=(const RowFeed &) = delete;

  /// The view of a data set whose rows come batch by batch: `data` has a source, or is in memory and goes to a device
  /// with its own. The same data set has one landing. It must outlive the feed. Before the first batch.
  DataView add(const DataSet &data, const DataView &view);
  bool empty() const { return landings.empty(); }

  /// The batch whose rows will be wanted after the next one.
  void announce(const int64_t *ids, int64_t rows) { next.assign(ids, ids + rows); }
  /// Kernels that are started from here on find the rows of these examples; then fetches what was announced. Waits for
  /// rows that are on their way. UserError of whatever went wrong in reading them.
  void begin(const Batch &batch);

private:
  struct Place {
    const DataSet *data = nullptr;
    std::shared_ptr<RowSource> source;
    std::unique_ptr<Landing> landing;
  };
  void start(int half, std::vector<int64_t> ids);
  void finish();
  void work();

  Device &device;
  const int64_t maxRows;
  std::vector<Place> landings;
  std::vector<int64_t> next;    // announced
  std::vector<int64_t> held[2]; // of each half: the examples, sorted, without repetitions
  int current = 0;              // the half that kernels read
  std::thread thread;
  std::mutex mutex;
  std::condition_variable changed;
  enum class State { Idle, Wanted, Over } state = State::Idle; // Wanted: `filling` is to be filled
  int filling = 0;
  std::exception_ptr problem; // of the last fetch
};
} // namespace sn::rt
