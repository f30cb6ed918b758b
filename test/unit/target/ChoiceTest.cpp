// Which variants of a product a plan carries: every device finds one, of the step's precision where it has units for
// it, and tiles go with the extents.
#include "compiler/Target/Cuda/Choice.h"
#include "test/unit/plan/SmallPlan.h"
#include <cmath>
#include <gtest/gtest.h>
#include <set>

namespace sn::target::cuda {
namespace {
using plan::Precision;
using sn::cuda::Variant;

constexpr int64_t kOfData = -1; // an extent that only data tell

/// A plan of one layer [inner, outer] and a batch.
plan::Plan layer(int64_t batch, int64_t inner, int64_t outer) {
  const auto dim = [](int64_t extent) {
    return extent == kOfData ? plan::test::symbol("outputs") : plan::Dim{extent, {}};
  };
  plan::Plan plan;
  plan.training.batch = batch;
  plan.parameters = {plan::test::parameter("w", dim(inner), dim(outer), "rows")};
  return plan;
}
plan::Step stepOf(const plan::Plan &plan, const std::string &kernel, const std::string &sweep, Precision precision) {
  plan::Step step;
  step.kernel = kernel;
  step.sweep = sweep;
  step.precision = precision;
  step.sources = {plan::test::source(kernel == "csr_gather" || kernel == "csc_update", "x", "w")};
  step.columns = plan.parameters.front().out;
  if (sweep == "single" || sweep == "forward")
    step.sources[0].gradient = "dx";
  return step;
}
std::vector<std::string> namesOf(const std::vector<const Variant *> &variants) {
  std::vector<std::string> names;
  for (const Variant *variant : variants)
    names.emplace_back(variant->name);
  return names;
}
const Variant *taken(const std::vector<const Variant *> &variants, const plan::Step &step, int capability, int shared) {
  for (const Variant *variant : variants)
    if (variant->runsOn(capability) && sharedBytesOf(step, *variant) <= shared)
      return variant;
  return nullptr;
}

const std::pair<std::string, std::string> kSchemas[] = {{"csr_gather", ""},
                                                        {"csc_update", ""},
                                                        {"gemm", ""},
                                                        {"gemm_update", ""},
                                                        {"wide_output", "single"},
                                                        {"wide_output", "forward"},
                                                        {"wide_output", "update"},
                                                        {"wide_output", "loss"},
                                                        {"wide_output", "norm"},
                                                        {"wide_softmax", "statistics"},
                                                        {"wide_softmax", "single"},
                                                        {"wide_topk", ""}};

TEST(CudaChoice, EveryDeviceFindsAKernelOfThePrecisionThatItHas) {
  for (const auto &[kernel, sweep] : kSchemas)
    for (const Precision precision : {Precision::Fp32, Precision::Tf32, Precision::Bf16x3, Precision::Bf16})
      for (const int64_t batch : {1, 32, 64, 65, 128, 256, 1024, 5000})
        for (const int64_t inner : {int64_t(1), int64_t(128), int64_t(1024), int64_t(100000), kOfData})
          for (const int64_t outer : {int64_t(10), int64_t(1024), kOfData}) {
            const plan::Plan plan = layer(batch, inner, outer);
            const plan::Step step = stepOf(plan, kernel, sweep, precision);
            const std::vector<const Variant *> found = variantsOf(plan, step);
            ASSERT_FALSE(found.empty());
            EXPECT_LE(found.size(), 4u) << "one for each class of devices";
            EXPECT_EQ(std::set<const Variant *>(found.begin(), found.end()).size(), found.size());
            EXPECT_TRUE(found.back()->runsOn(75) && sharedBytesOf(step, *found.back()) <= 64 << 10);
            for (const auto &[capability, shared] :
                 {std::pair(80, 163 << 10), std::pair(86, 99 << 10), std::pair(90, 227 << 10),
                  std::pair(100, 227 << 10), std::pair(120, 99 << 10)})
              EXPECT_EQ(taken(found, step, capability, shared)->precision, precision)
                  << kernel << " " << sweep << " on " << capability;
          }
}

TEST(CudaChoice, TilesGoWithTheExtents) {
  const auto sidesOf = [](const plan::Plan &plan, const std::string &kernel, const std::string &sweep,
                          Precision precision) {
    std::set<int> sides;
    const plan::Step step = stepOf(plan, kernel, sweep, precision);
    for (const Variant *variant : variantsOf(plan, step))
      if (!variant->exact) // wgmma comes in one size, and is quicker than mma with half of it idle
        sides.insert(variant->side);
    return sides;
  };
  const std::set<int> small = {64}, large = {128};
  for (const Precision precision : {Precision::Fp32, Precision::Tf32, Precision::Bf16}) {
    EXPECT_EQ(sidesOf(layer(32, 64, 64), "gemm", "", precision), small);
    EXPECT_EQ(sidesOf(layer(256, 1024, 1024), "gemm", "", precision), small) << "16 tiles of 128 leave most of it idle";
    EXPECT_EQ(sidesOf(layer(4096, 4096, 4096), "gemm_update", "", precision), large);
    EXPECT_EQ(sidesOf(layer(64, 128, kOfData), "wide_output", "loss", precision), small)
        << "half of 128 rows is nothing";
    EXPECT_EQ(sidesOf(layer(1024, 128, kOfData), "csc_update", "", precision).count(128), 1u);
  }
}

/// The wide tiles of 128 take more shared memory than every device has: a second kernel of the same precision.
TEST(CudaChoice, SharedMemoryDecides) {
  const plan::Plan plan = layer(1024, 128, kOfData);
  const plan::Step step = stepOf(plan, "wide_output", "loss", Precision::Fp32);
  EXPECT_EQ(namesOf(variantsOf(plan, step)), (std::vector<std::string>{"ffma_128", "ffma_64"}));
  EXPECT_GT(sharedBytesOf(step, *sn::cuda::variantNamed("ffma_128")), 99 << 10);
  EXPECT_EQ(taken(variantsOf(plan, step), step, 86, 99 << 10)->side, 64);
  EXPECT_EQ(taken(variantsOf(plan, step), step, 80, 163 << 10)->side, 128);
}

TEST(CudaChoice, WhatRunsOnOneCapabilityComesFirst) {
  const plan::Plan plan = layer(1024, 128, kOfData);
  for (const auto &[kernel, sweep] : kSchemas)
    for (const Precision precision : {Precision::Tf32, Precision::Bf16x3, Precision::Bf16}) {
      const std::vector<const Variant *> found = variantsOf(plan, stepOf(plan, kernel, sweep, precision));
      for (size_t i = 1; i < found.size(); ++i)
        EXPECT_FALSE(found[i]->exact) << kernel;
      EXPECT_EQ(found.back()->name.substr(0, 4), "ffma");
    }
}

TEST(CudaChoice, ClocksGoWithTheWork) {
  const Variant &plain = sn::cuda::kPlainVariant, &tensor = *sn::cuda::variantNamed("mma_tf32_64");
  const sn::target::cuda::DeviceClass &a100 = kDeviceClasses[1], &t4 = kDeviceClasses[3];
  const auto clocks = [&](int64_t batch, const Variant &variant, const DeviceClass &device) {
    const plan::Plan plan = layer(batch, 512, 512);
    return clocksOf(plan, stepOf(plan, "gemm", "", Precision::Tf32), variant, device);
  };
  EXPECT_EQ(clocks(64, plain, a100), clocks(1, plain, a100)) << "a tile is a tile";
  EXPECT_GT(clocks(64 * 40, plain, a100), clocks(64, plain, a100));
  EXPECT_LT(clocks(1024, tensor, a100), clocks(1024, plain, a100));
  EXPECT_TRUE(std::isinf(clocks(64, tensor, t4))) << "it has no units for it";
  EXPECT_FALSE(std::isinf(clocks(64, plain, t4)));
}

TEST(CudaChoice, StepsWithoutProductsHaveOneKernel) {
  const plan::Plan plan = layer(64, 128, 128);
  for (const char *kernel : {"map", "row_reduce", "column_reduce", "expand", "update", "limit_norm"})
    EXPECT_EQ(variantsOf(plan, stepOf(plan, kernel, "", Precision::Fp32)), std::vector<const Variant *>{nullptr})
        << kernel;
}
} // namespace
} // namespace sn::target::cuda
