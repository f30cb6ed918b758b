// Text of the page: escaping, shortening, numbers for people.
#pragma once
#include <cstdint>
#include <fmt/format.h>
#include <iterator>
#include <string>
#include <string_view>

namespace sn::report {
/// Text for XML content and attributes, UTF-8; what XML does not admit becomes U+FFFD.
std::string escaped(std::string_view text);
/// At most `most` characters, the last one an ellipsis where something is left out. Not escaped.
std::string shortened(std::string_view text, size_t most);
/// A string of JSON that is also content of an HTML script element.
std::string quoted(std::string_view text);

/// Numbers for people; a dash for what is missing.
std::string general(double value, int digits = 5); // "0.12346", "27,278", "1.2e-07"
std::string whole(double value);                   // "27,278"
std::string bytes(double value);                   // "1.5 GiB"
std::string duration(double seconds);              // "0.42 s", "42 s", "3:07 min", "1:02:03 h"
std::string percent(double share);                 // "38.2 %"

/// Appends formatted text.
template <typename... Args> void put(std::string &to, fmt::format_string<Args...> format, Args &&...args) {
  fmt::format_to(std::back_inserter(to), format, std::forward<Args>(args)...);
}
} // namespace sn::report
