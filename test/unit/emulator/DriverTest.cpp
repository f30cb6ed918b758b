// The emulated driver: codes, memory, guard zones, launches.
#include "test/unit/emulator/Support.h"
#include <cmath>
#include <cstring>
#include <functional>
#include <thread>

namespace sn::emulator {
namespace {
using namespace rt::cuda;

constexpr const char *kFill = "__global__ void fill(float *x, int n, float value) {\n"
                              "  const int i = blockIdx.x * blockDim.x + threadIdx.x;\n"
                              "  if (i < n) x[i] = value;\n"
                              "}\n";

TEST(Driver, MachinesThatCannotRun) {
  const DriverApi &api = driverApi();
  int count = 0;
  configure({});
  EXPECT_EQ(api.deviceGetCount(&count), 3); // not initialized
  EXPECT_EQ(api.init(1), 1);
  DriverSettings none;
  none.devices = 0;
  configure(none);
  EXPECT_EQ(api.init(0), 100);
  DriverSettings old;
  old.started = 36;
  configure(old);
  EXPECT_EQ(api.init(0), 36);
  configure({});
}

TEST(Driver, TellsOfItsDevice) {
  DriverSettings settings;
  settings.devices = 2;
  settings.name = "A device with a long name";
  settings.major = 8;
  settings.minor = 6;
  settings.multiprocessors = 82;
  settings.sharedOptin = 99 << 10;
  settings.version = 12040;
  Opened driver(settings);
  const DriverApi &api = driver.api;
  int value = 0;
  EXPECT_EQ(api.driverGetVersion(&value), 0);
  EXPECT_EQ(value, 12040);
  EXPECT_EQ(api.deviceGetCount(&value), 0);
  EXPECT_EQ(value, 2);
  DeviceHandle device = 0;
  EXPECT_EQ(api.deviceGet(&device, 1), 0);
  EXPECT_EQ(api.deviceGet(&device, 2), 101);
  char name[9];
  EXPECT_EQ(api.deviceGetName(name, sizeof name, 0), 0);
  EXPECT_STREQ(name, "A device");
  const std::map<Attribute, int> expected = {{Attribute::MaxThreadsPerBlock, 1024},
                                             {Attribute::MultiprocessorCount, 82},
                                             {Attribute::ComputeCapabilityMajor, 8},
                                             {Attribute::ComputeCapabilityMinor, 6},
                                             {Attribute::MaxSharedMemoryPerBlockOptin, 99 << 10}};
  for (const auto &[attribute, is] : expected) {
    EXPECT_EQ(api.deviceGetAttribute(&value, static_cast<int>(attribute), 0), 0);
    EXPECT_EQ(value, is);
  }
  EXPECT_EQ(api.deviceGetAttribute(&value, 9999, 0), 1);
  const char *text = nullptr;
  EXPECT_EQ(api.getErrorName(2, &text), 0);
  EXPECT_STREQ(text, "CUDA_ERROR_OUT_OF_MEMORY");
  EXPECT_EQ(api.getErrorString(2, &text), 0);
  EXPECT_STREQ(text, "out of memory");
  EXPECT_EQ(api.getErrorName(12345, &text), 1);
}

TEST(Driver, CallsNeedAContextOfTheirThread) {
  Opened driver;
  DevicePointer pointer = 0;
  Result other = 0;
  std::thread([&] { other = driver.api.memAlloc(&pointer, 4); }).join();
  EXPECT_EQ(other, 201);
  EXPECT_EQ(driver.api.ctxSetCurrent(nullptr), 0);
  EXPECT_EQ(driver.api.memAlloc(&pointer, 4), 201);
  EXPECT_EQ(driver.api.ctxSetCurrent(reinterpret_cast<ContextHandle>(&pointer)), 201);
}

TEST(Driver, FreshMemoryIsNan) {
  Opened driver;
  float values[3] = {0, 0, 0};
  ASSERT_EQ(driver.api.memcpyDtoHAsync(values, driver.allocate(12), 12, nullptr), 0);
  for (float value : values)
    EXPECT_TRUE(std::isnan(value));
  void *host = nullptr;
  ASSERT_EQ(driver.api.memHostAlloc(&host, 8, 0), 0);
  EXPECT_TRUE(std::isnan(static_cast<float *>(host)[1]));
  EXPECT_EQ(driver.api.memFreeHost(host), 0);
  EXPECT_EQ(driver.api.memFreeHost(host), 1);
}

TEST(Driver, MemoryIsLimitedAndCounted) {
  DriverSettings settings;
  settings.memory = 1000;
  Opened driver(settings);
  DevicePointer first = driver.allocate(600), second = 0;
  EXPECT_EQ(driver.api.memAlloc(&second, 401), 2);
  EXPECT_EQ(driver.api.memAlloc(&second, 0), 1);
  ASSERT_EQ(driver.api.memAlloc(&second, 400), 0);
  size_t free = 1, total = 0;
  EXPECT_EQ(driver.api.memGetInfo(&free, &total), 0);
  EXPECT_EQ(free, 0u);
  EXPECT_EQ(total, 1000u);
  EXPECT_EQ(driverCounters().allocations, 2);
  EXPECT_EQ(driver.api.memFree(second), 0);
  EXPECT_EQ(driver.api.memFree(second), 1);
  EXPECT_EQ(driver.api.memFree(first + 4), 1);
  EXPECT_EQ(driverCounters().allocations, 1);
  EXPECT_EQ(driverCounters().allocatedBytes, 600u);
  EXPECT_EQ(driverCounters().peakBytes, 1000u);
}

TEST(Driver, TransfersStayWithinAnAllocation) {
  Opened driver;
  const DevicePointer memory = driver.allocate(16);
  char bytes[32] = "0123456789abcdef", back[16] = {};
  EXPECT_EQ(driver.api.memcpyHtoDAsync(memory, bytes, 16, nullptr), 0);
  EXPECT_EQ(driver.api.memcpyHtoDAsync(memory + 8, bytes, 9, nullptr), 1);
  EXPECT_EQ(driver.api.memcpyHtoDAsync(memory - 1, bytes, 1, nullptr), 1);
  EXPECT_EQ(driver.api.memcpyDtoHAsync(bytes, memory + 17, 1, nullptr), 1);
  EXPECT_EQ(driver.api.memcpyDtoHAsync(bytes, memory + 16, 0, nullptr), 0);
  EXPECT_EQ(driver.api.memsetD8Async(memory + 15, 'z', 1, nullptr), 0);
  EXPECT_EQ(driver.api.memsetD8Async(memory + 15, 'z', 2, nullptr), 1);
  EXPECT_EQ(driver.api.memcpyDtoHAsync(back, memory, 16, nullptr), 0);
  EXPECT_EQ(std::memcmp(back, "0123456789abcdez", 16), 0);
  EXPECT_EQ(driver.api.memcpyDtoHAsync(back, memory, 16, reinterpret_cast<StreamHandle>(back)), 400);
}

TEST(Driver, LaunchesAreChecked) {
  DriverSettings settings;
  settings.sharedOptin = 99 << 10;
  settings.recordLaunches = true;
  Opened driver(settings);
  const FunctionHandle function = driver.function(kFill, "fill");
  DevicePointer memory = driver.allocate(400);
  int count = 100;
  float value = 2.5f;
  const std::vector<void *> arguments = {&memory, &count, &value};
  EXPECT_EQ(driver.launch(function, 4, 32, arguments), 0);
  EXPECT_EQ(driver.launch(function, 0, 32, arguments), 1);
  EXPECT_EQ(driver.launch(function, 4, 1025, arguments), 1);
  EXPECT_EQ(driver.launch(function, 4, 32, arguments, (48 << 10) + 1), 1);
  const int limit = static_cast<int>(FunctionAttribute::MaxDynamicSharedBytes);
  int allowed = 0;
  EXPECT_EQ(driver.api.funcGetAttribute(&allowed, limit, function), 0);
  EXPECT_EQ(allowed, 48 << 10);
  EXPECT_EQ(driver.api.funcSetAttribute(function, limit, (99 << 10) + 1), 1);
  EXPECT_EQ(driver.api.funcSetAttribute(function, limit, 99 << 10), 0);
  EXPECT_EQ(driver.launch(function, 4, 32, arguments, (48 << 10) + 1), 0);
  EXPECT_EQ(driver.launch(reinterpret_cast<FunctionHandle>(&count), 4, 32, arguments), 400);
  EXPECT_EQ(driverCounters().launches, 2);
  EXPECT_EQ(driverCounters().launched.size(), 2u);
  std::vector<float> result(100);
  EXPECT_EQ(driver.api.memcpyDtoHAsync(result.data(), memory, 400, nullptr), 0);
  EXPECT_EQ(result, std::vector<float>(100, 2.5f));
}

TEST(Driver, ImagesAndNamesThatAreNotThere) {
  Opened driver;
  ModuleHandle module = nullptr;
  FunctionHandle function = nullptr;
  EXPECT_EQ(driver.api.moduleLoadDataEx(&module,
                                        "\x7f"
                                        "ELF",
                                        0, nullptr, nullptr),
            200);
  EXPECT_EQ(driver.api.moduleLoadDataEx(&module, "/nowhere/image.so", 0, nullptr, nullptr), 200);
  const auto compiled = makeCompiler()->compile({{"Test", kFill, {"fill"}}}, {}, "sm_80").at(0);
  ASSERT_EQ(driver.api.moduleLoadDataEx(&module, compiled.image.c_str(), 0, nullptr, nullptr), 0);
  EXPECT_EQ(driver.api.moduleGetFunction(&function, module, "fill<0>"), 500);
  EXPECT_EQ(driver.api.moduleUnload(module), 0);
  EXPECT_EQ(driver.api.moduleUnload(module), 400);
}

#ifndef SN_EMULATOR_ASAN // there it ends the program, where it happens
TEST(Driver, WritingBesideAnAllocationFailsTheLaunch) {
  for (const int element : {-1, 25, 88}) {
    Opened driver;
    const FunctionHandle function = driver.function(
        "__global__ void beside(float *x, int element) { if (threadIdx.x == 3) x[element] = 1; }\n", "beside");
    DevicePointer memory = driver.allocate(100);
    int at = element;
    EXPECT_EQ(driver.launch(function, 1, 32, {&memory, &at}), 719);
    EXPECT_NE(lastFault().find("written beside an allocation of 100 bytes"), std::string::npos) << lastFault();
  }
}
#endif

TEST(Driver, AFaultLosesTheContextAndSaysWhy) {
  Opened driver;
  const FunctionHandle function =
      driver.function("__global__ void apart(float *x) {\n  if (threadIdx.x)\n    __syncthreads();\n}\n", "apart");
  DevicePointer memory = driver.allocate(4);
  EXPECT_EQ(driver.launch(function, 2, 64, {&memory}), 719);
  const char *text = nullptr;
  ASSERT_EQ(driver.api.getErrorString(719, &text), 0);
  EXPECT_NE(std::string(text).find("block (0, 0, 0): thread (1, 0, 0) is at the barrier Test.cu:3"), std::string::npos)
      << text;
  EXPECT_EQ(driver.api.streamSynchronize(nullptr), 719);
  EXPECT_EQ(driver.launch(function, 2, 1, {&memory}), 719);
}

TEST(Driver, StreamsAndEventsTellTheTimeBetween) {
  Opened driver;
  StreamHandle stream = nullptr;
  EventHandle from = nullptr, to = nullptr;
  ASSERT_EQ(driver.api.streamCreate(&stream, 1), 0);
  ASSERT_EQ(driver.api.eventCreate(&from, 0), 0);
  ASSERT_EQ(driver.api.eventCreate(&to, 0), 0);
  float milliseconds = -1;
  EXPECT_EQ(driver.api.eventRecord(from, stream), 0);
  EXPECT_EQ(driver.api.eventElapsedTime(&milliseconds, from, to), 400); // not recorded
  EXPECT_EQ(driver.api.eventRecord(to, stream), 0);
  EXPECT_EQ(driver.api.eventSynchronize(to), 0);
  EXPECT_EQ(driver.api.eventElapsedTime(&milliseconds, from, to), 0);
  EXPECT_GE(milliseconds, 0);
  EXPECT_EQ(driver.api.streamSynchronize(stream), 0);
  EXPECT_EQ(driver.api.eventDestroy(from), 0);
  EXPECT_EQ(driver.api.eventDestroy(from), 400);
  EXPECT_EQ(driver.api.eventDestroy(to), 0);
  EXPECT_EQ(driver.api.streamDestroy(stream), 0);
  EXPECT_EQ(driver.api.eventRecord(from, stream), 400);
}

TEST(Driver, CopiesOfPageLockedMemoryAreLateUntilSomebodyWaits) {
  Opened driver;
  StreamHandle copies = nullptr, other = nullptr;
  EventHandle first = nullptr, never = nullptr;
  ASSERT_EQ(driver.api.streamCreate(&copies, 1), 0);
  ASSERT_EQ(driver.api.streamCreate(&other, 1), 0);
  ASSERT_EQ(driver.api.eventCreate(&first, kEventWithoutTime), 0);
  ASSERT_EQ(driver.api.eventCreate(&never, kEventWithoutTime), 0);
  EXPECT_EQ(driver.api.eventCreate(&never, 1u << 20), 1);
  void *page = nullptr;
  ASSERT_EQ(driver.api.memHostAlloc(&page, 8, 0), 0);
  auto *host = static_cast<float *>(page);
  host[0] = 1, host[1] = 2;
  const DevicePointer memory = driver.allocate(8);
  auto there = [&](size_t i) {
    float value = 0; // by a stream that waits for nothing
    EXPECT_EQ(driver.api.memcpyDtoHAsync(&value, memory + 4 * i, 4, other), 0);
    return value;
  };
  ASSERT_EQ(driver.api.memcpyHtoDAsync(memory, host, 4, copies), 0);
  ASSERT_EQ(driver.api.eventRecord(first, copies), 0);
  ASSERT_EQ(driver.api.memcpyHtoDAsync(memory + 4, host + 1, 4, copies), 0);
  EXPECT_TRUE(std::isnan(there(0)));
  EXPECT_EQ(driver.api.streamWaitEvent(other, never, 0), 0); // not recorded: nothing to wait for
  EXPECT_TRUE(std::isnan(there(0)));
  EXPECT_EQ(driver.api.streamWaitEvent(other, first, 0), 0);
  EXPECT_EQ(there(0), 1);
  EXPECT_TRUE(std::isnan(there(1)));
  host[1] = 3; // too early
  EXPECT_EQ(driver.api.streamSynchronize(copies), 0);
  EXPECT_EQ(there(1), 3);
  host[0] = 4;
  ASSERT_EQ(driver.api.memcpyHtoDAsync(memory, host, 4, copies), 0);
  ASSERT_EQ(driver.api.eventRecord(first, copies), 0);
  EXPECT_EQ(driver.api.eventSynchronize(first), 0);
  EXPECT_EQ(there(0), 4);
  EXPECT_EQ(driver.api.streamWaitEvent(other, first, 1), 1);
  EXPECT_EQ(driver.api.streamWaitEvent(other, reinterpret_cast<EventHandle>(host), 0), 400);
  ASSERT_EQ(driver.api.streamBeginCapture(other, kCaptureThreadLocal), 0);
  EXPECT_EQ(driver.api.streamWaitEvent(other, first, 0), 801);
  GraphHandle graph = nullptr;
  EXPECT_EQ(driver.api.streamEndCapture(other, &graph), 901);
  for (EventHandle event : {first, never})
    EXPECT_EQ(driver.api.eventDestroy(event), 0);
  for (StreamHandle stream : {copies, other})
    EXPECT_EQ(driver.api.streamDestroy(stream), 0);
  EXPECT_EQ(driver.api.memFreeHost(page), 0);
}

TEST(Driver, ACapturedStreamIsRecordedAndReplayed) {
  Opened driver;
  const FunctionHandle function = driver.function(kFill, "fill");
  const DevicePointer memory = driver.allocate(400);
  StreamHandle stream = nullptr;
  void *page = nullptr;
  ASSERT_EQ(driver.api.streamCreate(&stream, 1), 0);
  ASSERT_EQ(driver.api.memHostAlloc(&page, 400, 0), 0);
  auto *host = static_cast<float *>(page);
  GraphHandle graph = nullptr;
  GraphExecHandle executable = nullptr;
  EXPECT_EQ(driver.api.streamEndCapture(stream, &graph), 401);
  EXPECT_EQ(driver.api.streamBeginCapture(nullptr, kCaptureThreadLocal), 900);
  EXPECT_EQ(driver.api.streamBeginCapture(stream, 3), 1);
  ASSERT_EQ(driver.api.streamBeginCapture(stream, kCaptureThreadLocal), 0);
  EXPECT_EQ(driver.api.streamBeginCapture(stream, kCaptureThreadLocal), 401);
  {
    DevicePointer to = memory + 8; // the values at the time of the call are kept
    int count = 50;
    float value = 2.5f;
    void *arguments[] = {&to, &count, &value};
    EXPECT_EQ(driver.api.launchKernel(function, 2, 1, 1, 32, 1, 1, 0, stream, arguments, nullptr), 0);
    to = 0, count = 1 << 20, value = 0;
  }
  EXPECT_EQ(driver.api.memcpyHtoDAsync(memory, host, 4, stream), 0);
  EXPECT_EQ(driver.api.memsetD8Async(memory + 4, 0, 4, stream), 0);
  EXPECT_EQ(driver.api.memcpyDtoHAsync(host + 1, memory, 240, stream), 0);
  ASSERT_EQ(driver.api.streamEndCapture(stream, &graph), 0);
  EXPECT_EQ(driverCounters().launches, 0);
  EXPECT_TRUE(std::isnan(host[1])); // nothing ran
  EXPECT_EQ(driver.api.graphInstantiate(&executable, graph, 0), 0);
  EXPECT_EQ(driver.api.graphDestroy(graph), 0);
  EXPECT_EQ(driver.api.graphDestroy(graph), 400);
  for (const float first : {7.0f, 8.0f}) {
    host[0] = first;
    ASSERT_EQ(driver.api.graphLaunch(executable, stream), 0);
    ASSERT_EQ(driver.api.streamSynchronize(stream), 0);
    EXPECT_EQ(std::vector<float>(host + 1, host + 4), (std::vector<float>{first, 0, 2.5f}));
    EXPECT_EQ(host[52], 2.5f);
    EXPECT_TRUE(std::isnan(host[53]));
  }
  EXPECT_EQ(driverCounters().launches, 2);
  EXPECT_EQ(driverCounters().graphs, 1);
  EXPECT_EQ(driverCounters().graphLaunches, 2);
  EXPECT_EQ(driver.api.memFreeHost(page), 0);
  EXPECT_EQ(driver.api.graphLaunch(executable, stream), 1); // it would copy what is gone
  EXPECT_EQ(driver.api.graphExecDestroy(executable), 0);
  EXPECT_EQ(driver.api.graphLaunch(executable, stream), 400);
  EXPECT_EQ(driver.api.streamDestroy(stream), 0);
}

TEST(Driver, WhatACaptureDoesNotAllow) {
  Opened driver;
  const DevicePointer memory = driver.allocate(16);
  StreamHandle stream = nullptr;
  ASSERT_EQ(driver.api.streamCreate(&stream, 1), 0);
  float own[4] = {};
  void *page = nullptr;
  DevicePointer more = 0;
  const std::vector<std::function<Result()>> attempts = {
      [&] { return driver.api.streamSynchronize(stream); }, [&] { return driver.api.memAlloc(&more, 4); },
      [&] { return driver.api.memHostAlloc(&page, 4, 0); },
      [&] { return driver.api.memcpyDtoHAsync(own, memory, 16, stream); }};
  for (const auto &attempt : attempts) {
    GraphHandle graph = nullptr;
    ASSERT_EQ(driver.api.streamBeginCapture(stream, kCaptureThreadLocal), 0);
    EXPECT_EQ(attempt(), 900);
    EXPECT_EQ(driver.api.memsetD8Async(memory, 0, 4, stream), 901);
    EXPECT_EQ(driver.api.streamEndCapture(stream, &graph), 901);
    EXPECT_EQ(graph, nullptr);
    EXPECT_EQ(driver.api.memsetD8Async(memory, 0, 4, stream), 0); // the stream is as before
  }
  EventHandle from = nullptr, to = nullptr;
  float milliseconds = 0;
  GraphHandle graph = nullptr;
  ASSERT_EQ(driver.api.eventCreate(&from, 0), 0);
  ASSERT_EQ(driver.api.eventCreate(&to, 0), 0);
  ASSERT_EQ(driver.api.streamBeginCapture(stream, kCaptureThreadLocal), 0);
  EXPECT_EQ(driver.api.eventRecord(from, stream), 0);
  EXPECT_EQ(driver.api.eventRecord(to, stream), 0);
  ASSERT_EQ(driver.api.streamEndCapture(stream, &graph), 0);
  EXPECT_EQ(driver.api.eventElapsedTime(&milliseconds, from, to), 400); // events of a graph tell no time
  EXPECT_EQ(driver.api.graphDestroy(graph), 0);
  EXPECT_EQ(driver.api.eventDestroy(from), 0);
  EXPECT_EQ(driver.api.eventDestroy(to), 0);
  EXPECT_EQ(driver.api.streamDestroy(stream), 0);
}
} // namespace
} // namespace sn::emulator
