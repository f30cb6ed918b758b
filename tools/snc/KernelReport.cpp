#include "tools/snc/KernelReport.h"
#include "runtime/exec/MemoryRoom.h"
#include "runtime/hal/nvrtc/Architectures.h"
#include "runtime/hal/nvrtc/Images.h"
#include "runtime/hal/nvrtc/Resources.h"
#include <fmt/format.h>
#include <set>

namespace {
using namespace sn;
using rt::cuda::Resources;

/// Bytes of the images by architecture; several images may lie in one entry.
std::map<std::string, int64_t> imageBytes(const plan::Archive &archive, const plan::CudaManifest &manifest) {
  std::map<std::string, int64_t> bytes;
  std::set<std::string> counted;
  for (const plan::CudaImage &image : manifest.images)
    if (const auto entry = archive.entries.find(image.entry);
        entry != archive.entries.end() && counted.insert(image.entry).second)
      bytes[image.architecture] += static_cast<int64_t>(entry->second.size());
  return bytes;
}

/// "Hidden_csr_gather<Csr, NoOptimizer, 0>" of a name expression.
std::string withoutNamespaces(std::string name) {
  for (const std::string_view space : {"sn::cuda::", "optimizer::"})
    for (size_t at; (at = name.find(space)) != std::string::npos;)
      name.erase(at, space.size());
  return name;
}

/// What a block may have on every device since sm_80; where a kernel takes more, its devices are said by it too.
constexpr int kCommonShared = 99 << 10;

/// A kernel that some devices take for a step with products.
struct Choice {
  std::string kernel, variant, devices;
  int sharedBytes = 0;
};
/// Of step `step` of an entry, the best first; none without products or without text.
std::vector<Choice> choicesOf(const plan::CudaManifest &manifest, const std::string &entry, size_t step) {
  std::vector<Choice> choices;
  const auto kernels = manifest.entries.find(entry);
  if (kernels == manifest.entries.end() || step >= kernels->second.size())
    return choices;
  for (const std::string &kernel : kernels->second[step])
    if (const sn::cuda::Variant *variant = rt::cuda::variantOf(manifest, kernel)) {
      const auto shared = manifest.shared.find(kernel);
      choices.push_back({kernel, std::string(variant->name),
                         variant->exact ? fmt::format("on sm_{}a", variant->architecture)
                                        : fmt::format("from sm_{}", variant->architecture),
                         shared == manifest.shared.end() ? 0 : shared->second});
    }
  return choices;
}
/// "wgmma_tf32_128 on sm_90a, mma_tf32_128 from sm_80 with 107.0 KiB of shared memory, ffma_64".
std::string choicesText(const std::vector<Choice> &choices) {
  std::string text;
  for (const Choice &choice : choices) {
    const bool everywhere = choice.devices == "from sm_75";
    text += (text.empty() ? "" : ", ") + choice.variant + (everywhere ? "" : " " + choice.devices);
    if (choice.sharedBytes > kCommonShared && choice.devices.starts_with("from"))
      text += fmt::format(" with {} of shared memory", rt::formatBytes(choice.sharedBytes));
  }
  return text;
}

void printChoices(const plan::Plan &plan, const plan::CudaManifest &manifest) {
  fmt::print("  products, by the first of these that the device runs\n");
  for (const plan::Entry &entry : plan.entries)
    for (size_t i = 0; i < entry.steps.size(); ++i)
      if (const std::vector<Choice> choices = choicesOf(manifest, entry.name, i); !choices.empty())
        fmt::print("    {:<8} {:<3} {:<13} {:<10} {:<7} {}\n", entry.name, i, entry.steps[i].kernel,
                   entry.steps[i].sweep, nameOf(entry.steps[i].precision), choicesText(choices));
}

void printFunctions(const plan::CudaManifest &manifest, const std::string &architecture) {
  fmt::print("  {:<58} {:>9} {:>10} {:>10} {:>10}\n", architecture, "registers", "shared", "stack", "spills");
  for (const plan::CudaImage &image : manifest.images)
    for (const std::string &text : image.resources)
      if (const std::optional<Resources> of = rt::cuda::parseResources(text); of && image.architecture == architecture)
        fmt::print("    {:<56} {:>9} {:>10} {:>10} {:>10}\n", withoutNamespaces(of->function), of->registers,
                   rt::formatBytes(of->shared), rt::formatBytes(of->stack),
                   rt::formatBytes(of->spillStores + of->spillLoads));
}
} // namespace

void explainKernels(const plan::Plan &plan, const plan::Archive &archive) {
  const std::optional<plan::CudaManifest> manifest = rt::cuda::cudaManifest(archive);
  if (!manifest)
    return;
  const std::map<std::string, int64_t> bytes = imageBytes(archive, *manifest);
  fmt::print("\nCUDA kernels: {} as text", manifest->names.size());
  for (const auto &[architecture, size] : bytes)
    fmt::print(", {}{} {}", architecture.starts_with("compute_") ? "PTX for " : "", architecture,
               rt::formatBytes(size));
  fmt::print("\n");
  printChoices(plan, *manifest);
  bool compiled = false;
  for (const auto &[architecture, size] : bytes)
    if (!architecture.starts_with("compute_")) {
      printFunctions(*manifest, architecture);
      compiled = true;
    }
  if (!compiled)
    fmt::print("  registers, shared memory and spills are known where `snc compile --arch` compiled them\n");
}

nlohmann::json variantsJson(const plan::CudaManifest &manifest, const std::string &entry, size_t step) {
  nlohmann::json variants = nlohmann::json::array();
  for (const Choice &choice : choicesOf(manifest, entry, step))
    variants.push_back({{"variant", choice.variant},
                        {"devices", choice.devices},
                        {"sharedBytes", choice.sharedBytes},
                        {"kernel", choice.kernel}});
  return variants;
}

nlohmann::json kernelsJson(const plan::Archive &archive) {
  const std::optional<plan::CudaManifest> manifest = rt::cuda::cudaManifest(archive);
  if (!manifest)
    return nullptr;
  nlohmann::json functions = nlohmann::json::array();
  for (const plan::CudaImage &image : manifest->images)
    for (const std::string &text : image.resources)
      if (const std::optional<Resources> of = rt::cuda::parseResources(text))
        functions.push_back({{"architecture", image.architecture},
                             {"kernel", image.kernel},
                             {"function", of->function},
                             {"registers", of->registers},
                             {"sharedBytes", of->shared},
                             {"stackBytes", of->stack},
                             {"spillStoreBytes", of->spillStores},
                             {"spillLoadBytes", of->spillLoads}});
  return {{"architectures", imageBytes(archive, *manifest)}, {"functions", functions}};
}
