// Asynchronous copies of the emulator: a thread's (kernels-templates/cuda/tensor_core.cuh), and bulk copies with the
// barriers that they report to (tensor_core_90a.cuh). Each arrives when somebody waits for it, and not before.
#include "test/emulator/Machine.h"
// last
#include "test/emulator/cuda.h"

namespace sn::emulator {
namespace {
/// Asynchronous copies of a thread, in a ring: those before `committed` belong to groups, whose ends are kept.
struct Copies {
  struct Copy {
    void *to;
    const void *from;
    int bytes;
  };
  static constexpr unsigned kLimit = 256;
  Copy ring[kLimit];
  unsigned ends[kLimit]; // of groups
  unsigned done = 0, begun = 0, firstGroup = 0, groups = 0;
};
/// A barrier in shared memory. Its word there says which it is.
struct Mbarrier {
  unsigned long long *word;
  int arrivals, missing; // of a phase; of this phase, still to come
  long long bytes;       // announced and not landed; negative where more landed than was announced
  unsigned phase;        // how many have ended
};
struct BulkCopy {
  unsigned char *to;
  const unsigned char *from;
  unsigned long long *barrier;
  int bytes;
  unsigned thread;
  Place place;
};
constexpr unsigned kBarrierLimit = 64, kBulkLimit = 1024;
constexpr unsigned long long kMark = 0x5bad'ba44'0000'0000u;

Copies *all = nullptr; // by thread
bool copied = false;   // some of them are not as they began
Mbarrier barriers[kBarrierLimit];
unsigned barrierCount = 0;
BulkCopy bulk[kBulkLimit];
unsigned bulkCount = 0;

Copies &ownCopies() {
  if (!all)
    all = new Copies[kMaxThreads];
  copied = true;
  return all[currentThread()];
}

bool inSharedMemory(const void *begin, size_t bytes) {
  const SharedMemory shared = sharedMemory();
  const unsigned char *at = static_cast<const unsigned char *>(begin);
  return at >= shared.begin && at + bytes <= shared.begin + shared.bytes;
}
Mbarrier &barrierAt(unsigned long long *word, const Place &place) {
  for (unsigned i = 0; i < barrierCount; ++i)
    if (barriers[i].word == word) {
      if (*word == kMark + i)
        return barriers[i];
      {
        blame("the barrier in shared memory that " + nameOf(currentThread()) + " uses at " + text(place) +
              " was written over");
        giveUp();
      }
    }
  {
    blame(nameOf(currentThread()) + " uses a barrier in shared memory that nobody has begun, at " + text(place));
    giveUp();
  }
}
/// Ends the phase if nothing is missing.
void settle(Mbarrier &barrier) {
  if (barrier.missing || barrier.bytes)
    return;
  barrier.missing = barrier.arrivals;
  ++barrier.phase;
  wake(barrier.word);
}
void land(const BulkCopy &copy) {
  for (int i = 0; i < copy.bytes; ++i)
    if (copy.to[i] != 0xff) {
      {
        blame("shared memory is written while the bulk copy to it that " + nameOf(copy.thread) + " began at " +
              text(copy.place) + " is under way");
        giveUp();
      }
    }
  for (int i = 0; i < copy.bytes; ++i)
    copy.to[i] = copy.from[i];
  showToProducts(copy.to, static_cast<size_t>(copy.bytes));
}
/// All copies to this barrier that are under way.
void landAll(Mbarrier &barrier) {
  unsigned kept = 0;
  for (unsigned i = 0; i < bulkCount; ++i)
    if (bulk[i].barrier == barrier.word) {
      land(bulk[i]);
      barrier.bytes -= bulk[i].bytes;
    } else {
      bulk[kept++] = bulk[i];
    }
  bulkCount = kept;
  settle(barrier);
}
} // namespace

void beginCopies() {
  for (unsigned i = 0; copied && i < kMaxThreads; ++i) {
    Copies &copies = all[i];
    copies.done = copies.begun = copies.firstGroup = copies.groups = 0;
  }
  copied = false;
  barrierCount = bulkCount = 0;
}
void endCopiesOfBlock() {
  if (bulkCount) {
    {
      blame("the block ends while the bulk copy that " + nameOf(bulk[0].thread) + " began at " + text(bulk[0].place) +
            " is under way");
      giveUp();
    }
  }
}
std::string outstanding(const void *word) {
  for (unsigned i = 0; i < barrierCount; ++i)
    if (barriers[i].word == word)
      return "barrier in shared memory that lacks " + std::to_string(barriers[i].missing) + " arrivals and " +
             std::to_string(barriers[i].bytes) + " bytes";
  return "barrier in shared memory";
}
} // namespace sn::emulator

