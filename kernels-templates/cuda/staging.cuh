// The loop that every product by staged slices runs (FfmaTile, MmaTile): slices of both operands go through registers
// to two stages of shared memory, fragments from there to registers.
#pragma once
#include "kernels-templates/cuda/operand.cuh"

namespace sn::cuda {
/// `Kind` says how:
/// - kDepth of a slice, kSteps that its products are made in;
/// - Stage: a slice of one operand in shared memory; Slice: a thread's part of it on its way there, with
///   walk(operand, begin), a SliceWalk, fetch(walk, rest, alongDepth) of the slice where that is, and
///   put(stage, alongDepth);
/// - Fragments: what a thread multiplies in a step; load(left, right, step) of two stages, over those of the step
///   before, of which it may keep some;
/// - multiply(step, fragments): adds up the step's products.
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
  typename Kind::Slice l, r;
  auto leftWalk = Kind::Slice::walk(ofLeft, begin);
  auto rightWalk = Kind::Slice::walk(ofRight, begin);
  int rest = static_cast<int>(end - begin); // from the slice on that l and r hold; none if it is not above 0
  const auto fetch = [&] {
    l.fetch(leftWalk, rest, ofLeft.alongDepth);
    r.fetch(rightWalk, rest, ofRight.alongDepth);
  };
  const auto fetchNext = [&] {
    rest -= kDepth;
    if (rest <= 0)
      return;
    leftWalk.next();
    rightWalk.next();
    fetch();
  };
  const auto put = [&](int stage) {
    l.put(left[stage], ofLeft.alongDepth);
    r.put(right[stage], ofRight.alongDepth);
    __syncthreads();
  };
  fetch();
  put(0);
  typename Kind::Fragments current;
  current.load(left[0], right[0], 0);
  fetchNext();
#pragma unroll 1
  for (int stage = 0;; stage ^= 1) {
    const bool more = rest > 0;
#pragma unroll
    for (int step = 0; step < kSteps; ++step) {
      typename Kind::Fragments next = current;
      if (step + 1 < kSteps) {
        next.load(left[stage], right[stage], step + 1);
      } else if (more) {
        put(stage ^ 1);
        next.load(left[stage ^ 1], right[stage ^ 1], 0);
        fetchNext();
      }
      kind.multiply(step, current);
      current = next;
    }
    if (!more)
      return;
  }
}
} // namespace sn::cuda
