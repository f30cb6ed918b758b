// Threads of a block as fibers with stacks of their own. This file is compiled without sanitizers (CMakeLists.txt) and
// tells them of every switch and of what orders memory. What runs between two switches uses plain arrays only:
// instrumented instances of library templates could be linked in place of this file's.
#include "test/emulator/Launch.h"
#include "test/emulator/Machine.h"
#include <algorithm>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <numeric>
#include <sys/mman.h>
#include <vector>
// last
#include "test/emulator/cuda.h"
#ifdef SN_EMULATOR_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef SN_EMULATOR_TSAN
#include <sanitizer/tsan_interface.h>
#endif

extern "C" {
// cuda.h declares them constant, as they are for each thread.
uint3 snEmulatorThreadIdx, snEmulatorBlockIdx;
dim3 snEmulatorBlockDim, snEmulatorGridDim;
void *snEmulatorDynamicShared;
/// Keeps what a call must keep on the stack, and goes on where `to` was left.
void snEmulatorSwitch(void **from, void *to);
}
#ifndef __x86_64__
#error "the emulator's fibers are written for x86-64"
#endif
asm(R"(
.text
.globl snEmulatorSwitch
.type snEmulatorSwitch,@function
snEmulatorSwitch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size snEmulatorSwitch, .-snEmulatorSwitch
)");

namespace sn::emulator {
namespace {
constexpr unsigned kMaskLimit = 32, kSlot = 64;
constexpr size_t kStack = 256 << 10, kPage = 4096, kGuard = 64;
constexpr unsigned char kGuardByte = 0xA5;

enum class State { Ready, AtBarrier, InWarp, Waits, Ended };
struct Fiber {
  void *stackPointer = nullptr;
  unsigned char *stack = nullptr;
  State state = State::Ended;
  Place place;
  const void *awaited = nullptr; // in shared memory: State::Waits
  void *sanitizer = nullptr;     // ASan: its fake stack, TSan: its fiber; both serve block after block
};
/// The lanes of one mask exchanging values. Two sets of slots in turn: whoever writes the one has seen everybody leave
/// it.
struct Meeting {
  unsigned mask = 0, arrived = 0, turn = 0;
  Place place;
  alignas(16) unsigned char values[2][kWarp][kSlot];
};
struct Warp {
  unsigned masks = 0;
  Meeting meetings[kMaskLimit];
};

struct Machine {
  Fiber fibers[kMaxThreads];
  Fiber host; // the thread that launched
  Warp *warps = nullptr;
  unsigned *order = nullptr; // in which threads begin
  SharedMemory dynamic;
  unsigned threads = 0, current = 0, ended = 0;
  unsigned ready[kMaxThreads], readyBegin = 0, readyCount = 0;
  unsigned waiting = 0, barrierTurn = 0; // at the block's barrier
  Place barrier;
  int predicates[2] = {0, 0};
  void (*thread)(void *) = nullptr;
  void *argument = nullptr;
  bool failed = false;
  std::string fault;
  std::exception_ptr thrown;
  char ordering = 0; // what barriers order by, for TSan
  const void *hostStack = nullptr;
  size_t hostStackBytes = 0;
  bool atHost = true;

