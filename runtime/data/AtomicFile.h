// A file that appears whole or not at all: written under a temporary name in the same folder, synced, renamed, the
// folder synced. The temporary file carries a lock while its writer lives, so that one left by a kill can be told from
// one that is being written, by whatever process on whatever machine.
#pragma once
#include <initializer_list>
#include <string>
#include <string_view>

namespace sn::rt {
/// UserError if `output` is one of the files read ("" = none), by whatever name: --force must not destroy an input.
void refuseOverwriting(const std::string &output, std::initializer_list<std::string> inputs);

class AtomicFile {
public:
  /// UserError if `path` exists and `force` is not set, is a folder or a device, or if its folder is missing.
  /// The temporary file exists from here on. Those that dead processes left beside it are removed.
  AtomicFile(std::string path, bool force);
  ~AtomicFile(); // removes the temporary file unless commit() has run
  AtomicFile(const AtomicFile &) = delete;
  AtomicFile &operator=(const AtomicFile &) = delete;
  const std::string &path() const { return path_; }
  /// Where to write. Whoever writes closes the file before commit().
  const std::string &temporary() const { return temporary_; }
  /// Syncs what has been written. Of several files all can be finished before the first one appears.
  void finish();
  void commit();

private:
  void createTemporary();
  void closeTemporary();
  std::string path_, target_, temporary_; // target_: what path_ leads to, if it is a symbolic link
  int lock_ = -1;                         // the temporary file, open and locked
  bool force_ = false, finished_ = false, committed_ = false;
};

/// Writes `text` as a whole file. UserError as above, and where the disk is full.
void writeWhole(const std::string &path, std::string_view text, bool force);

/// Held while a program means to write `path` again and again: a second one is refused meanwhile. The lock is on the
/// file `<path>.lock`, which goes with it; one that a kill leaves behind locks nothing.
class OutputLock {
public:
  /// UserError naming the process that holds the lock.
  explicit OutputLock(const std::string &path);
  ~OutputLock();
  OutputLock(const OutputLock &) = delete;
  OutputLock &operator=(const OutputLock &) = delete;
  const std::string &file() const { return file_; }

private:
  std::string file_;
  int lock_ = -1;
};
} // namespace sn::rt
