// What every fuzz target needs: a way to fail, files in memory, a folder in memory.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sn::fuzz {
/// Ends the program as a finding, saying why, unless `condition` holds.
void demand(bool condition, std::string_view what);

/// Prints what a reader said, if $SN_FUZZ_SAY is set: for looking at one input.
void say(std::string_view message);

/// A file of its own in the scratch folder, removed with the object. (HDF5 opens no descriptor under /proc: it wants
/// the name behind a symbolic link.)
class MemoryFile {
public:
  explicit MemoryFile(std::string_view bytes);
  ~MemoryFile();
  MemoryFile(const MemoryFile &) = delete;
  MemoryFile &operator=(const MemoryFile &) = delete;
  const std::string &path() const { return path_; }

private:
  std::string path_;
};

/// A path of this name in a folder of this process, in memory where the system has such folders; removed at exit.
std::string scratch(const std::string &name);
} // namespace sn::fuzz