  Fiber &self() { return fibers[current]; }
};
Machine machine;
std::mutex mutex;
uint64_t seed = 0;

// Not memset, which sanitizers intercept.
void fill(unsigned char *begin, size_t bytes, unsigned char value) {
  asm volatile("rep stosb" : "+D"(begin), "+c"(bytes) : "a"(value) : "memory");
}
void copy(unsigned char *to, const void *from, unsigned bytes) {
  for (unsigned i = 0; i < bytes / 4; ++i)
    reinterpret_cast<volatile unsigned *>(to)[i] = static_cast<const unsigned *>(from)[i];
}

void releaseOrder(void *what) {
#ifdef SN_EMULATOR_TSAN
  __tsan_release(what);
#endif
}
void acquireOrder(void *what) {
#ifdef SN_EMULATOR_TSAN
  __tsan_acquire(what);
#endif
}

/// After a switch, on the stack of `to`.
void arrived(Fiber &to) {
#ifdef SN_EMULATOR_ASAN
  const void *bottom;
  size_t bytes;
  __sanitizer_finish_switch_fiber(to.sanitizer, &bottom, &bytes);
  if (machine.atHost) {
    machine.hostStack = bottom;
    machine.hostStackBytes = bytes;
    machine.atHost = false;
  }
#endif
}
void switchTo(Fiber &from, Fiber &to) {
#ifdef SN_EMULATOR_ASAN
  const bool toHost = &to == &machine.host;
  __sanitizer_start_switch_fiber(&from.sanitizer, toHost ? machine.hostStack : to.stack,
                                 toHost ? machine.hostStackBytes : kStack);
#endif
#ifdef SN_EMULATOR_TSAN
  __tsan_switch_to_fiber(to.sanitizer, __tsan_switch_to_fiber_no_sync);
#endif
  snEmulatorSwitch(&from.stackPointer, to.stackPointer);
#ifdef SN_EMULATOR_ASAN
  __sanitizer_finish_switch_fiber(from.sanitizer, nullptr, nullptr);
#endif
}

} // namespace

std::string nameOf(unsigned thread) {
  const dim3 &block = snEmulatorBlockDim;
  std::string name = "thread (" + std::to_string(thread % block.x) + ", " + std::to_string(thread / block.x % block.y);
  return name + ", " + std::to_string(thread / block.x / block.y) + ")";
}
std::string text(const Place &place) { return std::string(place.file) + ":" + std::to_string(place.line); }

void blame(const std::string &what) {
  const uint3 &block = snEmulatorBlockIdx;
  machine.fault = "block (" + std::to_string(block.x) + ", " + std::to_string(block.y) + ", " +
                  std::to_string(block.z) + "): " + what;
}
[[noreturn]] void giveUp() {
  machine.failed = true;
  releaseOrder(&machine.ordering);
  switchTo(machine.self(), machine.host);
  std::abort();
}

SharedMemory sharedMemory() { return machine.dynamic; }
unsigned threadCount() { return machine.threads; }
unsigned currentThread() { return machine.current; }

namespace {
/// The first threads of each group of those that wait at one place.
std::string whoWaits() {
  std::string result;
  std::vector<Place> told;
  for (unsigned i = 0; i < machine.threads; ++i) {
    const Fiber &fiber = machine.fibers[i];
    if (fiber.state == State::Ended || std::count(told.begin(), told.end(), fiber.place))
      continue;
    told.push_back(fiber.place);
    unsigned count = 0;
    for (unsigned j = i; j < machine.threads; ++j)
      count += machine.fibers[j].state != State::Ended && machine.fibers[j].place == fiber.place;
    result += (result.empty() ? "" : "; ") + std::to_string(count) + " at " + text(fiber.place) + " (" +
              (fiber.state == State::AtBarrier ? "barrier"
               : fiber.state == State::InWarp  ? "warp operation"
                                               : outstanding(fiber.awaited)) +
              "), first " + nameOf(i);
  }
  if (machine.ended)
    result += "; " + std::to_string(machine.ended) + " have ended";
  return result;
}

void makeReady(unsigned thread) {
  machine.fibers[thread].state = State::Ready;
  machine.ready[(machine.readyBegin + machine.readyCount++) % kMaxThreads] = thread;
}
unsigned takeReady() {
  const unsigned thread = machine.ready[machine.readyBegin];
  machine.readyBegin = (machine.readyBegin + 1) % kMaxThreads;
  --machine.readyCount;
  return thread;
}
void become(unsigned thread) {
  machine.current = thread;
  const dim3 &block = snEmulatorBlockDim;
  snEmulatorThreadIdx = block.y == 1 && block.z == 1
                            ? uint3{thread, 0, 0}
                            : uint3{thread % block.x, thread / block.x % block.y, thread / block.x / block.y};
}
/// Lets others run until somebody makes this thread ready.
void wait(State state, Place place) {
  const unsigned me = machine.current;
  machine.self().state = state;
  machine.self().place = place;
  if (!machine.readyCount) {
    blame("threads wait for ever: " + whoWaits());
    giveUp();
  }
  const unsigned next = takeReady();
  become(next);
  switchTo(machine.fibers[me], machine.fibers[next]);
}

/// Where a fiber begins.
[[noreturn]] void begin() noexcept {
  arrived(machine.self());
  try {
    machine.thread(machine.argument);
  } catch (...) {
    machine.thrown = std::current_exception();
  }
  if (machine.thrown)
    giveUp();
  if (machine.waiting) {
    unsigned first = 0;
    while (machine.fibers[first].state != State::AtBarrier)
      ++first;
    {
      blame(nameOf(machine.current) + " ends while " + nameOf(first) + " waits at " + text(machine.barrier));
      giveUp();
    }
  }
  endProductsOfThread();
  Fiber &me = machine.self();
  me.state = State::Ended;
  releaseOrder(&machine.ordering);
  if (++machine.ended == machine.threads) {
    endProductsOfBlock();
    endCopiesOfBlock();
    switchTo(me, machine.host);
  } else if (!machine.readyCount) {
    {
      blame("threads wait for ever: " + whoWaits());
      giveUp();
    }
  } else {
    const unsigned next = takeReady();
    become(next);
    switchTo(me, machine.fibers[next]);
  }
  std::abort();
}

void makeStacks() {
  const size_t each = kStack + kPage;
  void *memory = mmap(nullptr, each * kMaxThreads, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    throw std::bad_alloc();
  for (unsigned i = 0; i < kMaxThreads; ++i) {
    unsigned char *stack = static_cast<unsigned char *>(memory) + i * each + kPage;
    if (mprotect(stack, kStack, PROT_READ | PROT_WRITE))
      throw std::bad_alloc();
    machine.fibers[i].stack = stack;
  }
  machine.warps = new Warp[kMaxThreads / kWarp];
  machine.order = new unsigned[kMaxThreads];
}

uint64_t nextRandom(uint64_t &state) { // splitmix64
  uint64_t z = state += 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}
template <typename T> void shuffle(T *items, size_t count, uint64_t &state) {
  for (size_t i = count; i > 1; --i)
    std::swap(items[i - 1], items[nextRandom(state) % i]);
}

void prepareFiber(Fiber &fiber) {
#ifdef SN_EMULATOR_TSAN
  if (!fiber.sanitizer)
    fiber.sanitizer = __tsan_create_fiber(0);
  // What the host did before is before what the thread does.
  __tsan_switch_to_fiber(fiber.sanitizer, 0);
  __tsan_switch_to_fiber(machine.host.sanitizer, __tsan_switch_to_fiber_no_sync);
#endif
  void **top = reinterpret_cast<void **>(fiber.stack + kStack);
  *--top = nullptr; // begin() has no caller
  *--top = reinterpret_cast<void *>(begin);
  for (int i = 0; i < 6; ++i)
    *--top = nullptr;
  fiber.stackPointer = top;
}

/// Whether static shared memory is filled before the launch's block `number`. An image holds that of all its kernels:
/// where that is much, the first blocks of a launch and some later ones find what is read before it is written.
bool fillsStatic(size_t bytes, uint64_t number) {
  return bytes <= 64 << 10 || number < 2 || (number & (number - 1)) == 0;
}

/// One block, from the host's thread. False if it failed.
bool runBlock(StaticShared shared, uint64_t number, unsigned char *dynamic, size_t dynamicBytes) {
  const size_t bytes = static_cast<size_t>(shared.end - shared.begin);
  if (fillsStatic(bytes, number))
    fill(shared.begin, bytes, 0xFF);
  fill(dynamic, dynamicBytes, 0xFF);
  machine.ended = machine.waiting = machine.readyBegin = machine.readyCount = 0;
  for (unsigned w = 0; w * kWarp < machine.threads; ++w)
    machine.warps[w].masks = 0;
  machine.dynamic = {dynamic, dynamicBytes};
  beginCopies();
  beginProducts();
  for (unsigned i = 0; i < machine.threads; ++i) {
    prepareFiber(machine.fibers[machine.order[i]]);
    makeReady(machine.order[i]);
  }
  machine.atHost = true;
  const unsigned first = takeReady();
  become(first);
  switchTo(machine.host, machine.fibers[first]);
  acquireOrder(&machine.ordering);
  return !machine.failed;
}

/// Dynamic shared memory: to the byte, so that ASan's red zone follows; else a guard of our own.
class DynamicShared {
public:
  explicit DynamicShared(size_t bytes) : bytes(bytes) {
    if (posix_memalign(&memory, 128, bytes + guard()))
      throw std::bad_alloc();
    fill(data() + bytes, guard(), kGuardByte);
  }
  DynamicShared(const DynamicShared &) = delete;
  ~DynamicShared() { std::free(memory); }
  unsigned char *data() { return static_cast<unsigned char *>(memory); }
  bool intact() {
    return std::all_of(data() + bytes, data() + bytes + guard(), [](unsigned char b) { return b == kGuardByte; });
  }

private:
  static size_t guard() {
#ifdef SN_EMULATOR_ASAN
    return 0;
#else
    return kGuard;
#endif
  }
  size_t bytes;
  void *memory = nullptr;
};

void forgetFibers() { // of a launch that failed: they are in the midst of functions
  for (Fiber &fiber : machine.fibers) {
#ifdef SN_EMULATOR_TSAN
    if (fiber.sanitizer)
      __tsan_destroy_fiber(fiber.sanitizer);
    fiber.sanitizer = nullptr;
#endif
#ifdef SN_EMULATOR_ASAN
    __asan_unpoison_memory_region(fiber.stack, kStack);
#endif
    fiber.state = State::Ended;
  }
}
} // namespace

void waitFor(const void *what, Place place) {
  machine.self().awaited = what;
  releaseOrder(&machine.ordering);
  wait(State::Waits, place);
  acquireOrder(&machine.ordering);
}
void wake(const void *what) {
  for (unsigned i = 0; i < machine.threads; ++i)
    if (machine.fibers[i].state == State::Waits && machine.fibers[i].awaited == what)
      makeReady(i);
}

void setOrder(uint64_t value) {
  std::lock_guard lock(mutex);
  seed = value;
}

void run(const Shape &shape, StaticShared shared, void (*thread)(void *), void *argument) {
  if (!shape.grid.volume() || !shape.block.volume() || shape.block.volume() > kMaxThreads)
    throw std::invalid_argument("a launch needs at least one block of 1 to 1024 threads");
  std::lock_guard lock(mutex);
  if (!machine.fibers[0].stack)
    makeStacks();
#ifdef SN_EMULATOR_TSAN
  machine.host.sanitizer = __tsan_get_current_fiber();
#endif
  DynamicShared dynamic(shape.sharedBytes);
  snEmulatorDynamicShared = dynamic.data();
  snEmulatorBlockDim = {shape.block.x, shape.block.y, shape.block.z};
  snEmulatorGridDim = {shape.grid.x, shape.grid.y, shape.grid.z};
  machine.threads = static_cast<unsigned>(shape.block.volume());
  machine.thread = thread;
  machine.argument = argument;
  machine.failed = false;
  machine.fault.clear();
  machine.thrown = nullptr;
  std::iota(machine.order, machine.order + machine.threads, 0u);
  std::vector<uint64_t> blocks(seed ? shape.grid.volume() : 0);
  std::iota(blocks.begin(), blocks.end(), uint64_t(0));
  uint64_t state = seed;
  shuffle(blocks.data(), blocks.size(), state);
  for (uint64_t i = 0; i < shape.grid.volume(); ++i) {
    const uint64_t block = seed ? blocks[i] : i;
    if (seed)
      shuffle(machine.order, machine.threads, state);
    const uint64_t plane = uint64_t(shape.grid.x) * shape.grid.y;
    snEmulatorBlockIdx = {static_cast<unsigned>(block % shape.grid.x),
                          static_cast<unsigned>(block / shape.grid.x % shape.grid.y),
                          static_cast<unsigned>(block / plane)};
    if (runBlock(shared, i, dynamic.data(), shape.sharedBytes)) {
      if (dynamic.intact())
        continue;
      blame("dynamic shared memory is written past its end of " + std::to_string(shape.sharedBytes) + " bytes");
    }
    forgetFibers();
    if (machine.thrown)
      std::rethrow_exception(machine.thrown);
    throw Fault(machine.fault);
  }
}
} // namespace sn::emulator

using namespace sn::emulator;

int snEmulatorBarrier(int predicate, const char *file, int line) {
  const Place place{file, line};
  if (machine.ended) {
    unsigned gone = 0;
    while (machine.fibers[gone].state != State::Ended)
      ++gone;
    {
      blame(nameOf(machine.current) + " is at the barrier " + text(place) + ", which " + nameOf(gone) +
            " will not reach: it has ended");
      giveUp();
    }
  }
  if (machine.waiting && !(machine.barrier == place)) {
    unsigned other = 0;
    while (machine.fibers[other].state != State::AtBarrier)
      ++other;
    {
      blame("threads wait at different barriers: " + nameOf(other) + " at " + text(machine.barrier) + ", " +
            nameOf(machine.current) + " at " + text(place));
      giveUp();
    }
  }
  machine.barrier = place;
  const unsigned turn = machine.barrierTurn;
  if (!machine.waiting)
    machine.predicates[turn] = 0;
  machine.predicates[turn] += predicate != 0;
  releaseOrder(&machine.ordering);
  if (++machine.waiting == machine.threads) {
    productsAtBarrier();
    machine.waiting = 0;
    machine.barrierTurn ^= 1;
    // In the order in which they began, this one last.
    for (unsigned i = 0; i < machine.threads; ++i)
      if (machine.fibers[machine.order[i]].state == State::AtBarrier)
        makeReady(machine.order[i]);
  } else {
    wait(State::AtBarrier, place);
  }
  acquireOrder(&machine.ordering);
  return machine.predicates[turn];
}

const void *snEmulatorMeet(unsigned mask, const void *value, unsigned bytes, bool orders, const char *file, int line) {
  const Place place{file, line};
  const unsigned lane = machine.current % kWarp, first = machine.current - lane;
  Warp &warp = machine.warps[machine.current / kWarp];
  if (!(mask >> lane & 1)) {
    blame(nameOf(machine.current) + " is not in the mask it names at " + text(place));
    giveUp();
  }
  Meeting *meeting = nullptr;
  for (unsigned i = 0; i < warp.masks && !meeting; ++i)
    if (warp.meetings[i].mask == mask)
      meeting = &warp.meetings[i];
  if (!meeting) {
    if (warp.masks == kMaskLimit) {
      blame("more than " + std::to_string(kMaskLimit) + " different masks in a warp at " + text(place));
      giveUp();
    }
    meeting = &warp.meetings[warp.masks++];
    meeting->mask = mask;
    meeting->arrived = meeting->turn = 0;
  }
  const unsigned present = machine.threads - first < kWarp ? (1u << (machine.threads - first)) - 1 : ~0u;
  const unsigned turn = meeting->turn & 1;
  if (!meeting->arrived) {
    meeting->place = place;
    for (unsigned absent = bytes ? ~(mask & present) : 0; absent; absent &= absent - 1)
      fill(meeting->values[turn][__builtin_ctz(absent)], bytes, 0xFF);
  } else if (!(meeting->place == place)) {
    {
      blame("lanes of a warp are at different operations: " + nameOf(first + __builtin_ctz(meeting->arrived)) + " at " +
            text(meeting->place) + ", " + nameOf(machine.current) + " at " + text(place));
      giveUp();
    }
  }
  copy(meeting->values[turn][lane], value, bytes);
  if (orders)
    releaseOrder(meeting);
  meeting->arrived |= 1u << lane;
  if (meeting->arrived == (mask & present)) {
    meeting->arrived = 0;
    ++meeting->turn;
    for (unsigned i = 0; i < kWarp; ++i)
      if (i != lane && (mask & present & (1u << i)))
        makeReady(first + i);
  } else {
    wait(State::InWarp, place);
  }
  if (orders)
    acquireOrder(meeting);
  return meeting->values[turn];
}

unsigned snEmulatorLane() { return machine.current % kWarp; }

void snEmulatorFence() {
  releaseOrder(&machine.warps);
  acquireOrder(&machine.warps);
}
