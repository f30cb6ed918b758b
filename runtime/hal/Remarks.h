// A device that has something to say about how it runs a plan.
#pragma once
#include <string>
#include <vector>

namespace sn::rt {
/// Implemented by devices with a choice that users may want to know of.
class Remarks {
public:
  virtual ~Remarks() = default;
  /// One line each; of what has been prepared so far. Empty where nothing was to be chosen.
  virtual std::vector<std::string> remarks() const = 0;
};
} // namespace sn::rt
