#include "test/fuzz/support/Target.h"
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace sn::fuzz {
void demand(bool condition, std::string_view what) {
  if (condition)
    return;
  std::fprintf(stderr, "fuzz target: %.*s\n", int(what.size()), what.data());
  std::abort();
}

void say(std::string_view message) {
  static const bool wanted = std::getenv("SN_FUZZ_SAY") != nullptr;
  if (wanted)
    std::fprintf(stderr, "said: %.*s\n", int(message.size()), message.data());
}

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

MemoryFile::MemoryFile(std::string_view bytes) : path_(scratch("input")) {
  std::ofstream file(path_, std::ios::binary | std::ios::trunc);
  file << bytes;
  demand(file.flush().good(), "a file in memory cannot be written");
}
MemoryFile::~MemoryFile() { std::filesystem::remove(path_); }
} // namespace sn::fuzz
