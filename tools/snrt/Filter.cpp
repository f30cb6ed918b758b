#include "tools/snrt/Filter.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <charconv>
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
} // namespace

int64_t numberOf(const std::string &text, int64_t limit) {
  int64_t value = -1;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value >= 0 && value < limit ? value : -1;
}

Filter readFilter(const std::string &path, const rt::DataSet &rows, const rt::Names *items, int64_t columns) {
  std::ifstream file(path);
  if (!file)
    userError("cannot open the filter '{}'", path);
  Lookup columnOf(items, columns), rowOf(rows.rowNames.get(), rows.rows);
  Filter filter;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.back() == '\r')
      line.pop_back();
    std::vector<std::string> parts = splitTabs(line);
    int64_t row = parts.size() > 1 ? rowOf(parts[0]) : -1;
    if (parts.size() > 1 && row < 0) {
      ++filter.unknown;
      continue;
    }
    for (size_t i = parts.size() > 1 ? 1 : 0; i < parts.size(); ++i) {
      int64_t column = columnOf(parts[i]);
      if (column < 0 || column >= columns)
        ++filter.unknown;
      else
        (row < 0 ? filter.everywhere : filter.byRow[row]).push_back(static_cast<int32_t>(column));
    }
  }
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
