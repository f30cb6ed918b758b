// What is for sm_90a alone: others refuse it with a reason, and its products are not serialised by the assembler.
#include "test/unit/nvrtc/Compiler.h"

namespace sn::rt::cuda {
namespace {
namespace fs = std::filesystem;

Headers templates() {
  Headers headers;
  const fs::path root = SOURCE_ROOT;
  for (const auto &entry : fs::directory_iterator(root / "kernels-templates" / "cuda"))
    if (entry.path().extension() == ".cuh")
      headers[fs::relative(entry.path(), root).string()] = readText(entry.path());
  return headers;
}

TEST(Wgmma, OtherArchitecturesRefuseItsTile) {
  NVRTC_OR_SKIP(nvrtc, KERNEL_CACHE);
  const std::string text =
      "#include \"kernels-templates/cuda/wgmma_tile.cuh\"\nusing namespace sn::cuda;\n"
      "template <class T> __global__ void Clear(float *x) { T tile; tile.clear(); *x = tile.acc[0]; }";
  const Headers headers = templates();
  const Unit unit = {"Wgmma", text, {"Clear<WgmmaTile<Precision::Tf32>>"}};
  for (const char *architecture : {"sm_75", "sm_80", "sm_90", "sm_100", "sm_120"}) {
    // A text that only includes it compiles.
    EXPECT_FALSE(nvrtc->compile({{"Plain", text, {"Clear<Tile>"}}}, headers, architecture).at(0).image.empty());
    try {
      nvrtc->compile({unit}, headers, architecture);
      ADD_FAILURE() << "compiles for " << architecture;
    } catch (const std::logic_error &error) {
      EXPECT_NE(
          std::string(error.what())
              .find("WgmmaTile needs the products of warpgroups, which sm_90a alone has; for other devices compile "
                    "the same precision over MmaTile"),
          std::string::npos)
          << error.what();
    }
  }
  EXPECT_FALSE(nvrtc->compile({unit}, headers, "sm_90a").at(0).image.empty());
}

/// Where it cannot tell that nobody touches the sums of products under way, the assembler waits for each product, and
/// says so.
TEST(Wgmma, ProductsAreNotSerialised) {
  NVRTC_OR_SKIP(nvrtc, KERNEL_CACHE);
  const std::string text = R"(
#include "kernels-templates/cuda/gemm_update.cuh"
#include "kernels-templates/cuda/wgmma_tile.cuh"
using namespace sn::cuda;
template <class T, bool Touches> __global__ void __launch_bounds__(kThreads, 1)
    Product(const float *x, const float *e, float *y, Int inner) {
  auto &shared = *dynamicShared<typename T::Shared>();
  T tile;
  tile.clear();
  tile.multiply(shared, MatrixOperand{x, inner, 128, true}, MatrixOperand{e, 128, 128, false}, 0, inner);
  if (Touches) { // what the rule forbids
    wgmmaFence();
    wgmmaTf32(tile.acc, wgmmaDescriptor(&shared), wgmmaDescriptor(&shared));
    tile.acc[3] += 1;
    wgmmaCommit();
    wgmmaWait<0>();
  }
  tile.forEach([&](int i, int j, float value) { y[i * 128 + j] = value; });
}
)";
  const auto log = [&](const char *kernel) {
    return nvrtc->compile({{"Serialised", text, {kernel}}}, templates(), "sm_90a").at(0).log;
  };
  for (const char *precision : {"Tf32", "Bf16x3", "Bf16"})
    EXPECT_EQ(log(("Product<WgmmaTile<Precision::" + std::string(precision) + ">, false>").c_str()).find("serialized"),
              std::string::npos)
        << precision;
  EXPECT_NE(log("Product<WgmmaTile<Precision::Tf32>, true>").find("serialized"), std::string::npos);
}
} // namespace
} // namespace sn::rt::cuda
