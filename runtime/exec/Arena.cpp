#include "runtime/exec/Arena.h"
#include <algorithm>
#include <numeric>

namespace sn::rt {
namespace {
int64_t aligned(int64_t count) { return (count + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment; }
} // namespace

Packing packBuffers(const std::vector<BufferNeed> &needs) {
  std::vector<size_t> bySize(needs.size());
  std::iota(bySize.begin(), bySize.end(), 0);
  std::sort(bySize.begin(), bySize.end(), [&](size_t a, size_t b) {
    return needs[a].count != needs[b].count ? needs[a].count > needs[b].count : a < b;
  });
  Packing packing{std::vector<int64_t>(needs.size()), 0};
  std::vector<size_t> placed; // sorted by offset
  for (size_t i : bySize) {
    const BufferNeed &need = needs[i];
    int64_t offset = 0;
    for (size_t other : placed) {
      bool meet = needs[other].first <= need.last && need.first <= needs[other].last;
      if (!meet)
        continue;
      if (offset + aligned(need.count) <= packing.offsets[other])
        break;
      offset = std::max(offset, packing.offsets[other] + aligned(needs[other].count));
    }
    packing.offsets[i] = offset;
    packing.total = std::max(packing.total, offset + aligned(need.count));
    placed.insert(std::upper_bound(placed.begin(), placed.end(), i,
                                   [&](size_t a, size_t b) { return packing.offsets[a] < packing.offsets[b]; }),
                  i);
  }
  return packing;
}
} // namespace sn::rt
