// Weights in BF16 memory: a step on them gives the bits of the same step on floats that hold the same numbers, rounded
// at random where it writes. Include it after the rigs and the templates.
#pragma once
#include "kernels-templates/cuda/weights.cuh"
#include "runtime/hal/cuda/Bf16.h"

namespace sn::test {
using Halves = std::vector<uint16_t>;

inline Halves narrowed(const Floats &values) {
  Halves result;
  for (float value : values)
    result.push_back(rt::cuda::bf16Of(value));
  return result;
}
inline Floats widened(const Halves &values) {
  Floats result;
  for (uint16_t value : values)
    result.push_back(rt::cuda::floatOf(value));
  return result;
}
/// Memory of BF16 as arguments name it.
inline float *handle(Halves &values) { return reinterpret_cast<float *>(values.data()); }

/// What a step stores that computes these values: `stream` of the parameter.
inline Halves stored(const Floats &values, const Frame &frame, unsigned stream, Rounding purpose = Rounding::Update) {
  Halves result;
  for (size_t i = 0; i < values.size(); ++i)
    result.push_back(
        Bf16Weights::rounded(values[i], plan::randomWord({frame.seed, stream, static_cast<uint32_t>(purpose)},
                                                         static_cast<uint64_t>(frame.step), i)));
  return result;
}
} // namespace sn::test
