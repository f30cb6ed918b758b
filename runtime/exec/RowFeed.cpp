#include "runtime/exec/RowFeed.h"
#include "runtime/data/StoredRows.h"
#include <algorithm>
#include <stdexcept>

namespace sn::rt {
RowFeed::~RowFeed() {
  if (!thread.joinable())
    return;
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return state == State::Idle; });
    state = State::Over;
  }
  changed.notify_all();
  thread.join();
}

DataView RowFeed::add(const DataSet &data, const DataView &view) {
  auto known = std::find_if(landings.begin(), landings.end(), [&](const Place &one) { return one.data == &data; });
  if (known == landings.end()) {
    if (thread.joinable())
      throw std::logic_error("a feed takes no data set after its first batch");
    Place place;
    place.data = &data;
    place.source = data.streamed() ? data.rowsFrom : rowsInMemory(data);
    DataView streamed = view;
    streamed.source = place.source.get();
    place.landing = device.land(streamed, maxRows);
    known = landings.insert(landings.end(), std::move(place));
  }
  DataView landed = known->landing->view();
  landed.columns = view.columns; // of the layer
  return landed;
}

void RowFeed::work() {
  std::unique_lock lock(mutex);
  while (true) {
    changed.wait(lock, [this] { return state != State::Idle; });
    if (state == State::Over)
      return;
    lock.unlock();
    std::exception_ptr failed;
    try {
      const std::vector<int64_t> &ids = held[filling];
      for (const Place &place : landings)
        place.landing->fetch(filling, ids.data(), static_cast<int64_t>(ids.size()));
    } catch (...) {
      failed = std::current_exception();
    }
    lock.lock();
    problem = failed;
    state = State::Idle;
    changed.notify_all();
  }
}

void RowFeed::start(int half, std::vector<int64_t> ids) {
  {
    const std::lock_guard lock(mutex);
    filling = half;
    held[half] = std::move(ids);
    problem = nullptr;
    state = State::Wanted;
  }
  if (!thread.joinable())
    thread = std::thread([this] { work(); });
  changed.notify_all();
}

void RowFeed::finish() {
  std::unique_lock lock(mutex);
  changed.wait(lock, [this] { return state == State::Idle; });
}

namespace {
std::vector<int64_t> distinct(const int64_t *ids, int64_t rows) {
  std::vector<int64_t> result(ids, ids + rows);
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}
} // namespace

void RowFeed::begin(const Batch &batch) {
  if (landings.empty() || batch.rows == 0)
    return;
  std::vector<int64_t> ids = distinct(batch.ids, batch.rows);
  finish();
  const int other = 1 - current;
  if (held[current] != ids) {
    if (held[other] != ids)
      start(other, ids);
    finish();
    current = other;
    if (problem) {
      held[current].clear(); // it would be taken for good
      std::rethrow_exception(problem);
    }
    for (const Place &place : landings)
      place.landing->use(current);
  }
  if (next.empty())
    return;
  std::vector<int64_t> coming = distinct(next.data(), static_cast<int64_t>(next.size()));
  next.clear();
  if (coming != held[current] && coming != held[1 - current])
    start(1 - current, std::move(coming));
}
} // namespace sn::rt
