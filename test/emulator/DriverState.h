// What the emulated driver holds; behind its one lock.
#pragma once
#include "test/emulator/EmulatedDriver.h"
#include "test/emulator/Launch.h"
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <set>

namespace sn::rt::cuda {
struct ContextTag {};
struct FunctionTag {
  void (*thread)(void *) = nullptr; // of an image
  emulator::StaticShared shared;
  std::string name;
  int dynamicLimit = 48 << 10;
};
struct ModuleTag {
  void *object = nullptr; // of dlopen
  emulator::StaticShared shared;
  std::map<std::string, FunctionTag> functions; // those asked for
};
struct StreamTag {};
struct EventTag {
  bool recorded = false;
  std::chrono::steady_clock::time_point time;
};
} // namespace sn::rt::cuda

namespace sn::emulator {
/// CUresult, as far as given.
enum Code : rt::cuda::Result {
  kSuccess = 0,
  kInvalidValue = 1,
  kOutOfMemory = 2,
  kNotInitialized = 3,
  kNoDevice = 100,
  kInvalidDevice = 101,
  kInvalidImage = 200,
  kInvalidContext = 201,
  kInvalidHandle = 400,
  kNotFound = 500,
  kNotReady = 600,
  kLaunchFailed = 719,
  kNotSupported = 801
};

/// Device memory between guard zones. Under ASan its own red zones do that.
class Allocation {
public:
  explicit Allocation(size_t bytes);
  Allocation(const Allocation &) = delete;
  Allocation &operator=(const Allocation &) = delete;
  ~Allocation();
  unsigned char *data() const;
  size_t size() const { return bytes; }
  bool intact() const;

private:
  size_t bytes;
  unsigned char *memory;
};

struct DriverState {
  std::mutex mutex;
  DriverSettings settings;
  bool initialized = false;
  int retained = 0;
  rt::cuda::ContextTag context;
  std::string fault; // not "": the context is lost
  DriverCounters counters;
  std::map<const unsigned char *, std::unique_ptr<Allocation>> memory;
  std::set<void *> hostMemory;
  std::map<rt::cuda::ModuleHandle, std::unique_ptr<rt::cuda::ModuleTag>> modules;
  std::map<rt::cuda::FunctionHandle, rt::cuda::ModuleHandle> functions;
  std::map<rt::cuda::StreamHandle, std::unique_ptr<rt::cuda::StreamTag>> streams;
  std::map<rt::cuda::EventHandle, std::unique_ptr<rt::cuda::EventTag>> events;

  /// What every call with a context begins with.
  Code ready() const;
  bool holds(rt::cuda::DevicePointer pointer, size_t bytes) const;
  bool knows(rt::cuda::StreamHandle stream) const { return !stream || streams.count(stream); }
  /// Sets `fault` if a guard zone was written to.
  Code checkGuards(const std::string &when);
};
DriverState &driverState();

// The groups of functions, by file.
void addMemory(rt::cuda::DriverApi &api);
void addExecution(rt::cuda::DriverApi &api);
} // namespace sn::emulator
