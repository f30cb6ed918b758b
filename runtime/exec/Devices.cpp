#include "runtime/exec/Devices.h"
#include "runtime/hal/cuda/CudaDevice.h"
#include "runtime/plan/Error.h"
#include <charconv>
#include <fmt/ranges.h>

namespace sn::rt {
namespace {
std::unique_ptr<Device> openCpu(const plan::Archive &archive, const plan::Plan &plan, const DeviceChoice &choice) {
  if (choice.name != "cpu")
    userError("--device {}: cpu takes no number", choice.name);
  return makeCpuDevice(archive, plan, choice.threads, choice.level);
}

/// NVRTC, opened when the first kernel has to be compiled: a plan may hold images of all of them.
class CompilerOnDemand final : public cuda::KernelCompiler {
public:
  std::vector<cuda::Compiled> compile(const std::vector<cuda::Unit> &units, const cuda::Headers &headers,
                                      const std::string &architecture) override {
    if (!opened)
      opened = cuda::openNvrtc(cuda::defaultKernelCache());
    return opened->compile(units, headers, architecture);
  }

private:
  std::unique_ptr<cuda::KernelCompiler> opened;
};

std::unique_ptr<Device> openCuda(const plan::Archive &archive, const plan::Plan &, const DeviceChoice &choice) {
  const int ordinal = deviceNumber(choice);
  return cuda::makeCudaDevice(archive, cuda::systemDriver(), std::make_shared<CompilerOnDemand>(), ordinal,
                              cuda::systemLibrary);
}
} // namespace

int deviceNumber(const DeviceChoice &choice) {
  if (choice.name == choice.kind())
    return 0;
  int number = 0;
  const char *begin = choice.name.data() + choice.kind().size() + 1, *end = choice.name.data() + choice.name.size();
  const auto [rest, error] = std::from_chars(begin, end, number);
  if (error != std::errc() || rest != end || number < 0)
    userError("--device {}: after the colon the number of a device is expected, as in {}:1", choice.name,
              choice.kind());
  return number;
}

std::map<std::string, DeviceOpener> &deviceKinds() {
  static std::map<std::string, DeviceOpener> kinds = {{"cpu", openCpu}, {"cuda", openCuda}};
  return kinds;
}

std::unique_ptr<Device> openDevice(const plan::Archive &archive, const plan::Plan &plan, const DeviceChoice &choice) {
  auto kind = deviceKinds().find(choice.kind());
  if (kind == deviceKinds().end()) {
    std::vector<std::string> known;
    for (const auto &[name, opener] : deviceKinds())
      known.push_back(name);
    userError("--device {}: there is no such kind of device; it is one of {}", choice.name, fmt::join(known, ", "));
  }
  return kind->second(archive, plan, choice);
}
} // namespace sn::rt
