// Words of the user inside messages, and the words the user may have meant.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace sn::frontend {
/// The length of the UTF-8 character at the beginning, 0 if there is none.
size_t utf8Length(std::string_view text);
/// Of one well-formed UTF-8 character.
char32_t codePoint(std::string_view character);

/// 'text' in quotes, fit for a line: control characters as \u0000, cut after 60 bytes.
std::string inQuotes(std::string_view text);
/// "'a', 'b' and 'c'".
std::string listed(const std::vector<std::string_view> &names);

/// The name that `word` is a slip of the hand away from, or "": case ignored, at most a third of its letters (and at
/// least one) inserted, left out, replaced or swapped with the next. The first of equally near names.
std::string_view nearest(const std::vector<std::string_view> &names, std::string_view word);
/// "; did you mean 'x'?", or "" if there is no suggestion.
std::string didYouMean(std::string_view suggestion);
} // namespace sn::frontend
