// Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
// A number is a function of (seed, stream, epoch, row, column), so masks are regenerated instead of stored and are the
// same for any thread count, rank count and backend. Streams are numbered by the compiler: one for each mask and each
// initialised parameter.
#pragma once
#include <array>
#include <cmath>
#include <cstdint>

namespace sn::plan {
using PhiloxBlock = std::array<uint32_t, 4>;

inline PhiloxBlock philox(PhiloxBlock counter, uint64_t key) {
  uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    uint64_t p0 = uint64_t(0xD2511F53u) * counter[0], p1 = uint64_t(0xCD9E8D57u) * counter[2];
    counter = {static_cast<uint32_t>(p1 >> 32) ^ counter[1] ^ k0, static_cast<uint32_t>(p1),
               static_cast<uint32_t>(p0 >> 32) ^ counter[3] ^ k1, static_cast<uint32_t>(p0)};
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return counter;
}

/// Where a random number is drawn from. `row` is the data-set row (or a parameter's input index), `column` the global
/// unit, feature, or output index. Streams and epochs stay below 2^16 and 2^32; rows below 2^48.
struct RandomPoint {
  uint64_t seed = 0;
  uint32_t stream = 0, epoch = 0;
};

/// The four words that serve columns 4*block .. 4*block+3 of a row.
inline PhiloxBlock randomBlock(const RandomPoint &at, uint64_t row, uint64_t block) {
  return philox({static_cast<uint32_t>(block), static_cast<uint32_t>(row), at.epoch,
                 (at.stream << 16) | static_cast<uint32_t>((row >> 32) & 0xFFFF)},
                at.seed);
}
inline uint32_t randomWord(const RandomPoint &at, uint64_t row, uint64_t column) {
  return randomBlock(at, row, column >> 2)[column & 3];
}
/// Uniform on [0, 1) with 24 bits, exact in float.
inline float uniformFromWord(uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; }
inline float uniform(const RandomPoint &at, uint64_t row, uint64_t column) {
  return uniformFromWord(randomWord(at, row, column));
}
/// Standard normal by Box and Muller: radius from epoch word 0 of the point, angle from the same point with the top
/// bit of epoch set.
inline double normal(const RandomPoint &at, uint64_t row, uint64_t column) {
  RandomPoint second = at;
  second.epoch ^= 0x80000000u;
  double u = (double(randomWord(at, row, column)) + 1.0) * 0x1p-32;
  double v = double(randomWord(second, row, column)) * 0x1p-32;
  return std::sqrt(-2.0 * std::log(u)) * std::cos(6.283185307179586 * v);
}
/// The inverted mask of dropout and denoising: 0 with probability p, else 1/(1-p) (rounded to float).
inline float maskValue(uint32_t word, float p) { return uniformFromWord(word) < p ? 0.0f : 1.0f / (1.0f - p); }
} // namespace sn::plan
