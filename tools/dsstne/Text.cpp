#include "tools/dsstne/Text.h"
#include "runtime/data/AtomicFile.h"
#include "runtime/data/Import.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

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

rt::Names readIndex(const std::string &path) { return rt::readFeatureIndex(path); }

void writeIndex(const std::string &path, const rt::Names &names) {
  rt::AtomicFile file(path, true);
  std::ofstream text(file.temporary(), std::ios::binary);
  for (int64_t i = 0; i < names.size(); ++i)
    if (!names[i].empty())
      text << names[i] << '\t' << i << '\n';
  text.close();
  if (!text)
    userError("'{}': the index cannot be written: {}", path, std::strerror(errno));
  file.commit();
}
} // namespace sn::dsstne
