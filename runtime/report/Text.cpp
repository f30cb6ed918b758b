#include "runtime/report/Text.h"
#include <cmath>

namespace sn::report {
namespace {
constexpr const char *kMissingText = "–";
constexpr const char *kReplacement = "\xEF\xBF\xBD";
/// Bytes of the UTF-8 sequence that begins with this byte.
size_t lengthOf(unsigned char byte) { return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4; }

std::string grouped(std::string digits) {
  size_t begin = digits.starts_with('-') ? 1 : 0;
  for (size_t end = digits.size(); end > begin + 3; end -= 3)
    digits.insert(end - 3, ",");
  return digits;
}
} // namespace

std::string escaped(std::string_view text) {
  std::string to;
  for (size_t i = 0; i < text.size(); ++i) {
    auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '&')
      to += "&amp;";
    else if (byte == '<')
      to += "&lt;";
    else if (byte == '>')
      to += "&gt;";
    else if (byte == '"')
      to += "&quot;";
    else if (byte == '\'')
      to += "&#39;";
    else if ((byte < 0x20 && byte != '\t' && byte != '\n') || byte == 0x7F)
      to += kReplacement;
    else if (text.substr(i).starts_with("\xEF\xBF\xBE") || text.substr(i).starts_with("\xEF\xBF\xBF"))
      to += kReplacement, i += 2;
    else
      to += text[i];
  }
  return to;
}

std::string shortened(std::string_view text, size_t most) {
  size_t characters = 0, keep = 0;
  for (size_t i = 0; i < text.size(); i += lengthOf(static_cast<unsigned char>(text[i]))) {
    if (characters + 1 == most)
      keep = i;
    if (++characters > most)
      return std::string(text.substr(0, keep)) + "…";
  }
  return std::string(text);
}

std::string quoted(std::string_view text) {
  std::string to = "\"";
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F || std::string_view("\"\\<>&'").find(c) != std::string_view::npos)
      put(to, "\\u{:04x}", byte);
    else
      to += c;
  }
  return to + "\"";
}

std::string whole(double value) {
  return std::isfinite(value) && std::abs(value) < 1e15 ? grouped(fmt::format("{:.0f}", value)) : general(value);
}

std::string general(double value, int digits) {
  if (!std::isfinite(value))
    return kMissingText;
  double size = std::abs(value);
  if (size >= 1e4 && size < 1e12)
    return grouped(fmt::format("{:.0f}", value));
  if (size == 0 || size >= 1e12 || size < 1e-4)
    return fmt::format("{:.{}g}", value, digits - 1);
  int decimals = digits - 1 - static_cast<int>(std::floor(std::log10(size)));
  return fmt::format("{:.{}f}", value, std::max(0, std::min(decimals, digits)));
}

std::string bytes(double value) {
  if (!std::isfinite(value))
    return kMissingText;
  const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  size_t unit = 0;
  while (std::abs(value) >= 1024 && unit + 1 < std::size(units))
    value /= 1024, ++unit;
  return unit == 0 ? fmt::format("{:.0f} B", value) : fmt::format("{:.1f} {}", value, units[unit]);
}

std::string duration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0)
    return kMissingText;
  if (seconds < 9.995)
    return fmt::format("{:.2f} s", seconds);
  if (seconds < 99.95)
    return fmt::format("{:.1f} s", seconds);
  auto all = static_cast<int64_t>(std::min(seconds, 1e15) + 0.5);
  return all < 3600 ? fmt::format("{}:{:02} min", all / 60, all % 60)
                    : fmt::format("{}:{:02}:{:02} h", all / 3600, all / 60 % 60, all % 60);
}

std::string percent(double share) { return std::isfinite(share) ? fmt::format("{:.1f} %", 100 * share) : kMissingText; }
} // namespace sn::report
