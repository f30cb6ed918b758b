#include "runtime/data/AtomicFile.h"
#include "runtime/plan/Error.h"
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace sn::rt {
namespace {
void sync(const std::string &path, int flags) {
  int file = ::open(path.c_str(), flags | O_CLOEXEC);
  if (file < 0)
    userError("{}: cannot be opened: {}", path, std::strerror(errno));
  int failed = ::fsync(file) ? errno : 0;
  ::close(file);
  if (failed && failed != EINVAL && failed != ENOTSUP) // some file systems cannot sync a folder
    userError("{}: cannot be written to disk: {}", path, std::strerror(failed));
}
/// Renames without replacing, where the file system can promise that.
int renameNew(const char *from, const char *to) {
  if (::renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
    return 0;
  if (errno != EINVAL && errno != ENOSYS)
    return -1;
  if (::access(to, F_OK) == 0) {
    errno = EEXIST;
    return -1;
  }
  return ::rename(from, to);
}
} // namespace

AtomicFile::AtomicFile(std::string path, bool force) : path_(std::move(path)), force_(force) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  fs::path folder = fs::path(path_).parent_path();
  if (path_.empty() || fs::is_directory(path_, ignored))
    userError("{}: is a folder, not a file to write", path_.empty() ? "\"\"" : path_);
  if (!folder.empty() && !fs::is_directory(folder, ignored))
    userError("{}: the folder {} does not exist", path_, folder.string());
  if (!force_ && fs::exists(fs::symlink_status(path_, ignored)))
    userError("{}: exists already; --force overwrites it", path_);
  temporary_ = fmt::format("{}.tmp{}", path_, ::getpid());
}

AtomicFile::~AtomicFile() {
  if (!committed_)
    ::unlink(temporary_.c_str());
}

void AtomicFile::commit() {
  sync(temporary_, O_RDONLY);
  int failed = force_ ? std::rename(temporary_.c_str(), path_.c_str()) : renameNew(temporary_.c_str(), path_.c_str());
  if (failed && errno == EEXIST)
    userError("{}: appeared while it was being written; --force overwrites it", path_);
  if (failed)
    userError("{}: cannot be written: {}", path_, std::strerror(errno));
  committed_ = true;
  std::string folder = std::filesystem::path(path_).parent_path().string();
  sync(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY);
}
} // namespace sn::rt
