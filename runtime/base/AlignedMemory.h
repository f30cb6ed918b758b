// Zeroed memory on cache-line borders.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <sys/mman.h>

namespace sn::rt {
inline constexpr int64_t kCacheLine = 64;
inline constexpr int64_t roundUp(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// A block of bytes aligned to a cache line. Growing drops the old content.
class AlignedMemory {
public:
  AlignedMemory() = default;
  explicit AlignedMemory(int64_t bytes) { reserve(bytes); }

  /// Makes the block at least `bytes` long; new memory is zero, and a quarter longer than the last if that is more.
  /// Existing memory is left alone when it is long enough.
  void reserve(int64_t bytes) {
    if (bytes > capacity)
      reserveExactly(std::max(bytes, capacity + capacity / 4));
  }
  /// The same without the quarter: for needs that are known to the byte.
  void reserveExactly(int64_t bytes) {
    if (bytes <= capacity)
      return;
    block.reset();
    capacity = 0;
    int64_t rounded = roundUp(bytes, kCacheLine);
    block = rounded >= kMapped ? mapped(rounded) : allocated(rounded);
    // Touched now: what a run holds is then known when it begins.
    std::memset(block.get(), 0, static_cast<size_t>(rounded));
    capacity = rounded;
  }
  char *data() const { return block.get(); }
  int64_t bytes() const { return capacity; }

private:
  /// Large blocks are the system's own pages: the heap would keep what is freed, and its holes.
  static constexpr int64_t kMapped = int64_t(1) << 20;
  struct Free {
    int64_t mapped; // bytes; 0 = of the heap
    void operator()(char *memory) const {
      if (mapped > 0)
        ::munmap(memory, static_cast<size_t>(mapped));
      else
        std::free(memory);
    }
  };
  using Block = std::unique_ptr<char, Free>;
  static Block mapped(int64_t bytes) {
    void *memory =
        ::mmap(nullptr, static_cast<size_t>(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
      throw std::bad_alloc();
    return Block(static_cast<char *>(memory), Free{bytes});
  }
  static Block allocated(int64_t bytes) {
    Block block(static_cast<char *>(std::aligned_alloc(kCacheLine, static_cast<size_t>(bytes))), Free{0});
    if (!block)
      throw std::bad_alloc();
    return block;
  }
  Block block{nullptr, Free{0}};
  int64_t capacity = 0;
};
} // namespace sn::rt
