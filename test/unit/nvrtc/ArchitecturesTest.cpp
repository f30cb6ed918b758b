#include "runtime/hal/nvrtc/Architectures.h"
#include "runtime/hal/nvrtc/Resources.h"
#include "test/unit/nvrtc/Compiler.h"

namespace sn::rt::cuda {
namespace {
using Names = std::vector<std::string>;

TEST(Architectures, Lists) {
  EXPECT_EQ(parseArchitectures("sm_80,90a,sm_80,121"), (Names{"sm_80", "sm_90a", "sm_121"}));
  EXPECT_EQ(parseArchitectures("none"), Names());
  EXPECT_EQ(parseArchitectures(""), Names());
  const auto message = [](const char *text) -> std::string {
    try {
      parseArchitectures(text);
    } catch (const UserError &error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message("sm_80,sm_81"),
            "--arch: 'sm_81' (at character 7 of 'sm_80,sm_81') is no known GPU architecture; known are sm_75, sm_80, "
            "sm_86, sm_87, sm_88, sm_89, sm_90, sm_90a, sm_100, sm_103, sm_110, sm_120, sm_121, and `none`");
  for (const char *bad : {"compute_80", "sm_80,", ",", "sm_80, sm_90", "SM_80", "sm_80a", "80,none"})
    EXPECT_NE(message(bad).find("is no known GPU architecture"), std::string::npos) << bad;
}

TEST(Architectures, OfADevice) {
  EXPECT_EQ(deviceArchitecture(9, 0), "sm_90a");
  EXPECT_EQ(deviceArchitecture(8, 6), "sm_86");
  EXPECT_EQ(deviceArchitecture(12, 0), "sm_120");
}

TEST(Architectures, SharedMemoryOfABlock) {
  EXPECT_EQ(sharedBytesOf(75), 65536);
  EXPECT_EQ(sharedBytesOf(80), 166912);
  EXPECT_EQ(sharedBytesOf(86), 101376);
  EXPECT_EQ(sharedBytesOf(90), 232448);
  EXPECT_EQ(sharedBytesOf(100), 232448);
  EXPECT_EQ(sharedBytesOf(120), 101376);
}

/// The architectures of the cubin and the PTX that a device takes from a plan.
std::pair<std::string, std::string> chosen(const Names &available, int major, int minor) {
  plan::CudaManifest manifest;
  for (const std::string &architecture : available) {
    for (const char *kernel : {"other", "k"})
      for (const char *optimizer : {"", "Adam"})
        manifest.images.push_back({kernel, architecture, "Csr", optimizer, "", {}, {}});
  }
  const ImageSelection selection = selectImage(manifest, major, minor, "k", "Csr", "Adam");
  for (const plan::CudaImage *image : {selection.cubin, selection.ptx})
    if (image)
      EXPECT_TRUE(image->kernel == "k" && image->optimizer == "Adam");
  const ImageSelection none = selectImage(manifest, major, minor, "k", "Dense", "Adam");
  EXPECT_TRUE(!none.cubin && !none.ptx);
  return {selection.cubin ? selection.cubin->architecture : "", selection.ptx ? selection.ptx->architecture : ""};
}

TEST(Architectures, TheImageThatFits) {
  using P = std::pair<std::string, std::string>;
  const Names all = {"compute_75", "sm_75", "sm_80", "sm_86", "sm_90", "sm_90a", "sm_100", "sm_120"};
  EXPECT_EQ(chosen(all, 9, 0), P("sm_90a", "compute_75"));
  EXPECT_EQ(chosen(all, 8, 0), P("sm_80", "compute_75"));
  EXPECT_EQ(chosen(all, 8, 9), P("sm_86", "compute_75"));
  EXPECT_EQ(chosen(all, 10, 3), P("sm_100", "compute_75"));
  EXPECT_EQ(chosen(all, 12, 1), P("sm_120", "compute_75"));
  EXPECT_EQ(chosen(all, 11, 0), P("", "compute_75"));
  EXPECT_EQ(chosen(all, 7, 0), P("", ""));
  EXPECT_EQ(chosen({"sm_90a", "sm_86"}, 8, 0), P("", "")) << "a cubin does not run on a lower minor";
  EXPECT_EQ(chosen({"sm_90", "sm_90a"}, 9, 0), P("sm_90a", "")) << "in whatever order";
  EXPECT_EQ(chosen({"sm_90a"}, 9, 1), P("", "")) << "what only 9.0 has runs there alone";
  EXPECT_EQ(chosen({"compute_80", "compute_75", "compute_100"}, 9, 0), P("", "compute_80"));
  EXPECT_EQ(chosen({"nonsense", "sm_", "sm_8x", ""}, 8, 0), P("", ""));
}

TEST(Resources, OfALog) {
  const char *log = "remark: something\n"
                    "ptxas info    : 0 bytes gmem\n"
                    "ptxas info    : Compiling entry function '_Z1fPf' for 'sm_80'\n"
                    "ptxas info    : Function properties for _Z1fPf\n"
                    "    16 bytes stack frame, 4 bytes spill stores, 8 bytes spill loads\n"
                    "ptxas info    : Used 80 registers, used 1 barriers, 8704 bytes smem, 360 bytes cmem[0]\n"
                    "ptxas info    : Compile time = 3.1 ms\n"
                    "ptxas info    : Function properties for helper\n"
                    "    32 bytes stack frame, 100 bytes spill stores, 0 bytes spill loads\n"
                    "ptxas info    : Compiling entry function 'g' for 'sm_80'\n"
                    "ptxas info    : Function properties for g\n"
                    "    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n"
                    "ptxas info    : Used 8 registers";
  const std::vector<Resources> found = resourcesOfLog(log);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0], (Resources{"_Z1fPf", 80, 8704, 16, 104, 8}));
  EXPECT_EQ(found[1], (Resources{"g", 8, 0, 0, 0, 0}));
  EXPECT_TRUE(resourcesOfLog("").empty());
}

TEST(Resources, AsText) {
  const Resources of{"K<sn::cuda::Csr, optimizer::Adam, 0>", 80, 8704, 16, 4, 8};
  const std::string text = resourcesText(of);
  EXPECT_EQ(text,
            "K<sn::cuda::Csr, optimizer::Adam, 0>: 80 registers, 8704 bytes shared, 16 bytes stack, 4 bytes spill "
            "stores, 8 bytes spill loads");
  EXPECT_EQ(parseResources(text), of);
  for (const char *bad : {"", "K", "K: 80 registers", "K: x registers, 0 bytes shared, 0 bytes stack"})
    EXPECT_FALSE(parseResources(bad)) << bad;
}
} // namespace
} // namespace sn::rt::cuda
