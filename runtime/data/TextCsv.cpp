// Ratings as CSV: delimiter, header and columns are found from the first lines.
#include "runtime/data/TextFormats.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <charconv>

namespace sn::rt {
namespace {
/// Splits a line into fields: quotes removed (doubled ones stand for one), blanks around unquoted fields trimmed.
class Splitter {
public:
  explicit Splitter(std::string delimiter) : delimiter_(std::move(delimiter)) {}
  /// Null for a quote that is not closed. Valid until the next call.
  const std::vector<std::string_view> *split(std::string_view line) {
    fields_.clear();
    unquoted_.clear();
    unquoted_.reserve(line.size()); // fields point into it
    while (true) {
      size_t quote = std::min(line.find_first_not_of(' '), line.size());
      if (quote < line.size() && line[quote] == '"') {
        if (!quoted(line, quote))
          return nullptr;
      } else {
        fields_.push_back(trimmed(line.substr(0, line.find(delimiter_))));
      }
      size_t stop = line.find(delimiter_);
      if (stop == std::string_view::npos)
        return &fields_;
      line.remove_prefix(stop + delimiter_.size());
    }
  }

private:
  static std::string_view trimmed(std::string_view text) {
    size_t begin = text.find_first_not_of(' '), end = text.find_last_not_of(' ');
    return begin == std::string_view::npos ? text.substr(0, 0) : text.substr(begin, end - begin + 1);
  }
  /// Reads the field in quotes at `quote` and leaves `line` at what follows it.
  bool quoted(std::string_view &line, size_t quote) {
    size_t start = unquoted_.size(), at = quote + 1;
    while (true) {
      size_t next = line.find('"', at);
      if (next == std::string_view::npos)
        return false;
      unquoted_.append(line.substr(at, next - at));
      at = next + 1; // behind the quote
      if (at >= line.size() || line[at] != '"')
        break;
      unquoted_ += '"';
      ++at;
    }
    fields_.push_back(std::string_view(unquoted_).substr(start));
    line.remove_prefix(at);
    return true;
  }
  std::string delimiter_, unquoted_;
  std::vector<std::string_view> fields_;
};

using Rows = std::vector<std::vector<std::string>>;

Rows splitAll(const std::vector<std::string> &head, const std::string &delimiter) {
  Rows rows;
  Splitter splitter(delimiter);
  for (const std::string &line : head)
    if (const auto *fields = splitter.split(line))
      rows.emplace_back(fields->begin(), fields->end());
  return rows;
}

/// The delimiter that gives most lines the same number of fields; of those the one with most fields.
std::string findDelimiter(const std::vector<std::string> &head) {
  std::string best = ",";
  std::pair<size_t, size_t> bestScore{0, 0};
  for (std::string delimiter : {",", ";", "\t", "|", "::"}) {
    Rows rows = splitAll(head, delimiter);
    size_t fields = rows.empty() ? 0 : rows[0].size();
    size_t same = std::count_if(rows.begin(), rows.end(), [&](auto &row) { return row.size() == fields; });
    if (fields >= 2 && std::pair(same, fields) > bestScore) {
      best = delimiter;
      bestScore = {same, fields};
    }
  }
  return best;
}

/// Lower case, letters and digits only.
std::string plain(std::string_view text) {
  std::string out;
  for (char c : text)
    if (std::isalnum(static_cast<unsigned char>(c)))
      out += char(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

const std::vector<std::string> kUserNames{"user",   "userid",     "uid",       "username",  "customer", "customerid",
                                          "reader", "reviewerid", "reviewer",  "visitorid", "member",   "memberid",
                                          "rowid",  "row",        "sessionid", "session",   "sample"};
const std::vector<std::string> kItemNames{
    "item",       "itemid",  "iid",    "movie",    "movieid", "product", "productid", "asin",   "book",
    "bookid",     "isbn",    "artist", "artistid", "track",   "trackid", "song",      "songid", "business",
    "businessid", "feature", "column", "columnid", "game",    "gameid",  "parentasin"};
const std::vector<std::string> kValueNames{"rating",    "value",  "score",   "stars",   "count",   "plays",
                                           "playcount", "weight", "overall", "listens", "quantity"};

int findColumn(const std::vector<std::string> &names, const std::vector<std::string> &known) {
  for (const std::string &wanted : known)
    for (size_t i = 0; i < names.size(); ++i)
      if (plain(names[i]) == wanted)
        return int(i);
  return -1;
}

bool isNumber(std::string_view text) {
  double value;
  return parseNumber(text, value);
}

/// A first line is a header if it uses a usual name, or has words where the other lines have numbers.
bool hasHeader(const Rows &rows) {
  if (findColumn(rows[0], kUserNames) >= 0 || findColumn(rows[0], kItemNames) >= 0 ||
      findColumn(rows[0], kValueNames) >= 0)
    return true;
  for (size_t column = 0; rows.size() > 1 && column < rows[0].size(); ++column)
    if (!isNumber(rows[0][column]) && std::all_of(rows.begin() + 1, rows.end(), [&](auto &row) {
          return column < row.size() && isNumber(row[column]);
        }))
      return true;
  return false;
}

/// The column a flag names: by header name or number.
int namedColumn(const std::string &flag, const std::string &wanted, const CsvLayout &layout, const std::string &path) {
  for (size_t i = 0; i < layout.names.size(); ++i)
    if (layout.header && plain(layout.names[i]) == plain(wanted))
      return int(i);
  size_t number = 0;
  auto [stop, error] = std::from_chars(wanted.data(), wanted.data() + wanted.size(), number);
  if (error == std::errc() && stop == wanted.data() + wanted.size() && number >= 1 && number <= layout.names.size())
    return int(number) - 1;
  userError("{}: --{} {}: there is no such column; the columns are {}", path, flag, wanted,
            fmt::join(layout.names, ", "));
}
} // namespace

CsvLayout csvLayout(const std::vector<std::string> &head, const CsvColumns &wanted, const std::string &path) {
  CsvLayout layout;
  layout.delimiter = findDelimiter(head);
  Rows rows = splitAll(head, layout.delimiter);
  if (rows.empty() || rows[0].size() < 2)
    userError("{}: its lines do not split into columns at any of , ; TAB | ::", path);
  auto isName = [&](const std::string &flag) {
    return !flag.empty() &&
           std::any_of(rows[0].begin(), rows[0].end(), [&](auto &name) { return plain(name) == plain(flag); }) &&
           !isNumber(flag);
  };
  layout.header = hasHeader(rows) || isName(wanted.user) || isName(wanted.item) || isName(wanted.value);
  for (size_t i = 0; i < rows[0].size(); ++i)
    layout.names.push_back(layout.header ? rows[0][i] : fmt::format("column {}", i + 1));

  int user = layout.header ? findColumn(layout.names, kUserNames) : -1;
  int item = layout.header ? findColumn(layout.names, kItemNames) : -1;
  int value = layout.header ? findColumn(layout.names, kValueNames) : -1;
  if (!wanted.user.empty())
    user = namedColumn("user", wanted.user, layout, path);
  if (!wanted.item.empty())
    item = namedColumn("item", wanted.item, layout, path);
  if (!wanted.value.empty())
    value = namedColumn("value", wanted.value, layout, path);
  // What is still open: the first columns that are free, in the order user, item, value.
  int next = 0;
  auto firstFree = [&] {
    while (next == user || next == item || next == value)
      ++next;
    return next;
  };
  layout.user = user = user >= 0 ? user : firstFree();
  layout.item = item = item >= 0 ? item : firstFree();
  if (value < 0 && !layout.header && firstFree() < int(layout.names.size()))
    value = next;
  layout.value = value;
  if (layout.user == layout.item || std::max(layout.user, layout.item) >= int(layout.names.size()))
    userError("{}: cannot tell the user's column from the item's; name them with --user and --item (columns: {})", path,
              fmt::join(layout.names, ", "));
  return layout;
}

void parseCsv(TextSource &source, const CsvLayout &layout, Entries &into, const ReadProgress &progress) {
  Splitter splitter(layout.delimiter);
  std::string_view line;
  bool header = layout.header, needsValue = into.keepValues || into.minimum.has_value();
  size_t needed = size_t(std::max({layout.user, layout.item, layout.value})) + 1;
  while (source.next(line)) {
    reportProgress(progress, source);
    if (line.find_first_not_of(" \t") == std::string_view::npos)
      continue;
    if (std::exchange(header, false))
      continue;
    if (!isText(source, line, into))
      continue;
    const auto *fields = splitter.split(line);
    // Fields beyond the known columns mean that a delimiter stood inside one: no telling which is which.
    if (!fields || fields->size() < needed || fields->size() > layout.names.size()) {
      into.reject(placeIn(source, line, nullptr),
                  fields ? fmt::format("{} columns instead of {}", fields->size(), layout.names.size())
                         : "a quote is not closed on the same line");
      continue;
    }
    std::string_view user = (*fields)[layout.user], item = (*fields)[layout.item];
    if (user.empty() || item.empty()) {
      into.reject(placeIn(source, line, user.empty() ? user.data() : item.data()),
                  user.empty() ? "the user is empty" : "the item is empty");
      continue;
    }
    double value = 1;
    if (layout.value >= 0) {
      bool valued = parseNumber((*fields)[layout.value], value);
      if (!valued && needsValue) {
        std::string_view text = (*fields)[layout.value];
        into.reject(placeIn(source, line, text.data()), excerpt(text) + " is not a finite number");
        continue;
      }
      if (valued && !into.wants(value))
        continue;
    }
    into.add(into.row(user), item, value);
  }
}
} // namespace sn::rt
