#include "runtime/data/TextFormats.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <charconv>
#include <cmath>

namespace sn::rt {
namespace {
constexpr std::string_view kBlanks = " \t";
constexpr const char *kNames[] = {"lines", "dsstne", "csv", "libsvm"};

/// Takes the next token off `rest`; empty at the end.
std::string_view nextToken(std::string_view &rest, std::string_view separators = kBlanks) {
  size_t begin = std::min(rest.find_first_not_of(separators), rest.size());
  size_t end = std::min(rest.find_first_of(separators, begin), rest.size());
  std::string_view token = rest.substr(begin, end - begin);
  rest.remove_prefix(end);
  return token;
}

/// Splits "number:value" at the colon; false if it is not that.
bool numbered(std::string_view token, uint32_t &number, double &value) {
  size_t colon = token.find(':');
  if (colon == std::string_view::npos)
    return false;
  const char *end = token.data() + colon;
  auto [stop, error] = std::from_chars(token.data(), end, number);
  return error == std::errc() && stop == end && number < 0x7FFFFFFF && parseNumber(token.substr(colon + 1), value);
}

bool isLibSvmLine(std::string_view line) {
  line = line.substr(0, line.find('#'));
  uint32_t number;
  double value;
  bool first = true;
  int64_t pairs = 0;
  while (true) {
    std::string_view token = nextToken(line);
    if (token.empty())
      return pairs > 0;
    if (numbered(token, number, value))
      ++pairs;
    else if (!first && token.substr(0, 4) != "qid:")
      return false;
    first = false;
  }
}

bool isDsstneLine(std::string_view line) {
  size_t tab = line.find('\t');
  if (tab == std::string_view::npos || tab == 0 || line.find('\t', tab + 1) != std::string_view::npos)
    return false;
  std::string_view features = line.substr(tab + 1);
  return features.find(':') != std::string_view::npos || features.find(',') != std::string_view::npos;
}
} // namespace

bool parseNumber(std::string_view text, double &value) {
  if (!text.empty() && text[0] == '+')
    text.remove_prefix(1);
  auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && stop == text.data() + text.size() && std::isfinite(value);
}

const char *nameOf(TextFormat format) { return kNames[static_cast<int>(format)]; }

TextFormat formatNamed(const std::string &name) {
  auto found = std::find(std::begin(kNames), std::end(kNames), name);
  if (found == std::end(kNames))
    userError("--format {}: is not a format; there are {}", name, fmt::join(kNames, ", "));
  return static_cast<TextFormat>(found - kNames);
}

namespace {
/// Whether every line splits into the same number of fields, two or more. Blanks do not make columns; TABs make three
/// or more, for with two there is no difference from `lines`.
bool isCsv(const std::vector<std::string> &head) {
  for (std::string delimiter : {",", ";", "|", "::", "\t"}) {
    auto fields = [&](const std::string &line) {
      size_t count = 1;
      bool quoted = false;
      for (size_t at = 0; at < line.size(); ++at) {
        quoted ^= line[at] == '"';
        if (!quoted && line.compare(at, delimiter.size(), delimiter) == 0)
          ++count, at += delimiter.size() - 1;
      }
      return count;
    };
    size_t count = fields(head[0]), least = delimiter == "\t" ? 3 : 2;
    if (count >= least && std::all_of(head.begin(), head.end(), [&](auto &line) { return fields(line) == count; }))
      return true;
  }
  return false;
}
} // namespace

TextFormat detectFormat(const std::vector<std::string> &head, const std::string &path) {
  if (head.empty())
    userError("{}: is empty", path);
  auto matching = [&](auto test) { return size_t(std::count_if(head.begin(), head.end(), test)); };
  auto onlyDsstne = [](const std::string &line) { return isDsstneLine(line) && !isLibSvmLine(line); };
  if (2 * matching(onlyDsstne) >= head.size())
    return TextFormat::Dsstne;
  if (2 * matching(isLibSvmLine) > head.size())
    return TextFormat::LibSvm;
  if (isCsv(head))
    return TextFormat::Csv;
  size_t several = matching([](const std::string &line) {
    std::string_view rest = line;
    return !nextToken(rest).empty() && !nextToken(rest).empty();
  });
  if (2 * several < head.size() || head[0].find(',') != std::string::npos)
    userError("{}: cannot tell its format from its first lines; name it with --format {}", path,
              fmt::join(kNames, ", --format "));
  return TextFormat::Lines;
}

void parseLines(TextSource &source, Entries &into, const ReadProgress &progress) {
  std::string_view line;
  while (source.next(line)) {
    reportProgress(progress, source);
    std::string_view name = nextToken(line);
    if (name.empty())
      continue;
    int64_t row = into.row(name);
    for (std::string_view item = nextToken(line); !item.empty(); item = nextToken(line))
      into.add(row, item);
  }
}

void parseDsstne(TextSource &source, Entries &into, const ReadProgress &progress) {
  std::string_view line;
  while (source.next(line)) {
    reportProgress(progress, source);
    if (line.empty())
      continue;
    size_t tab = line.find('\t');
    if (tab == std::string_view::npos || tab == 0) {
      into.reject(source.lineNumber(), tab == 0 ? "no sample name before the TAB" : "no TAB after the sample's name");
      continue;
    }
    int64_t row = into.row(line.substr(0, tab));
    into.restart(row);
    line.remove_prefix(tab + 1);
    for (std::string_view field = nextToken(line, ":"); !field.empty(); field = nextToken(line, ":")) {
      size_t comma = field.find(',');
      std::string_view name = field.substr(0, comma), text;
      double value = 0;
      if (comma != std::string_view::npos)
        text = field.substr(comma + 1, field.find(',', comma + 1) - comma - 1); // of several values the first counts
      bool valued = parseNumber(text, value);
      if (name.empty() || (!text.empty() && !valued)) {
        into.reject(source.lineNumber(),
                    name.empty() ? "a feature without a name" : fmt::format("\"{}\" is not a number", text));
        continue;
      }
      into.withoutValue += !valued;
      if ((valued || into.minimum) && !into.wants(value))
        continue;
      into.add(row, name, value);
    }
  }
}

void parseLibSvm(TextSource &source, Entries &into, const ReadProgress &progress) {
  std::string_view line;
  int64_t declared = 0;
  while (source.next(line)) {
    reportProgress(progress, source);
    line = line.substr(0, line.find('#'));
    std::string_view rest = line, token = nextToken(rest);
    if (token.empty())
      continue;
    uint32_t number = 0;
    double value = 0, rows = 0, columns = 0;
    if (std::string_view header = rest; source.lineNumber() == 1 && parseNumber(token, rows) &&
                                        parseNumber(nextToken(header), columns) && !nextToken(header).empty() &&
                                        nextToken(header).empty() && !isLibSvmLine(line)) {
      declared = int64_t(columns); // "rows columns labels", as extreme classification sets begin
      into.notes.push_back(fmt::format("the first line declares {} columns", declared));
      continue;
    }
    int64_t row = into.nextRow();
    if (!numbered(token, number, value)) {
      for (std::string_view label = nextToken(token, ","); !label.empty(); label = nextToken(token, ","))
        into.addLabel(row, label);
      token = nextToken(rest);
    }
    for (; !token.empty(); token = nextToken(rest)) {
      if (token.substr(0, 4) == "qid:")
        continue;
      if (!numbered(token, number, value)) {
        into.reject(source.lineNumber(), fmt::format("\"{}\" is not number:value", token));
        continue;
      }
      if (into.wants(value))
        into.add(row, std::to_string(number), value);
    }
  }
  if (!into.columns.closed)
    into.numberColumns(declared);
}
} // namespace sn::rt
