// How findings look: text and JSON.
#include "compiler/Frontend/Diagnostics.h"
#include "compiler/Frontend/Spelling.h"
#include <algorithm>

namespace sn::frontend {
namespace {
using nlohmann::ordered_json;
constexpr size_t kWidth = 120;  // bytes of a source line shown
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

/// Columns that a terminal gives a character: none for marks, two for East Asian wide ones and pictures.
int widthOf(char32_t c) {
  if (c == 0xFEFF || (c >= 0x300 && c <= 0x36F) || (c >= 0x200B && c <= 0x200F))
    return 0;
  static constexpr std::pair<char32_t, char32_t> kWide[] = {{0x1100, 0x115F}, {0x2E80, 0xA4CF},   {0xAC00, 0xD7A3},
                                                            {0xF900, 0xFAFF}, {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},
                                                            {0xFFE0, 0xFFE6}, {0x1F300, 0x1FAFF}, {0x20000, 0x3FFFD}};
  for (auto [low, high] : kWide)
    if (c >= low && c <= high)
      return 2;
  return 1;
}

/// A part of a line as it is printed: what a terminal would obey, or what is no UTF-8, becomes a replacement character.
struct Printed {
  std::string text, blanks; // `blanks` is as wide as `text`, tabs kept
};
Printed print(std::string_view bytes) {
  Printed out;
  while (!bytes.empty()) {
    size_t length = utf8Length(bytes);
    std::string_view character = bytes.substr(0, std::max<size_t>(length, 1));
    bytes.remove_prefix(character.size());
    bool control = length == 1 && (static_cast<unsigned char>(character[0]) < 0x20 || character[0] == 0x7F);
    if (character == "\t") {
      out.text += '\t', out.blanks += '\t';
    } else if (length == 0 || control) {
      out.text += "\xEF\xBF\xBD", out.blanks += ' ';
    } else {
      out.text += character;
      out.blanks.append(static_cast<size_t>(widthOf(codePoint(character))), ' ');
    }
  }
  return out;
}

void render(std::string &out, const SourceText &source, std::string_view severity, Position at,
            std::string_view message) {
  if (at.line == 0) {
    out += fmt::format("{}: {}: {}\n", source.file, severity, message);
    return;
  }
  std::string_view line = lineOf(source.text, at.line);
  size_t caret = std::min(static_cast<size_t>(at.column) - 1, line.size());
  size_t first = line.size() > kWidth && caret > kContext ? caret - kContext : 0;
  while (first > 0 && continuesCharacter(line[first]))
    --first;
  size_t last = std::min(line.size(), first + kWidth);
  while (last < line.size() && continuesCharacter(line[last]))
    ++last;
  std::string_view token = line.substr(caret, std::min(tokenAt(source, at).size(), last - caret));
  std::string before = first > 0 ? "..." : "";
  Printed head = print(line.substr(first, caret - first)), tail = print(line.substr(caret, last - caret));
  size_t width = print(token).blanks.size();
  out += fmt::format("{}:{}:{}: {}: {}\n  {}{}{}{}\n  {:{}}{}^{}\n", source.file, at.line, at.column, severity, message,
                     before, head.text, tail.text, last < line.size() ? "..." : "", "", before.size(), head.blanks,
                     std::string(width > 1 ? width - 1 : 0, '~'));
}

std::string counted(size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

ordered_json object(const SourceText &source, std::string_view severity, Position at, const std::string &message) {
  ordered_json out{{"severity", severity}, {"file", source.file}};
  bool located = at.line > 0;
  out["line"] = located ? ordered_json(at.line) : ordered_json();
  out["column"] = located ? ordered_json(at.column) : ordered_json();
  out["end_column"] = located ? ordered_json(at.column + tokenAt(source, at).size()) : ordered_json();
  out["message"] = message;
  return out;
}

std::string_view name(Severity severity) { return severity == Severity::Error ? "error" : "warning"; }

ordered_json diagnosticsOf(const Report &report) {
  ordered_json list = ordered_json::array();
  for (const Finding &finding : report.findings) {
    ordered_json one = object(report.source, name(finding.severity), finding.at, finding.message);
    std::string label = labelOf(report.source, finding.rule);
    one["rule"] = label.empty() ? ordered_json() : ordered_json(label);
    one["suggestion"] = nullptr;
    if (!finding.suggestion.empty())
      one["suggestion"] = finding.suggestion;
    one["notes"] = ordered_json::array();
    for (const Diagnostic &note : finding.notes)
      one["notes"].push_back(object(report.source, "note", note.at, note.message));
    list.push_back(std::move(one));
  }
  return list;
}

std::string dump(const ordered_json &out) {
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace); // file names need not be UTF-8
}
} // namespace

std::string_view tokenAt(const SourceText &source, Position at) {
  std::string_view line = lineOf(source.text, at.line);
  line.remove_prefix(std::min(static_cast<size_t>(at.column) - 1, line.size()));
  if (line.empty())
    return line;
  if (line[0] == '"') {
    size_t end = 1;
    while (end < line.size() && line[end] != '"')
      end += line[end] == '\\' ? 2 : 1;
    return line.substr(0, end + 1);
  }
  auto ofWord = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '+' ||
           c == '-' || c == '.';
  };
  size_t end = static_cast<size_t>(std::find_if_not(line.begin(), line.end(), ofWord) - line.begin());
  return line.substr(0, std::max(end, std::max<size_t>(utf8Length(line), 1)));
}

std::string Report::text() const {
  std::string out;
  for (const Finding &finding : findings) {
    std::string label = labelOf(source, finding.rule);
    render(out, source, name(finding.severity), finding.at,
           finding.message + (label.empty() ? "" : " [" + label + "]"));
    for (const Diagnostic &note : finding.notes)
      render(out, source, "note", note.at, note.message);
  }
  if (errors > kShown)
    out += fmt::format("too many errors: the first {} of {} are shown\n", kShown, errors);
  else if (errors > 0 && errors + warnings > 1)
    out += counted(errors, "error") + (warnings > 0 ? " and " + counted(warnings, "warning") : "") + "\n";
  else if (warnings > 1)
    out += counted(warnings, "warning") + "\n";
  return out;
}

std::string Report::json() const {
  return dump({{"diagnostics", diagnosticsOf(*this)}, {"errors", errors}, {"warnings", warnings}});
}

std::string jsonOf(const UserError &error, const Report &warnings) {
  if (auto *located = dynamic_cast<const NetworkError *>(&error))
    return located->report().json();
  ordered_json one = object({}, "error", kWholeFile, error.what()), list = diagnosticsOf(warnings);
  one["file"] = one["rule"] = one["suggestion"] = nullptr;
  one["notes"] = ordered_json::array();
  list.push_back(std::move(one));
  return dump({{"diagnostics", std::move(list)}, {"errors", 1}, {"warnings", warnings.warnings}});
}
} // namespace sn::frontend
