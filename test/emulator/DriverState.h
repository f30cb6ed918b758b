// What the emulated driver holds; behind its one lock.
#pragma once
#include "test/emulator/EmulatedDriver.h"
#include "test/emulator/Launch.h"
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace sn::rt::cuda {
struct ContextTag {};
struct FunctionTag {
  void (*thread)(void *) = nullptr; // of an image
  emulator::StaticShared shared;
  std::string name;
  std::vector<size_t> arguments; // their sizes
  int dynamicLimit = 48 << 10;
};
struct ModuleTag {
  void *object = nullptr; // of dlopen
  emulator::StaticShared shared;
  std::map<std::string, FunctionTag> functions; // those asked for
};
/// What a captured stream was given, in order. Each returns a CUresult.
struct GraphTag {
  std::vector<std::function<Result()>> nodes;
};
struct GraphExecTag : GraphTag {};
struct StreamTag {
  std::unique_ptr<GraphTag> captured;       // null: it runs what it is given
  std::thread::id capturing;                // who
  bool invalidated = false;                 // the capture has failed
  std::deque<std::function<Result()>> late; // copies that wait until somebody waits for them
  uint64_t done = 0;                        // of the copies given, those taken out of `late`
};
struct EventTag {
  StreamHandle stream = nullptr;
  uint64_t copies = 0; // given to the stream before it was recorded
  bool timed = true;
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
  kIllegalState = 401,
  kNotFound = 500,
  kNotReady = 600,
  kLaunchFailed = 719,
  kNotSupported = 801,
  kCaptureUnsupported = 900,
  kCaptureInvalidated = 901
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
  std::map<const void *, size_t> hostMemory;
  std::map<rt::cuda::ModuleHandle, std::unique_ptr<rt::cuda::ModuleTag>> modules;
  std::map<rt::cuda::FunctionHandle, rt::cuda::ModuleHandle> functions;
  std::map<rt::cuda::StreamHandle, std::unique_ptr<rt::cuda::StreamTag>> streams;
  std::map<rt::cuda::EventHandle, std::unique_ptr<rt::cuda::EventTag>> events;
  std::map<rt::cuda::GraphHandle, std::unique_ptr<rt::cuda::GraphTag>> graphs;
  std::map<rt::cuda::GraphExecHandle, std::unique_ptr<rt::cuda::GraphExecTag>> executables;

  /// What every call with a context begins with.
  Code ready() const;
  /// ready(), and that the calling thread captures no stream; a capture of it has failed then.
  Code readyApart();
  /// Runs `work` after what the stream was given before, or records it where the stream is captured.
  rt::cuda::Result submit(rt::cuda::StreamHandle stream, std::function<rt::cuda::Result()> work);
  /// Runs the copies that the stream was given, up to this number of them.
  rt::cuda::Result catchUp(rt::cuda::StreamHandle stream, uint64_t copies = UINT64_MAX);
  rt::cuda::Result catchUpAll();
  /// What was given to the event's stream before it was recorded is done after this.
  rt::cuda::Result happened(rt::cuda::EventHandle event);
  static bool captured(rt::cuda::StreamHandle stream) { return stream && stream->captured; }
  bool holds(rt::cuda::DevicePointer pointer, size_t bytes) const;
  bool pageLocked(const void *pointer, size_t bytes) const;
  bool knows(rt::cuda::StreamHandle stream) const { return !stream || streams.count(stream); }
  /// Sets `fault` if a guard zone was written to.
  Code checkGuards(const std::string &when);
};
DriverState &driverState();

// The groups of functions, by file.
void addMemory(rt::cuda::DriverApi &api);
void addExecution(rt::cuda::DriverApi &api);
void addGraphs(rt::cuda::DriverApi &api);
} // namespace sn::emulator
