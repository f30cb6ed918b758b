// Tables of Markdown.
#pragma once
#include <fmt/format.h>
#include <string>
#include <string_view>
#include <vector>

namespace sn::docgen {
/// `text` as code, as it stands.
inline std::string code(std::string_view text) { return fmt::format("`{}`", text); }
/// "`Name` (`Alias`)"
template <typename Named> std::string names(const Named &named) {
  std::string text = code(named.name), others;
  for (std::string_view alias : named.aliases)
    others += (others.empty() ? "" : ", ") + code(alias);
  return others.empty() ? text : fmt::format("{} ({})", text, others);
}
/// The shortest decimal that reads back as the same double.
inline std::string number(double value) { return fmt::format("{}", value); }

/// One line per row; bars in cells are escaped.
class Table {
public:
  explicit Table(const std::vector<std::string> &titles) {
    add(titles);
    text += std::string("|");
    for (size_t i = 0; i < titles.size(); ++i)
      text += "---|";
    text += "\n";
  }
  void add(const std::vector<std::string> &cells) {
    text += "|";
    for (const std::string &cell : cells)
      text += " " + escaped(cell) + " |";
    text += "\n";
  }
  const std::string &str() const { return text; }

private:
  static std::string escaped(const std::string &cell) {
    std::string out;
    for (char c : cell)
      out += c == '|' ? std::string("\\|") : c == '\n' ? std::string(" ") : std::string(1, c);
    return out;
  }
  std::string text;
};

/// The head of a page: its title, what wrote it and from what, and what its columns mean.
inline std::string head(std::string_view title, std::string_view source, std::string_view explanation) {
  return fmt::format("<!-- Written by sn-docgen from {}; do not edit. -->\n# {}\n\n{}\n\n", source, title, explanation);
}
} // namespace sn::docgen
