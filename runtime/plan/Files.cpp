// Files that are either whole or absent, and SHA-256.
#include "runtime/plan/Archive.h"
#include "runtime/plan/Error.h"
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sn::plan {
namespace {
void writeAll(int file, std::string_view bytes, const std::string &path) {
  while (!bytes.empty()) {
    ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      userError("cannot write '{}': {}", path, std::strerror(errno));
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

void syncFolder(const std::string &folder) {
  int handle = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (handle < 0)
    return; // the rename has happened; a folder that cannot be opened for reading cannot be synced
  ::fsync(handle);
  ::close(handle);
}
} // namespace

std::string sha256Hex(std::string_view bytes) {
  unsigned char digest[crypto_hash_sha256_BYTES];
  crypto_hash_sha256(digest, reinterpret_cast<const unsigned char *>(bytes.data()), bytes.size());
  char hex[2 * sizeof digest + 1];
  sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
  return hex;
}

void writeFileAtomically(const std::string &path, std::string_view bytes) {
  std::string folder = std::filesystem::path(path).parent_path().string();
  if (folder.empty())
    folder = ".";
  if (std::error_code none; std::filesystem::exists(path, none) && !std::filesystem::is_regular_file(path, none))
    userError("cannot write '{}': it is a folder, a device or a pipe", path);
  std::string temporary = path + ".XXXXXX";
  int file = ::mkstemp(temporary.data());
  if (file < 0)
    userError("cannot write '{}': {}", path, std::strerror(errno));
  try {
    writeAll(file, bytes, path);
    ::fchmod(file, 0644); // mkstemp gives 0600, which would lock others out of a shared plan
    if (::fsync(file) != 0)
      userError("cannot write '{}': {}", path, std::strerror(errno));
    ::close(file);
    file = -1;
    if (::rename(temporary.c_str(), path.c_str()) != 0)
      userError("cannot write '{}': {}", path, std::strerror(errno));
  } catch (...) {
    if (file >= 0)
      ::close(file);
    ::unlink(temporary.c_str());
    throw;
  }
  syncFolder(folder);
}
} // namespace sn::plan
