#include "runtime/exec/MemoryRoom.h"
#include "runtime/plan/Error.h"
#include <charconv>
#include <fmt/format.h>
#include <fstream>
#include <malloc.h>
#include <optional>
#include <sstream>
#include <vector>

namespace sn::rt {
std::string formatBytes(int64_t bytes) {
  const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(units))
    value /= 1024, ++unit;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, units[unit]);
}

int64_t parseBytes(const std::string &text, const std::string &option) {
  struct Unit {
    const char *name;
    double bytes;
  };
  static constexpr Unit kUnits[] = {{"", 1},
                                    {"B", 1},
                                    {"K", 1024},
                                    {"KiB", 1024},
                                    {"KB", 1e3},
                                    {"M", 1048576},
                                    {"MiB", 1048576},
                                    {"MB", 1e6},
                                    {"G", 1073741824},
                                    {"GiB", 1073741824},
                                    {"GB", 1e9},
                                    {"T", 1099511627776},
                                    {"TiB", 1099511627776},
                                    {"TB", 1e12}};
  double value = 0;
  const char *const end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
  while (rest != end && *rest == ' ')
    ++rest;
  if (error == std::errc() && value > 0)
    for (const Unit &unit : kUnits)
      if (std::string_view(rest, static_cast<size_t>(end - rest)) == unit.name && value * unit.bytes >= 1 &&
          value * unit.bytes < 9e18)
        return static_cast<int64_t>(value * unit.bytes);
  userError("{} {}: an amount of memory is expected, as in 24GiB, 500MiB, 8G or a number of bytes", option,
            text.empty() ? "''" : text);
}

namespace {
std::optional<std::string> contentOf(const std::string &path) {
  std::ifstream file(path);
  if (!file)
    return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// A file of one number; nothing for "max" or what is no number.
std::optional<int64_t> numberIn(const std::string &path) {
  const std::optional<std::string> text = contentOf(path);
  int64_t number = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), number).ec != std::errc())
    return std::nullopt;
  return number;
}

/// The number behind `key` at the start of a line.
std::optional<int64_t> fieldOf(const std::string &text, const std::string &key) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (line.compare(0, key.size(), key) == 0)
      return std::strtoll(line.c_str() + key.size(), nullptr, 10);
  return std::nullopt;
}

struct GroupFiles {
  std::string folder;              // of the hierarchy, below the root of control groups
  std::vector<std::string> limits; // the lower counts
  std::string used, reclaimable;   // reclaimable: field of memory.stat
};

/// Version 1 writes a number of this size where there is no limit.
constexpr int64_t kNoLimit = int64_t(1) << 60;

/// What a group and those above it leave beyond what they use now; INT64_MAX without limits. Memory of cached files
/// that is not in use counts as free.
int64_t leftOf(const std::string &cgroups, const GroupFiles &files, std::string group) {
  int64_t left = INT64_MAX;
  while (true) {
    const std::string folder = cgroups + files.folder + (group.size() > 1 ? group : "") + "/";
    const int64_t used = numberIn(folder + files.used).value_or(0);
    const int64_t cached = fieldOf(contentOf(folder + "memory.stat").value_or(""), files.reclaimable).value_or(0);
    for (const std::string &name : files.limits)
      if (const std::optional<int64_t> limit = numberIn(folder + name); limit && *limit < kNoLimit)
        left = std::min(left, std::max<int64_t>(0, *limit - std::max<int64_t>(0, used - cached)));
    if (group.size() <= 1) // "" or the root
      return left;
    group.resize(group.rfind('/') == std::string::npos ? 0 : group.rfind('/'));
  }
}

int64_t leftByGroups(const std::string &proc, const std::string &cgroups) {
  int64_t left = INT64_MAX;
  std::istringstream lines(contentOf(proc + "/self/cgroup").value_or(""));
  for (std::string line; std::getline(lines, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos)
      continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    if (second == first + 1) // version 2
      left = std::min(left, leftOf(cgroups, {"", {"memory.max", "memory.high"}, "memory.current", "inactive_file "},
                                   line.substr(second + 1)));
    else if (controllers.find(",memory,") != std::string::npos)
      left = std::min(
          left, leftOf(cgroups, {"/memory", {"memory.limit_in_bytes"}, "memory.usage_in_bytes", "total_inactive_file "},
                       line.substr(second + 1)));
  }
  return left;
}
} // namespace

void returnLargeBlocks() { ::mallopt(M_MMAP_THRESHOLD, 4 << 20); }

int64_t residentBytes(const std::string &proc) {
  return 1024 * fieldOf(contentOf(proc + "/self/status").value_or(""), "VmRSS:").value_or(0);
}

MemoryRoom memoryRoom(int64_t limit, const std::string &proc, const std::string &cgroups) {
  if (limit > 0)
    return {limit, "--memory-limit allows"};
  MemoryRoom room;
  const int64_t now = residentBytes(proc);
  if (const auto free = fieldOf(contentOf(proc + "/meminfo").value_or(""), "MemAvailable:"))
    room = {now + 1024 * *free, "this machine has free"};
  if (const int64_t left = leftByGroups(proc, cgroups); left < INT64_MAX && now + left < room.bytes)
    room = {now + left, "the control group allows"};
  return room;
}
} // namespace sn::rt
