#include "runtime/hal/nvrtc/Architectures.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

namespace sn::rt::cuda {
namespace {
/// "sm_90a" in parts.
struct Architecture {
  bool ptx = false, specific = false;
  int capability = 0; // 90
};

std::optional<Architecture> parse(std::string_view text) {
  Architecture result;
  if (text.starts_with("compute_"))
    result.ptx = true, text.remove_prefix(8);
  else if (text.starts_with("sm_"))
    text.remove_prefix(3);
  else
    return std::nullopt;
  if (text.ends_with('a'))
    result.specific = true, text.remove_suffix(1);
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), result.capability);
  if (problem != std::errc() || end != text.data() + text.size())
    return std::nullopt;
  return result;
}

/// How well code for `image` suits a device; 0 = not at all. A cubin runs on devices of its major and no lower minor,
/// PTX on all that are not below it, and what has the instructions of one capability on that alone.
int fitness(const Architecture &image, int device) {
  if (image.specific)
    return image.capability == device ? 2 * device + 1 : 0;
  const bool runs = image.capability <= device && (image.ptx || image.capability / 10 == device / 10);
  return runs ? 2 * image.capability : 0;
}
/// Of every kernel without products.
constexpr int kLeastCapability = 75;
int leastCapability(const plan::CudaManifest &manifest, const std::string &kernel) {
  const sn::cuda::Variant *variant = variantOf(manifest, kernel);
  return variant ? variant->architecture : kLeastCapability;
}
} // namespace

std::vector<std::string> parseArchitectures(std::string_view text) {
  std::vector<std::string> result;
  if (text.empty() || text == "none")
    return result;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view name = text.substr(begin, end - begin);
    std::string full = name.starts_with("sm_") ? std::string(name) : fmt::format("sm_{}", name);
    if (std::find(std::begin(kArchitectures), std::end(kArchitectures), full) == std::end(kArchitectures))
      userError("--arch: '{}' (at character {} of '{}') is no known GPU architecture; known are {}, and `none`", name,
                begin + 1, text, fmt::join(kArchitectures, ", "));
    if (std::find(result.begin(), result.end(), full) == result.end())
      result.push_back(std::move(full));
    begin = end + 1;
  }
  return result;
}

int sharedBytesOf(int capability) {
  constexpr int kKiB = 1024;
  switch (capability) {
  case 75:
    return 64 * kKiB;
  case 80:
  case 87:
    return 163 * kKiB;
  case 90:
  case 100:
  case 103:
  case 110:
    return 227 * kKiB;
  default: // 8.6, 8.8, 8.9, 12.0, 12.1, and no less on what comes
    return 99 * kKiB;
  }
}

const sn::cuda::Variant *variantOf(const plan::CudaManifest &manifest, const std::string &kernel) {
  const auto name = manifest.variants.find(kernel);
  if (name == manifest.variants.end())
    return nullptr;
  const sn::cuda::Variant *variant = sn::cuda::variantNamed(name->second);
  if (!variant)
    userError("the plan's CUDA kernel '{}' is of the variant '{}', which this snrt does not know; compile the network "
              "again with the snc that came with it",
              kernel, name->second);
  return variant;
}

bool runsOn(const plan::CudaManifest &manifest, const std::string &kernel, int capability, int sharedBytes) {
  const sn::cuda::Variant *variant = variantOf(manifest, kernel);
  const auto shared = manifest.shared.find(kernel);
  return (!variant || variant->runsOn(capability)) &&
         (shared == manifest.shared.end() || shared->second <= sharedBytes);
}

bool takes(const plan::CudaManifest &manifest, const std::vector<std::string> &kernels, const std::string &kernel,
           std::string_view architecture) {
  const std::optional<Architecture> of = parse(architecture);
  if (!of)
    return false;
  const auto exact = [&](const std::string &one) {
    const sn::cuda::Variant *variant = variantOf(manifest, one);
    return variant && variant->exact;
  };
  if (of->ptx)
    return !exact(kernel) && leastCapability(manifest, kernel) == of->capability;
  for (const std::string &one : kernels)
    if ((of->specific || !exact(one)) && runsOn(manifest, one, of->capability, sharedBytesOf(of->capability)))
      return one == kernel;
  return false;
}

std::vector<std::string> ptxArchitectures(const plan::CudaManifest &manifest) {
  std::set<int> capabilities = {kLeastCapability};
  for (const auto &[kernel, name] : manifest.names)
    if (const sn::cuda::Variant *variant = variantOf(manifest, kernel); variant && !variant->exact)
      capabilities.insert(variant->architecture);
  std::vector<std::string> result;
  for (const int capability : capabilities)
    result.push_back(fmt::format("compute_{}", capability));
  return result;
}

std::string deviceArchitecture(int major, int minor) {
  return fmt::format("sm_{}{}{}", major, minor, major == 9 && minor == 0 ? "a" : "");
}

ImageSelection selectImage(const plan::CudaManifest &manifest, int major, int minor, std::string_view kernel,
                           std::string_view loader, std::string_view optimizer) {
  ImageSelection result;
  int bestCubin = 0, bestPtx = 0;
  for (const plan::CudaImage &image : manifest.images) {
    if (image.kernel != kernel || image.loader != loader || image.optimizer != optimizer)
      continue;
    const std::optional<Architecture> architecture = parse(image.architecture);
    const int fits = architecture ? fitness(*architecture, 10 * major + minor) : 0;
    int &best = architecture && architecture->ptx ? bestPtx : bestCubin;
    if (fits <= best)
      continue;
    best = fits;
    (architecture->ptx ? result.ptx : result.cubin) = &image;
  }
  return result;
}
} // namespace sn::rt::cuda
