// The text of whole networks as device code: NVRTC compiles every instance that sparse data ask for. (The templates
// with every loader: test/unit/nvrtc; text that runs: test/conformance/cuda.)
#include "compiler/Conversion/Import.h"
#include "compiler/Conversion/PlanJson.h"
#include "compiler/Pipeline/Pipeline.h"
#include "compiler/Target/Cuda/Emit.h"
#include "runtime/hal/nvrtc/Images.h"
#include "runtime/plan/Error.h"
#include <gtest/gtest.h>

namespace sn::target {
namespace {
struct Network {
  plan::Plan plan;
  CudaText text;
};
Network networkOf(const std::string &file) {
  const frontend::Network network = frontend::readNetwork(std::string(SOURCE_ROOT) + "/" + file);
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  loadDialects(context);
  auto module = importNetwork(context, network);
  lowerTo(*module, Phase::Plan, {});
  plan::Plan plan = exportPlan(*module);
  auto text = emitCuda(plan, slotModule(*module));
  if (!text)
    throw std::logic_error(llvm::toString(text.takeError()));
  return {std::move(plan), std::move(*text)};
}

class CudaUnits : public testing::TestWithParam<const char *> {};

TEST_P(CudaUnits, CompileWithoutWarnings) {
  std::unique_ptr<rt::cuda::KernelCompiler> nvrtc;
  try {
    nvrtc = rt::cuda::openNvrtc(KERNEL_CACHE);
  } catch (const UserError &) {
    GTEST_SKIP() << "no NVRTC on this machine";
  }
  const Network network = networkOf(GetParam());
  const auto &entries = network.text.entries;
  rt::cuda::Headers headers;
  const std::string include = plan::kCudaInclude;
  for (const auto &[name, content] : entries)
    if (name.compare(0, include.size(), include) == 0)
      headers[name.substr(include.size())] = content;
  const auto manifest = nlohmann::json::parse(entries.at(plan::kCudaManifest)).get<plan::CudaManifest>();
  std::vector<rt::cuda::Unit> units;
  for (const rt::cuda::KernelInstances &wanted :
       kernelInstances(network.plan, manifest, network.plan.training.optimizer, rt::cuda::Storage::Sparse,
                       headers.at("kernels-templates/cuda/common.cuh"), "compute_75"))
    units.push_back(
        {wanted.kernel + " " + wanted.loader, entries.at(plan::kCudaKernels + wanted.kernel + ".cu"), wanted.names});
  ASSERT_GT(units.size(), manifest.names.size());
  const std::vector<rt::cuda::Compiled> compiled = nvrtc->compile(units, headers, "compute_75");
  for (size_t i = 0; i < units.size(); ++i) {
    EXPECT_EQ(compiled[i].names.size(), units[i].kernels.size()) << units[i].name;
    EXPECT_EQ(compiled[i].log.find("warning"), std::string::npos) << units[i].name << "\n" << compiled[i].log;
  }
}
// Between them: every schema, most sweeps, rules with and without decay, several outputs.
INSTANTIATE_TEST_SUITE_P(Networks, CudaUnits,
                         testing::Values("test/lit/Conversion/delta-norm.json",
                                         "test/lit/Conversion/batch-normalization.json",
                                         "test/lit/Conversion/shared-weights.json",
                                         "test/lit/Conversion/wide-softmax.json"));
} // namespace
} // namespace sn::target
