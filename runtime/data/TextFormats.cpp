#include "runtime/data/TextFormats.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <functional>

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
  return error == std::errc() && stop == text.data() + text.size() && std::isfinite(float(value));
}

std::string placeIn(const TextSource &source, std::string_view line, const char *at) {
  std::string place = fmt::format("{}:{}", source.path(), source.lineNumber());
  std::less_equal<const char *> notAfter; // the pointers may be of different arrays
  bool inside = at && notAfter(line.data(), at) && notAfter(at, line.data() + line.size());
  return inside ? fmt::format("{}:{}", place, at - line.data() + 1) : place;
}

std::string excerpt(std::string_view text) {
  constexpr size_t kMost = 40;
  if (text.size() <= kMost)
    return fmt::format("\"{}\"", text);
  size_t end = kMost;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) // inside a character
    --end;
  return fmt::format("\"{}...\"", text.substr(0, end));
}

namespace {
/// Position of the first byte that is not UTF-8 (overlong forms and surrogates are not) or is zero; npos if all is
/// well.
size_t notText(std::string_view text) {
  auto byte = [&](size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u; };
  constexpr uint64_t kOnes = 0x0101010101010101u, kHigh = 0x8080808080808080u;
  for (size_t at = 0; at < text.size();) {
    uint64_t eight; // of plain ASCII at once
    if (at + sizeof eight <= text.size()) {
      std::memcpy(&eight, text.data() + at, sizeof eight);
      if (((eight | (eight - kOnes)) & kHigh) == 0) {
        at += sizeof eight;
        continue;
      }
    }
    unsigned lead = byte(at), second = byte(at + 1);
    if (lead > 0 && lead < 0x80) {
      ++at;
      continue;
    }
    size_t length = lead >= 0xC2 && lead < 0xE0   ? 2
                    : lead >= 0xE0 && lead < 0xF0 ? 3
                    : lead >= 0xF0 && lead < 0xF5 ? 4
                                                  : 0;
    bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
    bool beyond = (lead == 0xED && second >= 0xA0) || (lead == 0xF4 && second >= 0x90);
    if (length == 0 || overlong || beyond)
      return at;
    for (size_t i = 1; i < length; ++i)
      if ((byte(at + i) & 0xC0) != 0x80)
        return at;
    at += length;
  }
  return std::string_view::npos;
}
} // namespace

bool isText(const TextSource &source, std::string_view line, Entries &into) {
  constexpr size_t kLongestField = 65535;
  constexpr std::string_view kSeparators = " \t,;|:";
  if (size_t bad = notText(line); bad != std::string_view::npos) {
    into.reject(placeIn(source, line, line.data() + bad),
                line[bad] == '\0' ? "a zero byte, which no text holds"
                                  : fmt::format("the byte 0x{:02X} is not UTF-8; convert the file, for example with "
                                                "iconv -f latin1 -t utf-8",
                                                static_cast<unsigned char>(line[bad])));
    return false;
  }
  for (size_t at = 0; line.size() - at > kLongestField;) {
    size_t end = std::min(line.find_first_of(kSeparators, at), line.size());
    if (end - at > kLongestField) {
      into.reject(placeIn(source, line, line.data() + at),
                  fmt::format("a field of {} bytes; at most {} are taken", end - at, kLongestField));
      return false;
    }
    at = std::min(end + 1, line.size());
  }
  return true;
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
    if (!isText(source, line, into))
      continue;
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
    if (line.empty() || !isText(source, line, into))
      continue;
    const std::string_view whole = line;
    size_t tab = line.find('\t');
    if (tab == std::string_view::npos || tab == 0) {
      into.reject(placeIn(source, whole, whole.data()),
                  tab == 0 ? "no sample name before the TAB" : "no TAB after the sample's name");
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
        into.reject(placeIn(source, whole, name.empty() ? field.data() : text.data()),
                    name.empty() ? "a feature without a name" : excerpt(text) + " is not a finite number");
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
    if (token.empty() || !isText(source, line, into))
      continue;
    uint32_t number = 0;
    double value = 0, rows = 0, columns = 0;
    if (std::string_view header = rest; source.lineNumber() == 1 && parseNumber(token, rows) &&
                                        parseNumber(nextToken(header), columns) && columns >= 0 && columns < 1e12 &&
                                        !nextToken(header).empty() && nextToken(header).empty() &&
                                        !isLibSvmLine(line)) {
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
        into.reject(placeIn(source, line, token.data()),
                    excerpt(token) + " is not number:value with a column number below 2147483647 and a finite value");
        continue;
      }
      if (into.wants(value))
        into.add(row, std::to_string(number), value);
    }
  }
  if (!into.columns.closed)
    into.numberColumns(declared, source.path());
}
} // namespace sn::rt
