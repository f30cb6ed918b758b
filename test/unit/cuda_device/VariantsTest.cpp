// Of the kernels that a plan carries for a step a device takes the first that it can run and has, or can make.
#include "kernels-templates/cuda/abi.cuh"
#include "runtime/hal/cuda/Modules.h"
#include "runtime/plan/Error.h"
#include "test/unit/cuda_device/Fixture.h"
#include <gtest/gtest.h>

namespace sn::test {
namespace {
using rt::cuda::KernelCompiler;

/// A step with kernels for tensor cores with much and with little shared memory, and a plain one.
plan::Archive archiveWith(const std::vector<std::pair<std::string, std::string>> &images) {
  plan::CudaManifest manifest;
  manifest.abi = sn::cuda::kAbiVersion;
  manifest.entries["train"] = {{"Large", "Small", "Plain"}};
  manifest.names = {{"Large", "Large"}, {"Small", "Small"}, {"Plain", "Plain"}};
  manifest.variants = {{"Large", "mma_tf32_128"}, {"Small", "mma_tf32_64"}, {"Plain", "ffma_64"}};
  manifest.shared = {{"Large", 107 << 10}, {"Small", 40 << 10}, {"Plain", 40 << 10}};
  for (const auto &[kernel, architecture] : images)
    manifest.images.push_back({kernel, architecture, "Csr", "", "cuda/image", {}, {}});
  plan::Archive archive;
  archive.entries[plan::kCudaManifest] = nlohmann::json(manifest).dump();
  return archive;
}

/// Compiles nothing; says whether it could.
class Idle final : public KernelCompiler {
public:
  explicit Idle(bool there) : there(there) {}
  std::vector<rt::cuda::Compiled> compile(const std::vector<rt::cuda::Unit> &units, const rt::cuda::Headers &,
                                          const std::string &) override {
    EXPECT_TRUE(units.empty());
    ++asked;
    if (!there)
      userError("it was looked for in vain");
    return {};
  }
  bool there;
  int asked = 0;
};

std::string taken(const emulator::DriverSettings &device, const plan::Archive &archive,
                  const std::shared_ptr<KernelCompiler> &kernels) {
  emulator::configure(device);
  const rt::cuda::Context context(emulator::driverApi(), 0);
  const rt::cuda::Modules modules(archive, context, kernels);
  const std::string kernel = modules.kernelsOf("train", 1).at(0);
  EXPECT_EQ(modules.kernelsOf("train", 1).at(0), kernel);
  return kernel;
}
const emulator::DriverSettings kOld = {.major = 7, .minor = 5, .sharedOptin = 64 << 10},
                               kCommon = {.major = 8, .minor = 6, .sharedOptin = 99 << 10},
                               kLarge = {.major = 9, .minor = 0};

TEST(CudaVariants, WhatADeviceCanRun) {
  const auto compiler = std::make_shared<Idle>(true);
  EXPECT_EQ(taken(kLarge, archiveWith({}), compiler), "Large");
  EXPECT_EQ(taken(kCommon, archiveWith({}), compiler), "Small") << "blocks have less shared memory there";
  EXPECT_EQ(taken(kOld, archiveWith({}), compiler), "Plain");
  // An image of a lesser kernel does not make it the better one.
  EXPECT_EQ(taken(kLarge, archiveWith({{"Small", "sm_90a"}, {"Plain", "compute_75"}}), compiler), "Large");
}

TEST(CudaVariants, WithoutACompilerWhatItHas) {
  for (const std::shared_ptr<KernelCompiler> &none :
       {std::shared_ptr<KernelCompiler>(), std::shared_ptr<KernelCompiler>(new Idle(false))}) {
    EXPECT_EQ(taken(kLarge, archiveWith({{"Plain", "compute_75"}}), none), "Plain");
    EXPECT_EQ(taken(kLarge, archiveWith({{"Plain", "compute_75"}, {"Small", "compute_80"}}), none), "Small");
    EXPECT_EQ(taken(kOld, archiveWith({{"Plain", "compute_75"}, {"Small", "compute_80"}}), none), "Plain");
    EXPECT_EQ(taken(kLarge, archiveWith({{"Large", "sm_80"}, {"Small", "sm_90a"}}), none), "Small")
        << "a cubin of another generation does not run";
    EXPECT_EQ(taken(kLarge, archiveWith({}), none), "Large") << "whose absence is then told";
  }
}

TEST(CudaVariants, TheCompilerIsOpenedWhereItMatters) {
  const auto compiler = std::make_shared<Idle>(false);
  EXPECT_EQ(taken(kLarge, archiveWith({{"Large", "sm_90a"}}), compiler), "Large");
  EXPECT_EQ(compiler->asked, 0) << "it takes seconds to open";
  EXPECT_EQ(taken(kLarge, archiveWith({{"Plain", "compute_75"}}), compiler), "Plain");
  EXPECT_EQ(compiler->asked, 1) << "once";
}
} // namespace
} // namespace sn::test
