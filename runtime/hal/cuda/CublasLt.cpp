// Where cuBLASLt is found, and its functions by name.
#include "runtime/base/DynamicLibrary.h"
#include "runtime/hal/cuda/Library.h"
#include "runtime/hal/nvrtc/ToolkitFolders.h"
#include "runtime/plan/Error.h"
#include <cstdlib>
#include <fmt/ranges.h>
#include <map>
#include <mutex>
#include <type_traits>
#include <vector>

namespace sn::rt::cuda {
namespace {
namespace fs = std::filesystem;
constexpr const char *kVariable = "SNRT_CUBLASLT", *kNone = "none";

/// The first function that the library lacks; "" if it has them all.
std::string resolve(LibraryApi &api, const DynamicLibrary &library) {
  std::string missing;
  const auto take = [&](auto &function, const char *name) {
    function = library.function<std::remove_reference_t<decltype(function)>>(name);
    if (!function && missing.empty())
      missing = name;
  };
  take(api.create, "cublasLtCreate");
  take(api.destroy, "cublasLtDestroy");
  take(api.getVersion, "cublasLtGetVersion");
  take(api.getStatusName, "cublasLtGetStatusName");
  take(api.operationCreate, "cublasLtMatmulDescCreate");
  take(api.operationSetAttribute, "cublasLtMatmulDescSetAttribute");
  take(api.operationDestroy, "cublasLtMatmulDescDestroy");
  take(api.layoutCreate, "cublasLtMatrixLayoutCreate");
  take(api.layoutDestroy, "cublasLtMatrixLayoutDestroy");
  take(api.preferenceCreate, "cublasLtMatmulPreferenceCreate");
  take(api.preferenceSetAttribute, "cublasLtMatmulPreferenceSetAttribute");
  take(api.preferenceDestroy, "cublasLtMatmulPreferenceDestroy");
  take(api.propose, "cublasLtMatmulAlgoGetHeuristic");
  take(api.algorithmGetConfig, "cublasLtMatmulAlgoConfigGetAttribute");
  take(api.multiply, "cublasLtMatmul");
  return missing;
}

OpenedLibrary findLibrary() {
  constexpr const char *kNames[] = {"libcublasLt.so.13", "libcublasLt.so.12"};
  for (const char *name : kNames)
    if (OpenedLibrary opened = openLibrary(name); opened.api)
      return opened;
  std::vector<std::string> tried;
  for (const fs::path &folder : toolkitFolders({"nvidia/cu13/lib", "nvidia/cublas/lib"}))
    for (const char *name : kNames)
      if (std::error_code none; fs::exists(folder / name, none)) {
        OpenedLibrary opened = openLibrary((folder / name).string());
        if (opened.api)
          return opened;
        tried.push_back(opened.reason);
      }
  return {nullptr,
          fmt::format("was not found (no libcublasLt.so.13 or .so.12 where the system looks for libraries, in "
                      "$CUDA_HOME/lib64, in /usr/local/cuda/lib64 or in the Python package nvidia-cublas{}{}; {} may "
                      "name it)",
                      tried.empty() ? "" : "; tried ", fmt::join(tried, "; "), kVariable)};
}
} // namespace

OpenedLibrary openLibrary(const std::string &name) {
  static std::mutex mutex;
  static std::map<std::string, LibraryApi> known; // libraries stay open: their exit handlers outlive any object of ours
  const std::lock_guard lock(mutex);
  if (auto found = known.find(name); found != known.end())
    return {&found->second, ""};
  std::string reason;
  std::unique_ptr<DynamicLibrary> library = DynamicLibrary::open(name, reason);
  if (!library)
    return {nullptr, fmt::format("cannot be opened: {}", reason)};
  LibraryApi api{};
  if (const std::string missing = resolve(api, *library); !missing.empty())
    return {nullptr, fmt::format("cannot be used: {} has no {}; CUDA 12 or later is needed", name, missing)};
  static_cast<void>(library.release());
  return {&(known[name] = api), ""};
}

OpenedLibrary systemLibrary() {
  if (const char *named = std::getenv(kVariable); named && *named) {
    if (std::string_view(named) == kNone)
      return {nullptr, fmt::format("is turned off by {}={}", kVariable, kNone)};
    OpenedLibrary opened = openLibrary(named);
    if (!opened.api)
      userError("{}: '{}' {}; name another library, or none", kVariable, named, opened.reason);
    return opened;
  }
  static const OpenedLibrary found = findLibrary();
  return found;
}
} // namespace sn::rt::cuda
