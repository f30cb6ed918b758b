#include "runtime/base/AlignedMemory.h"
#include "runtime/base/FloatMode.h"
#include "runtime/base/ThreadPool.h"
#include <gtest/gtest.h>
#include <set>

namespace sn::test {
TEST(ThreadPool, EveryIndexRunsOnce) {
  for (int threads : {1, 2, 3, 5}) {
    rt::ThreadPool pool(threads);
    ASSERT_EQ(pool.workers(), threads);
    for (int64_t count : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> runs(static_cast<size_t>(count));
      pool.parallelFor(count, [&](int64_t index, int worker) {
        EXPECT_TRUE(worker >= 0 && worker < threads);
        ++runs[static_cast<size_t>(index)];
      });
      for (auto &run : runs)
        EXPECT_EQ(run.load(), 1);
    }
  }
}

TEST(ThreadPool, ManyShortRoundsEnd) {
  rt::ThreadPool pool(4);
  int64_t total = 0;
  for (int round = 0; round < 5000; ++round) {
    std::atomic<int64_t> here{0};
    pool.parallelFor(3, [&](int64_t index, int) { here += index; });
    total += here;
  }
  EXPECT_EQ(total, 5000 * 3);
}

TEST(ThreadPool, OneWorkerRunsOneTaskAtATime) {
  rt::ThreadPool pool(3);
  std::vector<std::atomic<int>> inside(3);
  pool.parallelFor(300, [&](int64_t, int worker) {
    EXPECT_EQ(++inside[static_cast<size_t>(worker)], 1);
    --inside[static_cast<size_t>(worker)];
  });
}

TEST(ThreadPool, StartRunsOnEveryThreadOfThePool) {
  std::atomic<int> started{0};
  {
    rt::ThreadPool pool(3, [&] { ++started; });
  }
  EXPECT_EQ(started.load(), 2);
}

TEST(ThreadPool, ExceptionsReachTheCallerAndThePoolLivesOn) {
  for (int threads : {1, 3}) {
    rt::ThreadPool pool(threads);
    for (int64_t bad : {0, 50}) {
      auto task = [&](int64_t index, int) {
        if (index == bad)
          throw std::runtime_error("task");
      };
      EXPECT_THROW(pool.parallelFor(100, task), std::runtime_error);
    }
    std::atomic<int> runs{0};
    pool.parallelFor(10, [&](int64_t, int) { ++runs; });
    EXPECT_EQ(runs.load(), 10);
  }
}

TEST(ThreadPool, DenormalsAreFlushedInTasksAndOnlyThere) {
  volatile float tiny = 1e-38f, factor = 0.01f;
  auto product = [&] { return tiny * factor; };
  EXPECT_NE(product(), 0.0f);
  rt::ThreadPool pool(3);
  for (int64_t count : {1, 30})
    pool.parallelFor(count, [&](int64_t, int) { EXPECT_EQ(product(), 0.0f); });
  EXPECT_NE(product(), 0.0f);
  {
    rt::FlushDenormals mode;
    EXPECT_EQ(product(), 0.0f);
  }
  EXPECT_NE(product(), 0.0f);
}

TEST(AlignedMemory, GrowsAlignedAndZeroed) {
  rt::AlignedMemory memory(10);
  EXPECT_EQ(memory.bytes(), 64);
  char *before = memory.data();
  before[0] = 1;
  memory.reserve(64);
  EXPECT_EQ(memory.data(), before);
  memory.reserve(1000);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(memory.data()) % 64, 0u);
  for (int64_t i = 0; i < memory.bytes(); ++i)
    ASSERT_EQ(memory.data()[i], 0);
  memory.reserve(memory.bytes() + 1);
  EXPECT_EQ(memory.bytes(), 1280); // a quarter more than 1024
  rt::AlignedMemory empty;
  empty.reserve(0);
  EXPECT_EQ(empty.data(), nullptr);
}
} // namespace sn::test
