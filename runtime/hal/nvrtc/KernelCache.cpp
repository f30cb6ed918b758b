#include "runtime/hal/nvrtc/KernelCache.h"
#include "runtime/plan/Archive.h"
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace sn::rt::cuda {
namespace fs = std::filesystem;
namespace {
constexpr std::string_view kSuffix = ".kernel", kTemporary = ".kernel.tmp";
constexpr size_t kDigits = 64; // of the SHA-256 that a file begins with: of everything after it

std::string packed(const Compiled &compiled) {
  const nlohmann::json body = {{"image", nlohmann::json::binary({compiled.image.begin(), compiled.image.end()})},
                               {"names", compiled.names},
                               {"log", nlohmann::json::binary({compiled.log.begin(), compiled.log.end()})}};
  std::string bytes;
  nlohmann::json::to_cbor(body, bytes);
  return bytes;
}
std::string textOf(const nlohmann::json &binary) {
  const auto &bytes = binary.get_binary();
  return {bytes.begin(), bytes.end()};
}
} // namespace

std::string defaultKernelCache() {
  if (const char *folder = std::getenv("SNRT_CACHE"))
    return folder;
  for (const auto &[variable, below] : {std::pair{"XDG_CACHE_HOME", "snrt"}, {"HOME", ".cache/snrt"}})
    if (const char *folder = std::getenv(variable); folder && *folder)
      return (fs::path(folder) / below).string();
  return "";
}

std::string KernelCache::fileOf(const std::string &key) const {
  return (fs::path(folder_) / (key + std::string(kSuffix))).string();
}

std::optional<Compiled> KernelCache::find(const std::string &key) const {
  if (folder_.empty())
    return std::nullopt;
  const std::string path = fileOf(key);
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (bytes.size() < kDigits || plan::sha256Hex(std::string_view(bytes).substr(kDigits)) != bytes.substr(0, kDigits))
    return std::nullopt;
  const nlohmann::json body =
      nlohmann::json::from_cbor(bytes.begin() + static_cast<ptrdiff_t>(kDigits), bytes.end(), true, false);
  if (body.is_discarded())
    return std::nullopt;
  std::error_code none; // the latest use counts in shrink(); a folder that cannot be written is no matter
  fs::last_write_time(path, fs::file_time_type::clock::now(), none);
  return Compiled{textOf(body.at("image")), body.at("names").get<std::map<std::string, std::string>>(),
                  textOf(body.at("log"))};
}

void KernelCache::store(const std::string &key, const Compiled &compiled) const {
  if (folder_.empty())
    return;
  std::error_code problem;
  fs::create_directories(folder_, problem);
  std::string temporary = (fs::path(folder_) / ("XXXXXX" + std::string(kTemporary))).string();
  const int handle = ::mkstemps(temporary.data(), static_cast<int>(kTemporary.size()));
  if (handle < 0)
    return;
  ::close(handle);
  const std::string body = packed(compiled);
  std::ofstream file(temporary, std::ios::binary);
  file << plan::sha256Hex(body) << body;
  file.close();
  if (file)
    fs::rename(temporary, fileOf(key), problem);
  if (!file || problem)
    fs::remove(temporary, problem);
}

void KernelCache::shrink() const {
  struct File {
    fs::file_time_type used;
    int64_t bytes;
    fs::path path;
  };
  std::vector<File> files;
  int64_t total = 0;
  std::error_code problem;
  const auto yesterday = fs::file_time_type::clock::now() - std::chrono::hours(24);
  for (fs::directory_iterator at(folder_, problem), end; !problem && at != end; at.increment(problem)) {
    std::error_code gone; // another process deletes, too
    const std::string name = at->path().filename().string();
    const File file{at->last_write_time(gone), static_cast<int64_t>(at->file_size(gone)), at->path()};
    if (gone)
      continue;
    if (name.ends_with(kTemporary) && file.used < yesterday)
      fs::remove(file.path, gone); // its writer was killed
    if (!name.ends_with(kSuffix))
      continue; // not ours
    files.push_back(file);
    total += file.bytes;
  }
  std::sort(files.begin(), files.end(), [](const File &a, const File &b) { return a.used < b.used; });
  for (const File &file : files) {
    if (total <= limit_)
      break;
    std::error_code gone;
    fs::remove(file.path, gone);
    total -= file.bytes;
  }
}
} // namespace sn::rt::cuda
