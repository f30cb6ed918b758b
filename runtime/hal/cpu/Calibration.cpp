#include "runtime/hal/cpu/Calibration.h"
#include <chrono>

namespace sn::rt::cpu {
namespace {
using Clock = std::chrono::steady_clock;
constexpr double kBudget = 0.05; // seconds for each of the two

/// Runs rounds until the budget is spent, at least two after a first that warms up. `work` is what a round does.
template <typename Round> double bestRate(double work, Round round) {
  round();
  double best = 0, spent = 0;
  for (int i = 0; i < 2 || (spent < kBudget && i < 1000); ++i) {
    const Clock::time_point begin = Clock::now();
    round();
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    spent += seconds;
    best = std::max(best, work / std::max(seconds, 1e-9));
  }
  return best;
}

/// The three products of a tile of a wide layer (forward, input gradient, weight gradient), walking over more weights
/// than a cache near the core holds.
double productRate(Context &context) {
  constexpr int64_t kRows = 256, kInner = 128, kOuter = 432, kTiles = 16, kDelta = kRows * kOuter;
  constexpr int64_t kEach = 2 * kRows * kInner + (kTiles + 1) * kInner * kOuter + kDelta;
  const int64_t workers = context.pool.workers();
  AlignedMemory memory(workers * kEach * static_cast<int64_t>(sizeof(float)));
  float *const all = reinterpret_cast<float *>(memory.data());
  std::fill_n(all, workers * kEach, 0.5f);
  return bestRate(3 * 2.0 * kRows * kInner * kOuter * kTiles * static_cast<double>(workers), [&] {
    context.pool.parallelFor(workers, [&](int64_t task, int) {
      float *x = all + task * kEach, *gradient = x + kRows * kInner, *delta = gradient + kRows * kInner;
      float *update = delta + kDelta, *weights = update + kInner * kOuter;
      for (int64_t tile = 0; tile < kTiles; ++tile, weights += kInner * kOuter) { // weights are [outer][inner]
        context.product('N', 'T', kRows, kOuter, kInner, 1, x, kInner, weights, kInner, 0, delta, kOuter);
        context.product('N', 'N', kRows, kInner, kOuter, 1, delta, kOuter, weights, kInner, 0, gradient, kInner);
        context.product('T', 'N', kOuter, kInner, kRows, 1, delta, kOuter, x, kInner, 0, update, kInner);
      }
    });
  });
}

/// Copies between two halves that together are larger than most caches.
double copyRate(Context &context) {
  constexpr int64_t kHalf = int64_t(16) << 20, kChunk = int64_t(1) << 20;
  AlignedMemory memory(2 * kHalf);
  return bestRate(2.0 * kHalf, [&] {
    context.pool.parallelFor(kHalf / kChunk, [&](int64_t chunk, int) {
      std::memcpy(memory.data() + kHalf + chunk * kChunk, memory.data() + chunk * kChunk, kChunk);
    });
  });
}
} // namespace

Rates calibrate(Context &context) { return {productRate(context), copyRate(context)}; }
} // namespace sn::rt::cpu
