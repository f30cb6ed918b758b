// Puts --device emulated beside those of snrt.
#include "runtime/exec/Devices.h"
#include "runtime/hal/cuda/CudaDevice.h"
#include "test/emulator/EmulatedCompiler.h"
#include "test/emulator/EmulatedDriver.h"

namespace {
[[maybe_unused]] const bool added = [] {
  sn::rt::deviceKinds()["emulated"] = [](const sn::plan::Archive &archive, const sn::plan::Plan &,
                                         const sn::rt::DeviceChoice &choice) {
    return sn::rt::cuda::makeCudaDevice(archive, sn::emulator::driverApi(), sn::emulator::makeCompiler(),
                                        sn::rt::deviceNumber(choice));
  };
  return true;
}();
} // namespace
