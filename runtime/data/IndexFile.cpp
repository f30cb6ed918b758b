#include "runtime/data/IndexFile.h"
#include "runtime/data/AtomicFile.h"
#include "runtime/data/TextFormats.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace sn::rt {
Names readFeatureIndex(const std::string &path) {
  TextSource source(path);
  NameIndex labels;
  std::vector<int64_t> numbers;
  std::string_view line;
  int64_t most = -1;
  while (source.next(line)) {
    if (line.empty())
      continue;
    size_t tab = line.find('\t');
    int64_t number = -1;
    if (tab != std::string_view::npos) {
      auto [stop, error] = std::from_chars(line.data() + tab + 1, line.data() + line.size(), number);
      if (error != std::errc() || stop != line.data() + line.size())
        number = -1;
    }
    if (tab == 0 || number < 0)
      userError("{}:{}: should be a label, a TAB and a number from 0", path, source.lineNumber());
    if (labels.add(line.substr(0, tab)) != int64_t(numbers.size()))
      userError("{}:{}: the label {} stands there twice", path, source.lineNumber(), excerpt(line.substr(0, tab)));
    numbers.push_back(number);
    most = std::max(most, number);
  }
  // Numbers may have gaps, but one stray number must not make a huge layer.
  if (most >= 64 * int64_t(numbers.size()) + 1024)
    userError("{}: the largest number is {}, but there are only {} labels", path, most, numbers.size());
  std::vector<int64_t> at(most + 1, -1);
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (at[numbers[i]] >= 0)
      userError("{}: {} and {} have the same number {}", path, labels.names()[at[numbers[i]]], labels.names()[i],
                numbers[i]);
    at[numbers[i]] = int64_t(i);
  }
  Names names;
  for (int64_t i : at)
    names.add(i < 0 ? std::string_view() : labels.names()[i]);
  return names;
}

void writeIndex(const std::string &path, const Names &names, bool force) {
  std::string lines;
  NameIndex seen;
  for (int64_t i = 0; i < names.size(); ++i) {
    const std::string_view name = names[i];
    if (name.empty())
      continue;
    if (name.find_first_of("\t\n\r") != std::string_view::npos)
      userError("{}: the name of number {} has a TAB or a line's end in it, which an index file cannot hold", path, i);
    if (const int64_t known = seen.size(); seen.add(name) != known)
      userError("{}: the name {} stands there twice", path, excerpt(name));
    lines += fmt::format("{}\t{}\n", name, i);
  }
  writeWhole(path, lines, force);
}
} // namespace sn::rt
