// A device with memory of its own.
#pragma once
#include "runtime/plan/Precision.h"
#include <cstdint>

namespace sn::rt {
/// Implemented by devices whose allocations do not come out of the host's memory.
class OwnMemory {
public:
  virtual ~OwnMemory() = default;
  /// Bytes that allocations can still get.
  virtual int64_t freeMemory() const = 0;
  /// Of an element of memory from Device::allocate(count, storage).
  virtual int64_t elementBytes(plan::Precision storage) const = 0;
};
} // namespace sn::rt
