// A plan file opened on a device: what every command starts with.
#pragma once
#include "runtime/base/ThreadPool.h"
#include "runtime/exec/Devices.h"
#include "runtime/exec/EntryRun.h"
#include "runtime/plan/Archive.h"

namespace sn::rt {
class Session {
public:
  /// UserError for a plan that cannot be read or run here.
  Session(const std::string &planPath, const DeviceChoice &choice);
  /// With a device and slots of the caller's own (tests).
  Session(plan::Archive archive, plan::Plan plan, std::unique_ptr<Device> device, int threads);

  const plan::Plan &plan() const { return thePlan; }
  Device &device() { return *theDevice; }
  ThreadPool &workers() { return pool; }
  const plan::Entry &entry(const std::string &name) const;
  /// The JSON text the plan was compiled from; "" if the plan holds none.
  std::string network() const;

  /// The header of a weights file for this model: network text, settings, extents, column names of the data sets bound.
  /// `sums` are those of the epoch begun.
  CheckpointHeader header(const Model &model, const Settings &settings, const Position &position, const Binding &data,
                          const EpochSums &sums = {}) const;
  /// Writes a weights file. UserError if `path` exists and `force` is not set; nothing is left behind on failure.
  void save(const Model &model, const CheckpointHeader &header, const std::string &path, bool force) const;

private:
  plan::Archive archive;
  plan::Plan thePlan;
  ThreadPool pool;
  std::unique_ptr<Device> theDevice;
};
} // namespace sn::rt
