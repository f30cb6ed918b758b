// Every template with representative slots, as device code: no warnings, no spills.
#include "kernels-templates/cuda/Variants.h"
#include "runtime/hal/nvrtc/Architectures.h"
#include "runtime/hal/nvrtc/Resources.h"
#include "test/unit/nvrtc/Compiler.h"
#include <fmt/format.h>
#include <set>

namespace sn::rt::cuda {
namespace {
namespace fs = std::filesystem;

/// The templates and the slots of units/ by the names that text includes them under.
Headers templates() {
  Headers headers;
  const fs::path root = SOURCE_ROOT;
  for (const char *folder : {"kernels-templates/cuda", "test/unit/nvrtc/units"})
    for (const auto &entry : fs::directory_iterator(root / folder))
      if (entry.path().extension() == ".cuh")
        headers[fs::relative(entry.path(), root).string()] = readText(entry.path());
  return headers;
}

Unit unitOf(const fs::path &path) {
  constexpr std::string_view kInstance = "// instance: ";
  Unit unit{path.stem().string(), readText(path), {}};
  std::istringstream lines(unit.text);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(kInstance))
      unit.kernels.push_back(line.substr(kInstance.size()));
  return unit;
}

std::vector<std::string> architectures() {
  const char *asked = std::getenv("SN_ARCHITECTURES");
  return parseArchitectures(asked && *asked ? asked : "sm_80,sm_90a");
}

std::vector<Unit> units() {
  std::vector<Unit> found;
  if (const char *one = std::getenv("SN_UNIT"); one && *one)
    return {unitOf(one)};
  for (const auto &entry : fs::directory_iterator(fs::path(SOURCE_ROOT) / "test" / "unit" / "nvrtc" / "units"))
    if (entry.path().extension() == ".cu")
      found.push_back(unitOf(entry.path()));
  std::sort(found.begin(), found.end(), [](const Unit &a, const Unit &b) { return a.name < b.name; });
  return found;
}

TEST(Templates, CompileWithoutWarningsAndSpills) {
  NVRTC_OR_SKIP(nvrtc, KERNEL_CACHE);
  const std::vector<Unit> all = units();
  const Headers headers = templates();
  const bool tell = std::getenv("SN_UNIT") != nullptr;
  for (const std::string &architecture : architectures()) {
    const std::vector<Compiled> compiled = nvrtc->compile(all, headers, architecture);
    for (size_t i = 0; i < all.size(); ++i) {
      ASSERT_FALSE(all[i].kernels.empty()) << all[i].name << " asks for no instance";
      const std::string &log = compiled[i].log;
      const std::vector<Resources> resources = resourcesOfLog(log);
      EXPECT_EQ(resources.size(), all[i].kernels.size()) << all[i].name << " for " << architecture << "\n" << log;
      EXPECT_EQ(log.find("warning"), std::string::npos) << all[i].name << " for " << architecture << "\n" << log;
      for (const Resources &of : resources) {
        EXPECT_EQ(of.spillStores + of.spillLoads, 0) << architecture << " " << resourcesText(of);
        if (tell)
          fmt::print("{} {}\n", architecture, resourcesText(of));
      }
    }
  }
}

/// The products of a row of manifest.inc, which must say what its tile takes.
Unit productsOf(const sn::cuda::Variant &variant) {
  return {
      std::string(variant.name),
      fmt::format(R"(#include "kernels-templates/cuda/{}.cuh"
#include "kernels-templates/cuda/gemm.cuh"
#include "kernels-templates/cuda/gemm_update.cuh"
#include "test/unit/nvrtc/units/slots.cuh"
using TileType = {};
static_assert(TileType::kSide == {} && sizeof(TileType::Shared) == {}, "manifest.inc says otherwise");
template <class Weights, class Loader, class Optimizer, int Pass>
__global__ void __launch_bounds__(kThreads, 1) Product(const __grid_constant__ StepArgs args) {{
  Gemm<Hidden, TileType, Weights>::template run<Loader, Optimizer, Pass>(args);
}}
template <class Weights, class Loader, class Optimizer, int Pass>
__global__ void __launch_bounds__(kThreads, 1) Update(const __grid_constant__ StepArgs args) {{
  GemmUpdateBy<TileType, Weights>::template run<Loader, Optimizer, Pass>(args);
}}
)",
                  variant.header, variant.type, variant.side, variant.sharedBytes),
      {"Product<Bf16Weights, NoData, NoOptimizer, gemm::kWhole>", "Update<Fp32Weights, NoData, optimizer::Adam, 0>"}};
}
TEST(Templates, EveryVariantMultipliesWithoutSpills) {
  NVRTC_OR_SKIP(nvrtc, KERNEL_CACHE);
  const Headers headers = templates();
  for (const std::string &architecture : architectures()) {
    const bool exact = architecture.back() == 'a';
    std::vector<Unit> units;
    for (const sn::cuda::Variant &variant : sn::cuda::kVariants)
      if (variant.runsOn(std::atoi(architecture.c_str() + 3)) && (exact || !variant.exact))
        units.push_back(productsOf(variant));
    if (std::getenv("SN_ARCHITECTURES")) // asked for: all
      for (Unit &unit : units)
        unit.kernels.insert(unit.kernels.end(), {"Product<Fp32Weights, NoData, NoOptimizer, gemm::kWhole>",
                                                 "Product<Fp32Weights, NoData, NoOptimizer, gemm::kPartial>",
                                                 "Product<Bf16Weights, NoData, NoOptimizer, gemm::kPartial>",
                                                 "Update<Bf16Weights, NoData, optimizer::Adam, 0>",
                                                 "Update<Fp32Weights, NoData, NoOptimizer, 0>"});
    ASSERT_GE(units.size(), 2u) << architecture;
    const std::vector<Compiled> compiled = nvrtc->compile(units, headers, architecture);
    for (size_t i = 0; i < units.size(); ++i) {
      const std::vector<Resources> resources = resourcesOfLog(compiled[i].log);
      EXPECT_EQ(resources.size(), units[i].kernels.size()) << units[i].name << " for " << architecture;
      EXPECT_EQ(compiled[i].log.find("warning"), std::string::npos) << units[i].name << "\n" << compiled[i].log;
      for (const Resources &of : resources)
        EXPECT_EQ(of.spillStores + of.spillLoads, 0) << architecture << " " << units[i].name << resourcesText(of);
    }
  }
}

