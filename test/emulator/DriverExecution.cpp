// Modules, launches, streams and events of the emulated driver.
#include "test/emulator/DriverState.h"
#include <cstring>
#include <dlfcn.h>
#include <stdexcept>

namespace sn::emulator {
using namespace rt::cuda;
namespace {
using Lock = std::lock_guard<std::mutex>;

Result moduleLoadDataEx(ModuleHandle *module, const void *image, unsigned, int *, void **) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  if (const Code code = state.ready())
    return code;
  const char *path = static_cast<const char *>(image); // EmulatedCompiler
  void *object = path && path[0] == '/' ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : nullptr;
  if (!object)
    return kInvalidImage;
  auto *shared = static_cast<unsigned char *const *>(dlsym(object, "sn_shared_memory"));
  if (!shared) {
    dlclose(object);
    return kInvalidImage;
  }
  auto made = std::make_unique<ModuleTag>();
  made->object = object;
  made->shared = {shared[0], shared[1]};
  *module = made.get();
  state.modules[*module] = std::move(made);
  return kSuccess;
}
Result moduleUnload(ModuleHandle module) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  auto found = state.modules.find(module);
  if (found == state.modules.end())
    return kInvalidHandle;
  for (auto &[name, function] : found->second->functions)
    state.functions.erase(&function);
  dlclose(found->second->object);
  state.modules.erase(found);
  return state.ready();
}
Result moduleGetFunction(FunctionHandle *function, ModuleHandle module, const char *name) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  if (const Code code = state.ready())
    return code;
  auto found = state.modules.find(module);
  if (found == state.modules.end())
    return kInvalidHandle;
  void *address = dlsym(found->second->object, name);
  if (!address)
    return kNotFound;
  const void *sizes = dlsym(found->second->object, (std::string(name) + "_sizes").c_str());
  if (!sizes)
    return kInvalidImage;
  FunctionTag &one = found->second->functions[name];
  one.thread = reinterpret_cast<void (*)(void *)>(address);
  const auto *counted = *static_cast<const unsigned long long *const *>(sizes); // image.h, sizesOf
  one.arguments.assign(counted + 1, counted + 1 + counted[0]);
  one.shared = found->second->shared;
  one.name = name;
  state.functions[&one] = module;
  *function = &one;
  return kSuccess;
}
Result funcGetAttribute(int *value, int attribute, FunctionHandle function) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  if (const Code code = state.ready())
    return code;
  if (!state.functions.count(function))
    return kInvalidHandle;
  switch (static_cast<FunctionAttribute>(attribute)) {
  case FunctionAttribute::LocalBytes:
    *value = 0;
    return kSuccess;
  case FunctionAttribute::Registers:
    *value = 32; // nobody counts them here
    return kSuccess;
  case FunctionAttribute::MaxDynamicSharedBytes:
    *value = function->dynamicLimit;
    return kSuccess;
  }
  return kInvalidValue;
}
Result funcSetAttribute(FunctionHandle function, int attribute, int value) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  if (const Code code = state.ready())
    return code;
  if (!state.functions.count(function))
    return kInvalidHandle;
  if (attribute != static_cast<int>(FunctionAttribute::MaxDynamicSharedBytes) || value < 0 ||
      value > state.settings.sharedOptin)
    return kInvalidValue;
  function->dynamicLimit = value;
  return kSuccess;
}

Code checkShape(const Shape &shape, const FunctionTag &function) {
  const bool grid = shape.grid.x >= 1 && shape.grid.x <= 0x7fffffffu && shape.grid.y >= 1 && shape.grid.y <= 65535 &&
                    shape.grid.z >= 1 && shape.grid.z <= 65535;
  const bool block = shape.block.volume() >= 1 && shape.block.volume() <= 1024 && shape.block.z <= 64;
  return grid && block && shape.sharedBytes <= static_cast<size_t>(function.dynamicLimit) ? kSuccess : kInvalidValue;
}
/// The values of a launch's arguments at the time of the call.
class Arguments {
public:
  Arguments(const FunctionTag &function, void **given) {
    for (size_t i = 0; i < function.arguments.size(); ++i) {
      const auto *bytes = static_cast<const std::byte *>(given[i]);
      values.emplace_back(function.arguments[i] / sizeof(Unit) + 1);
      std::memcpy(values.back().data(), bytes, function.arguments[i]);
    }
  }
  std::vector<void *> pointers() {
    std::vector<void *> result;
    for (auto &value : values)
      result.push_back(value.data());
    return result;
  }

private:
  struct alignas(16) Unit { // as aligned as an argument may be
    std::byte bytes[16];
  };
  std::vector<std::vector<Unit>> values;
};

