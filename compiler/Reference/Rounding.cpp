#include "compiler/Reference/Rounding.h"
#include <algorithm>
#include <cmath>

namespace sn::reference {
namespace {
constexpr int kBf16Bits = 8, kTf32Bits = 11; // significant
constexpr int kLeastExponent = -125;         // of a normal float, as frexp counts
} // namespace

double nearest(double value, int bits) {
  int exponent = 0;
  const double mantissa = std::frexp(value, &exponent);
  return std::ldexp(std::nearbyint(std::ldexp(mantissa, bits)), exponent - bits);
}

Factor roundedFactor(double value, plan::Precision precision) {
  switch (precision) {
  case plan::Precision::Fp32:
    return {value, 0};
  case plan::Precision::Tf32: // ties, which differ, are rare
    return {nearest(value, kTf32Bits), 0};
  case plan::Precision::Bf16:
    return {nearest(value, kBf16Bits), 0};
  case plan::Precision::Bf16x3: {
    const double high = nearest(value, kBf16Bits);
    return {high, nearest(value - high, kBf16Bits)};
  }
  }
  return {value, 0};
}

double bf16Spacing(double value) {
  int exponent = 0;
  std::frexp(value, &exponent);
  return std::ldexp(1, (value == 0 ? kLeastExponent : std::max(exponent, kLeastExponent)) - kBf16Bits);
}
} // namespace sn::reference
