// Ctrl-C, SIGTERM and SIGHUP (a terminal that went away) while a command runs that can save what it has done.
#pragma once
#include <string>

namespace sn::snrt {
/// At first a signal ends the process at once, as ever, and the lock file with it. From save() on the first signal is
/// remembered, so that the work can be brought to an end; a second one ends the process. A signal that was ignored when
/// the program started (nohup) stays ignored. One of them at a time.
class Interrupt {
public:
  /// `lockFile` goes when a signal ends the process.
  explicit Interrupt(const std::string &lockFile);
  ~Interrupt();
  Interrupt(const Interrupt &) = delete;
  Interrupt &operator=(const Interrupt &) = delete;

  void save();
  /// The number of the signal that came; 0 = none.
  int signal() const;
};
} // namespace sn::snrt
