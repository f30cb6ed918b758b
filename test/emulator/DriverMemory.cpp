// Memory of the emulated driver, and copies.
#include "test/emulator/DriverState.h"
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

namespace sn::emulator {
using namespace rt::cuda;
namespace {
using Lock = std::lock_guard<std::mutex>;
constexpr size_t kAlignment = 256; // cuMemAlloc
#ifdef SN_EMULATOR_ASAN
constexpr size_t kGuard = 0;
#else
constexpr size_t kGuard = 256;
#endif
constexpr unsigned char kGuardByte = 0xA5;

unsigned char *addressOf(DevicePointer pointer) { return reinterpret_cast<unsigned char *>(pointer); }

Result memGetInfo(size_t *free, size_t *total) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  if (const Code code = state.ready())
    return code;
  *total = state.settings.memory;
  *free = state.settings.memory - state.counters.allocatedBytes;
  return kSuccess;
}
Result memAlloc(DevicePointer *pointer, size_t bytes) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  if (const Code code = state.readyApart())
    return code;
  if (!pointer || bytes == 0)
    return kInvalidValue;
  DriverCounters &counters = state.counters;
  if (bytes > state.settings.memory - counters.allocatedBytes)
    return kOutOfMemory;
  auto made = std::make_unique<Allocation>(bytes);
  *pointer = reinterpret_cast<DevicePointer>(made->data());
  state.memory[made->data()] = std::move(made);
  ++counters.allocations;
  counters.allocatedBytes += bytes;
  counters.peakBytes = std::max(counters.peakBytes, counters.allocatedBytes);
  return kSuccess;
}
Result memFree(DevicePointer pointer) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  if (!pointer)
    return state.ready();
  auto found = state.memory.find(addressOf(pointer));
  if (found == state.memory.end())
    return state.ready() ? state.ready() : kInvalidValue;
  state.catchUpAll(); // freeing waits for the device
  const Code guards = state.checkGuards("when memory is freed");
  const Code code = state.ready() ? state.ready() : guards;
  --state.counters.allocations;
  state.counters.allocatedBytes -= found->second->size();
  state.memory.erase(found); // even if the context is lost, so that nothing leaks
  return code;
}
Result memHostAlloc(void **pointer, size_t bytes, unsigned) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  if (const Code code = state.readyApart())
    return code;
  if (!pointer || bytes == 0)
    return kInvalidValue;
  *pointer = std::malloc(bytes);
  if (!*pointer)
    return kOutOfMemory;
  std::memset(*pointer, 0xFF, bytes);
  state.hostMemory[*pointer] = bytes;
  return kSuccess;
}
Result memFreeHost(void *pointer) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  state.catchUpAll();
  if (!state.hostMemory.erase(pointer))
    return kInvalidValue;
  std::free(pointer);
  return state.ready();
}
/// Of a copy or a fill of device memory.
Code checkTransfer(const DriverState &state, DevicePointer device, size_t bytes, StreamHandle stream) {
  if (const Code code = state.ready())
    return code;
  return !state.knows(stream) ? kInvalidHandle : bytes && !state.holds(device, bytes) ? kInvalidValue : kSuccess;
}
/// A copy or a fill; `host`: its memory on the host, or null. What a graph holds is looked at again when it runs.
Result transfer(DevicePointer device, const void *host, size_t bytes, StreamHandle stream,
                const std::function<void()> &move) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  ++state.counters.calls;
  if (const Code code = checkTransfer(state, device, bytes, stream))
    return code;
  if (DriverState::captured(stream) && host && bytes && !state.pageLocked(host, bytes)) {
    stream->invalidated = true;
    return kCaptureUnsupported;
  }
  const bool recorded = DriverState::captured(stream),
             late = !recorded && stream && host && bytes > 0 && state.pageLocked(host, bytes);
  std::function<Result()> work = [&state, device, host, bytes, move, checked = recorded || late]() -> Result {
    const bool there = !bytes || (state.holds(device, bytes) && (!checked || !host || state.pageLocked(host, bytes)));
    if (there && bytes)
      move();
    return there ? kSuccess : kInvalidValue;
  };
  if (late) {
    stream->late.push_back(std::move(work));
    return kSuccess;
  }
  return state.submit(stream, std::move(work));
}
Result memcpyHtoDAsync(DevicePointer to, const void *from, size_t bytes, StreamHandle stream) {
  return transfer(to, from, bytes, stream, [=] { std::memcpy(addressOf(to), from, bytes); });
}
Result memcpyDtoHAsync(void *to, DevicePointer from, size_t bytes, StreamHandle stream) {
  return transfer(from, to, bytes, stream, [=] { std::memcpy(to, addressOf(from), bytes); });
}
Result memsetD8Async(DevicePointer to, unsigned char value, size_t bytes, StreamHandle stream) {
  return transfer(to, nullptr, bytes, stream, [=] { std::memset(addressOf(to), value, bytes); });
}
} // namespace

Allocation::Allocation(size_t bytes) : bytes(bytes) {
  void *made = nullptr;
  if (posix_memalign(&made, kAlignment, bytes + 2 * kGuard))
    throw std::bad_alloc();
  memory = static_cast<unsigned char *>(made);
  std::memset(memory, kGuardByte, kGuard);
  std::memset(memory + kGuard, 0xFF, bytes);
  std::memset(memory + kGuard + bytes, kGuardByte, kGuard);
}
Allocation::~Allocation() { std::free(memory); }
unsigned char *Allocation::data() const { return memory + kGuard; }
bool Allocation::intact() const {
  auto whole = [](const unsigned char *zone) {
    return std::all_of(zone, zone + kGuard, [](unsigned char byte) { return byte == kGuardByte; });
  };
  return whole(memory) && whole(memory + kGuard + bytes);
}

bool DriverState::holds(DevicePointer pointer, size_t bytes) const {
  const unsigned char *at = addressOf(pointer);
  auto next = memory.upper_bound(at);
  if (next == memory.begin())
    return false;
  const Allocation &found = *std::prev(next)->second;
  const size_t offset = static_cast<size_t>(at - found.data());
  return offset <= found.size() && bytes <= found.size() - offset;
}
bool DriverState::pageLocked(const void *pointer, size_t bytes) const {
  auto next = hostMemory.upper_bound(pointer);
  if (next == hostMemory.begin())
    return false;
  const auto &[begin, size] = *std::prev(next);
  const size_t offset = static_cast<size_t>(static_cast<const char *>(pointer) - static_cast<const char *>(begin));
  return offset <= size && bytes <= size - offset;
}
Code DriverState::checkGuards(const std::string &when) {
  for (const auto &[address, allocation] : memory)
    if (!allocation->intact()) {
      if (fault.empty())
        fault = when + ": written beside an allocation of " + std::to_string(allocation->size()) + " bytes";
      return kLaunchFailed;
    }
  return kSuccess;
}

void addMemory(DriverApi &api) {
  api.memGetInfo = memGetInfo;
  api.memAlloc = memAlloc;
  api.memFree = memFree;
  api.memHostAlloc = memHostAlloc;
  api.memFreeHost = memFreeHost;
  api.memcpyHtoDAsync = memcpyHtoDAsync;
  api.memcpyDtoHAsync = memcpyDtoHAsync;
  api.memsetD8Async = memsetD8Async;
}
} // namespace sn::emulator
