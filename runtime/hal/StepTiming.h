// A device that times steps only when asked to.
#pragma once

namespace sn::rt {
/// Implemented by devices whose steps run unattended, and quicker if nobody asks how long each of them takes.
class StepTiming {
public:
  virtual ~StepTiming() = default;
  /// Whether StepResult::seconds is measured, from the next run on. Off at first: it is 0 then.
  virtual void timeSteps(bool on) = 0;
};
} // namespace sn::rt