using namespace sn::emulator;

void snEmulatorBeginCopy(void *to, const void *from, int bytes) {
  Copies &copies = ownCopies();
  if (copies.begun - copies.done == Copies::kLimit) {
    {
      blame(nameOf(currentThread()) + " has more than " + std::to_string(Copies::kLimit) + " copies under way");
      giveUp();
    }
  }
  copies.ring[copies.begun++ % Copies::kLimit] = {to, from, bytes};
}
void snEmulatorCommitCopies() {
  Copies &copies = ownCopies();
  if (copies.groups - copies.firstGroup == Copies::kLimit) {
    {
      blame(nameOf(currentThread()) + " has more than " + std::to_string(Copies::kLimit) +
            " groups of copies under way");
      giveUp();
    }
  }
  copies.ends[copies.groups++ % Copies::kLimit] = copies.begun;
}
bool snEmulatorNextCopy(int running, void **to, const void **from, int *bytes) {
  Copies &copies = ownCopies();
  while (copies.groups - copies.firstGroup > static_cast<unsigned>(running)) {
    if (copies.done != copies.ends[copies.firstGroup % Copies::kLimit]) {
      const Copies::Copy &next = copies.ring[copies.done++ % Copies::kLimit];
      *to = next.to;
      *from = next.from;
      *bytes = next.bytes;
      return true;
    }
    ++copies.firstGroup;
  }
  return false;
}

void snEmulatorMbarrierBegin(unsigned long long *word, int arrivals, const char *file, int line) {
  if (!inSharedMemory(word, sizeof *word) || reinterpret_cast<size_t>(word) % 8 || arrivals < 1 ||
      barrierCount == kBarrierLimit) {
    {
      blame("a barrier of " + std::to_string(arrivals) + " arrivals cannot begin at " + text({file, line}) +
            ": at least one, in dynamic shared memory, aligned to 8 bytes, at most " + std::to_string(kBarrierLimit) +
            " a block");
      giveUp();
    }
  }
  unsigned i = 0;
  while (i < barrierCount && barriers[i].word != word)
    ++i;
  barrierCount += i == barrierCount;
  barriers[i] = {word, arrivals, arrivals, 0, 0};
  *word = kMark + i;
}
void snEmulatorMbarrierArrive(unsigned long long *word, int bytes, const char *file, int line) {
  Mbarrier &barrier = barrierAt(word, {file, line});
  barrier.bytes += bytes;
  if (barrier.missing == 0) {
    {
      blame("one arrival more than the barrier expects, by " + nameOf(currentThread()) + " at " + text({file, line}));
      giveUp();
    }
  }
  --barrier.missing;
  settle(barrier);
}
void snEmulatorMbarrierWait(unsigned long long *word, int parity, const char *file, int line) {
  Mbarrier &barrier = barrierAt(word, {file, line});
  // The phase at hand has the parity of those that have ended.
  while ((barrier.phase & 1) == static_cast<unsigned>(parity)) {
    landAll(barrier);
    if ((barrier.phase & 1) == static_cast<unsigned>(parity))
      waitFor(word, {file, line});
  }
}
void snEmulatorBulkCopy(void *to, const void *from, int bytes, unsigned long long *word, const char *file, int line) {
  const Place place{file, line};
  Mbarrier &barrier = barrierAt(word, place);
  if (bytes <= 0 || bytes % 16 || reinterpret_cast<size_t>(to) % 16 || reinterpret_cast<size_t>(from) % 16 ||
      !inSharedMemory(to, static_cast<size_t>(bytes))) {
    {
      blame("a bulk copy of " + std::to_string(bytes) + " bytes by " + nameOf(currentThread()) + " at " + text(place) +
            ": it must be a multiple of 16, as both addresses, and end within dynamic shared memory");
      giveUp();
    }
  }
  if (!shownToProducts(to, static_cast<size_t>(bytes))) {
    {
      blame("a bulk copy by " + nameOf(currentThread()) + " at " + text(place) +
            " goes over what threads stored without fence.proxy.async and a barrier after it");
      giveUp();
    }
  }
  if (bulkCount == kBulkLimit) {
    {
      blame("more than " + std::to_string(kBulkLimit) + " bulk copies under way at " + text(place));
      giveUp();
    }
  }
  unsigned char *at = static_cast<unsigned char *>(to);
  for (int i = 0; i < bytes; ++i)
    at[i] = 0xff;
  showToProducts(at, static_cast<size_t>(bytes));
  bulk[bulkCount++] = {at, static_cast<const unsigned char *>(from), barrier.word, bytes, currentThread(), place};
}
