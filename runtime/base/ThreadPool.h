// The workers of the runtime. Tasks are claimed in any order by any worker, so a task writes only its own place;
// results then never depend on the number of threads.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

namespace sn::rt {
class ThreadPool {
public:
  /// `threads` workers including the calling thread; 0 = one for each core. `start` runs first on every thread of the
  /// pool but the caller's.
  explicit ThreadPool(int threads, std::function<void()> start = {});
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  int workers() const { return static_cast<int>(threads.size()) + 1; }

  /// Runs task(index, worker) for every index in [0, count) and returns when all are done; 0 <= worker < workers(), and
  /// no two tasks of one worker overlap. All threads, the caller too, flush denormals meanwhile. The first exception is
  /// thrown here after all workers have stopped; tasks not yet claimed are then skipped. One caller at a time; tasks
  /// must not call it.
  template <typename Task> void parallelFor(int64_t count, Task &&task) {
    using Plain = std::remove_reference_t<Task>;
    run(
        count, [](void *context, int64_t index, int worker) { (*static_cast<Plain *>(context))(index, worker); },
        const_cast<void *>(static_cast<const void *>(&task)));
  }

private:
  using Invoke = void (*)(void *context, int64_t index, int worker);
  void run(int64_t count, Invoke invoke, void *context);
  void work(int worker);
  void claim(int worker);

  std::vector<std::thread> threads;
  std::mutex mutex;
  std::condition_variable wake, idle;
  uint64_t round = 0; // counts parallelFor calls
  bool stop = false;
  int busy = 0; // pool threads that have not finished the current round

  Invoke invoke = nullptr;
  void *context = nullptr;
  int64_t count = 0;
  std::atomic<int64_t> next{0};
  std::exception_ptr failure;
};
} // namespace sn::rt
