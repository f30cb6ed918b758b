#include "tools/snrt/NetcdfReport.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <fmt/ranges.h>

namespace sn::snrt {
IndexFiles::IndexFiles(const std::vector<std::string> &texts, const std::string &option,
                       const std::vector<std::string> &sets) {
  for (const std::string &text : texts) {
    const size_t equals = text.find('=');
    const std::string set = equals == std::string::npos ? "" : text.substr(0, equals);
    std::vector<std::string> meant = sets;
    std::string file = text;
    if (std::count(sets.begin(), sets.end(), set)) {
      meant = {set};
      file = text.substr(equals + 1);
    } else if (!set.empty() && set.find('/') == std::string::npos) {
      userError("{} {}: there is no data set {}; there are {}", option, text, set, fmt::join(sets, ", "));
    }
    for (const std::string &each : meant)
      if (!files_.emplace(each, file).second)
        userError("{}: names two files for the data set {}", option, each);
  }
}

std::string IndexFiles::of(const std::string &set) const {
  auto found = files_.find(set);
  return found == files_.end() ? "" : found->second;
}

void Report::add(const std::string &path, const std::string &name, const rt::DataSet &data) {
  static constexpr const char *kLoaders[] = {"dense", "binary", "analog"};
  const char *loader = kLoaders[static_cast<size_t>(data.loader)];
  std::string more = data.stored == rt::Stored::Float ? "" : ", 8-bit";
  more += data.index.empty() ? "" : fmt::format(", indexed: {} rows are stored", data.storedRows());
  more += data.weights.empty() ? "" : ", weighted";
  more += data.ignoreZeros ? ", zeros ignored" : "";
  lines_ += fmt::format("{}: {}: {} rows x {} columns, {} entries, {}{}\n", path, name, data.rows, data.columns,
                        data.entries(), loader, more);
  for (const std::string &note : data.notes)
    lines_ += "  " + note + "\n";
  sets_.push_back({{"name", name},
                   {"rows", data.rows},
                   {"columns", data.columns},
                   {"entries", data.entries()},
                   {"loader", loader},
                   {"storedRows", data.storedRows()},
                   {"weighted", !data.weights.empty()},
                   {"indexed", !data.index.empty()},
                   {"ignoreZeros", data.ignoreZeros},
                   {"bits", data.stored == rt::Stored::Float ? 32 : 8},
                   {"extents", data.extents},
                   {"notes", data.notes}});
}

void Report::print() const {
  using nlohmann::json;
  if (asJson_)
    fmt::print("{}\n", json{{"datasets", sets_}}.dump(2, ' ', false, json::error_handler_t::replace));
  else
    fmt::print("{}", lines_);
}
} // namespace sn::snrt
