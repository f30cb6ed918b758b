// What is compiled ahead is what the device asks for.
#include "runtime/hal/nvrtc/Images.h"
#include "kernels-templates/cuda/wide_layout.cuh"
#include "runtime/hal/cuda/Launches.h"
#include "runtime/hal/nvrtc/Architectures.h"
#include "runtime/hal/nvrtc/Resources.h"
#include "test/unit/nvrtc/Compiler.h"
#include <algorithm>

namespace sn::rt::cuda {
namespace {
using Names = std::vector<std::string>;

plan::Step stepOf(const std::string &kernel, const std::string &sweep = "") {
  plan::Step step;
  step.kernel = kernel;
  step.sweep = sweep;
  return step;
}

/// The launches of a step as CudaDevice asks for them.
Launches launchesOf(const StepShape &shape) {
  const std::string &kernel = shape.step.kernel, &sweep = shape.step.sweep;
  if (kernel == "csr_gather")
    return csrGatherLaunches(shape);
  if (kernel == "gemm")
    return gemmLaunches(shape);
  if (sweep == "statistics")
    return wideSoftmaxLaunches(shape);
  if (!sweep.empty())
    return wideOutputLaunches(shape);
  if (kernel == "wide_topk")
    return wideTopkLaunches(shape, 100);
  if (kernel == "csc_update")
    return cscUpdateLaunches(shape);
  if (kernel == "gemm_update")
    return gemmUpdateLaunches(shape);
  if (kernel == "map")
    return mapLaunches(shape, false);
  if (kernel == "row_reduce")
    return rowReduceLaunches(shape);
  if (kernel == "column_reduce")
    return columnReduceLaunches(shape);
  if (kernel == "expand")
    return expandLaunches(shape);
  if (kernel == "update")
    return updateLaunches(shape);
  return limitNormLaunches(shape);
}

/// Over layouts and extents from tiny to large: the numbers that a step's launches have.
std::set<int> numbersLaunched(const plan::Step &step, Loader loader, int64_t inner,
                              const Variant &variant = kPlainVariant) {
  std::set<int> numbers;
  for (const int64_t rows : {1, 100, 5000})
    for (const int64_t columns : {1, 100, 30000})
      for (const int outerFirst : {0, 1})
        for (const int late : {0, 1}) {
          StepArgs args;
          args.columns = columns;
          args.maxRows = rows;
          args.lanes = 16;
          args.wideLanes = 128;
          args.entries = rows * 10;
          Source source;
          source.inner = inner;
          source.outer = columns;
          source.outerFirst = outerFirst;
          std::vector<Source> sources(std::max<size_t>(1, step.sources.size()), source);
          sources.back().late = late && sources.size() > 1;
          args.source = source;
          args.sourceCount = static_cast<int>(sources.size());
          for (const cuda::Pass &pass : launchesOf({step, args, sources, loader, &variant}).passes)
            if (pass.kernel.empty())
              numbers.insert(pass.number);
        }
  return numbers;
}

void expectNumbers(const plan::Plan &plan, const plan::Step &step, const std::string &what) {
  for (const auto &[loader, name] : {std::pair{Loader::CsrBinary, "Csr"}, {Loader::Dense, "Dense"}})
    for (const Variant &variant : kVariants) {
      std::set<int> launched;
      for (const int64_t inner : {1, 100, 100000})
        launched.merge(numbersLaunched(step, loader, inner, variant));
      const std::vector<int> known = passNumbers(plan, step, name, variant);
      EXPECT_EQ(std::set<int>(known.begin(), known.end()), launched) << what << " " << name << " " << variant.name;
      EXPECT_TRUE(std::is_sorted(known.begin(), known.end()));
    }
}

TEST(Images, PassesAreThoseOfTheLaunches) {
  plan::Plan plan;
  plan.parameters.push_back({});
  plan.parameters.back().name = "w";
  plan.parameters.back().in.symbol = "N";
  for (const char *kernel : {"csr_gather", "wide_topk", "csc_update", "gemm_update", "map", "row_reduce",
                             "column_reduce", "expand", "update", "limit_norm"})
    expectNumbers(plan, stepOf(kernel), kernel);
  for (const char *sweep : {"single", "forward", "update", "loss", "norm", "statistics"})
    expectNumbers(plan, stepOf("wide_softmax", sweep), sweep);
  plan::Step late = stepOf("wide_output", "single");
  late.sources.resize(2);
  late.sources[0].weights = late.sources[1].weights = "w";
  late.sources[0].weightGradient = late.sources[1].weightGradient = "shared";
  expectNumbers(plan, late, "late");
  plan::Step gemm = stepOf("gemm");
  gemm.sources.resize(1);
  gemm.sources[0].weights = "w";
  expectNumbers(plan, gemm, "gemm");
}

TEST(Images, AProductOfKnownExtentHasItsPassesAlone) {
  plan::Plan plan;
  plan.parameters.resize(2);
  plan.parameters[0].name = "short";
  plan.parameters[0].in.value = 128;
  plan.parameters[0].out.value = 100000;
  plan.parameters[1].name = "long";
  plan.parameters[1].in.value = 100000;
  plan::Step step = stepOf("gemm");
  const auto expect = [&](int64_t inner) {
    const std::vector<int> known = passNumbers(plan, step, "NoData");
    EXPECT_EQ(std::set<int>(known.begin(), known.end()), numbersLaunched(step, Loader::CsrBinary, inner)) << inner;
  };
  step.sources.resize(1);
  step.sources[0].weights = "short";
  expect(128);
  step.sources[0].transposed = true; // the inner extent is then the outputs'
  expect(100000);
  step.sources[0] = {};
  step.sources[0].weights = "long";
  expect(100000);
}

TEST(Images, AProductThatALibraryMayTakeHasItsEpilogueApart) {
  plan::Plan plan;
  plan.parameters.resize(1);
  plan.parameters[0].name = "w";
  plan.parameters[0].in.value = 1024;
  plan::Step step = stepOf("gemm");
  step.sources.resize(1);
  step.sources[0].weights = "w";
  step.columns.value = 1024;
  const auto passes = [&] { return passNumbers(plan, step, "NoData"); };
  const std::vector<int> alone = {gemm::kWhole}, both = {gemm::kWhole, gemm::kFinish};
  EXPECT_EQ(passes(), both);
  step.precision = plan::Precision::Bf16x3;
  EXPECT_EQ(passes(), alone);
  step.precision = plan::Precision::Tf32;
  EXPECT_EQ(passes(), both);
  plan.parameters[0].in.value = 512;
  EXPECT_EQ(passes(), alone);
  step.precision = plan::Precision::Fp32;
  EXPECT_EQ(passes(), both);
  step.columns.value = 128;
  EXPECT_EQ(passes(), alone);
  step.columns = {0, "N"}; // known with the data
  EXPECT_EQ(passes(), both);

  // What is launched then is there.
  StepArgs args;
  args.maxRows = 256;
  args.columns = 1024;
  const cuda::LibraryUse use{{{256, 512, 1024}}, 100};
  const std::vector<Source> sources(1);
  const cuda::Launches launches =
      cuda::libraryLaunches({step, args, sources, Loader::CsrBinary, &sn::cuda::kPlainVariant, &use});
  ASSERT_EQ(launches.passes.size(), 2u);
  EXPECT_TRUE(launches.passes[0].product);
  EXPECT_EQ(launches.passes[1].number, gemm::kFinish);
  EXPECT_TRUE(launches.passes[1].oneUnit);
  EXPECT_EQ(launches.workBytes[gemm::kPartials], 256 * 1024 * 4);
  EXPECT_EQ(launches.workBytes[cuda::kLibraryWorkspaceArea], 100);
}

/// A small plan: an input, a target, a layer between and an update.
plan::Plan smallPlan() {
  plan::Plan plan;
  plan.training.optimizer = "Adam";
  plan::Step gather = stepOf("csr_gather"), map = stepOf("map"), single = stepOf("wide_output", "single");
  gather.sources.resize(1);
  gather.sources[0].data = true;
  gather.sources[0].ref = "in";
  single.update = true;
  single.target = "out";
  plan.entries = {
      {"train", {}, {gather, map, single}}, {"predict", {}, {gather, stepOf("wide_topk")}}, {"wide", {}, {map}}};
  return plan;
}
plan::Archive smallArchive() {
  plan::CudaManifest manifest;
  manifest.abi = 1;
  manifest.entries = {{"train", {{"G"}, {"M"}, {"S"}}}, {"predict", {{"G"}, {"T"}}}}; // "wide" has no text
  manifest.names = {{"G", "G"}, {"M", "M"}, {"S", "Single"}, {"T", "T"}};
  plan::Archive archive;
  for (const char *kernel : {"G", "M", "S", "T", "common"})
    archive.entries[std::string("cuda/kernels/") + kernel + ".cu"] = std::string("text of ") + kernel;
  archive.entries["cuda/include/kernels-templates/cuda/common.cuh"] =
      "namespace sn::cuda {\n__global__ void __launch_bounds__(kThreads, 1) first(const A a) {}\n"
      "/// No __global__ void here(int).\n__global__ void second(int x) {}\n}\n";
  archive.entries["cuda/include/optimizers.cuh"] = "rules";
  archive.entries["cuda/manifest.json"] = nlohmann::json(manifest).dump();
  return archive;
}

TEST(Images, InstancesByStorage) {
  const plan::Archive archive = smallArchive();
  const plan::CudaManifest manifest = *cudaManifest(archive);
  const std::string common = archive.entries.at("cuda/include/kernels-templates/cuda/common.cuh");
  const auto loaders = [&](Storage storage) {
    std::string text;
    for (const KernelInstances &of : kernelInstances(smallPlan(), manifest, "Adam", storage, common, "sm_80"))
      text += of.kernel + ":" + of.loader + ":" + of.optimizer + " ";
    return text;
  };
  EXPECT_EQ(loaders(Storage::Sparse), "common:: G:Csr: M:NoData: S:Csr:Adam T:Csr: ");
  EXPECT_EQ(loaders(Storage::All),
            "common:: G:Csr: G:Dense: M:NoData: S:Csr:Adam S:CsrStoredOnly:Adam S:Dense:Adam T:Csr: T:Dense: ");
  const std::vector<KernelInstances> all =
      kernelInstances(smallPlan(), manifest, "Adam", Storage::Sparse, common, "sm_80");
  EXPECT_EQ(all[0].names, (Names{"sn::cuda::first", "sn::cuda::second"}));
  EXPECT_EQ(all[3].names,
            (Names{"Single<sn::cuda::Csr, optimizer::Adam, 0>", "Single<sn::cuda::Csr, optimizer::Adam, 3>",
                   "Single<sn::cuda::Csr, optimizer::Adam, 4>", "Single<sn::cuda::Csr, optimizer::Adam, 12>"}));
  EXPECT_EQ(all[4].names,
            (Names{"T<sn::cuda::Csr, sn::cuda::NoOptimizer, 0>", "T<sn::cuda::Csr, sn::cuda::NoOptimizer, 1>"}));
}

/// Every architecture has the kernels that its devices take, and each of them once.
TEST(Images, OfTheVariantsThatAnArchitectureTakes) {
  plan::CudaManifest manifest = *cudaManifest(smallArchive());
  manifest.entries["train"][2] = {"W", "M64", "S"};
  manifest.names.insert({{"W", "Single_wgmma"}, {"M64", "Single_mma"}});
  const auto exact = std::find_if(std::begin(sn::cuda::kVariants), std::end(sn::cuda::kVariants),
                                  [](const sn::cuda::Variant &variant) { return variant.exact; });
  if (exact == std::end(sn::cuda::kVariants))
    GTEST_SKIP() << "manifest.inc has no variant for one capability alone";
  manifest.variants = {{"W", std::string(exact->name)}, {"M64", "mma_tf32_64"}, {"S", "ffma_64"}};
  const std::string common =
      "namespace sn::cuda {\n__global__ void __launch_bounds__(kThreads, 1) first(const A a) {}\n";
  const auto singles = [&](const std::string &architecture) {
    std::string text;
    for (const KernelInstances &of : kernelInstances(smallPlan(), manifest, "", Storage::Sparse, common, architecture))
      text += of.kernel + " ";
    return text;
  };
  EXPECT_EQ(singles("sm_90a"), "common G M T W ");
  EXPECT_EQ(singles("sm_90"), "common G M M64 T ") << "without the instructions of 9.0 alone";
  for (const char *architecture : {"sm_80", "sm_100", "sm_120"})
    EXPECT_EQ(singles(architecture), "common G M M64 T ") << architecture;
  EXPECT_EQ(singles("sm_75"), "common G M S T ");
  EXPECT_EQ(singles("compute_75"), "common G M S T ") << "PTX of what runs since then";
  EXPECT_EQ(singles("compute_80"), "M64 ") << "and what tensor cores add";
  EXPECT_EQ(ptxArchitectures(manifest), (Names{"compute_75", "compute_80"}));
  // Shared memory decides as well.
  manifest.shared = {{"W", 200 << 10}, {"M64", 100 << 10}, {"S", 20 << 10}};
  EXPECT_EQ(singles("sm_80"), "common G M M64 T ");
  EXPECT_EQ(singles("sm_86"), "common G M S T ");
  EXPECT_EQ(singles("sm_90a"), "common G M T W ");
  manifest.variants["M64"] = "of_tomorrow";
  try {
    singles("sm_80");
    FAIL();
  } catch (const UserError &error) {
    EXPECT_STREQ(error.what(), "the plan's CUDA kernel 'M64' is of the variant 'of_tomorrow', which this snrt does not "
                               "know; compile the network again with the snc that came with it");
  }
}

/// Writes down what it is asked for.
class Scribe final : public KernelCompiler {
public:
  std::vector<Compiled> compile(const std::vector<Unit> &units, const Headers &headers,
                                const std::string &architecture) override {
    EXPECT_EQ(headers.size(), 2u);
    EXPECT_TRUE(headers.count("optimizers.cuh"));
    std::vector<Compiled> all;
    for (const Unit &unit : units) {
      Compiled &one = all.emplace_back();
      one.image = old ? ".target of " + unit.text
                      : std::string("\x7f"
                                    "ELF\0",
                                    5) +
                            unit.text;
      for (const std::string &kernel : unit.kernels) {
        one.names[kernel] = "_Z" + kernel;
        one.log +=
            "ptxas info : Compiling entry function '_Z" + kernel + "' for 'sm'\nptxas info : Used 40 registers\n";
      }
    }
    asked.push_back(architecture);
    return all;
  }
  std::vector<std::string> asked;
  bool old = false;
};

TEST(Images, GoIntoTheArchiveByArchitecture) {
  plan::Archive archive = smallArchive(), again = smallArchive();
  Scribe scribe;
  addImages(archive, smallPlan(), {"sm_80", "compute_75"}, Storage::All, scribe);
  EXPECT_EQ(scribe.asked, (Names{"sm_80", "compute_75"}));
  const plan::CudaManifest manifest = *cudaManifest(archive);
  EXPECT_EQ(manifest.images.size(), 18u);
  for (const plan::CudaImage &image : manifest.images) {
    const std::string &content = archive.entries.at(image.entry);
    EXPECT_NE(content.find("text of " + image.kernel), std::string::npos);
    EXPECT_EQ(image.entry,
              "cuda/" + image.architecture + "/" + image.kernel + (image.architecture == "sm_80" ? ".cubin" : ".ptx"));
    EXPECT_FALSE(image.names.empty());
    EXPECT_EQ(image.resources.size(), image.names.size());
    for (const std::string &resources : image.resources) {
      const std::optional<Resources> of = parseResources(resources);
      ASSERT_TRUE(of) << resources;
      EXPECT_EQ(of->registers, 40);
      EXPECT_EQ(image.names.at(of->function), "_Z" + of->function);
    }
  }
  addImages(again, smallPlan(), {"sm_80", "compute_75"}, Storage::All, scribe);
  EXPECT_EQ(again.entries, archive.entries);
}

TEST(Images, NothingWithoutTextOrArchitectures) {
  Scribe scribe;
  plan::Archive archive = smallArchive(), empty;
  addImages(archive, smallPlan(), {}, Storage::All, scribe);
  addImages(empty, smallPlan(), {"sm_80"}, Storage::All, scribe);
  EXPECT_EQ(archive.entries, smallArchive().entries);
  EXPECT_TRUE(empty.entries.empty());
  EXPECT_TRUE(scribe.asked.empty());
  EXPECT_FALSE(cudaManifest(empty));
}

TEST(Images, ACompilerThatIsTooOld) {
  Scribe scribe;
  scribe.old = true;
  plan::Archive archive = smallArchive();
  try {
    addImages(archive, smallPlan(), {"sm_121"}, Storage::Sparse, scribe);
    FAIL();
  } catch (const UserError &error) {
    EXPECT_STREQ(error.what(), "--arch: this machine's NVRTC is too old to compile for sm_121; install a newer one or "
                               "leave it out");
  }
}

TEST(Images, ADamagedList) {
  plan::Archive archive = smallArchive();
  archive.entries["cuda/manifest.json"] = "{\"abi\": 1}";
  try {
    cudaManifest(archive);
    FAIL();
  } catch (const UserError &error) {
    EXPECT_NE(std::string(error.what()).find("the list of the plan's CUDA kernels (cuda/manifest.json) is damaged"),
              std::string::npos);
  }
}
} // namespace
} // namespace sn::rt::cuda
