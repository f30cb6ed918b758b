// Pooling functions that need no image. Reference section 1.7.
#include "dialects/Vocabulary/Records.h"

namespace sn::vocab {
std::span<const Pooling> poolings() {
  static const std::vector<Pooling> records{};
  return records;
}
} // namespace sn::vocab
