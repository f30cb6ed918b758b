// Threads, barriers and warp operations of the emulator.
#include "test/emulator/Launch.h"
#include <algorithm>
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

TEST(Fiber, LanesBeyondTheBlockAndOutsideTheMaskHoldAllOnes) {
  std::vector<unsigned> beyond(40), outside(40);
  launch(1, 1, 40, 0, [&] {
    beyond[threadIdx.x] = __shfl_down_sync(~0u, threadIdx.x, 8); // the second warp has 8 lanes
    if (threadIdx.x < 4)
      outside[threadIdx.x] = __shfl_sync(0xfu, threadIdx.x, 6);
  });
  for (unsigned t = 0; t < 32; ++t)
    EXPECT_EQ(beyond[t], t < 24 ? t + 8 : t);
  for (unsigned t = 32; t < 40; ++t)
    EXPECT_EQ(beyond[t], ~0u);
  for (unsigned t = 0; t < 4; ++t)
    EXPECT_EQ(outside[t], ~0u);
}

TEST(Fiber, ShufflesMoveValuesOfEightBytes) {
  std::vector<double> sums(32);
  launch(1, 1, 32, 0, [&] {
    double value = 1.0 / (1 + threadIdx.x);
    for (int with = 16; with; with /= 2)
      value += __shfl_xor_sync(~0u, value, with);
    sums[threadIdx.x] = value;
  });
  for (double sum : sums)
    EXPECT_NEAR(sum, 4.05849519543652, 1e-13);
}

TEST(Fiber, VotesAndMatches) {
  std::vector<int> any(32), all(32), none(32), count(64), either(64), both(64);
  std::vector<unsigned> match(32);
  launch(1, 1, 64, 0, [&] {
    const unsigned t = threadIdx.x;
    if (t < 32) {
      any[t] = __any_sync(~0u, t == 31);
      all[t] = __all_sync(~0u, t < 32);
      none[t] = __all_sync(~0u, t < 31) + __any_sync(~0u, t == 32);
      match[t] = __match_any_sync(~0u, t % 4);
    }
    count[t] = __syncthreads_count(t % 8 == 0);
    either[t] = __syncthreads_or(t == 63) * 2 + __syncthreads_or(t == 64);
    both[t] = __syncthreads_and(t < 64) * 2 + __syncthreads_and(t < 63);
  });
  for (unsigned t = 0; t < 32; ++t) {
    EXPECT_TRUE(any[t] && all[t] && !none[t]);
    EXPECT_EQ(match[t], 0x11111111u << t % 4);
  }
  EXPECT_EQ(count, std::vector<int>(64, 8));
  EXPECT_EQ(either, std::vector<int>(64, 2));
  EXPECT_EQ(both, std::vector<int>(64, 2));
}

TEST(Fiber, PartsOfAWarpMeetOnTheirOwn) {
  std::vector<int> result(32);
  launch(1, 1, 32, 0, [&] {
    const int t = static_cast<int>(threadIdx.x);
    if (t % 2)
      for (int i = 0; i < 3; ++i)
        result[threadIdx.x] += __shfl_sync(0xaaaaaaaau, t, 2 * i + 1);
    else
      result[threadIdx.x] = __shfl_sync(0x55555555u, t, 30);
    __syncwarp();
  });
  for (size_t t = 0; t < 32; ++t)
    EXPECT_EQ(result[t], t % 2 ? 9 : 30);
}

