// Ctrl-C, SIGTERM and SIGHUP (a terminal that went away) while a command runs that can save what it has done.
#pragma once
#include <atomic>
#include <csignal>
#include <string>
#include <thread>

namespace sn::snrt {
/// At first a signal ends the process at once, as ever, and the lock file with it. From save() on the first signal is
/// remembered, so that the work can be brought to an end; a second one ends the process. A signal that was ignored when
/// the program started (nohup) stays ignored. One of them at a time, made before the threads that do the work.
///
/// No handler runs: the signals are blocked in the thread that makes this and in all that it starts, and a thread of
/// this class waits for them. A handler would run on the stack of the thread it interrupts, and a thread inside one of
/// oneDNN's AVX-512 products has none: its stack pointer is then the start of a work area in the heap (oneDNN 2.6,
/// jit_avx512_common_gemm_f32, `buffer_in_ws`), so that the frame of the signal lands on whatever lies before it.
class Interrupt {
public:
  /// `lockFile` goes when a signal ends the process.
  explicit Interrupt(std::string lockFile);
  ~Interrupt();
  Interrupt(const Interrupt &) = delete;
  Interrupt &operator=(const Interrupt &) = delete;

  void save() { saving = true; }
  /// The number of the signal that came; 0 = none.
  int signal() const { return came; }

private:
  void wait();
  [[noreturn]] void end(int number) const;

  std::string lockFile;
  sigset_t waitedFor, before;
  std::atomic<bool> saving = false, over = false;
  std::atomic<int> came = 0;
  std::thread waiter;
};
} // namespace sn::snrt
