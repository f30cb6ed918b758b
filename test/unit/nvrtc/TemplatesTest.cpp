// Every template with representative slots, as device code: no warnings, no spills. What record.json has is not
// compiled again but for one instance of each unit.
#include "kernels-templates/cuda/Variants.h"
#include "runtime/hal/nvrtc/Architectures.h"
#include "runtime/hal/nvrtc/Resources.h"
#include "test/unit/nvrtc/Compiler.h"
#include "test/unit/nvrtc/Record.h"
#include <algorithm>
#include <fmt/format.h>

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

bool given(const char *variable) {
  const char *value = std::getenv(variable);
  return value && *value;
}

/// Everything is compiled, whatever is recorded: SN_ARCHITECTURES says for what, SN_RECORD names a record to add to.
bool askedForAll() { return given("SN_ARCHITECTURES") || given("SN_UNIT"); }

/// Of every unit something is compiled for these in every run of the suite.
const std::vector<std::string> kAlways = {"sm_80", "sm_90a"};
/// What the record may be of.
const std::vector<std::string> kRecorded = {"sm_75", "sm_80", "sm_86", "sm_89", "sm_90a", "sm_100", "sm_120"};

std::vector<std::string> architectures() {
  return given("SN_ARCHITECTURES") ? parseArchitectures(std::getenv("SN_ARCHITECTURES")) : kAlways;
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

/// Checks units: as the record has them, where it has them; the rest is compiled. Of a recorded unit the first instance
/// is compiled all the same, for kAlways, and must come out as recorded.
class Checker {
public:
  explicit Checker(KernelCompiler &nvrtc)
      : nvrtc(nvrtc), headers(templates()),
        record(askedForAll() ? (given("SN_RECORD") ? std::getenv("SN_RECORD") : "") : SN_NVRTC_RECORD,
               identityOf(nvrtc)) {}
  ~Checker() {
    if (given("SN_RECORD"))
      std::ofstream(std::getenv("SN_RECORD")) << record.text();
    fmt::print("{} units as recorded, {} compiled\n", known, whole);
  }

  /// `needed`: also those that are not in the record, for what architectures() names.
  void check(const std::vector<Unit> &units, const std::string &architecture, bool needed = true) {
    const std::vector<std::string> compiledFor = architectures();
    const bool here = std::count(compiledFor.begin(), compiledFor.end(), architecture) > 0;
    std::vector<Unit> wanted;
    std::vector<const UnitRows *> recorded; // of each of them; null: the whole unit
    for (const Unit &unit : units) {
      ASSERT_FALSE(unit.kernels.empty()) << unit.name << " asks for no instance";
      const UnitRows *rows = askedForAll() ? nullptr : record.find(unit, headers, architecture);
      if (rows) {
        ++known;
        expectClean(unit, architecture, *rows);
      }
      if (here && (rows || needed)) {
        wanted.push_back(rows ? Unit{unit.name, unit.text, {unit.kernels[0]}} : unit);
        recorded.push_back(rows);
      }
    }
    const std::vector<Compiled> compiled = nvrtc.compile(wanted, headers, architecture);
    for (size_t i = 0; i < wanted.size(); ++i) {
      const UnitRows rows = rowsOf(wanted[i], compiled[i]);
      EXPECT_EQ(compiled[i].log.find("warning"), std::string::npos) << wanted[i].name << " for " << architecture << "\n"
                                                                    << compiled[i].log;
      expectClean(wanted[i], architecture, rows);
      if (recorded[i])
        EXPECT_EQ(rows, UnitRows(1, recorded[i]->at(0)))
            << wanted[i].name << " for " << architecture << ": not as recorded; tools/dev/architectures --write";
      else
        fresh(wanted[i], architecture, rows, compiled[i]);
    }
  }

private:
  void expectClean(const Unit &unit, const std::string &architecture, const UnitRows &rows) const {
    EXPECT_EQ(rows.size(), unit.kernels.size()) << unit.name << " for " << architecture;
    for (size_t i = 0; i < rows.size(); ++i)
      EXPECT_EQ(rows[i][3], 0) << unit.name << " for " << architecture << " spills: " << unit.kernels.at(i);
  }
  void fresh(const Unit &unit, const std::string &architecture, const UnitRows &rows, const Compiled &compiled) {
    ++whole;
    record.add(unit, headers, architecture, rows);
    if (given("SN_UNIT"))
      for (const Resources &of : resourcesOfLog(compiled.log))
        fmt::print("{} {}\n", architecture, resourcesText(of));
  }

  KernelCompiler &nvrtc;
  const Headers headers;
  Record record;
  int known = 0, whole = 0;
};

/// Those to compile for, and what is recorded beside them.
std::vector<std::string> checkedArchitectures() { return askedForAll() ? architectures() : kRecorded; }

TEST(Templates, CompileWithoutWarningsAndSpills) {
  NVRTC_OR_SKIP(nvrtc, KERNEL_CACHE);
  Checker checker(*nvrtc);
  for (const std::string &architecture : checkedArchitectures())
    checker.check(units(), architecture);
}

/// The products of a row of manifest.inc, which must say what its tile takes.
Unit productsOf(const sn::cuda::Variant &variant, std::vector<std::string> instances) {
  return {std::string(variant.name),
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
          std::move(instances)};
}
TEST(Templates, EveryVariantMultipliesWithoutSpills) {
  NVRTC_OR_SKIP(nvrtc, KERNEL_CACHE);
  Checker checker(*nvrtc);
  for (const std::string &architecture : checkedArchitectures()) {
    const bool exact = architecture.back() == 'a';
    std::vector<Unit> some, others;
    for (const sn::cuda::Variant &variant : sn::cuda::kVariants)
      if (variant.runsOn(std::atoi(architecture.c_str() + 3)) && (exact || !variant.exact)) {
        some.push_back(productsOf(variant, {"Product<Bf16Weights, NoData, NoOptimizer, gemm::kWhole>",
                                            "Update<Fp32Weights, NoData, optimizer::Adam, 0>"}));
        others.push_back(productsOf(variant, {"Product<Fp32Weights, NoData, NoOptimizer, gemm::kWhole>",
                                              "Product<Fp32Weights, NoData, NoOptimizer, gemm::kPartial>",
                                              "Product<Bf16Weights, NoData, NoOptimizer, gemm::kPartial>",
                                              "Update<Bf16Weights, NoData, optimizer::Adam, 0>",
                                              "Update<Fp32Weights, NoData, NoOptimizer, 0>"}));
      }
    ASSERT_GE(some.size(), 2u) << architecture;
    checker.check(some, architecture);
    checker.check(others, architecture, askedForAll());
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
  std::set<std::string> found;
  for (const Unit &unit : units())
    found.merge(reached(unit.text, headers));
  for (const auto &[name, content] : headers)
    EXPECT_TRUE(found.count(name) || std::getenv("SN_UNIT")) << name << " is in no unit of test/unit/nvrtc/units";
}
} // namespace
} // namespace sn::rt::cuda
