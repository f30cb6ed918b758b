// Words inside messages.
#include "compiler/Frontend/Spelling.h"
#include <algorithm>
#include <fmt/format.h>

namespace sn::frontend {
namespace {
constexpr size_t kShownBytes = 60;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Slips between two words: insertions, omissions, replacements and swaps of neighbours.
size_t slips(std::string_view a, std::string_view b) {
  std::vector<size_t> beforeLast(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({last[j - 1] + !same, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
        row[j] = std::min(row[j], beforeLast[j - 2] + 1);
    }
    std::swap(beforeLast, last);
    std::swap(last, row);
  }
  return last[b.size()];
}
} // namespace

size_t utf8Length(std::string_view text) {
  auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  auto continues = [&](size_t i) { return (byte(i) & 0xC0) == 0x80; };
  unsigned first = byte(0);
  if (text.empty())
    return 0;
  if (first < 0x80)
    return 1;
  if (first >= 0xC2 && first < 0xE0)
    return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first < 0xF0) { // neither overlong nor a surrogate
    bool fits = first == 0xE0 ? byte(1) >= 0xA0 : first != 0xED || byte(1) < 0xA0;
    return fits && continues(1) && continues(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first < 0xF5) { // neither overlong nor beyond U+10FFFF
    bool fits = first == 0xF0 ? byte(1) >= 0x90 : first != 0xF4 || byte(1) < 0x90;
    return fits && continues(1) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

char32_t codePoint(std::string_view character) {
  unsigned char first = static_cast<unsigned char>(character[0]);
  char32_t code = character.size() == 1 ? first : first & (0x7Fu >> character.size());
  for (char c : character.substr(1))
    code = code << 6 | (static_cast<unsigned char>(c) & 0x3F);
  return code;
}

std::string inQuotes(std::string_view text) {
  bool cut = text.size() > kShownBytes;
  if (cut) {
    size_t end = kShownBytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
      --end;
    text = text.substr(0, end);
  }
  std::string out = "'";
  for (char c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else
      out += c;
  return out + (cut ? "...'" : "'");
}

std::string listed(const std::vector<std::string_view> &names) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i)
    text += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + inQuotes(names[i]);
  return text;
}

std::string_view nearest(const std::vector<std::string_view> &names, std::string_view word) {
  if (word.size() < 2 || word.size() > kShownBytes)
    return {};
  std::string_view best;
  size_t least = std::max<size_t>(word.size() / 3, 1) + 1;
  for (std::string_view name : names) {
    size_t longer = std::max(name.size(), word.size()), shorter = std::min(name.size(), word.size());
    if (longer - shorter >= least)
      continue;
    if (size_t count = slips(name, word); count < least)
      best = name, least = count;
  }
  return best;
}

std::string didYouMean(std::string_view suggestion) {
  return suggestion.empty() ? "" : fmt::format("; did you mean {}?", inQuotes(suggestion));
}
} // namespace sn::frontend
