#include "test/fuzz/support/Target.h"
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sys/mman.h>
#include <unistd.h>

namespace sn::fuzz {
void demand(bool condition, std::string_view what) {
  if (condition)
    return;
  std::fprintf(stderr, "fuzz target: %.*s\n", int(what.size()), what.data());
  std::abort();
}

MemoryFile::MemoryFile(std::string_view bytes) : file_(memfd_create("sn-fuzz", MFD_CLOEXEC)) {
  demand(file_ >= 0, "no file in memory");
  for (size_t at = 0; at < bytes.size();) {
    ssize_t written = write(file_, bytes.data() + at, bytes.size() - at);
    demand(written > 0, "a file in memory cannot be written");
    at += size_t(written);
  }
}
MemoryFile::~MemoryFile() { close(file_); }
std::string MemoryFile::path() const { return "/proc/self/fd/" + std::to_string(file_); }

namespace {
struct Folder {
  Folder() {
    std::error_code none;
    auto above = std::filesystem::is_directory("/dev/shm", none) ? "/dev/shm" : std::filesystem::temp_directory_path();
    path = (above / "sn-fuzz-XXXXXX").string();
    demand(mkdtemp(path.data()) != nullptr, "no folder in memory");
  }
  ~Folder() {
    std::error_code none;
    std::filesystem::remove_all(path, none);
  }
  std::string path;
};
} // namespace

std::string scratch(const std::string &name) {
  static const Folder folder;
  return folder.path + "/" + name;
}
} // namespace sn::fuzz
