// Devices by the names that --device takes.
#pragma once
#include "runtime/hal/Device.h"

namespace sn::rt {
struct DeviceChoice {
  std::string name = "cpu"; // KIND or KIND:NUMBER
  std::string level;        // of the CPU; "" = the richest this machine runs
  int threads = 0;          // 0 = one for each core

  std::string kind() const { return name.substr(0, name.find(':')); }
};
/// The number behind the colon of the name, 0 where there is none. UserError for anything else.
int deviceNumber(const DeviceChoice &choice);

/// Opens a device for a plan. UserError for a machine that has none, or a plan that it cannot run.
using DeviceOpener =
    std::function<std::unique_ptr<Device>(const plan::Archive &, const plan::Plan &, const DeviceChoice &)>;

/// The kinds of devices, by name: those of this runtime, and what a program adds before it opens a session.
std::map<std::string, DeviceOpener> &deviceKinds();
/// UserError for a kind that is not there.
std::unique_ptr<Device> openDevice(const plan::Archive &archive, const plan::Plan &plan, const DeviceChoice &choice);
} // namespace sn::rt
