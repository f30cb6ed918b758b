// The loop that every product by staged slices runs (FfmaTile, MmaTile): slices of both operands go through registers
// to two stages of shared memory, fragments from there to registers.
#pragma once
#include "kernels-templates/cuda/operand.cuh"

namespace sn::cuda {
/// `Kind` says how:
/// - kDepth of a slice, kSteps that its products are made in;
/// - Stage: a slice of one operand in shared memory; Slice: a thread's part of it on its way there, with
///   fetch(operand, aligned, begin, end) of a slice that begins at `begin`, and put(stage, alongDepth);
/// - Fragments: what a thread multiplies in a step; load(left, right, step) of two stages;
/// - multiply(step, current, previous): adds up the step's products, by its fragments and those of the step before.
///
/// In a step's products the fragments of the next one are on their way, beyond the end of the slice too: that is why
/// the barrier stands before the last step and not after it. The next slice but one is on its way from global memory
/// for the time of a slice, which is longer than memory takes to answer (tile.cuh, mma_tile.cuh); so there is no need
/// of copies past the registers (cp.async), which could neither transpose nor round.
///
/// All threads of the block call it. It begins with a barrier: operands may be what the block's threads wrote just
/// before. Between two stages: a stage is written after the barrier that follows its last load.
template <class Kind, class Left, class Right>
__device__ __forceinline__ void multiplySlices(Kind &kind, typename Kind::Stage (&left)[2],
                                               typename Kind::Stage (&right)[2], const Left &ofLeft,
                                               const Right &ofRight, Int begin, Int end) {
  constexpr int kDepth = Kind::kDepth, kSteps = Kind::kSteps;
  __syncthreads();
  if (begin >= end)
    return;
  const bool leftAligned = isAligned(ofLeft, begin), rightAligned = isAligned(ofRight, begin);
  typename Kind::Slice l, r;
  const auto fetch = [&](Int k) {
    l.fetch(ofLeft, leftAligned, k, end);
    r.fetch(ofRight, rightAligned, k, end);
  };
  const auto put = [&](int stage) {
    l.put(left[stage], ofLeft.alongDepth);
    r.put(right[stage], ofRight.alongDepth);
    __syncthreads();
  };
  fetch(begin);
  put(0);
  typename Kind::Fragments previous, current, next;
  current.load(left[0], right[0], 0);
  previous = next = current;
  Int fetched = begin + kDepth; // what l and r hold, if that is before the end
  if (fetched < end)
    fetch(fetched);
#pragma unroll 1
  for (int stage = 0;; stage ^= 1) {
    const bool more = fetched < end;
#pragma unroll
    for (int step = 0; step < kSteps; ++step) {
      if (step + 1 < kSteps) {
        next.load(left[stage], right[stage], step + 1);
      } else if (more) {
        put(stage ^ 1);
        next.load(left[stage ^ 1], right[stage ^ 1], 0);
        fetched += kDepth;
        if (fetched < end)
          fetch(fetched);
      }
      kind.multiply(step, current, previous);
      previous = current;
      current = next;
    }
    if (!more)
      return;
  }
}
} // namespace sn::cuda
