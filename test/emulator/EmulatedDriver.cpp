// Devices, contexts, errors.
#include "test/emulator/EmulatedDriver.h"
#include "test/emulator/DriverState.h"
#include <cstring>
#include <stdexcept>

namespace sn::emulator {
using namespace rt::cuda;

DriverState &driverState() {
  static DriverState state;
  return state;
}

namespace {
thread_local ContextHandle current = nullptr;
using Lock = std::lock_guard<std::mutex>;

struct Description {
  Code code;
  const char *name, *text;
};
constexpr Description kDescriptions[] = {
    {kSuccess, "CUDA_SUCCESS", "no error"},
    {kInvalidValue, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {kOutOfMemory, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {kNotInitialized, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {kNoDevice, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"},
    {kInvalidDevice, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {kInvalidImage, "CUDA_ERROR_INVALID_IMAGE", "device kernel image is invalid"},
    {kInvalidContext, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {kInvalidHandle, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
    {kIllegalState, "CUDA_ERROR_ILLEGAL_STATE", "the operation cannot be performed in the present state"},
    {kNotFound, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {kNotReady, "CUDA_ERROR_NOT_READY", "device not ready"},
    {kLaunchFailed, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
    {kNotSupported, "CUDA_ERROR_NOT_SUPPORTED", "operation not supported"},
    {kCaptureUnsupported, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", "operation not permitted when stream is capturing"},
    {kCaptureInvalidated, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED",
     "operation failed due to a previous error during capture"},
};
const Description *describe(Result error) {
  for (const Description &one : kDescriptions)
    if (one.code == error)
      return &one;
  return nullptr;
}

Result init(unsigned flags) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  if (flags)
    return kInvalidValue;
  if (state.settings.started)
    return state.settings.started;
  if (state.settings.devices == 0)
    return kNoDevice;
  state.initialized = true;
  return kSuccess;
}
Result driverGetVersion(int *version) {
  *version = driverState().settings.version;
  return kSuccess;
}
Result getErrorName(Result error, const char **text) {
  const Description *found = describe(error);
  *text = found ? found->name : nullptr;
  return found ? kSuccess : kInvalidValue;
}
Result getErrorString(Result error, const char **text) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  const Description *found = describe(error);
  *text = !found ? nullptr : error == kLaunchFailed && !state.fault.empty() ? state.fault.c_str() : found->text;
  return found ? kSuccess : kInvalidValue;
}
Result deviceGetCount(int *count) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  *count = state.settings.devices;
  return state.initialized ? kSuccess : kNotInitialized;
}
Code checkDevice(const DriverState &state, DeviceHandle device) {
  return !state.initialized                               ? kNotInitialized
         : device < 0 || device >= state.settings.devices ? kInvalidDevice
                                                          : kSuccess;
}
Result deviceGet(DeviceHandle *device, int ordinal) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  *device = ordinal;
  return checkDevice(state, ordinal);
}
Result deviceGetName(char *name, int length, DeviceHandle device) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  if (const Code code = checkDevice(state, device))
    return code;
  if (length < 1)
    return kInvalidValue;
  std::strncpy(name, state.settings.name.c_str(), static_cast<size_t>(length));
  name[length - 1] = 0;
  return kSuccess;
}
Result deviceGetAttribute(int *value, int attribute, DeviceHandle device) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  if (const Code code = checkDevice(state, device))
    return code;
  const DriverSettings &is = state.settings;
  switch (static_cast<Attribute>(attribute)) {
  case Attribute::MaxThreadsPerBlock:
    *value = 1024;
    return kSuccess;
  case Attribute::MultiprocessorCount:
    *value = is.multiprocessors;
    return kSuccess;
  case Attribute::ClockRate:
    *value = 1000000;
    return kSuccess;
  case Attribute::MemoryClockRate:
    *value = 1000000;
    return kSuccess;
  case Attribute::MemoryBusWidth:
    *value = 1024;
    return kSuccess;
  case Attribute::L2CacheSize:
    *value = 4 << 20;
    return kSuccess;
  case Attribute::ComputeCapabilityMajor:
    *value = is.major;
    return kSuccess;
  case Attribute::ComputeCapabilityMinor:
    *value = is.minor;
    return kSuccess;
  case Attribute::MaxSharedMemoryPerBlockOptin:
    *value = is.sharedOptin;
    return kSuccess;
  }
  return kInvalidValue;
}
Result devicePrimaryCtxRetain(ContextHandle *context, DeviceHandle device) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  if (const Code code = checkDevice(state, device))
    return code;
  ++state.retained;
  *context = &state.context;
  return kSuccess;
}
Result devicePrimaryCtxRelease(DeviceHandle device) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  if (const Code code = checkDevice(state, device))
    return code;
  if (state.retained == 0)
    return kInvalidContext;
  --state.retained;
  return kSuccess;
}
Result ctxSetCurrent(ContextHandle context) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  if (!state.initialized)
    return kNotInitialized;
  if (context && (context != &state.context || state.retained == 0))
    return kInvalidContext;
  current = context;
  return kSuccess;
}

DriverApi makeApi() {
  DriverApi api{};
  api.init = init;
  api.driverGetVersion = driverGetVersion;
  api.getErrorName = getErrorName;
  api.getErrorString = getErrorString;
  api.deviceGetCount = deviceGetCount;
  api.deviceGet = deviceGet;
  api.deviceGetName = deviceGetName;
  api.deviceGetAttribute = deviceGetAttribute;
  api.devicePrimaryCtxRetain = devicePrimaryCtxRetain;
  api.devicePrimaryCtxRelease = devicePrimaryCtxRelease;
  api.ctxSetCurrent = ctxSetCurrent;
  addMemory(api);
  addExecution(api);
  addGraphs(api);
  return api;
}
} // namespace

Code DriverState::ready() const {
  return !initialized                                   ? kNotInitialized
         : !current || current != &context || !retained ? kInvalidContext
         : !fault.empty()                               ? kLaunchFailed
                                                        : kSuccess;
}

const DriverApi &driverApi() {
  static const DriverApi api = makeApi();
  return api;
}
void configure(const DriverSettings &settings) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  if (!state.memory.empty() || !state.modules.empty() || state.retained)
    throw std::logic_error("the emulated driver is in use");
  state.settings = settings;
  state.initialized = false;
  state.fault.clear();
  state.counters = {};
  current = nullptr;
}
DriverCounters driverCounters() {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  return state.counters;
}
std::string lastFault() {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  return state.fault;
}
} // namespace sn::emulator
