// A file that appears whole or not at all: written under a temporary name in the same folder, synced, renamed, the
// folder synced.
#pragma once
#include <string>

namespace sn::rt {
class AtomicFile {
public:
  /// UserError if `path` exists and `force` is not set, or if its folder is missing.
  AtomicFile(std::string path, bool force);
  ~AtomicFile(); // removes the temporary file unless commit() has run
  AtomicFile(const AtomicFile &) = delete;
  AtomicFile &operator=(const AtomicFile &) = delete;
  const std::string &path() const { return path_; }
  /// Where to write. Whoever writes closes the file before commit().
  const std::string &temporary() const { return temporary_; }
  void commit();

private:
  std::string path_, temporary_;
  bool force_ = false, committed_ = false;
};
} // namespace sn::rt
