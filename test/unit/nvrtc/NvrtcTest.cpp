#include "runtime/hal/nvrtc/Resources.h"
#include "test/unit/nvrtc/Compiler.h"
#include <immintrin.h>
#include <thread>

namespace sn::rt::cuda {
namespace {
const Headers kHeaders = {{"folder/scale.cuh", "#pragma once\n#include \"folder/factor.cuh\"\n"
                                               "__device__ inline float scale(float x) { return x * kFactor; }\n"},
                          {"folder/factor.cuh", "#pragma once\nconstexpr float kFactor = 3.0f;\n"},
                          {"folder/broken.cuh", "this is no C++\n"}};
const Unit kScale = {
    "Scale",
    "#include \"folder/scale.cuh\"\nnamespace n { struct Twice {}; }\n"
    "template <class T, int Pass> __global__ void Scale(float *x) { x[threadIdx.x] = scale(x[Pass]); }",
    {"Scale<n::Twice, 0>", "Scale<n::Twice, 1>"}};

TEST(Nvrtc, CubinsHoldTheInstancesByTheirNames) {
  NVRTC_OR_SKIP(nvrtc, "");
  for (const char *architecture : {"sm_75", "sm_80", "sm_90a"}) {
    const Compiled compiled = nvrtc->compile({kScale}, kHeaders, architecture).at(0);
    EXPECT_TRUE(compiled.image.starts_with("\x7f"
                                           "ELF"));
    ASSERT_EQ(compiled.names.size(), 2u);
    const std::string first = compiled.names.at(kScale.kernels[0]), second = compiled.names.at(kScale.kernels[1]);
    EXPECT_NE(first, second);
    EXPECT_NE(compiled.image.find(first), std::string::npos);
    const std::vector<Resources> resources = resourcesOfLog(compiled.log);
    ASSERT_EQ(resources.size(), 2u) << compiled.log;
    for (const Resources &of : resources) {
      EXPECT_TRUE(of.function == first || of.function == second);
      EXPECT_GT(of.registers, 0);
      EXPECT_EQ(of.spillStores + of.spillLoads + of.stack + of.shared, 0);
    }
  }
}

TEST(Nvrtc, PtxIsText) {
  NVRTC_OR_SKIP(nvrtc, "");
  const Compiled compiled = nvrtc->compile({kScale}, kHeaders, "compute_75").at(0);
  EXPECT_NE(compiled.image.find(".target sm_75"), std::string::npos);
  EXPECT_NE(compiled.image.find(".entry " + compiled.names.at("Scale<n::Twice, 1>")), std::string::npos);
  EXPECT_EQ(compiled.image.find('\0'), std::string::npos);
  EXPECT_NE(compiled.image.find("mul.ftz.f32"), std::string::npos) << "denormals are flushed";
}

TEST(Nvrtc, DivisionsAndRootsAreExact) {
  NVRTC_OR_SKIP(nvrtc, "");
  const Unit unit = {"Exact", "extern \"C\" __global__ void Exact(float *x) { x[0] = sqrtf(x[1] / x[2]); }", {"Exact"}};
  const std::string ptx = nvrtc->compile({unit}, {}, "compute_75").at(0).image;
  EXPECT_NE(ptx.find("div.rn.ftz.f32"), std::string::npos) << ptx;
  EXPECT_NE(ptx.find("sqrt.rn.ftz.f32"), std::string::npos) << ptx;
}

TEST(Nvrtc, ManyUnitsAreCompiledInOrderAndRepeatTheirBytes) {
  NVRTC_OR_SKIP(nvrtc, "");
  std::vector<Unit> units;
  for (int i = 0; i < 6; ++i)
    units.push_back({"Unit" + std::to_string(i),
                     "extern \"C\" __global__ void kernel" + std::to_string(i) + "(int *x) { *x = 1; }",
                     {"kernel" + std::to_string(i)}});
  const std::vector<Compiled> once = nvrtc->compile(units, {}, "sm_80"), again = nvrtc->compile(units, {}, "sm_80");
  ASSERT_EQ(once.size(), 6u);
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(once[i].names, (std::map<std::string, std::string>{{units[i].kernels[0], units[i].kernels[0]}}));
    EXPECT_EQ(once[i].image, again[i].image);
  }
  EXPECT_TRUE(nvrtc->compile({}, {}, "sm_80").empty());
}

TEST(Nvrtc, SeveralCallersAtOnce) {
  Scratch scratch;
  NVRTC_OR_SKIP(nvrtc, scratch.path);
  const std::vector<Unit> units(3, kScale); // equal keys: all write one file of the cache
  std::vector<Compiled> results[2];
  {
    std::jthread other([&] { results[0] = nvrtc->compile(units, kHeaders, "sm_80"); });
    results[1] = nvrtc->compile(units, kHeaders, "sm_80");
  }
  for (const std::vector<Compiled> &result : results)
    for (const Compiled &one : result)
      EXPECT_TRUE(one.image == results[0][0].image && one.names == results[0][0].names);
  EXPECT_EQ(nvrtc->compile(units, kHeaders, "sm_80")[2].image, results[0][0].image);
}

TEST(Nvrtc, TheCallersFloatModeDoesNotReachTheCompiler) {
  NVRTC_OR_SKIP(nvrtc, "");
  // A sum of two denormals, folded at compile time: 0 if the compiler ran with denormals flushed.
  const Unit unit = {"Fold",
                     "__device__ constexpr float kSum = 1e-41f + 2e-41f;\n"
                     "extern \"C\" __global__ void Fold(unsigned *x) { *x = __float_as_uint(kSum * 1e30f); }",
                     {"Fold"}};
  const std::string plain = nvrtc->compile({unit}, {}, "compute_75").at(0).image;
  const unsigned mode = _mm_getcsr();
  _mm_setcsr(mode | 0x8040);
  const std::string flushed = nvrtc->compile({unit}, {}, "compute_75").at(0).image;
  EXPECT_EQ(_mm_getcsr(), mode | 0x8040);
  _mm_setcsr(mode);
  EXPECT_EQ(plain, flushed);
}

TEST(Nvrtc, ATextThatDoesNotCompileIsAFaultOfOurs) {
  NVRTC_OR_SKIP(nvrtc, "");
  const auto message = [&](const Unit &unit, const std::string &architecture) -> std::string {
    try {
      nvrtc->compile({kScale, unit, kScale}, kHeaders, architecture);
    } catch (const std::logic_error &error) {
      return error.what();
    }
    return "nothing was thrown";
  };
  const std::string log = message({"Bad_kernel", "__global__ void f() { undeclared(); }", {}}, "sm_80");
  EXPECT_NE(log.find("kernel 'Bad_kernel' does not compile (--gpu-architecture=sm_80)"), std::string::npos) << log;
  EXPECT_NE(log.find("Bad_kernel.cu(1)"), std::string::npos) << log;
  EXPECT_NE(log.find("\"undeclared\" is undefined"), std::string::npos) << log;
  EXPECT_NE(message({"Missing", "__global__ void f() {}", {"g"}}, "sm_80").find("Missing"), std::string::npos);
  EXPECT_NE(message({"Header", "#include \"folder/broken.cuh\"\n", {}}, "sm_80").find("folder/broken.cuh"),
            std::string::npos);
  // What the assembler refuses: a copy that Turing does not have.
  const Unit copies = {"Copies", "extern \"C\" __global__ void f() { asm volatile(\"cp.async.wait_all;\"); }", {"f"}};
  EXPECT_NE(message(copies, "sm_75").find("does not compile (--gpu-architecture=sm_75)"), std::string::npos);
  EXPECT_EQ(message(copies, "sm_80"), "nothing was thrown");
}

TEST(Nvrtc, ArchitecturesBeyondItsOwn) {
  NVRTC_OR_SKIP(nvrtc, "");
  // A device of the future takes PTX; one of the past takes nothing.
  EXPECT_NE(nvrtc->compile({kScale}, kHeaders, "sm_990").at(0).image.find(".target sm_"), std::string::npos);
  try {
    nvrtc->compile({kScale}, kHeaders, "sm_35");
    FAIL();
  } catch (const UserError &error) {
    EXPECT_NE(std::string(error.what()).find("does not compile for sm_35; it knows the compute capabilities "),
              std::string::npos)
        << error.what();
  }
}

TEST(Nvrtc, EqualWorkIsDoneOnce) {
  Scratch scratch;
  NVRTC_OR_SKIP(nvrtc, scratch.path + "/cache");
  Unit other = kScale;
  other.kernels.pop_back();
  const auto files = [&] {
    std::vector<std::filesystem::path> found;
    for (const auto &entry : std::filesystem::directory_iterator(scratch.path + "/cache"))
      found.push_back(entry.path());
    return found;
  };
  const Compiled first = nvrtc->compile({kScale}, kHeaders, "sm_80").at(0);
  ASSERT_EQ(files().size(), 1u);
  const std::filesystem::path file = files()[0];
  // A hit is told from a compilation by putting another unit's result in its place.
  const Compiled second = nvrtc->compile({other}, kHeaders, "sm_80").at(0);
  ASSERT_EQ(files().size(), 2u);
  const std::filesystem::path otherFile = files()[0] == file ? files()[1] : files()[0];
  std::filesystem::copy_file(otherFile, file, std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(nvrtc->compile({kScale}, kHeaders, "sm_80").at(0).image, second.image);
  // A damaged file is made again.
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
  const Compiled mended = nvrtc->compile({kScale}, kHeaders, "sm_80").at(0);
  EXPECT_EQ(mended.image, first.image);
  EXPECT_EQ(mended.names, first.names);
  EXPECT_EQ(mended.log, first.log);
  EXPECT_EQ(files().size(), 2u);
  // A header that the text does not include, not even through others, is no matter; one that it does is.
  Headers headers = kHeaders;
  headers["folder/broken.cuh"] += "still none\n";
  nvrtc->compile({kScale}, headers, "sm_80");
  EXPECT_EQ(files().size(), 2u);
  headers["folder/factor.cuh"] += "// a remark\n";
  nvrtc->compile({kScale}, headers, "sm_80");
  nvrtc->compile({kScale}, kHeaders, "compute_75");
  EXPECT_EQ(files().size(), 4u);
}
} // namespace
} // namespace sn::rt::cuda
