// What the block at hand is to the twins of asynchronous operations (Wgmma.cpp, Copies.cpp), and what Fibers.cpp asks
// of them. As there: plain arrays only in what runs between two switches.
#pragma once
#include <cstddef>
#include <string>

namespace sn::emulator {
inline constexpr unsigned kMaxThreads = 1024, kWarp = 32;

/// Where a thread is: the text's file and line.
struct Place {
  const char *file = "";
  int line = 0;
  bool operator==(const Place &other) const { return line == other.line && !__builtin_strcmp(file, other.file); }
};
std::string text(const Place &place);
std::string nameOf(unsigned thread);

/// The block's dynamic shared memory.
struct SharedMemory {
  unsigned char *begin = nullptr;
  size_t bytes = 0;
};
SharedMemory sharedMemory();
unsigned threadCount();
unsigned currentThread();

/// What went wrong in the block at hand. Apart from giveUp(), so that no string is alive in the frames it leaves
/// behind.
void blame(const std::string &what);
/// Ends the launch from within a thread.
[[noreturn]] void giveUp();
/// Lets others run until somebody wakes those who wait for `what`.
void waitFor(const void *what, Place place);
void wake(const void *what);

// ---- Asked of the twins, in this order. All but the first two may end the launch.
void beginCopies();
void beginProducts();
/// All threads have come to the block's barrier.
void productsAtBarrier();
/// The current thread has ended; all have.
void endProductsOfThread();
void endProductsOfBlock();
void endCopiesOfBlock();
/// What a barrier in shared memory that somebody waits for lacks.
std::string outstanding(const void *barrier);
/// Bytes of shared memory that bulk copies have written: products see them without a fence.
void showToProducts(const void *begin, size_t bytes);
/// Whether products see these bytes of shared memory as they are.
bool shownToProducts(const void *begin, size_t bytes);
} // namespace sn::emulator
