// The user's voice: what went wrong with the user's input, said so that it can be mended. Tools print it and exit
// with 1. Everything else (a failed assertion, std::logic_error) is our fault and exits with 2.
#pragma once
#include <fmt/format.h>
#include <stdexcept>
#include <string>

namespace sn {
class UserError : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// Throws UserError with a formatted message: what, where, and what would be right.
template <typename... Args> [[noreturn]] void userError(fmt::format_string<Args...> format, Args &&...args) {
  throw UserError(fmt::format(format, std::forward<Args>(args)...));
}
} // namespace sn
