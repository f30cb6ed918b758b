#include "runtime/hal/cuda/Driver.h"
#include "runtime/base/DynamicLibrary.h"
#include "runtime/plan/Error.h"
#include <initializer_list>

namespace sn::rt::cuda {
namespace {
/// The first of `names` that the library has; what it lacks is remembered.
class Symbols {
public:
  explicit Symbols(const DynamicLibrary &library) : library(library) {}
  template <typename Function> void operator()(Function &function, std::initializer_list<const char *> names) {
    function = nullptr;
    for (const char *name : names)
      if (!function)
        function = library.function<Function>(name);
    if (!function && missing.empty())
      missing = *names.begin();
  }
  std::string missing;

private:
  const DynamicLibrary &library;
};
} // namespace

OpenedDriver openDriver(const std::string &library) {
  OpenedDriver opened;
  std::string reason;
  opened.library = DynamicLibrary::open(library, reason);
  if (!opened.library)
    userError("--device cuda: no NVIDIA driver was found on this machine ({}); install one, or take --device cpu",
              reason);
  DriverApi &api = opened.api;
  Symbols find(*opened.library); // the names behind cuda.h's macros
  find(api.init, {"cuInit"});
  find(api.driverGetVersion, {"cuDriverGetVersion"});
  find(api.getErrorName, {"cuGetErrorName"});
  find(api.getErrorString, {"cuGetErrorString"});
  find(api.deviceGetCount, {"cuDeviceGetCount"});
  find(api.deviceGet, {"cuDeviceGet"});
  find(api.deviceGetName, {"cuDeviceGetName"});
  find(api.deviceGetAttribute, {"cuDeviceGetAttribute"});
  find(api.devicePrimaryCtxRetain, {"cuDevicePrimaryCtxRetain"});
  find(api.devicePrimaryCtxRelease, {"cuDevicePrimaryCtxRelease_v2"});
  find(api.ctxSetCurrent, {"cuCtxSetCurrent"});
  find(api.memGetInfo, {"cuMemGetInfo_v2"});
  find(api.memAlloc, {"cuMemAlloc_v2"});
  find(api.memFree, {"cuMemFree_v2"});
  find(api.memHostAlloc, {"cuMemHostAlloc"});
  find(api.memFreeHost, {"cuMemFreeHost"});
  find(api.memcpyHtoDAsync, {"cuMemcpyHtoDAsync_v2"});
  find(api.memcpyDtoHAsync, {"cuMemcpyDtoHAsync_v2"});
  find(api.memsetD8Async, {"cuMemsetD8Async"});
  find(api.moduleLoadDataEx, {"cuModuleLoadDataEx"});
  find(api.moduleUnload, {"cuModuleUnload"});
  find(api.moduleGetFunction, {"cuModuleGetFunction"});
  find(api.funcGetAttribute, {"cuFuncGetAttribute"});
  find(api.funcSetAttribute, {"cuFuncSetAttribute"});
  find(api.launchKernel, {"cuLaunchKernel"});
  find(api.streamCreate, {"cuStreamCreate"});
  find(api.streamDestroy, {"cuStreamDestroy_v2"});
  find(api.streamSynchronize, {"cuStreamSynchronize"});
  find(api.streamWaitEvent, {"cuStreamWaitEvent"});
  find(api.streamBeginCapture, {"cuStreamBeginCapture_v2"});
  find(api.streamEndCapture, {"cuStreamEndCapture"});
  find(api.graphInstantiate, {"cuGraphInstantiateWithFlags"});
  find(api.graphLaunch, {"cuGraphLaunch"});
  find(api.graphExecDestroy, {"cuGraphExecDestroy"});
  find(api.graphDestroy, {"cuGraphDestroy"});
  find(api.eventCreate, {"cuEventCreate"});
  find(api.eventDestroy, {"cuEventDestroy_v2"});
  find(api.eventRecord, {"cuEventRecord"});
  find(api.eventSynchronize, {"cuEventSynchronize"});
  find(api.eventElapsedTime, {"cuEventElapsedTime_v2", "cuEventElapsedTime"}); // the first since CUDA 12.8
  if (!find.missing.empty())
    userError("--device cuda: the NVIDIA driver of this machine is too old: {} has no {}; version 525 or later is "
              "needed, or --device cpu",
              library, find.missing);
  return opened;
}

const DriverApi &systemDriver() {
  static const OpenedDriver opened = openDriver("libcuda.so.1"); // stays open: a driver is not unloaded
  return opened.api;
}
} // namespace sn::rt::cuda
