#include "runtime/hal/nvrtc/ToolkitFolders.h"
#include <algorithm>
#include <cstdlib>

namespace sn::rt::cuda {
namespace fs = std::filesystem;

std::vector<fs::path> entriesOf(const fs::path &folder, std::string_view prefix) {
  std::vector<fs::path> found;
  std::error_code problem;
  for (fs::directory_iterator at(folder, problem), end; !problem && at != end; at.increment(problem))
    if (at->path().filename().string().starts_with(prefix))
      found.push_back(at->path());
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<fs::path> toolkitFolders(const std::vector<std::string_view> &wheels) {
  std::vector<fs::path> folders, prefixes;
  for (const char *variable : {"CUDA_HOME", "CUDA_PATH"})
    if (const char *home = std::getenv(variable); home && *home)
      folders.push_back(fs::path(home) / "lib64");
  folders.push_back("/usr/local/cuda/lib64");
  for (const char *variable : {"VIRTUAL_ENV", "CONDA_PREFIX"})
    if (const char *prefix = std::getenv(variable); prefix && *prefix)
      prefixes.push_back(prefix);
  if (const char *home = std::getenv("HOME"); home && *home)
    prefixes.push_back(fs::path(home) / ".local");
  prefixes.insert(prefixes.end(), {"/usr/local", "/usr"});
  for (const fs::path &prefix : prefixes)
    for (const fs::path &python : entriesOf(prefix / "lib", "python3"))
      for (const char *packages : {"site-packages", "dist-packages"})
        for (const std::string_view wheel : wheels)
          folders.push_back(python / packages / wheel);
  return folders;
}
} // namespace sn::rt::cuda
