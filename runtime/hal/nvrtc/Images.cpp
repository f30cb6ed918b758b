#include "runtime/hal/nvrtc/Images.h"
#include "runtime/hal/nvrtc/Resources.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <stdexcept>

namespace sn::rt::cuda {
namespace {
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

std::vector<std::string> loadersOf(const plan::Step &step, bool ignoredZeros) {
  if (!step.sources.empty() && step.sources.front().data)
    return {"Csr", "Dense"};
  if (step.target.empty())
    return {"NoData"};
  return ignoredZeros ? std::vector<std::string>{"Csr", "CsrStoredOnly", "Dense"}
                      : std::vector<std::string>{"Csr", "Dense"};
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

int passesOf(const plan::Step &step) {
  static const std::map<std::string, int, std::less<>> several = {{"column_reduce", 2}, {"limit_norm", 3}};
  const auto found = several.find(step.kernel);
  return found == several.end() ? 1 : found->second;
}

std::vector<KernelInstances> kernelInstances(const plan::Plan &plan, const plan::CudaManifest &manifest,
                                             const std::string &optimizer, bool ignoredZeros,
                                             const std::string &common) {
  std::map<std::string, const plan::Step *> steps; // by kernel; those that share one ask for the same
  for (const auto &[name, kernels] : manifest.entries) {
    const plan::Entry *entry = plan::findEntry(plan, name);
    for (size_t i = 0; entry && i < std::min(kernels.size(), entry->steps.size()); ++i)
      steps.emplace(kernels[i], &entry->steps[i]);
  }
  std::vector<KernelInstances> result = {{plan::kCudaCommon, "", "", commonKernels(common)}};
  for (const auto &[kernel, step] : steps)
    for (const std::string &loader : loadersOf(*step, ignoredZeros)) {
      KernelInstances &instances =
          result.emplace_back(KernelInstances{kernel, loader, step->update ? optimizer : "", {}});
      for (int pass = 0; pass < passesOf(*step); ++pass)
        instances.names.push_back(plan::instanceName(manifest.names.at(kernel), loader, instances.optimizer, pass));
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
               KernelCompiler &compiler) {
  std::optional<plan::CudaManifest> manifest = cudaManifest(archive);
  if (!manifest || architectures.empty())
    return;
  const Headers headers = headersOf(archive);
  const std::string common = commonText(archive);
  for (const std::string &architecture : architectures) {
    const bool ptx = architecture.starts_with("compute_");
    const std::vector<KernelInstances> all = kernelInstances(plan, *manifest, plan.training.optimizer, !ptx, common);
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
