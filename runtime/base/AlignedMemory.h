// Zeroed memory on cache-line borders.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

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
    block.reset(static_cast<char *>(std::aligned_alloc(kCacheLine, static_cast<size_t>(rounded))));
    if (!block)
      throw std::bad_alloc();
    std::memset(block.get(), 0, static_cast<size_t>(rounded));
    capacity = rounded;
  }
  char *data() const { return block.get(); }
  int64_t bytes() const { return capacity; }

private:
  struct Free {
    void operator()(char *memory) const { std::free(memory); }
  };
  std::unique_ptr<char, Free> block;
  int64_t capacity = 0;
};
} // namespace sn::rt
