// A device that times steps only when asked to.
#pragma once
#include <string>

namespace sn::rt {
/// Implemented by devices whose steps run unattended, and quicker if nobody asks how long each of them takes.
class StepTiming {
public:
  virtual ~StepTiming() = default;
  /// Whether StepResult::seconds is measured, from the next run on. Off at first: it is 0 then.
  virtual void timeSteps(bool on) = 0;
  /// What the driver calls the device: "NVIDIA H200".
  virtual std::string product() const = 0;
};
} // namespace sn::rt
