// Buffers of an entry packed by lifetime: two whose lifetimes do not meet may share memory.
#pragma once
#include <cstdint>
#include <vector>

namespace sn::rt {
/// A buffer's size in floats and the steps of its lifetime, inclusive.
struct BufferNeed {
  int64_t count = 0, first = 0, last = 0;
};
struct Packing {
  std::vector<int64_t> offsets; // in floats, multiples of kArenaAlignment
  int64_t total = 0;
};
inline constexpr int64_t kArenaAlignment = 16;

/// First fit, largest buffer first (ties by position): each goes to the lowest place that is free during its whole
/// lifetime. Deterministic; at most the sum of all sizes.
Packing packBuffers(const std::vector<BufferNeed> &needs);
} // namespace sn::rt
