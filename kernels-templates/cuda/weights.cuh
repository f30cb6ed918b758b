// How weights lie in memory: the template argument `Weights` of every kernel that reads or updates them. `base` is
// Trained::value, whatever its elements are.
#pragma once
#include "kernels-templates/cuda/prelude.cuh"

namespace sn::cuda {
/// What a value is rounded for: part of the counter of the random numbers, so that two roundings of one place in one
/// step are independent, and apart from the numbers that initialised the values.
enum class Rounding : unsigned { Update = 0xb16u, Scaling = 0xb17u };

struct Fp32Weights {
  static constexpr int kBytes = 4; // of an element
  static __device__ __forceinline__ float load(const float *base, Int i) { return base[i]; }
  /// Elements i ... i + 3; i is a multiple of 4 and `base` aligned to 16 bytes.
  static __device__ __forceinline__ float4 load4(const float *base, Int i) {
    return *reinterpret_cast<const float4 *>(base + i);
  }
  /// The result of an update.
  template <Rounding = Rounding::Update>
  static __device__ __forceinline__ void store(const StepArgs &, const Trained &trained, Int i, float value) {
    trained.value[i] = value;
  }
  /// Elements i ... i + 3, as load4().
  template <Rounding = Rounding::Update>
  static __device__ __forceinline__ void store4(const StepArgs &, const Trained &trained, Int i, float4 values) {
    *reinterpret_cast<float4 *>(trained.value + i) = values;
  }
};

/// BF16. An update is rounded to one of its two neighbours by a random number of the place and the step
/// (Frame::step), so that its mean is kept: where a value lies a quarter of the way up, it goes up one time in four.
struct Bf16Weights {
  static constexpr int kBytes = 2;
  static __device__ __forceinline__ float load(const float *base, Int i) {
    return __uint_as_float(static_cast<unsigned>(reinterpret_cast<const unsigned short *>(base)[i]) << 16);
  }
  static __device__ __forceinline__ float4 load4(const float *base, Int i) {
    const uint2 pairs = *reinterpret_cast<const uint2 *>(reinterpret_cast<const unsigned short *>(base) + i);
    return make_float4(__uint_as_float(pairs.x << 16), __uint_as_float(pairs.x & 0xffff0000u),
                       __uint_as_float(pairs.y << 16), __uint_as_float(pairs.y & 0xffff0000u));
  }
  /// A number that is none, infinity and what BF16 holds stay what they are; nothing finite becomes infinite.
  static __device__ __forceinline__ unsigned short rounded(float value, unsigned word) {
    const unsigned bits = __float_as_uint(value);
    if ((bits & 0x7f800000u) == 0x7f800000u)
      return static_cast<unsigned short>(bits >> 16 | ((bits & 0x7fffffu) != 0 ? 0x40u : 0u));
    const unsigned up = (bits + (word & 0xffffu)) >> 16;
    return static_cast<unsigned short>((up & 0x7f80u) == 0x7f80u ? bits >> 16 : up);
  }
  template <Rounding For = Rounding::Update>
  static __device__ __forceinline__ void store(const StepArgs &args, const Trained &trained, Int i, float value) {
    const Frame &frame = *args.frame;
    reinterpret_cast<unsigned short *>(trained.value)[i] =
        rounded(value, randomWord(frame.seed, trained.stream, static_cast<unsigned>(For), frame.step, i));
  }
  /// The same bits as one by one; the random numbers of four places cost what one costs.
  template <Rounding For = Rounding::Update>
  static __device__ __forceinline__ void store4(const StepArgs &args, const Trained &trained, Int i, float4 values) {
    const Frame &frame = *args.frame;
    const uint4 words = randomWords(frame.seed, trained.stream, static_cast<unsigned>(For), frame.step, i >> 2);
    *reinterpret_cast<uint2 *>(reinterpret_cast<unsigned short *>(trained.value) + i) =
        make_uint2(rounded(values.x, words.x) | static_cast<unsigned>(rounded(values.y, words.y)) << 16,
                   rounded(values.z, words.z) | static_cast<unsigned>(rounded(values.w, words.w)) << 16);
  }
};
} // namespace sn::cuda
