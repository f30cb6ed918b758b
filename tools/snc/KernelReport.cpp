#include "tools/snc/KernelReport.h"
#include "runtime/exec/MemoryRoom.h"
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

void explainKernels(const plan::Archive &archive) {
  const std::optional<plan::CudaManifest> manifest = rt::cuda::cudaManifest(archive);
  if (!manifest)
    return;
  const std::map<std::string, int64_t> bytes = imageBytes(archive, *manifest);
  fmt::print("\nCUDA kernels: {} as text", manifest->names.size());
  for (const auto &[architecture, size] : bytes)
    fmt::print(", {}{} {}", architecture.starts_with("compute_") ? "PTX for " : "", architecture,
               rt::formatBytes(size));
  fmt::print("\n");
  bool compiled = false;
  for (const auto &[architecture, size] : bytes)
    if (!architecture.starts_with("compute_")) {
      printFunctions(*manifest, architecture);
      compiled = true;
    }
  if (!compiled)
    fmt::print("  registers, shared memory and spills are known where `snc compile --arch` compiled them\n");
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
