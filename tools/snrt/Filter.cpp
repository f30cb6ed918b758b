#include "tools/snrt/Filter.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace sn::snrt {
namespace {
std::vector<std::string> splitTabs(const std::string &line) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= line.size();) {
    size_t end = std::min(line.find('\t', begin), line.size());
    if (end > begin)
      parts.push_back(line.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

/// Names to positions; numbers stand for themselves where there are no names.
class Lookup {
public:
  Lookup(const rt::Names *names, int64_t count) : named(names != nullptr), count(count) {
    if (names)
      index = rt::NameIndex(*names);
  }
  int64_t operator()(const std::string &name) const { return named ? index.find(name) : numberOf(name, count); }

private:
  bool named;
  int64_t count;
  rt::NameIndex index;
};

void tidy(std::vector<int32_t> &columns) {
  std::sort(columns.begin(), columns.end());
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
}

/// A pipe will do as well as a file: --filter <(command).
std::ifstream opened(const std::string &path) {
  std::error_code error;
  std::filesystem::file_status status = std::filesystem::status(path, error);
  if (std::filesystem::is_directory(status) || std::filesystem::is_character_file(status) ||
      std::filesystem::is_block_file(status))
    userError("--filter {}: is a folder or a device; a text file of item names is expected, one a line", path);
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file)
    userError("--filter {}: cannot be read: {}", path, std::strerror(errno));
  return file;
}
} // namespace

void Filter::addUnknown(const std::string &name, int64_t line) {
  constexpr size_t kShown = 80;
  if (unknown++ == 0)
    firstUnknown = fmt::format("'{}{}' in line {}", name.substr(0, kShown), name.size() > kShown ? "..." : "", line);
}

int64_t numberOf(const std::string &text, int64_t limit) {
  int64_t value = -1;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value >= 0 && value < limit ? value : -1;
}

Filter readFilter(const std::string &path, const rt::DataSet &rows, const rt::Names *items, int64_t columns) {
  std::ifstream file = opened(path);
  Lookup columnOf(items, columns), rowOf(rows.rowNames.get(), rows.rows);
  Filter filter;
  std::string line;
  for (int64_t number = 1; std::getline(file, line); ++number) {
    if (line.find('\0') != std::string::npos)
      userError("--filter {}: line {} is no text; a text file of item names is expected, one a line", path, number);
    if (!line.empty() && line.back() == '\r')
      line.pop_back();
    std::vector<std::string> parts = splitTabs(line);
    filter.names += static_cast<int64_t>(parts.size());
    int64_t row = parts.size() > 1 ? rowOf(parts[0]) : -1;
    if (parts.size() > 1 && row < 0) {
      filter.addUnknown(parts[0], number);
      continue;
    }
    for (size_t i = parts.size() > 1 ? 1 : 0; i < parts.size(); ++i) {
      int64_t column = columnOf(parts[i]);
      if (column < 0 || column >= columns)
        filter.addUnknown(parts[i], number);
      else
        (row < 0 ? filter.everywhere : filter.byRow[row]).push_back(static_cast<int32_t>(column));
    }
  }
  if (file.bad())
    userError("--filter {}: cannot be read: {}", path, std::strerror(errno));
  if (!filter.names)
    userError("--filter {}: is empty; a text file of item names is expected, one a line", path);
  tidy(filter.everywhere);
  for (auto &[row, list] : filter.byRow) {
    tidy(list);
    filter.single += static_cast<int64_t>(list.size());
  }
  return filter;
}

std::optional<rt::DataSet> leftOut(const rt::DataSet *known, const Filter &filter, int64_t rows, int64_t columns) {
  if (filter.byRow.empty() || (known && (known->rows != rows || known->loader == rt::Loader::Dense)))
    return std::nullopt; // a misfit is refused where the data set is used
  rt::DataSet merged;
  merged.name = known ? known->name : "filter";
  merged.rows = rows;
  merged.columns = known ? std::max(columns, known->columns) : columns;
  merged.indptr.push_back(0);
  for (int64_t row = 0; row < rows; ++row) {
    auto extra = filter.byRow.find(row);
    std::vector<int32_t> all = extra == filter.byRow.end() ? std::vector<int32_t>() : extra->second;
    if (known) {
      auto [begin, end] = rt::rowOf(*known, row);
      all.insert(all.end(), begin, end);
      tidy(all);
    }
    merged.indices.insert(merged.indices.end(), all.begin(), all.end());
    merged.indptr.push_back(static_cast<int64_t>(merged.indices.size()));
  }
  return merged;
}
} // namespace sn::snrt
