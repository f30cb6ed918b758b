// Items that predictions leave out on request.
#pragma once
#include "runtime/data/DataSet.h"
#include <map>
#include <optional>

namespace sn::snrt {
struct Filter {
  std::vector<int32_t> everywhere;               // sorted columns dropped for all rows
  std::map<int64_t, std::vector<int32_t>> byRow; // sorted columns dropped for single rows
  int64_t single = 0;                            // entries of byRow
  int64_t names = 0;                             // in the file
  int64_t unknown = 0;                           // of them no row or no column
  std::string firstUnknown;                      // the first of those and its line, for the user
  void addUnknown(const std::string &name, int64_t line);
};
/// Each line is an item name (dropped for all rows), or a row's name and items separated by tabs. Names are numbers
/// where `items`, or the row names of `rows`, are absent. UserError if the file cannot be read, is no text or holds no
/// name.
Filter readFilter(const std::string &path, const rt::DataSet &rows, const rt::Names *items, int64_t columns);
/// The union of `known` (may be null) and the filter's single rows as a binary data set; nothing if the filter has
/// none.
std::optional<rt::DataSet> leftOut(const rt::DataSet *known, const Filter &filter, int64_t rows, int64_t columns);
/// A number in [0, limit), or -1.
int64_t numberOf(const std::string &text, int64_t limit);
} // namespace sn::snrt
