// Kernels that break the rules: what the emulator says of them.
#include "test/emulator/Launch.h"
#include <gtest/gtest.h>
#include <vector>
// after the standard headers
#include "test/emulator/cuda.h"

namespace {
using sn::emulator::launch;

/// The message of the Fault that a launch ends with; "" if it does not.
std::string faultOf(unsigned blocks, unsigned threads, size_t shared, const std::function<void()> &kernel) {
  try {
    launch(blocks, 1, threads, shared, kernel);
  } catch (const sn::emulator::Fault &fault) {
    return fault.what();
  }
  return "";
}
/// How reports name a line of this file.
std::string at(int line) { return "FaultTest.cpp:" + std::to_string(line); }
void expectParts(const std::string &message, const std::vector<std::string> &parts) {
  for (const std::string &part : parts)
    EXPECT_NE(message.find(part), std::string::npos) << "'" << part << "' in: " << message;
}

TEST(Fault, ThreadsAtDifferentBarriers) {
  constexpr int kLine = __LINE__;
  const std::string fault = faultOf(2, 64, 0, [] {
    if (blockIdx.x == 1 && threadIdx.x >= 32)
      __syncthreads();
    else
      __syncthreads();
  });
  expectParts(fault, {"block (1, 0, 0): threads wait at different barriers: thread (0, 0, 0) at ",
                      at(kLine + 5) + ", thread (32, 0, 0) at ", at(kLine + 3)});
}
TEST(Fault, ThreadEndsWhileOthersWait) {
  constexpr int kLine = __LINE__;
  const std::string fault = faultOf(1, 64, 0, [] {
    if (threadIdx.x != 40)
      __syncthreads();
  });
  expectParts(fault, {"block (0, 0, 0): thread (40, 0, 0) ends while thread (0, 0, 0) waits at ", at(kLine + 3)});
}
TEST(Fault, BarrierAfterAThreadHasEnded) {
  const std::string fault = faultOf(1, 64, 0, [] {
    if (threadIdx.x == 0)
      return;
    __syncthreads();
  });
  expectParts(fault, {"thread (1, 0, 0) is at the barrier ", "which thread (0, 0, 0) will not reach: it has ended"});
}
TEST(Fault, LanesThatNeverMeet) {
  constexpr int kLine = __LINE__;
  const std::string fault = faultOf(1, 64, 0, [] {
    if (threadIdx.x != 3)
      __syncwarp();
  });
  expectParts(fault, {"threads wait for ever: 31 at ",
                      at(kLine + 3) + " (warp operation), first thread (0, 0, 0); 33 have ended"});
}
TEST(Fault, BarrierAgainstWarpOperation) {
  const std::string fault = faultOf(1, 32, 0, [] {
    if (threadIdx.x < 16)
      __syncwarp();
    else
      __syncthreads();
  });
  expectParts(fault, {"threads wait for ever: 16 at ", "(warp operation), first thread (0, 0, 0); 16 at ",
                      "(barrier), first thread (16, 0, 0)"});
}
TEST(Fault, LanesAtDifferentOperations) {
  constexpr int kLine = __LINE__;
  const std::string fault = faultOf(1, 32, 0, [] {
    if (threadIdx.x < 16)
      __shfl_sync(~0u, 1, 0);
    else
      __ballot_sync(~0u, 1);
  });
  expectParts(fault, {"lanes of a warp are at different operations: thread (0, 0, 0) at ",
                      at(kLine + 3) + ", thread (16, 0, 0) at ", at(kLine + 5)});
}
TEST(Fault, LaneOutsideItsMask) {
  expectParts(faultOf(1, 32, 0, [] { __syncwarp(0xffffu); }), {"thread (16, 0, 0) is not in the mask it names at "});
}
TEST(Fault, TooManyMasks) {
  const std::string fault = faultOf(1, 32, 0, [] {
    __syncwarp(1u << threadIdx.x);
    __syncwarp();
  });
  expectParts(fault, {"more than 32 different masks in a warp at "});
}
TEST(Fault, DynamicSharedMemoryPastItsEnd) {
#ifndef SN_EMULATOR_ASAN // there it ends the program
  const std::string fault = faultOf(3, 32, 128, [] {
    if (blockIdx.x == 2)
      static_cast<float *>(sn::cuda::emulator::dynamicShared())[threadIdx.x + 1] = 1;
  });
  expectParts(fault, {"block (2, 0, 0): dynamic shared memory is written past its end of 128 bytes"});
#endif
}
TEST(Fault, AFailedLaunchLeavesNothingBehind) {
  EXPECT_NE(faultOf(1, 64, 0,
                    [] {
                      if (threadIdx.x)
                        __syncthreads();
                    }),
            "");
  std::vector<int> seen(64);
  launch(1, 1, 64, 0, [&] {
    __syncthreads();
    seen[threadIdx.x] = __shfl_xor_sync(~0u, static_cast<int>(threadIdx.x), 1);
  });
  for (int t = 0; t < 64; ++t)
    EXPECT_EQ(seen[static_cast<size_t>(t)], t ^ 1);
}
TEST(Fault, ExceptionsOfTheKernelLeaveTheLaunch) {
  EXPECT_THROW(launch(1, 1, 64, 0,
                      [] {
                        if (threadIdx.x == 5)
                          throw std::out_of_range("5");
                      }),
               std::out_of_range);
}
TEST(Fault, ShapesThatNoDeviceTakes) {
  EXPECT_THROW(launch(1, 1, 1025, 0, [] {}), std::invalid_argument);
  EXPECT_THROW(launch(1, 1, 0, 0, [] {}), std::invalid_argument);
  EXPECT_THROW(launch(0, 1, 32, 0, [] {}), std::invalid_argument);
}
} // namespace
