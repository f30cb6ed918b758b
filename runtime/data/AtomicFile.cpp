#include "runtime/data/AtomicFile.h"
#include "runtime/plan/Error.h"
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sn::rt {
namespace {
void sync(const std::string &path, const std::string &shownAs, int flags) {
  int file = ::open(path.c_str(), flags | O_CLOEXEC);
  if (file < 0 && (flags & O_DIRECTORY))
    return; // the file is there; a folder that may not be read cannot be synced
  if (file < 0)
    userError("{}: cannot be written: {}", shownAs, std::strerror(errno));
  int failed = ::fsync(file) ? errno : 0;
  ::close(file);
  if (failed && failed != EINVAL && failed != ENOTSUP) // some file systems cannot sync a folder
    userError("{}: cannot be written: {}", shownAs, std::strerror(failed));
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
/// Behind a symbolic link it is the file that is replaced, not the link.
std::string targetOf(const std::string &path) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  return fs::is_symlink(path, ignored) && fs::exists(path, ignored) ? fs::canonical(path).string() : path;
}

enum class Lock { Taken, Busy, Impossible };
Lock tryLock(int file) {
  if (::flock(file, LOCK_EX | LOCK_NB) == 0)
    return Lock::Taken;
  return errno == EWOULDBLOCK || errno == EINTR ? Lock::Busy : Lock::Impossible; // some file systems have none
}
/// A file that was removed between its opening and its locking is not the one of that name any more.
bool isStillThere(int file) {
  struct stat open {};
  return ::fstat(file, &open) == 0 && open.st_nlink > 0;
}

bool isTemporaryOf(const std::string &name, const std::string &target) {
  std::string start = target + ".tmp";
  return name.rfind(start, 0) == 0 && name.size() > start.size() &&
         name.find_first_not_of("0123456789-", start.size()) == std::string::npos;
}

/// Removes temporary files whose writers are gone: nobody holds their locks.
void removeLeftOver(const std::string &target) {
  namespace fs = std::filesystem;
  std::error_code problem;
  fs::path folder = fs::path(target).parent_path(), name = fs::path(target).filename();
  for (fs::directory_iterator at(folder.empty() ? "." : folder, problem), end; !problem && at != end;
       at.increment(problem)) {
    if (!isTemporaryOf(at->path().filename().string(), name.string()))
      continue;
    int file = ::open(at->path().c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0)
      continue;
    if (tryLock(file) == Lock::Taken)
      ::unlink(at->path().c_str());
    ::close(file);
  }
}
} // namespace

void refuseOverwriting(const std::string &output, std::initializer_list<std::string> inputs) {
  for (const std::string &input : inputs)
    if (std::error_code none; !input.empty() && std::filesystem::equivalent(input, output, none))
      userError("{}: would overwrite what is read; give another name to write to", output);
}

AtomicFile::AtomicFile(std::string path, bool force) : path_(std::move(path)), force_(force) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  fs::path folder = fs::path(path_).parent_path();
  if (path_.empty())
    userError("the name of a file to write is empty");
  if (fs::is_directory(path_, ignored))
    userError("{}: is a folder, not a file to write", path_);
  if (!folder.empty() && !fs::is_directory(folder, ignored))
    userError("{}: the folder {} does not exist", path_, folder.string());
  if (!force_ && fs::exists(fs::symlink_status(path_, ignored)))
    userError("{}: exists already; --force overwrites it", path_);
  if (fs::exists(path_, ignored) && !fs::is_regular_file(path_, ignored))
    userError("{}: is a device or a pipe; a whole file cannot be put in its place", path_);
  target_ = targetOf(path_);
  removeLeftOver(target_);
  createTemporary();
}

void AtomicFile::createTemporary() {
  for (int attempt = 0;; ++attempt) {
    temporary_ = fmt::format("{}.tmp{}", target_, ::getpid());
    if (attempt > 0)
      temporary_ += fmt::format("-{}", attempt);
    lock_ = ::open(temporary_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (lock_ < 0 && errno == EEXIST && attempt < 1000)
      continue; // this process writes another one, or a process of the same number on another machine does
    if (lock_ < 0)
      userError("{}: cannot be written: {}", path_, std::strerror(errno));
    if (tryLock(lock_) != Lock::Busy && isStillThere(lock_))
      return;
    closeTemporary(); // somebody took it for one left over just now
  }
}

void AtomicFile::closeTemporary() {
  if (lock_ >= 0)
    ::close(lock_);
  lock_ = -1;
}

AtomicFile::~AtomicFile() {
  if (!committed_)
    ::unlink(temporary_.c_str());
  closeTemporary();
}

void AtomicFile::finish() {
  sync(temporary_, path_, O_RDONLY);
  finished_ = true;
}

void AtomicFile::commit() {
  if (!finished_)
    finish();
  int failed =
      force_ ? std::rename(temporary_.c_str(), target_.c_str()) : renameNew(temporary_.c_str(), target_.c_str());
  if (failed && errno == EEXIST)
    userError("{}: appeared while it was being written; --force overwrites it", path_);
  if (failed)
    userError("{}: cannot be written: {}", path_, std::strerror(errno));
  committed_ = true;
  closeTemporary();
  std::string folder = std::filesystem::path(target_).parent_path().string();
  sync(folder.empty() ? "." : folder, path_, O_RDONLY | O_DIRECTORY);
}

void writeWhole(const std::string &path, std::string_view text, bool force) {
  AtomicFile target(path, force);
  int file = ::open(target.temporary().c_str(), O_WRONLY | O_CLOEXEC);
  while (file >= 0 && !text.empty()) {
    ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      break;
    text.remove_prefix(size_t(written));
  }
  int failed = text.empty() ? 0 : errno ? errno : ENOSPC;
  if (file >= 0 && ::close(file) != 0 && !failed)
    failed = errno;
  if (file < 0 || failed)
    userError("{}: cannot be written: {}", path, std::strerror(failed));
  target.commit();
}

OutputLock::OutputLock(const std::string &path) : file_(targetOf(path) + ".lock") {
  for (;;) {
    lock_ = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (lock_ < 0)
      userError("{}: cannot be written: {}", path, std::strerror(errno));
    Lock state = tryLock(lock_);
    if (state == Lock::Busy) {
      char holder[32] = {};
      ssize_t length = ::pread(lock_, holder, sizeof holder - 1, 0);
      ::close(lock_);
      lock_ = -1;
      userError("{}: another snrt{} is writing it; wait for its end, or give another name with -o", path,
                length > 0 ? fmt::format(" (process {})", holder) : "");
    }
    if (isStillThere(lock_))
      break;
    ::close(lock_); // its holder has just gone, and the file with it
  }
  std::string self = std::to_string(::getpid());
  if (::ftruncate(lock_, 0) != 0 || ::pwrite(lock_, self.data(), self.size(), 0) < 0)
    return; // only the number in the message of a second one is lost
}

OutputLock::~OutputLock() {
  if (lock_ < 0)
    return;
  ::unlink(file_.c_str());
  ::close(lock_);
}
} // namespace sn::rt
