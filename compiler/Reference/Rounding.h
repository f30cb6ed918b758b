// What the factors of a product become on a GPU (docs/precision.md), in double precision.
#pragma once
#include "runtime/plan/Precision.h"

namespace sn::reference {
/// The nearest number of `bits` significant bits, ties to even; exponents are not bounded.
double nearest(double value, int bits);
/// What a product takes of a factor: high, or high and low, both BF16.
struct Factor {
  double high = 0, low = 0;
  double value() const { return high + low; }
};
Factor roundedFactor(double value, plan::Precision precision);
/// The distance of the BF16 neighbours between which `value` lies: what stochastic rounding may change it by.
double bf16Spacing(double value);
} // namespace sn::reference
