// Threads, barriers and warp operations of the emulator.
#include "test/emulator/Launch.h"
#include <gtest/gtest.h>
#include <vector>
// last
#include "test/emulator/cuda.h"

namespace {
using sn::emulator::launch;

TEST(Fiber, EveryThreadOfEveryBlockRunsOnce) {
  std::vector<int> seen(3 * 2 * 64);
  launch(3, 2, 64, 0, [&] { ++seen[(blockIdx.y * gridDim.x + blockIdx.x) * blockDim.x + threadIdx.x]; });
  EXPECT_EQ(seen, std::vector<int>(seen.size(), 1));
}

TEST(Fiber, BarriersExchangeSharedMemory) {
  std::vector<float> result(2 * 256);
  launch(2, 1, 256, 256 * sizeof(float), [&] {
    float *shared = static_cast<float *>(sn::cuda::emulator::dynamicShared());
    shared[threadIdx.x] = static_cast<float>(threadIdx.x + blockIdx.x);
    __syncthreads();
    for (unsigned step = 128; step; step /= 2) {
      if (threadIdx.x < step)
        shared[threadIdx.x] += shared[threadIdx.x + step];
      __syncthreads();
    }
    result[blockIdx.x * 256 + threadIdx.x] = shared[0];
  });
  for (size_t i = 0; i < result.size(); ++i)
    EXPECT_EQ(result[i], i < 256 ? 32640.0f : 32896.0f);
}

TEST(Fiber, ShufflesMoveValuesBetweenLanes) {
  std::vector<int> down(64), up(64), with(64), from(64);
  std::vector<unsigned> ballot(64);
  launch(1, 1, 64, 0, [&] {
    const unsigned t = threadIdx.x;
    const int value = static_cast<int>(t);
    down[t] = __shfl_down_sync(~0u, value, 3);
    up[t] = __shfl_up_sync(~0u, value, 2, 16);
    with[t] = __shfl_xor_sync(~0u, value, 5);
    from[t] = __shfl_sync(~0u, value, 9, 8);
    ballot[t] = __ballot_sync(~0u, t % 3 == 0);
  });
  for (int t = 0; t < 64; ++t) {
    const int lane = t % 32;
    EXPECT_EQ(down[t], lane + 3 < 32 ? t + 3 : t);
    EXPECT_EQ(up[t], lane % 16 >= 2 ? t - 2 : t);
    EXPECT_EQ(with[t], t ^ 5);
    EXPECT_EQ(from[t], t / 8 * 8 + 1);
    EXPECT_EQ(ballot[t], t < 32 ? 0x49249249u : 0x92492492u);
  }
}
} // namespace
