// How a program of ours ends: every exception becomes a message and an exit code.
#pragma once
#include <functional>

namespace sn::snrt {
/// 0: done, 1: something to mend in the input, 2: a fault of ours, 128 + n: ended by the signal n.
enum ExitCode { kDone = 0, kInput = 1, kFault = 2 };

/// Runs `work` and gives the exit code; what went wrong is told on stderr after the program's name, as a JSON object if
/// `json`. CLI::RuntimeError ends the program with its number.
int ending(const char *program, bool json, const std::function<void()> &work);
} // namespace sn::snrt