/// MmaTile says why it is not for devices without tensor cores for its types; a text that only includes it compiles.
TEST(Templates, TensorCoreTilesRefuseOlderDevices) {
  NVRTC_OR_SKIP(nvrtc, KERNEL_CACHE);
  const std::string text =
      "#include \"kernels-templates/cuda/mma_tile.cuh\"\nusing namespace sn::cuda;\n"
      "template <class T> __global__ void Clear(float *x) { T tile; tile.clear(); *x = tile.acc[0]; }";
  const Headers headers = templates();
  for (const char *architecture : {"sm_75", "compute_75"}) {
    EXPECT_FALSE(nvrtc->compile({{"Plain", text, {"Clear<Tile>"}}}, headers, architecture).at(0).image.empty());
    for (const char *precision : {"Tf32", "Bf16x3", "Bf16"}) {
      const Unit unit = {"Refused", text, {std::string("Clear<MmaTile<Precision::") + precision + ">>"}};
      try {
        nvrtc->compile({unit}, headers, architecture);
        ADD_FAILURE() << precision << " compiles for " << architecture;
      } catch (const std::logic_error &error) {
        EXPECT_NE(
            std::string(error.what())
                .find("MmaTile needs tensor cores for TF32 and BF16, sm_80 or later; for older devices compile the "
                      "precision fp32, whose products are Tile's"),
            std::string::npos)
            << error.what();
      }
    }
  }
  const Unit unit = {"Taken", text, {"Clear<MmaTile<Precision::Tf32>>"}};
  EXPECT_FALSE(nvrtc->compile({unit}, headers, "sm_80").at(0).image.empty());
}

/// Nothing is left out: each header of the templates is included by some unit, through others or not.
TEST(Templates, EveryHeaderHasAUnit) {
  const Headers headers = templates();
  std::set<std::string> reached;
  const auto reach = [&](const auto &self, const std::string &text) -> void {
    for (const auto &[name, content] : headers)
      if (text.find("#include \"" + name + "\"") != std::string::npos && reached.insert(name).second)
        self(self, content);
  };
  for (const Unit &unit : units())
    reach(reach, unit.text);
  for (const auto &[name, content] : headers)
    EXPECT_TRUE(reached.count(name) || std::getenv("SN_UNIT")) << name << " is in no unit of test/unit/nvrtc/units";
}
} // namespace
} // namespace sn::rt::cuda
