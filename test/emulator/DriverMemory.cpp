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
  if (const Code code = state.ready())
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
  if (const Code code = state.ready())
    return code;
  if (!pointer || bytes == 0)
    return kInvalidValue;
  *pointer = std::malloc(bytes);
  if (!*pointer)
    return kOutOfMemory;
  std::memset(*pointer, 0xFF, bytes);
  state.hostMemory.insert(*pointer);
  return kSuccess;
}
Result memFreeHost(void *pointer) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
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
Result memcpyHtoDAsync(DevicePointer to, const void *from, size_t bytes, StreamHandle stream) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  if (const Code code = checkTransfer(state, to, bytes, stream))
    return code;
  if (bytes)
    std::memcpy(addressOf(to), from, bytes);
  return kSuccess;
}
Result memcpyDtoHAsync(void *to, DevicePointer from, size_t bytes, StreamHandle stream) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  if (const Code code = checkTransfer(state, from, bytes, stream))
    return code;
  if (bytes)
    std::memcpy(to, addressOf(from), bytes);
  return kSuccess;
}
Result memsetD8Async(DevicePointer to, unsigned char value, size_t bytes, StreamHandle stream) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  if (const Code code = checkTransfer(state, to, bytes, stream))
    return code;
  if (bytes)
    std::memset(addressOf(to), value, bytes);
  return kSuccess;
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
