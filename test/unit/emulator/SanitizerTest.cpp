// In trees built with sanitizers: kernels with defects that they must find. Every other test here and in unit/cuda
// shows that sound kernels pass.
#include "test/emulator/Launch.h"
#include "test/unit/emulator/Support.h"
// after the standard headers
#include "test/emulator/cuda.h"

#if defined(SN_EMULATOR_ASAN) || defined(SN_EMULATOR_TSAN)
// As test/sanitizers/sanitizers.py sets it: a race ends the program.
extern "C" __attribute__((used, visibility("default"))) const char *__tsan_default_options() {
  return "halt_on_error=1";
}

namespace sn::emulator {
namespace {
/// Programs that die do so in a process of their own: sanitizers have threads.
class Sanitizer : public testing::Test {
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

/// One block of `kernel` from an image: kernel(float *x, int n), x[n] allocated.
void runImage(const std::string &kernel, int count) {
  Opened driver;
  const FunctionHandle function = driver.function(kernel, "kernel");
  DevicePointer memory = driver.allocate(static_cast<size_t>(count) * 4);
  driver.launch(function, 1, 64, {&memory, &count}, 256);
}

#ifdef SN_EMULATOR_ASAN
TEST_F(Sanitizer, DeviceMemoryPastItsEnd) {
  EXPECT_DEATH(runImage("__global__ void kernel(float *x, int n) { if (threadIdx.x <= n) x[threadIdx.x] = 1; }\n", 40),
               "heap-buffer-overflow");
  EXPECT_DEATH(
      runImage("__global__ void kernel(float *x, int n) { if (threadIdx.x < n) x[threadIdx.x] = x[-1]; }\n", 40),
      "heap-buffer-overflow");
}
TEST_F(Sanitizer, FreedDeviceMemory) {
  EXPECT_DEATH(
      {
        Opened driver;
        const FunctionHandle function =
            driver.function("__global__ void kernel(float *x, int n) { x[0] = 1; }\n", "kernel");
        DevicePointer memory = 0;
        int count = 4;
        driver.api.memAlloc(&memory, 16);
        driver.api.memFree(memory);
        driver.launch(function, 1, 1, {&memory, &count});
      },
      "heap-use-after-free");
}
TEST_F(Sanitizer, StaticSharedMemoryPastItsEnd) {
  EXPECT_DEATH(runImage("__global__ void kernel(float *x, int n) {\n"
                        "  __shared__ float all[40];\n"
                        "  float *own = all + threadIdx.x;\n"
                        "  *own = 1;\n"
                        "  __syncthreads();\n"
                        "  if (threadIdx.x < n) x[threadIdx.x] = all[n - 1 - threadIdx.x];\n"
                        "}\n",
                        40),
               "global-buffer-overflow");
}
TEST_F(Sanitizer, DynamicSharedMemoryPastItsEnd) {
  EXPECT_DEATH(
      launch(1, 1, 64, 160, [] { static_cast<float *>(sn::cuda::emulator::dynamicShared())[threadIdx.x] = 1; }),
      "heap-buffer-overflow");
}
#endif

#ifdef SN_EMULATOR_TSAN
TEST_F(Sanitizer, SharedMemoryWithoutABarrier) {
  const std::string before = "__global__ void kernel(float *x, int n) {\n"
                             "  __shared__ float all[64];\n"
                             "  all[threadIdx.x] = 1;\n";
  const std::string after = "  if (threadIdx.x < n) x[threadIdx.x] = all[63 - threadIdx.x];\n"
                            "}\n";
  runImage(before + "  __syncthreads();\n" + after, 64);
  EXPECT_DEATH(runImage(before + after, 64), "data race");
}
TEST_F(Sanitizer, DynamicSharedMemoryWithoutABarrier) {
  EXPECT_DEATH(launch(1, 1, 64, 256,
                      [] {
                        float *all = static_cast<float *>(sn::cuda::emulator::dynamicShared());
                        all[threadIdx.x] = 1;
                        all[63 - threadIdx.x] += 1;
                      }),
               "data race");
}
TEST_F(Sanitizer, AShuffleOrdersNoMemory) {
  const auto exchange = [](bool synchronized) {
    launch(1, 1, 32, 128, [synchronized] {
      float *all = static_cast<float *>(sn::cuda::emulator::dynamicShared());
      all[threadIdx.x] = 1;
      if (synchronized)
        __syncwarp();
      else
        __shfl_sync(~0u, 1, 0);
      const volatile float other = all[31 - threadIdx.x];
      (void)other;
    });
  };
  exchange(true);
  EXPECT_DEATH(exchange(false), "data race");
}
TEST_F(Sanitizer, ThreadsThatWriteOneElement) {
  EXPECT_DEATH(runImage("__global__ void kernel(float *x, int n) { x[threadIdx.x / 2] = 1; }\n", 64), "data race");
}
#endif
} // namespace
} // namespace sn::emulator
#endif
