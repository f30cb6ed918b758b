#include "runtime/hal/nvrtc/Images.h"
#include "kernels-templates/cuda/sparse.cuh"
#include "kernels-templates/cuda/wide_layout.cuh"
#include "runtime/hal/cuda/LibraryUse.h"
#include "runtime/hal/nvrtc/Architectures.h"
#include "runtime/hal/nvrtc/Resources.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <set>
#include <stdexcept>

namespace sn::rt::cuda {
namespace {
using namespace sn::cuda; // constants of the templates
constexpr const char *kCommonHeader = "kernels-templates/cuda/common.cuh";

/// The qualified names of the kernels in the text of common.cuh: what stands before the parameters of each
/// `__global__ void __launch_bounds__(...) name(`.
std::vector<std::string> commonKernels(std::string_view text) {
  constexpr std::string_view kGlobal = "\n__global__ ", kBounds = "__launch_bounds__(";
  std::vector<std::string> names;
  for (size_t at = text.find(kGlobal); at != std::string_view::npos; at = text.find(kGlobal, at + 1)) {
    std::string_view head = text.substr(at, text.find('{', at) - at);
    if (const size_t bounds = head.find(kBounds); bounds != std::string_view::npos)
      head.remove_prefix(head.find(')', bounds));
    const size_t open = head.find('('), begin = head.rfind(' ', open) + 1;
    if (open == std::string_view::npos)
      throw std::logic_error("a kernel of common.cuh has no parameters");
    names.push_back("sn::cuda::" + std::string(head.substr(begin, open - begin)));
  }
  return names;
}

std::vector<std::string> loadersOf(const plan::Step &step, Storage storage) {
  const bool lists = step.kernel == "wide_topk"; // whose data set holds what a list leaves out
  const bool reads = lists || (!step.sources.empty() && step.sources.front().data);
  if (!reads && step.target.empty())
    return {"NoData"};
  if (storage == Storage::Sparse)
    return {"Csr"};
  if (reads)
    return {"Csr", "Dense"};
  return {"Csr", "CsrStoredOnly", "Dense"};
}

/// Whether each of the step's sums over features is short (true), long (false) or of an extent that only data tell.
std::optional<bool> shortSums(const plan::Plan &plan, const plan::Step &step) {
  bool all = true;
  for (const plan::Source &source : step.sources) {
    const auto weights = std::find_if(plan.parameters.begin(), plan.parameters.end(),
                                      [&](const plan::Parameter &of) { return of.name == source.weights; });
    if (weights == plan.parameters.end())
      return std::nullopt;
    const plan::Dim &inner = source.transposed ? weights->out : weights->in;
    if (!inner.symbol.empty())
      return std::nullopt;
    all = all && inner.value < gemm::kWideInner;
  }
  return all;
}

/// Whether a library may come to compute the products of a gemm: all may be as large as its limits ask.
bool mayTakeLibrary(const plan::Plan &plan, const plan::Step &step) {
  constexpr LibraryLimits kLeast;
  const auto reaches = [](const plan::Dim &dim, int64_t least) { return !dim.symbol.empty() || dim.value >= least; };
  return kLeast.suits(step.precision) && reaches(step.columns, kLeast.columns) &&
         std::all_of(step.sources.begin(), step.sources.end(), [&](const plan::Source &source) {
           const auto weights = std::find_if(plan.parameters.begin(), plan.parameters.end(),
                                             [&](const plan::Parameter &of) { return of.name == source.weights; });
           return weights == plan.parameters.end() ||
                  reaches(source.transposed ? weights->out : weights->in, kLeast.innerOf(step.precision));
         });
}

/// Two sources that form the gradient of one matrix: the second may come in a pass of its own.
bool mayBeLate(const plan::Step &step) {
  std::set<std::string> gradients;
  for (const plan::Source &source : step.sources)
    if (!source.weightGradient.empty() && !gradients.insert(source.weightGradient).second)
      return true;
  return false;
}

/// As runtime/hal/cuda/WideLaunches.cpp: slots that must run once.
bool writesMatrices(const plan::Step &step) {
  return std::any_of(step.slots.begin(), step.slots.end(), [](const auto &slot) {
    return std::any_of(slot.second.out.begin(), slot.second.out.end(),
                       [](const plan::SlotArg &result) { return result.role != plan::Role::Delta; });
  });
}

/// The numbers that walks of a wide step may have (WideLaunches.cpp): held or not goes by inner extents and the tile,
/// one pass or several by the batch, which training may set.
std::vector<int> wideNumbers(const plan::Plan &plan, const plan::Step &step, const Variant &variant) {
  bool mayFit = step.sources.empty(), mustFit = true; // inner extents, into a tile
  for (const plan::Source &source : step.sources)
    for (const plan::Parameter &weights : plan.parameters)
      if (weights.name == source.weights) {
        const plan::Dim &inner = source.transposed ? weights.out : weights.in;
        mayFit = mayFit || !inner.symbol.empty() || inner.value <= variant.side;
        mustFit = mustFit && inner.symbol.empty() && inner.value <= variant.side;
      }
  std::vector<int> numbers;
  const auto add = [&](int number, bool one) { // gradient, which registers hold where it fits
    if (!one || !mustFit || step.sources.empty())
      numbers.push_back(number);
    if (one && mayFit)
      numbers.push_back(number + wide::kHeld);
  };
  const bool once = writesMatrices(step),
             oneUpdates = wide::holdsWeightGradient(variant.side) && (step.sources.size() <= 1 || mayBeLate(step));
  const bool oneWants = wide::holdsInputGradient(variant.side, variant.exact) &&
                        std::count_if(step.sources.begin(), step.sources.end(),
                                      [](const plan::Source &source) { return !source.gradient.empty(); }) == 1;
  const bool single = step.sweep == "single", keeps = single && (plan.allowDeltaBuffer || once);
  if (!single || wide::hasOnePass(variant.side))
    add(wide::kSweep, step.sweep == "update" ? oneUpdates : oneWants);
  if (single && !once) {
    add(wide::kForward, oneWants);
    add(wide::kUpdate, oneUpdates);
  }
  if (keeps)
    add(wide::kKeep, oneWants);
  if (keeps || mayBeLate(step))
    numbers.push_back(wide::kDescend);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

/// A unit as it is compiled: all instances of a kernel at once, which parses its headers once.
struct Work {
  Unit unit;
  std::vector<const KernelInstances *> instances;
};

std::vector<Work> workOf(const plan::Archive &archive, const plan::CudaManifest &manifest,
                         const std::vector<KernelInstances> &all) {
  std::vector<Work> works;
  for (const KernelInstances &instances : all) {
    if (works.empty() || works.back().instances.front()->kernel != instances.kernel) {
      const auto text = archive.entries.find(plan::kCudaKernels + instances.kernel + ".cu");
      if (text == archive.entries.end())
        throw std::logic_error("the plan has no text of its CUDA kernel " + instances.kernel);
      const auto name = manifest.names.find(instances.kernel);
      works.push_back({{name == manifest.names.end() ? instances.kernel : name->second, text->second, {}}, {}});
    }
    Work &work = works.back();
    work.unit.kernels.insert(work.unit.kernels.end(), instances.names.begin(), instances.names.end());
    work.instances.push_back(&instances);
  }
  return works;
}

plan::CudaImage imageOf(const KernelInstances &instances, const std::string &architecture, const std::string &entry,
                        const Compiled &compiled) {
  plan::CudaImage image{instances.kernel, architecture, instances.loader, instances.optimizer, entry, {}, {}};
  const std::vector<Resources> resources = resourcesOfLog(compiled.log);
  for (const std::string &name : instances.names) {
    const std::string &function = image.names[name] = compiled.names.at(name);
    for (Resources of : resources)
      if (of.function == function) {
        of.function = name;
        image.resources.push_back(resourcesText(of));
      }
  }
  return image;
}

std::string commonText(const plan::Archive &archive) {
  const auto text = archive.entries.find(std::string(plan::kCudaInclude) + kCommonHeader);
  if (text == archive.entries.end())
    throw std::logic_error("the plan lacks the kernels that all plans share");
  return text->second;
}

Headers headersOf(const plan::Archive &archive) {
  const std::string_view folder = plan::kCudaInclude;
  Headers headers;
  for (const auto &[name, text] : archive.entries)
    if (name.starts_with(folder))
      headers[name.substr(folder.size())] = text;
  return headers;
}
} // namespace

std::vector<int> passNumbers(const plan::Plan &plan, const plan::Step &step, std::string_view loader,
                             const Variant &variant) {
  if (step.kernel == "gemm") {
    const std::optional<bool> whole = shortSums(plan, step);
    if (!whole)
      return {gemm::kWhole, gemm::kPartial, gemm::kFinish};
    if (!*whole)
      return {gemm::kPartial, gemm::kFinish};
    return mayTakeLibrary(plan, step) ? std::vector<int>{gemm::kWhole, gemm::kFinish} : std::vector<int>{gemm::kWhole};
  }
  if (step.sweep == "statistics" || step.sweep == "norm")
    return {wide::kSweep, wide::kFinish};
  if (step.sweep == "single" || step.sweep == "update" || step.sweep == "forward")
    return wideNumbers(plan, step, variant);
  if (step.kernel == "csc_update" && loader != "Dense")
    return {csc::kCount, csc::kSumChunks, csc::kScanChunks, csc::kWriteStarts, csc::kPlace, csc::kOrder, csc::kUpdate};
  if (step.kernel == "wide_topk" || step.kernel == "column_reduce")
    return {0, 1};
  if (step.kernel == "limit_norm")
    return {0, 1, 2};
  return {0};
}

std::vector<KernelInstances> kernelInstances(const plan::Plan &plan, const plan::CudaManifest &manifest,
                                             const std::string &optimizer, Storage storage, const std::string &common,
                                             const std::string &architecture) {
  std::map<std::string, std::vector<const plan::Step *>> steps; // by kernel
  for (const auto &[name, kernels] : manifest.entries) {
    const plan::Entry *entry = plan::findEntry(plan, name);
    for (size_t i = 0; entry && i < std::min(kernels.size(), entry->steps.size()); ++i)
      for (const std::string &kernel : kernels[i])
        if (takes(manifest, kernels[i], kernel, architecture))
          steps[kernel].push_back(&entry->steps[i]);
  }
  std::vector<KernelInstances> result;
  if (!architecture.starts_with("compute_") || architecture == ptxArchitectures(manifest).front())
    result.push_back({plan::kCudaCommon, "", "", commonKernels(common)});
  for (const auto &[kernel, users] : steps)
    for (const std::string &loader : loadersOf(*users.front(), storage)) {
      KernelInstances instances{kernel, loader, users.front()->update ? optimizer : "", {}};
      const auto variant = manifest.variants.find(kernel);
      const Variant *of = variant == manifest.variants.end() ? nullptr : variantNamed(variant->second);
      std::set<int> numbers; // steps of one text may have sums of different lengths
      for (const plan::Step *step : users)
        for (const int pass : passNumbers(plan, *step, loader, of ? *of : kPlainVariant))
          numbers.insert(pass);
      for (const int pass : numbers)
        instances.names.push_back(plan::instanceName(manifest.names.at(kernel), loader, instances.optimizer, pass));
      result.push_back(std::move(instances));
    }
  return result;
}

std::optional<plan::CudaManifest> cudaManifest(const plan::Archive &archive) {
  const auto text = archive.entries.find(plan::kCudaManifest);
  if (text == archive.entries.end())
    return std::nullopt;
  try {
    return nlohmann::json::parse(text->second).get<plan::CudaManifest>();
  } catch (const nlohmann::json::exception &problem) {
    userError("the list of the plan's CUDA kernels ({}) is damaged: {}", plan::kCudaManifest, problem.what());
  }
}

void addImages(plan::Archive &archive, const plan::Plan &plan, const std::vector<std::string> &architectures,
               Storage storage, KernelCompiler &compiler) {
  std::optional<plan::CudaManifest> manifest = cudaManifest(archive);
  if (!manifest || architectures.empty())
    return;
  const Headers headers = headersOf(archive);
  const std::string common = commonText(archive);
  for (const std::string &architecture : architectures) {
    const bool ptx = architecture.starts_with("compute_");
    const std::vector<KernelInstances> all =
        kernelInstances(plan, *manifest, plan.training.optimizer, storage, common, architecture);
    const std::vector<Work> works = workOf(archive, *manifest, all);
    std::vector<Unit> units;
    for (const Work &work : works)
      units.push_back(work.unit);
    const std::vector<Compiled> compiled = compiler.compile(units, headers, architecture);
    for (size_t i = 0; i < works.size(); ++i) {
      if (!ptx && compiled.at(i).image.find(".target ") < compiled[i].image.find('\0'))
        userError("--arch: this machine's NVRTC is too old to compile for {}; install a newer one or leave it out",
                  architecture);
      const std::string entry =
          "cuda/" + architecture + "/" + works[i].instances.front()->kernel + (ptx ? ".ptx" : ".cubin");
      archive.entries[entry] = compiled.at(i).image;
      for (const KernelInstances *instances : works[i].instances)
        manifest->images.push_back(imageOf(*instances, architecture, entry, compiled[i]));
    }
  }
  archive.entries[plan::kCudaManifest] = nlohmann::json(*manifest).dump(1) + "\n";
}
} // namespace sn::rt::cuda
