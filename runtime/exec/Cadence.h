// When checkpoints are due.
#pragma once
#include <cstdint>
#include <string>

namespace sn::rt {
struct Cadence {
  int64_t epochs = 0; // every so many; 0: never
  double seconds = 0; // so long after the last one, inside an epoch too; 0: never
  bool any() const { return epochs > 0 || seconds > 0; }
};
/// "3" (epochs), "30s", "10m", "1.5h". UserError for anything else, naming `option`.
Cadence parseCadence(const std::string &text, const std::string &option);
} // namespace sn::rt
