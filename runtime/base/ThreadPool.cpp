#include "runtime/base/ThreadPool.h"
#include "runtime/base/FloatMode.h"
#include <utility>

namespace sn::rt {
ThreadPool::ThreadPool(int wanted, std::function<void()> start) {
  if (wanted <= 0)
    wanted = static_cast<int>(std::thread::hardware_concurrency());
  if (wanted <= 0)
    wanted = 1;
  for (int worker = 1; worker < wanted; ++worker)
    threads.emplace_back([this, worker, start] {
      FlushDenormals mode;
      if (start)
        start();
      work(worker);
    });
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(mutex);
    stop = true;
  }
  wake.notify_all();
  for (std::thread &thread : threads)
    thread.join();
}

void ThreadPool::claim(int worker) {
  try {
    for (int64_t index = next.fetch_add(1, std::memory_order_relaxed); index < count;
         index = next.fetch_add(1, std::memory_order_relaxed))
      invoke(context, index, worker);
  } catch (...) {
    next.store(count, std::memory_order_relaxed);
    std::lock_guard lock(mutex);
    if (!failure)
      failure = std::current_exception();
  }
}

void ThreadPool::work(int worker) {
  uint64_t seen = 0;
  for (;;) {
    {
      std::unique_lock lock(mutex);
      wake.wait(lock, [&] { return stop || round != seen; });
      if (stop)
        return;
      seen = round;
    }
    claim(worker);
    {
      std::lock_guard lock(mutex);
      if (--busy == 0)
        idle.notify_one();
    }
  }
}

void ThreadPool::run(int64_t tasks, Invoke call, void *with) {
  if (tasks <= 0)
    return;
  FlushDenormals mode;
  if (tasks == 1 || threads.empty()) {
    for (int64_t index = 0; index < tasks; ++index)
      call(with, index, 0);
    return;
  }
  {
    std::lock_guard lock(mutex);
    invoke = call;
    context = with;
    count = tasks;
    next.store(0, std::memory_order_relaxed);
    failure = nullptr;
    busy = static_cast<int>(threads.size());
    ++round;
  }
  wake.notify_all();
  claim(0);
  std::unique_lock lock(mutex);
  idle.wait(lock, [&] { return busy == 0; });
  if (failure)
    std::rethrow_exception(std::exchange(failure, nullptr));
}
} // namespace sn::rt
