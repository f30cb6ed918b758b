#include "runtime/hal/nvrtc/Resources.h"
#include <charconv>
#include <fmt/format.h>

namespace sn::rt::cuda {
namespace {
/// The number that ends where `unit` begins in `line`: 40 of "Used 40 registers" for " registers"; 0 if there is none.
std::optional<int64_t> numberBefore(std::string_view line, std::string_view unit) {
  const size_t end = line.find(unit);
  if (end == std::string_view::npos)
    return std::nullopt;
  size_t begin = end;
  while (begin > 0 && line[begin - 1] >= '0' && line[begin - 1] <= '9')
    --begin;
  int64_t value = 0;
  if (std::from_chars(line.data() + begin, line.data() + end, value).ec != std::errc())
    return std::nullopt;
  return value;
}
void take(int64_t &value, std::string_view line, std::string_view unit) {
  if (const std::optional<int64_t> number = numberBefore(line, unit))
    value = *number;
}
} // namespace

std::vector<Resources> resourcesOfLog(std::string_view log) {
  constexpr std::string_view kBegin = "Compiling entry function '", kProperties = "Function properties for ";
  std::vector<Resources> result;
  bool ofEntry = false; // lines on functions that are not inlined stand between those of their entries
  while (!log.empty()) {
    const size_t end = log.find('\n');
    const std::string_view line = log.substr(0, end);
    log.remove_prefix(end == std::string_view::npos ? log.size() : end + 1);
    if (const size_t at = line.find(kBegin); at != std::string_view::npos) {
      const std::string_view rest = line.substr(at + kBegin.size());
      result.emplace_back().function = rest.substr(0, rest.find('\''));
      ofEntry = true;
    } else if (const size_t properties = line.find(kProperties); properties != std::string_view::npos) {
      ofEntry = !result.empty() && line.substr(properties + kProperties.size()) == result.back().function;
    } else if (!result.empty() && line.find(" stack frame") != std::string_view::npos) {
      // What a callee spills is spilled by whoever calls it.
      Resources of;
      take(of.stack, line, " bytes stack frame");
      take(of.spillStores, line, " bytes spill stores");
      take(of.spillLoads, line, " bytes spill loads");
      Resources &to = result.back();
      to.stack = ofEntry ? of.stack : to.stack;
      to.spillStores += of.spillStores, to.spillLoads += of.spillLoads;
    } else if (!result.empty() && line.find("Used ") != std::string_view::npos) {
      take(result.back().registers, line, " registers");
      take(result.back().shared, line, " bytes smem");
    }
  }
  return result;
}

std::string resourcesText(const Resources &of) {
  return fmt::format("{}: {} registers, {} bytes shared, {} bytes stack, {} bytes spill stores, {} bytes spill loads",
                     of.function, of.registers, of.shared, of.stack, of.spillStores, of.spillLoads);
}

std::optional<Resources> parseResources(std::string_view text) {
  const size_t colon = text.rfind(": "); // name expressions hold "::", never ": "
  if (colon == std::string_view::npos)
    return std::nullopt;
  const std::string_view numbers = text.substr(colon);
  Resources of;
  of.function = text.substr(0, colon);
  take(of.registers, numbers, " registers");
  take(of.shared, numbers, " bytes shared");
  take(of.stack, numbers, " bytes stack");
  take(of.spillStores, numbers, " bytes spill stores");
  take(of.spillLoads, numbers, " bytes spill loads");
  if (resourcesText(of) != text)
    return std::nullopt;
  return of;
}
} // namespace sn::rt::cuda
