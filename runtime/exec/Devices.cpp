#include "runtime/exec/Devices.h"
#include "runtime/plan/Error.h"

namespace sn::rt {
namespace {
std::unique_ptr<Device> openCpu(const plan::Archive &archive, const plan::Plan &plan, const DeviceChoice &choice) {
  return makeCpuDevice(archive, plan, choice.threads, choice.level);
}
} // namespace

std::map<std::string, DeviceOpener> &deviceKinds() {
  static std::map<std::string, DeviceOpener> kinds = {{"cpu", openCpu}};
  return kinds;
}

std::unique_ptr<Device> openDevice(const plan::Archive &archive, const plan::Plan &plan, const DeviceChoice &choice) {
  auto kind = deviceKinds().find(choice.kind());
  if (kind == deviceKinds().end())
    userError("--device {}: the only device of this version is cpu", choice.name);
  return kind->second(archive, plan, choice);
}
} // namespace sn::rt
