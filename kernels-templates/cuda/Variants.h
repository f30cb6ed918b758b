// The rows of manifest.inc for compiler and runtime.
#pragma once
#include "runtime/plan/Precision.h"
#include <string_view>
#include <vector>

namespace sn::cuda {
struct Variant {
  std::string_view name, type, header;
  plan::Precision precision;
  int side;         // rows and columns of a tile
  int architecture; // the least compute capability, times 10
  bool exact;       // runs on that one alone
  int sharedBytes;  // of a block's staged operands
  int rate;         // of its products, in hundredths of the peak of its units

  /// `capability`: of a device, times 10.
  constexpr bool runsOn(int capability) const {
    return exact ? capability == architecture : capability >= architecture;
  }
};
inline constexpr Variant kVariants[] = {
#define SN_VARIANT(name, type, header, precision, side, architecture, exact, bytes, rate)                              \
  {#name, type, header, plan::Precision::precision, side, architecture, exact, bytes, rate},
#include "kernels-templates/cuda/manifest.inc"
#undef SN_VARIANT
};
/// What every device runs.
inline constexpr const Variant &kPlainVariant = kVariants[0];
/// Null for a name that is not there.
constexpr const Variant *variantNamed(std::string_view name) {
  for (const Variant &variant : kVariants)
    if (variant.name == name)
      return &variant;
  return nullptr;
}
} // namespace sn::cuda