Result runKernel(DriverState &state, FunctionHandle function, const Shape &shape, void **arguments) {
  ++state.counters.launches;
  if (state.settings.recordLaunches)
    state.counters.launched.push_back(function->name);
  try {
    run(shape, function->shared, function->thread, arguments);
  } catch (const Fault &fault) {
    state.fault = function->name + ": " + fault.what();
    return kLaunchFailed;
  }
  return state.checkGuards(function->name);
}
Result launchKernel(FunctionHandle function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX,
                    unsigned blockY, unsigned blockZ, unsigned sharedBytes, StreamHandle stream, void **arguments,
                    void **extra) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  ++state.counters.calls;
  if (const Code code = state.ready())
    return code;
  if (!state.functions.count(function) || !state.knows(stream))
    return kInvalidHandle;
  if (extra)
    return kNotSupported;
  const Shape shape{{gridX, gridY, gridZ}, {blockX, blockY, blockZ}, sharedBytes};
  if (const Code code = checkShape(shape, *function))
    return code;
  if (!DriverState::captured(stream)) {
    if (const Result before = state.catchUp(stream))
      return before;
    return runKernel(state, function, shape, arguments);
  }
  return state.submit(stream, [&state, function, shape, kept = Arguments(*function, arguments)]() mutable -> Result {
    if (!state.functions.count(function))
      return kInvalidHandle;
    return runKernel(state, function, shape, kept.pointers().data());
  });
}

Result streamCreate(StreamHandle *stream, unsigned) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  if (const Code code = state.ready())
    return code;
  auto made = std::make_unique<StreamTag>();
  *stream = made.get();
  state.streams[*stream] = std::move(made);
  return kSuccess;
}
Result streamDestroy(StreamHandle stream) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  if (stream && state.knows(stream))
    state.catchUp(stream);
  return state.streams.erase(stream) ? static_cast<Code>(state.ready()) : kInvalidHandle;
}
Result streamSynchronize(StreamHandle stream) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  ++state.counters.calls;
  if (const Code code = state.readyApart())
    return code;
  return state.knows(stream) ? state.catchUp(stream) : Result(kInvalidHandle);
}
Result streamWaitEvent(StreamHandle stream, EventHandle event, unsigned flags) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  ++state.counters.calls;
  if (const Code code = state.ready())
    return code;
  if (!state.events.count(event) || !state.knows(stream))
    return kInvalidHandle;
  if (flags)
    return kInvalidValue;
  if (DriverState::captured(stream)) {
    stream->invalidated = true; // what is waited for is not part of the capture
    return kNotSupported;
  }
  return state.happened(event);
}
Result eventCreate(EventHandle *event, unsigned flags) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  if (const Code code = state.ready())
    return code;
  if (flags & ~kEventWithoutTime)
    return kInvalidValue;
  auto made = std::make_unique<EventTag>();
  made->timed = !(flags & kEventWithoutTime);
  *event = made.get();
  state.events[*event] = std::move(made);
  return kSuccess;
}
Result eventDestroy(EventHandle event) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  return state.events.erase(event) ? static_cast<Code>(state.ready()) : kInvalidHandle;
}
Result eventRecord(EventHandle event, StreamHandle stream) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  ++state.counters.calls;
  if (const Code code = state.ready())
    return code;
  if (!state.events.count(event) || !state.knows(stream))
    return kInvalidHandle;
  event->recorded = event->timed && !DriverState::captured(stream); // within a graph it tells no time
  event->stream = stream;
  event->copies = stream ? stream->done + stream->late.size() : 0;
  event->time = std::chrono::steady_clock::now();
  return kSuccess;
}
Result eventSynchronize(EventHandle event) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  ++state.counters.calls;
  if (const Code code = state.ready())
    return code;
  return state.events.count(event) ? state.happened(event) : Result(kInvalidHandle);
}
Result eventElapsedTime(float *milliseconds, EventHandle from, EventHandle to) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  if (const Code code = state.ready())
    return code;
  if (!state.events.count(from) || !state.events.count(to) || !from->recorded || !to->recorded)
    return kInvalidHandle;
  *milliseconds = std::chrono::duration<float, std::milli>(to->time - from->time).count();
  return kSuccess;
}
} // namespace

Result DriverState::catchUp(StreamHandle stream, uint64_t copies) {
  while (stream && !stream->late.empty() && stream->done < copies) {
    const std::function<Result()> work = std::move(stream->late.front());
    stream->late.pop_front();
    ++stream->done;
    if (const Result result = work())
      return result;
  }
  return kSuccess;
}
Result DriverState::catchUpAll() {
  for (auto &[handle, stream] : streams)
    if (const Result result = catchUp(handle))
      return result;
  return kSuccess;
}
Result DriverState::happened(EventHandle event) {
  return streams.count(event->stream) ? catchUp(event->stream, event->copies) : Result(kSuccess);
}

void addExecution(DriverApi &api) {
  api.moduleLoadDataEx = moduleLoadDataEx;
  api.moduleUnload = moduleUnload;
  api.moduleGetFunction = moduleGetFunction;
  api.funcGetAttribute = funcGetAttribute;
  api.funcSetAttribute = funcSetAttribute;
  api.launchKernel = launchKernel;
  api.streamCreate = streamCreate;
  api.streamDestroy = streamDestroy;
  api.streamSynchronize = streamSynchronize;
  api.streamWaitEvent = streamWaitEvent;
  api.eventCreate = eventCreate;
  api.eventDestroy = eventDestroy;
  api.eventRecord = eventRecord;
  api.eventSynchronize = eventSynchronize;
  api.eventElapsedTime = eventElapsedTime;
}
} // namespace sn::emulator
