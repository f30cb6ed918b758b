// Lanes of short extents, and their partial sums.
#pragma once
#include "kernels-templates/cuda/prelude.cuh"

namespace sn::cuda {
/// laneRange of an extent that an int holds: columns, features, rows of a batch. Without divisions of 64 bits, which
/// are calls.
__device__ __forceinline__ Range shortLaneRange(Int extent, int lane, int lanes) {
  const unsigned each = static_cast<unsigned>(extent) / lanes, rest = static_cast<unsigned>(extent) % lanes;
  const unsigned begin = each * lane + rest * lane / lanes, end = each * (lane + 1) + rest * (lane + 1) / lanes;
  return {begin, end};
}

/// The sum of value(first), ..., value(lanes - 1) in the order of plan::combineLanes. `Most`: a power of two that
/// lanes - first does not exceed.
template <int Most, class Value>
__device__ __forceinline__ auto laneTree(int lanes, const Value &value, int first = 0) {
  if constexpr (Most == 1) {
    return value(first);
  } else {
    auto sum = laneTree<Most / 2>(lanes, value, first);
    if (first + Most / 2 < lanes)
      sum += laneTree<Most / 2>(lanes, value, first + Most / 2);
    return sum;
  }
}
/// The same of lanes that lie `stride` apart.
template <int Most> __device__ __forceinline__ float laneTree(const float *values, Int stride, int lanes) {
  return laneTree<Most>(lanes, [=](int lane) { return values[lane * stride]; });
}
} // namespace sn::cuda
