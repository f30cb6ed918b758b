// Puts --device emulated beside those of snrt, --device emulated-small, which has 256 KiB of memory, --device
// emulated-h200, which goes by a name whose data sheet is known, and --device emulated-library, which has a stand-in
// for cuBLASLt (or what SNRT_CUBLASLT says) that takes products of any size.
#include "runtime/exec/Devices.h"
#include "runtime/hal/cuda/CudaDevice.h"
#include "test/emulator/EmulatedCompiler.h"
#include "test/emulator/EmulatedDriver.h"
#include "test/emulator/EmulatedLibrary.h"
#include <cstdlib>

namespace {
[[maybe_unused]] const bool added = [] {
  const auto open = [](const sn::plan::Archive &archive, const sn::plan::Plan &, const sn::rt::DeviceChoice &choice) {
    return sn::rt::cuda::makeCudaDevice(archive, sn::emulator::driverApi(), sn::emulator::makeCompiler(),
                                        sn::rt::deviceNumber(choice));
  };
  sn::rt::deviceKinds()["emulated"] = open;
  sn::rt::deviceKinds()["emulated-small"] = [open](const auto &archive, const auto &plan, const auto &choice) {
    sn::emulator::configure({.memory = size_t(256) << 10});
    return open(archive, plan, choice);
  };
  sn::rt::deviceKinds()["emulated-h200"] = [open](const auto &archive, const auto &plan, const auto &choice) {
    sn::emulator::configure({.name = "NVIDIA H200"});
    return open(archive, plan, choice);
  };
  sn::rt::deviceKinds()["emulated-library"] = [](const auto &archive, const auto &, const auto &choice) {
    const auto library = [] {
      return std::getenv("SNRT_CUBLASLT") ? sn::rt::cuda::systemLibrary() : sn::emulator::openLibrary();
    };
    return sn::rt::cuda::makeCudaDevice(archive, sn::emulator::driverApi(), sn::emulator::makeCompiler(),
                                        sn::rt::deviceNumber(choice), library, {1, 1, 1, 1});
  };
  return true;
}();
} // namespace
