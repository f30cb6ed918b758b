// What every fuzz target needs: a way to fail, files in memory, a folder in memory.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sn::fuzz {
/// Ends the program as a finding, saying why, unless `condition` holds.
void demand(bool condition, std::string_view what);

/// A file that lives in memory and has a path.
class MemoryFile {
public:
  explicit MemoryFile(std::string_view bytes);
  ~MemoryFile();
  MemoryFile(const MemoryFile &) = delete;
  MemoryFile &operator=(const MemoryFile &) = delete;
  std::string path() const;

private:
  int file_;
};

/// A path of this name in a folder of this process, in memory where the system has such folders; removed at exit.
std::string scratch(const std::string &name);
} // namespace sn::fuzz
