#include "runtime/exec/Cadence.h"
#include "runtime/plan/Error.h"
#include <charconv>
#include <cmath>

namespace sn::rt {
namespace {
/// Seconds of a unit; 0 for an unknown one.
double secondsOf(std::string_view unit) {
  switch (unit.size() == 1 ? unit[0] : 0) {
  case 's':
    return 1;
  case 'm':
    return 60;
  case 'h':
    return 3600;
  default:
    return 0;
  }
}
} // namespace

Cadence parseCadence(const std::string &text, const std::string &option) {
  double number = 0;
  auto [rest, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view unit(rest, static_cast<size_t>(text.data() + text.size() - rest));
  if (problem == std::errc() && std::isfinite(number) && number > 0) {
    if (unit.empty() && number == std::floor(number) && number < 1e15)
      return {static_cast<int64_t>(number), 0};
    if (secondsOf(unit) > 0)
      return {0, number * secondsOf(unit)};
  }
  userError("{} {}: a whole number of epochs is expected, or a time: 30s, 10m, 1.5h", option, text);
}
} // namespace sn::rt
