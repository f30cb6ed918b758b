#include "tools/snrt/Interrupt.h"
#include <array>
#include <cstdlib>
#include <pthread.h>
#include <string_view>
#include <unistd.h>

namespace sn::snrt {
namespace {
constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};
constexpr int kWake = SIGUSR1; // from the destructor to the waiter, never to the process

void say(std::string_view text) {
  if (::write(STDERR_FILENO, text.data(), text.size()) < 0)
    return; // nobody listens
}
} // namespace

Interrupt::Interrupt(std::string lockFile) : lockFile(std::move(lockFile)) {
  sigemptyset(&waitedFor);
  for (int number : kSignals) {
    struct sigaction action {};
    ::sigaction(number, nullptr, &action);
    if (action.sa_handler != SIG_IGN)
      sigaddset(&waitedFor, number);
  }
  sigaddset(&waitedFor, kWake);
  ::pthread_sigmask(SIG_BLOCK, &waitedFor, &before);
  waiter = std::thread([this] { wait(); });
}

Interrupt::~Interrupt() {
  over = true;
  ::pthread_kill(waiter.native_handle(), kWake);
  waiter.join();
  // After a first signal the process is about to end by itself: a second one must not end it before it has removed its lock.
  if (!came)
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Interrupt::wait() {
  for (int number = 0; ::sigwait(&waitedFor, &number) == 0;) {
    if (number == kWake) {
      if (over)
        return;
    } else if (saving && !came) {
      came = number;
      say("\nsnrt: finishing the step and saving; once more ends at once\n");
    } else {
      end(number);
    }
  }
}

void Interrupt::end(int number) const {
  if (!lockFile.empty())
    ::unlink(lockFile.c_str());
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::raise(number); // its disposition is the default one
  std::_Exit(128 + number);
}
} // namespace sn::snrt