TEST(Fiber, AtomicsReturnWhatWas) {
  int sum = 0, most = -5, least = 5, last = -1;
  unsigned bits = 0, even = 0xff, odd = 0;
  unsigned long long wide = 0, claimed = 0;
  std::vector<int> tickets(128);
  launch(2, 1, 64, 0, [&] {
    const int id = static_cast<int>(blockIdx.x * 64 + threadIdx.x);
    ++tickets[static_cast<size_t>(atomicAdd(&sum, 1))];
    atomicMax(&most, id);
    atomicMin(&least, -id);
    atomicOr(&bits, 1u << threadIdx.x % 8);
    atomicAnd(&even, ~(1u << threadIdx.x % 4));
    atomicXor(&odd, id == 77 ? 6u : 0u);
    atomicExch(&last, id);
    atomicAdd(&wide, 1ull << 33);
    atomicCAS(&claimed, 0ull, static_cast<unsigned long long>(id) + 100);
  });
  EXPECT_EQ(tickets, std::vector<int>(128, 1));
  EXPECT_EQ(sum, 128);
  EXPECT_EQ(most, 127);
  EXPECT_EQ(least, -127);
  EXPECT_EQ(bits, 0xffu);
  EXPECT_EQ(even, 0xf0u);
  EXPECT_EQ(odd, 6u);
  EXPECT_EQ(last, 127);
  EXPECT_EQ(wide, 128ull << 33);
  EXPECT_EQ(claimed, 100ull);
}

TEST(Fiber, SharedMemoryIsNanWhenABlockBegins) {
  std::vector<int> dynamic(4 * 32), fixed(4 * 32);
  launch(4, 1, 32, 32 * sizeof(float), [&] {
    __shared__ float all[32];
    float *own = static_cast<float *>(sn::cuda::emulator::dynamicShared());
    const unsigned id = blockIdx.x * 32 + threadIdx.x;
    dynamic[id] = isnan(own[threadIdx.x]);
    fixed[id] = isnan(all[threadIdx.x]);
    own[threadIdx.x] = all[threadIdx.x] = 1;
  });
  EXPECT_EQ(dynamic, std::vector<int>(128, 1));
#ifndef SN_EMULATOR_ASAN // red zones in place of it
  EXPECT_EQ(fixed, std::vector<int>(128, 1));
#endif
}

/// The ids of blocks (first thread) and of a block's threads in the order in which they ran.
std::vector<unsigned> orderOf(uint64_t seed, unsigned blocks, unsigned threads) {
  std::vector<unsigned> order(blocks * threads);
  unsigned next = 0;
  sn::emulator::setOrder(seed);
  launch(blocks, 1, threads, 0, [&] { order[atomicAdd(&next, 1u)] = blockIdx.x * threads + threadIdx.x; });
  sn::emulator::setOrder(0);
  return order;
}
TEST(Fiber, OrderOfBlocksAndThreadsIsShuffledBySeed) {
  const auto ascending = orderOf(0, 20, 4), one = orderOf(1, 20, 4), two = orderOf(2, 20, 4);
  EXPECT_TRUE(std::is_sorted(ascending.begin(), ascending.end()));
  EXPECT_NE(one, ascending);
  EXPECT_NE(one, two);
  EXPECT_EQ(one, orderOf(1, 20, 4));
  for (auto order : {one, two}) {
    for (size_t i = 0; i < order.size(); ++i)
      EXPECT_EQ(order[i] / 4, order[i / 4 * 4] / 4); // a block at a time
    std::sort(order.begin(), order.end());
    EXPECT_EQ(order, ascending);
  }
}

TEST(Fiber, MaximaIgnoreNanAndBitsSurvive) {
  EXPECT_EQ(max(1.0f, __int_as_float(0x7fc00000)), 1.0f);
  EXPECT_EQ(min(-3ll, 2ll), -3ll);
  EXPECT_EQ(__umulhi(0x80000001u, 6), 3u);
  EXPECT_EQ(__popc(0xf0f0u), 8);
  EXPECT_EQ(__clz(1), 31);
  EXPECT_EQ(__clz(0), 32);
  EXPECT_EQ(__ffs(8), 4);
  EXPECT_EQ(__brev(1u), 0x80000000u);
  EXPECT_EQ(__float_as_uint(1.0f), 0x3f800000u);
  EXPECT_EQ(__umul64hi(1ull << 63, 6), 3ull);
  EXPECT_EQ(__mulhi(-1, 2), -1);
}
} // namespace
