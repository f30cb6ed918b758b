#include "tools/dsstne/Text.h"
#include "runtime/data/TextFormats.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <filesystem>

namespace sn::dsstne {
std::vector<std::string> filesOf(const std::string &path) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error))
    return {path};
  std::vector<std::string> files;
  for (const auto &entry : std::filesystem::directory_iterator(path))
    if (!entry.is_directory())
      files.push_back(entry.path().string());
  if (files.empty())
    userError("'{}': there are no files in this folder", path);
  std::sort(files.begin(), files.end());
  return files;
}

void readSamples(const std::vector<std::string> &files, rt::Entries &into) {
  for (const std::string &file : files) {
    rt::TextSource source(file);
    rt::parseDsstne(source, into, {});
  }
  constexpr size_t kShown = 3;
  for (size_t i = 0; i < std::min(kShown, into.firstRejects.size()); ++i)
    fmt::print(stderr, "left out: {}\n", into.firstRejects[i]);
  if (into.rejected > static_cast<int64_t>(kShown))
    fmt::print(stderr, "left out: {} more lines or features that cannot be read\n",
               into.rejected - static_cast<int64_t>(kShown));
}
} // namespace sn::dsstne
