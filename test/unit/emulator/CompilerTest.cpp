// Device text compiled for the host, and the cache of what came of it.
#include "test/unit/emulator/Support.h"
#include <fstream>

namespace sn::emulator {
namespace {
using rt::cuda::Headers;
using rt::cuda::Unit;

const Headers kHeaders = {{"kernels-templates/cuda/twice.cuh",
                           "#pragma once\n"
                           "namespace sn::cuda {\n"
                           "inline constexpr float kTwo = 2;\n"
                           "__global__ void shared(float *x) { if (threadIdx.x == 0) x[0] = 7; }\n"
                           "}\n"},
                          {"factor.cuh", "#pragma once\n"
                                         "#include \"kernels-templates/cuda/twice.cuh\"\n"
                                         "struct Factor { static constexpr float kValue = sn::cuda::kTwo * 3; };\n"}};
Unit scale(const std::string &name, const std::string &offset) {
  return {name,
          "#include \"factor.cuh\"\n"
          "template <int Add> __global__ void __launch_bounds__(64) scale(float *x, int n, const __grid_constant__ "
          "float4 c) {\n"
          "  const int i = blockIdx.x * blockDim.x + threadIdx.x;\n"
          "  __shared__ float all[64];\n"
          "  if (i < n) all[threadIdx.x] = x[i];\n"
          "  __syncthreads();\n"
          "  if (i < n) x[i] = all[63 - threadIdx.x] * Factor::kValue + Add + c.w + " +
              offset +
              ";\n"
              "}\n",
          {"scale<1>", "scale<2>"}};
}
std::string failureOf(rt::cuda::KernelCompiler &compiler, const Unit &unit) {
  try {
    compiler.compile({unit}, kHeaders, "sm_80");
  } catch (const std::logic_error &problem) {
    return problem.what();
  }
  return "";
}

TEST(Compiler, UnitsOfOneNameStayApart) {
  Folder folder;
  const auto compiled =
      makeCompiler(folder.path)->compile({scale("first", "0"), scale("second", "1000")}, kHeaders, "sm_90a");
  ASSERT_EQ(compiled.size(), 2u);
  EXPECT_EQ(compiled[0].image, compiled[1].image);
  Opened driver;
  struct alignas(16) {
    float x, y, z, w;
  } extra{0, 0, 0, 100};
  int count = 128;
  for (size_t unit = 0; unit < 2; ++unit) {
    std::vector<float> values(128), result(128);
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<float>(i);
    DevicePointer memory = driver.allocate(512);
    ASSERT_EQ(driver.api.memcpyHtoDAsync(memory, values.data(), 512, nullptr), 0);
    const FunctionHandle function = driver.functionOf(compiled[unit], "scale<2>");
    ASSERT_EQ(driver.launch(function, 2, 64, {&memory, &count, &extra}), 0) << lastFault();
    ASSERT_EQ(driver.api.memcpyDtoHAsync(result.data(), memory, 512, nullptr), 0);
    for (size_t i = 0; i < 128; ++i)
      EXPECT_EQ(result[i], values[i / 64 * 64 + 63 - i % 64] * 6 + 102 + (unit ? 1000 : 0));
  }
}

TEST(Compiler, KernelsOfHeadersCanBeAskedFor) {
  Opened driver;
  const Unit unit{"common", "#include \"kernels-templates/cuda/twice.cuh\"\n", {"sn::cuda::shared"}};
  const auto compiled = makeCompiler()->compile({unit}, kHeaders, "sm_80");
  DevicePointer memory = driver.allocate(4);
  ASSERT_EQ(driver.launch(driver.functionOf(compiled[0], "sn::cuda::shared"), 1, 32, {&memory}), 0);
  float value = 0;
  ASSERT_EQ(driver.api.memcpyDtoHAsync(&value, memory, 4, nullptr), 0);
  EXPECT_EQ(value, 7);
}

TEST(Compiler, WhatTheCacheHoldsIsNotCompiledAgain) {
  Folder folder;
  const auto all = [&](std::vector<Unit> units) { // images and precompiled headers made
    const CompilerCounters before = compilerCounters();
    makeCompiler(folder.path)->compile(units, kHeaders, "sm_80");
    const CompilerCounters after = compilerCounters();
    return std::pair(after.images - before.images, after.precompiled - before.precompiled);
  };
  using Made = std::pair<int64_t, int64_t>;
  EXPECT_EQ(all({scale("a", "0"), scale("b", "1")}), Made(1, 1));
  EXPECT_EQ(all({scale("a", "0"), scale("b", "1")}), Made(0, 0));
  EXPECT_EQ(all({scale("b", "1")}), Made(0, 0));
  EXPECT_EQ(all({scale("b", "1"), scale("c", "2")}), Made(1, 0));
  EXPECT_EQ(all({scale("c", "3")}), Made(1, 0)); // another text
  Unit fewer = scale("c", "3");
  fewer.kernels.pop_back();
  EXPECT_EQ(all({fewer}), Made(1, 0)); // another list of instances
}

TEST(Compiler, HeadersAreAPartOfWhatIsCached) {
  Folder folder;
  auto compiler = makeCompiler(folder.path);
  const auto made = [&](const std::string &header, const std::string &old, const std::string &replacement) {
    Headers headers = kHeaders;
    if (!header.empty())
      headers[header].replace(headers[header].find(old), old.size(), replacement);
    const CompilerCounters before = compilerCounters();
    compiler->compile({scale("a", "0")}, headers, "sm_80");
    const CompilerCounters after = compilerCounters();
    return std::pair(after.images - before.images, after.precompiled - before.precompiled);
  };
  using Made = std::pair<int64_t, int64_t>;
  EXPECT_EQ(made("", "", ""), Made(1, 1));
  EXPECT_EQ(made("factor.cuh", "* 3", "* 4"), Made(1, 0));
  EXPECT_EQ(made("kernels-templates/cuda/twice.cuh", "= 2", "= 3"), Made(1, 1));
  EXPECT_EQ(made("", "", ""), Made(0, 0));
}

TEST(Compiler, AnEntryWithoutItsImageIsMadeAgain) {
  Folder folder;
  const std::string image = makeCompiler(folder.path)->compile({scale("a", "0")}, kHeaders, "sm_80").at(0).image;
  ASSERT_TRUE(fs::remove(image));
  EXPECT_EQ(makeCompiler(folder.path)->compile({scale("a", "0")}, kHeaders, "sm_80").at(0).image, image);
  EXPECT_TRUE(fs::exists(image));
}

TEST(Compiler, ImagesThatNobodyUsesAreRemovedAfterThreeDays) {
  Folder folder;
  makeCompiler(folder.path)->compile({scale("a", "0")}, kHeaders, "sm_80");
  const fs::path old = folder.path / "old.so", young = folder.path / "young.so";
  for (const fs::path &path : {old, young})
    std::ofstream(path) << "image";
  fs::last_write_time(young, fs::file_time_type::clock::now() - std::chrono::hours(24 * 2));
  fs::last_write_time(old, fs::file_time_type::clock::now() - std::chrono::hours(24 * 4));
  const CompilerCounters before = compilerCounters();
  makeCompiler(folder.path)->compile({scale("a", "0")}, kHeaders, "sm_80");
  EXPECT_EQ(compilerCounters().images, before.images);
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(young));
}

TEST(Compiler, ErrorsNameTheUnitAndItsLine) {
  Folder folder;
  auto compiler = makeCompiler(folder.path);
  Unit wrong = scale("Hidden_csr_gather", "missing");
  const std::string problem = failureOf(*compiler, wrong);
  EXPECT_NE(problem.find("device text does not compile:\n"), std::string::npos) << problem;
  EXPECT_NE(problem.find("Hidden_csr_gather.cu:7:"), std::string::npos) << problem;
  EXPECT_NE(problem.find("use of undeclared identifier 'missing'"), std::string::npos) << problem;
  EXPECT_NE(failureOf(*compiler, {"empty", "", {"nothing<1>"}}), "");
  for (const auto &entry : fs::directory_iterator(folder.path)) // nothing is left of it
    EXPECT_TRUE(entry.is_directory()) << entry.path();
}

TEST(Compiler, FloatAtomicsAndStandardHeadersAreRefused) {
  Folder folder;
  auto compiler = makeCompiler(folder.path);
  EXPECT_NE(failureOf(*compiler, {"a", "__global__ void k(float *x) { atomicAdd(x, 1.0f); }\n", {"k"}}), "");
  EXPECT_NE(failureOf(*compiler, {"b", "#include <vector>\n__global__ void k(float *x) {}\n", {"k"}}), "");
  EXPECT_EQ(failureOf(*compiler, {"c", "__global__ void k(int *x) { atomicAdd(x, 1); }\n", {"k"}}), "");
}
} // namespace
} // namespace sn::emulator
