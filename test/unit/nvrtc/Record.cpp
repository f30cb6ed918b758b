#include "test/unit/nvrtc/Record.h"
#include "runtime/plan/Archive.h"
#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>

namespace sn::rt::cuda {
namespace {
/// Of all that is compiled but the compiler itself. The unit's name is no part of it, its instances are.
std::string hashOf(const Unit &unit, const Headers &headers) {
  std::string all;
  const auto add = [&](std::string_view part) { all += fmt::format("{}:{}", part.size(), part); };
  add(unit.text);
  for (const std::string &kernel : unit.kernels)
    add(kernel);
  for (const std::string &name : reached(unit.text, headers))
    add(name), add(headers.find(name)->second);
  return plan::sha256Hex(all).substr(0, 16);
}

void reach(const std::string &text, const Headers &headers, std::set<std::string> &found) {
  constexpr std::string_view kInclude = "#include \"";
  for (size_t at = text.find(kInclude); at != std::string::npos; at = text.find(kInclude, at + 1)) {
    const size_t begin = at + kInclude.size();
    const std::string name = text.substr(begin, text.find('"', begin) - begin);
    if (auto header = headers.find(name); header != headers.end() && found.insert(name).second)
      reach(header->second, headers, found);
  }
}
} // namespace

std::set<std::string> reached(const std::string &text, const Headers &headers) {
  std::set<std::string> found;
  reach(text, headers, found);
  return found;
}

UnitRows rowsOf(const Unit &unit, const Compiled &compiled) {
  const std::vector<Resources> all = resourcesOfLog(compiled.log);
  UnitRows rows;
  for (const std::string &kernel : unit.kernels) {
    const std::string &name = compiled.names.at(kernel);
    const auto of = std::find_if(all.begin(), all.end(), [&](const Resources &one) { return one.function == name; });
    if (of != all.end())
      rows.push_back({of->registers, of->shared, of->stack, of->spillStores + of->spillLoads});
  }
  return rows;
}

std::string identityOf(KernelCompiler &compiler) {
  const std::string ptx =
      compiler.compile({{"Identity", "extern \"C\" __global__ void f() {}", {}}}, {}, "compute_75").at(0).image;
  const size_t at = ptx.find("Cuda compilation tools");
  return at == std::string::npos ? "unknown" : ptx.substr(at, ptx.find('\n', at) - at);
}

Record::Record(const std::string &path, const std::string &compiler) : compiler_(compiler) {
  std::ifstream file(path);
  if (!file)
    return;
  const auto json = nlohmann::json::parse(file);
  if (json.at("compiler") != compiler)
    return;
  for (const auto &[hash, of] : json.at("units").items()) {
    Entry &entry = entries_[hash];
    for (const auto &[key, value] : of.items())
      if (key == "unit")
        entry.name = value;
      else
        entry.rows[key] = value.get<UnitRows>();
  }
}

const UnitRows *Record::find(const Unit &unit, const Headers &headers, const std::string &architecture) const {
  const auto entry = entries_.find(hashOf(unit, headers));
  if (entry == entries_.end())
    return nullptr;
  const auto rows = entry->second.rows.find(architecture);
  return rows == entry->second.rows.end() ? nullptr : &rows->second;
}

void Record::add(const Unit &unit, const Headers &headers, const std::string &architecture, UnitRows rows) {
  Entry &entry = entries_[hashOf(unit, headers)];
  entry.name = unit.name;
  entry.rows[architecture] = std::move(rows);
}

std::string Record::text() const {
  std::vector<std::string> lines;
  for (const auto &[hash, entry] : entries_) {
    nlohmann::ordered_json of{{"unit", entry.name}};
    for (const auto &[architecture, rows] : entry.rows)
      of[architecture] = rows;
    lines.push_back(fmt::format("  \"{}\": {}", hash, of.dump()));
  }
  const auto nameOf = [](const std::string &line) { return line.substr(line.find("\"unit\"")); };
  std::sort(lines.begin(), lines.end(),
            [&](const std::string &a, const std::string &b) { return nameOf(a) < nameOf(b); });
  return fmt::format("{{\n \"compiler\": {},\n \"units\": {{\n{}\n }}\n}}\n", nlohmann::json(compiler_).dump(),
                     fmt::join(lines, ",\n"));
}
} // namespace sn::rt::cuda
