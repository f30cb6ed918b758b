// Rendering of located messages.
#include "compiler/Frontend/Diagnostics.h"
#include <algorithm>

namespace sn::frontend {
namespace {
constexpr size_t kWidth = 120;  // of a source line shown
constexpr size_t kContext = 60; // bytes shown before the caret when a line is cut

std::string_view lineOf(std::string_view text, int line) {
  for (; line > 1; --line) {
    size_t end = text.find('\n');
    if (end == std::string_view::npos)
      return "";
    text.remove_prefix(end + 1);
  }
  text = text.substr(0, text.find('\n'));
  if (text.ends_with('\r'))
    text.remove_suffix(1);
  return text;
}

bool continuesCharacter(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }
} // namespace

std::string render(const SourceText &source, std::string_view severity, const Diagnostic &diagnostic) {
  std::string_view line = lineOf(source.text, diagnostic.at.line);
  size_t caret = std::min(static_cast<size_t>(diagnostic.at.column) - 1, line.size());
  size_t first = line.size() > kWidth && caret > kContext ? caret - kContext : 0;
  while (first > 0 && continuesCharacter(line[first]))
    --first;
  size_t last = std::min(line.size(), first + kWidth);
  while (last < line.size() && continuesCharacter(line[last]))
    ++last;
  std::string before = first > 0 ? "..." : "", padding(before.size(), ' ');
  for (char c : line.substr(first, caret - first))
    if (!continuesCharacter(c))
      padding += c == '\t' ? '\t' : ' ';
  return fmt::format("{}:{}:{}: {}: {}\n  {}{}{}\n  {}^\n", source.file, diagnostic.at.line, diagnostic.at.column,
                     severity, diagnostic.message, before, line.substr(first, last - first),
                     last < line.size() ? "..." : "", padding);
}

void fail(const SourceText &source, Position at, std::string message, std::vector<Diagnostic> notes) {
  std::string text = render(source, "error", {at, std::move(message)});
  for (const Diagnostic &note : notes)
    text += render(source, "note", note);
  text.pop_back(); // tools end the line
  throw UserError(text);
}

std::string didYouMean(std::string_view suggestion) {
  return suggestion.empty() ? "" : fmt::format("; did you mean '{}'?", suggestion);
}

std::string listed(const std::vector<std::string_view> &names) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i)
    text += fmt::format("{}'{}'", i == 0 ? "" : i + 1 == names.size() ? " and " : ", ", names[i]);
  return text;
}
} // namespace sn::frontend
