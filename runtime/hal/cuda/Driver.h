// The CUDA driver as a table of functions: libcuda.so.1 opened at run time, or a stand-in (test/emulator). Declarations
// are ours; names, arguments and codes are those of the driver API (CUDA Driver API reference, cuda.h of CUDA 13).
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace sn::rt {
class DynamicLibrary;
}
namespace sn::rt::cuda {
using Result = int; // CUresult; 0 = success
using DeviceHandle = int;
using DevicePointer = unsigned long long;
struct ContextTag;
struct ModuleTag;
struct FunctionTag;
struct StreamTag;
struct EventTag;
struct GraphTag;
struct GraphExecTag;
using ContextHandle = ContextTag *;
using ModuleHandle = ModuleTag *;
using FunctionHandle = FunctionTag *;
using StreamHandle = StreamTag *;
using EventHandle = EventTag *;
using GraphHandle = GraphTag *;
using GraphExecHandle = GraphExecTag *;

/// CUdevice_attribute, as far as used.
enum class Attribute : int {
  MaxThreadsPerBlock = 1,
  MultiprocessorCount = 16,
  ClockRate = 13,       // kHz
  MemoryClockRate = 36, // kHz
  MemoryBusWidth = 37,  // bits
  L2CacheSize = 38,     // bytes
  ComputeCapabilityMajor = 75,
  ComputeCapabilityMinor = 76,
  MaxSharedMemoryPerBlockOptin = 97, // bytes
};
/// CUfunction_attribute, as far as used.
enum class FunctionAttribute : int { LocalBytes = 3, Registers = 4, MaxDynamicSharedBytes = 8 };
inline constexpr unsigned kEventWithoutTime = 2; // CU_EVENT_DISABLE_TIMING
/// CUstreamCaptureMode, as far as used: other threads may do what a capture must not be disturbed by.
inline constexpr int kCaptureThreadLocal = 1;

/// Every function returns a Result. Stream null is the default stream.
struct DriverApi {
  Result (*init)(unsigned flags);
  Result (*driverGetVersion)(int *version);
  Result (*getErrorName)(Result error, const char **text);
  Result (*getErrorString)(Result error, const char **text);
  Result (*deviceGetCount)(int *count);
  Result (*deviceGet)(DeviceHandle *device, int ordinal);
  Result (*deviceGetName)(char *name, int length, DeviceHandle device);
  Result (*deviceGetAttribute)(int *value, int attribute, DeviceHandle device);
  Result (*devicePrimaryCtxRetain)(ContextHandle *context, DeviceHandle device);
  Result (*devicePrimaryCtxRelease)(DeviceHandle device);
  Result (*ctxSetCurrent)(ContextHandle context);
  Result (*memGetInfo)(size_t *free, size_t *total);
  Result (*memAlloc)(DevicePointer *pointer, size_t bytes);
  Result (*memFree)(DevicePointer pointer);
  Result (*memHostAlloc)(void **pointer, size_t bytes, unsigned flags);
  Result (*memFreeHost)(void *pointer);
  Result (*memcpyHtoDAsync)(DevicePointer to, const void *from, size_t bytes, StreamHandle stream);
  Result (*memcpyDtoHAsync)(void *to, DevicePointer from, size_t bytes, StreamHandle stream);
  Result (*memsetD8Async)(DevicePointer to, unsigned char value, size_t bytes, StreamHandle stream);
  Result (*moduleLoadDataEx)(ModuleHandle *module, const void *image, unsigned options, int *keys, void **values);
  Result (*moduleUnload)(ModuleHandle module);
  Result (*moduleGetFunction)(FunctionHandle *function, ModuleHandle module, const char *name);
  Result (*funcGetAttribute)(int *value, int attribute, FunctionHandle function);
  Result (*funcSetAttribute)(FunctionHandle function, int attribute, int value);
  Result (*launchKernel)(FunctionHandle function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX,
                         unsigned blockY, unsigned blockZ, unsigned sharedBytes, StreamHandle stream, void **arguments,
                         void **extra);
  Result (*streamCreate)(StreamHandle *stream, unsigned flags);
  Result (*streamDestroy)(StreamHandle stream);
  Result (*streamSynchronize)(StreamHandle stream);
  Result (*streamWaitEvent)(StreamHandle stream, EventHandle event, unsigned flags);
  Result (*streamBeginCapture)(StreamHandle stream, int mode);
  Result (*streamEndCapture)(StreamHandle stream, GraphHandle *graph);
  Result (*graphInstantiate)(GraphExecHandle *executable, GraphHandle graph, unsigned long long flags);
  Result (*graphLaunch)(GraphExecHandle executable, StreamHandle stream);
  Result (*graphExecDestroy)(GraphExecHandle executable);
  Result (*graphDestroy)(GraphHandle graph);
  Result (*eventCreate)(EventHandle *event, unsigned flags);
  Result (*eventDestroy)(EventHandle event);
  Result (*eventRecord)(EventHandle event, StreamHandle stream);
  Result (*eventSynchronize)(EventHandle event);
  Result (*eventElapsedTime)(float *milliseconds, EventHandle from, EventHandle to);
};

struct OpenedDriver {
  DriverApi api{};
  std::shared_ptr<DynamicLibrary> library; // which the functions live in
};
/// The functions of a driver's library. UserError for a library that is not there or lacks one of them; it suggests
/// --device cpu.
OpenedDriver openDriver(const std::string &library);
/// The driver of this machine, opened on the first call and kept; not started yet (DriverApi::init). UserError as of
/// openDriver.
const DriverApi &systemDriver();
} // namespace sn::rt::cuda
