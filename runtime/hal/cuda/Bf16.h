// BF16 on the host: the upper half of a float. Weights that a plan stores so pass through here on their way to the
// device and back.
#pragma once
#include <bit>
#include <cstdint>

namespace sn::rt::cuda {
/// The nearest, ties to even. A number that is none and infinity stay what they are; what is finite stays finite, as in
/// an update (kernels-templates/cuda/weights.cuh).
constexpr uint16_t bf16Of(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7f800000u) == 0x7f800000u)
    return static_cast<uint16_t>(bits >> 16 | ((bits & 0x7fffffu) != 0 ? 0x40u : 0u));
  const uint32_t nearest = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
  return static_cast<uint16_t>((nearest & 0x7f80u) == 0x7f80u ? bits >> 16 : nearest);
}
constexpr float floatOf(uint16_t bf16) { return std::bit_cast<float>(static_cast<uint32_t>(bf16) << 16); }
} // namespace sn::rt::cuda
