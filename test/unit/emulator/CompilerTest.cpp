// Device text compiled for the host, its cache, and its launches through the driver's table.
#include "test/emulator/EmulatedCompiler.h"
#include "test/emulator/EmulatedDriver.h"
#include <filesystem>
#include <gtest/gtest.h>
#include <unistd.h>

namespace {
using namespace sn::rt::cuda;
using namespace sn::emulator;
namespace fs = std::filesystem;

/// A folder that is gone with the object.
struct Folder {
  fs::path path = fs::temp_directory_path() / ("sn-emulator-" + std::to_string(getpid()));
  Folder() { fs::remove_all(path); }
  ~Folder() { fs::remove_all(path); }
};

const Headers kHeaders = {{"kernels-templates/cuda/twice.cuh", "#pragma once\n"
                                                               "namespace sn::cuda {\n"
                                                               "inline constexpr float kTwo = 2;\n"
                                                               "}\n"},
                          {"factor.cuh", "#pragma once\n"
                                         "#include \"kernels-templates/cuda/twice.cuh\"\n"
                                         "struct Factor { static constexpr float kValue = sn::cuda::kTwo * 3; };\n"}};
Unit scale(const std::string &name) {
  return {name,
          "#include \"factor.cuh\"\n"
          "template <int Add> __global__ void __launch_bounds__(64) kernel(float *x, int n, const __grid_constant__ "
          "float4 c) {\n"
          "  const int i = blockIdx.x * blockDim.x + threadIdx.x;\n"
          "  __shared__ float all[64];\n"
          "  if (i < n) all[threadIdx.x] = x[i];\n"
          "  __syncthreads();\n"
          "  if (i < n) x[i] = all[63 - threadIdx.x] * Factor::kValue + Add + c.w;\n"
          "}\n",
          {"kernel<1>", "kernel<2>"}};
}

TEST(Compiler, CompilesUnitsAndTheDriverRunsThem) {
  Folder folder;
  auto compiler = makeCompiler(folder.path);
  const auto compiled = compiler->compile({scale("first"), scale("second")}, kHeaders, "sm_90a");
  ASSERT_EQ(compiled.size(), 2u);
  configure({});
  const DriverApi &api = driverApi();
  ASSERT_EQ(api.init(0), 0);
  ContextHandle context;
  ASSERT_EQ(api.devicePrimaryCtxRetain(&context, 0), 0);
  ASSERT_EQ(api.ctxSetCurrent(context), 0);
  ModuleHandle module;
  ASSERT_EQ(api.moduleLoadDataEx(&module, compiled[1].image.c_str(), 0, nullptr, nullptr), 0);
  FunctionHandle function;
  ASSERT_EQ(api.moduleGetFunction(&function, module, compiled[1].names.at("kernel<2>").c_str()), 0);
  std::vector<float> values(128);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(i);
  DevicePointer memory;
  ASSERT_EQ(api.memAlloc(&memory, 512), 0);
  ASSERT_EQ(api.memcpyHtoDAsync(memory, values.data(), 512, nullptr), 0);
  int count = 128;
  struct alignas(16) {
    float x, y, z, w;
  } extra{0, 0, 0, 100};
  void *arguments[] = {&memory, &count, &extra};
  ASSERT_EQ(api.launchKernel(function, 2, 1, 1, 64, 1, 1, 0, nullptr, arguments, nullptr), 0) << lastFault();
  std::vector<float> result(128);
  ASSERT_EQ(api.memcpyDtoHAsync(result.data(), memory, 512, nullptr), 0);
  for (size_t i = 0; i < 128; ++i)
    EXPECT_EQ(result[i], values[i / 64 * 64 + 63 - i % 64] * 6 + 102);
  EXPECT_EQ(api.memFree(memory), 0);
  EXPECT_EQ(api.moduleUnload(module), 0);
  EXPECT_EQ(api.devicePrimaryCtxRelease(0), 0);
}
} // namespace
