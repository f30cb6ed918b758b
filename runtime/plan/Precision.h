// How the products of a layer are computed on a GPU, and on a CPU with tile units for BF16 (AMX); other CPUs compute in
// fp32 whatever a plan says.
#pragma once
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

namespace sn::plan {
/// - Fp32: strict; fused multiply-adds.
/// - Tf32: factors are rounded to 11 significant bits on their way to the tensor cores.
/// - Bf16x3: a factor is the sum of two BF16; three products each.
/// - Bf16: factors are rounded to 8 significant bits, and weights lie in memory as BF16; an update is rounded to one of
///   its two neighbours, up or down with the probability that keeps its mean (stochastic rounding).
/// Sums, biases, optimizer states and everything that is not a factor of a product are fp32 in all of them.
enum class Precision { Fp32, Tf32, Bf16x3, Bf16 };
inline constexpr std::array<std::string_view, 4> kPrecisions = {"fp32", "tf32", "bf16x3", "bf16"};

constexpr std::string_view nameOf(Precision precision) { return kPrecisions[static_cast<size_t>(precision)]; }
constexpr std::optional<Precision> precisionNamed(std::string_view name) {
  for (size_t i = 0; i < kPrecisions.size(); ++i)
    if (kPrecisions[i] == name)
      return static_cast<Precision>(i);
  return std::nullopt;
}
/// What rounding a factor may change it by, relative to it (kernels-templates/cuda/mma_tile.cuh).
constexpr double unitRoundoff(Precision precision) {
  switch (precision) {
  case Precision::Fp32:
    return 0; // factors are taken as they are
  case Precision::Tf32:
    return 1.0 / (1 << 11);
  case Precision::Bf16x3:
    return 1.0 / (1 << 16);
  case Precision::Bf16:
    return 1.0 / (1 << 8);
  }
  return 0;
}

NLOHMANN_JSON_SERIALIZE_ENUM(Precision, {{Precision::Fp32, "fp32"},
                                         {Precision::Tf32, "tf32"},
                                         {Precision::Bf16x3, "bf16x3"},
                                         {Precision::Bf16, "bf16"}})
} // namespace sn::plan
