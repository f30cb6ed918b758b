#include "tools/snrt/Interrupt.h"
#include <array>
#include <csignal>
#include <cstring>
#include <string_view>
#include <unistd.h>

namespace sn::snrt {
namespace {
constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};

// What the handler may touch.
volatile std::sig_atomic_t came = 0, saving = 0;
char lockPath[4096];
std::array<struct sigaction, kSignals.size()> before;

void say(std::string_view text) {
  if (::write(STDERR_FILENO, text.data(), text.size()) < 0)
    return; // nobody listens
}

void handle(int number) {
  int kept = errno;
  if (saving && !came) {
    came = number;
    say("\nsnrt: finishing the step and saving; once more ends at once\n");
  } else {
    if (lockPath[0])
      ::unlink(lockPath);
    std::signal(number, SIG_DFL);
    ::raise(number); // delivered when the handler returns
  }
  errno = kept;
}
} // namespace

Interrupt::Interrupt(const std::string &lockFile) {
  came = saving = 0;
  if (lockFile.size() < sizeof lockPath)
    std::memcpy(lockPath, lockFile.c_str(), lockFile.size() + 1);
  struct sigaction action {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART; // reads and writes go on
  for (size_t i = 0; i < kSignals.size(); ++i) {
    ::sigaction(kSignals[i], nullptr, &before[i]);
    if (before[i].sa_handler != SIG_IGN)
      ::sigaction(kSignals[i], &action, nullptr);
  }
}

Interrupt::~Interrupt() {
  for (size_t i = 0; i < kSignals.size(); ++i)
    ::sigaction(kSignals[i], &before[i], nullptr);
  lockPath[0] = 0;
}

void Interrupt::save() { saving = 1; }

int Interrupt::signal() const { return came; }
} // namespace sn::snrt
