// Random choices of the tests: the same on every machine.
#pragma once
#include <cassert>
#include <cstdint>
#include <utility>
#include <vector>

namespace sn::test {
class Random {
public:
  explicit Random(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 1) {}
  /// 64 bits: splitmix64 (Steele, Lea, Flood 2014).
  uint64_t bits() {
    uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  /// Uniform on [low, high].
  int64_t integer(int64_t low, int64_t high) {
    assert(low <= high);
    return low + static_cast<int64_t>(bits() % static_cast<uint64_t>(high - low + 1));
  }
  /// Uniform on [low, high).
  double real(double low, double high) { return low + (high - low) * static_cast<double>(bits() >> 11) * 0x1p-53; }
  bool chance(double probability) { return real(0, 1) < probability; }
  template <typename Range> decltype(auto) pick(Range &&range) {
    return range[static_cast<size_t>(integer(0, static_cast<int64_t>(range.size()) - 1))];
  }
  template <typename T> void shuffle(std::vector<T> &items) {
    for (size_t i = items.size(); i > 1; --i)
      std::swap(items[i - 1], items[static_cast<size_t>(integer(0, static_cast<int64_t>(i) - 1))]);
  }

private:
  uint64_t state_;
};
} // namespace sn::test
