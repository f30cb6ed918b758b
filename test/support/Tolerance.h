// How far each entry may lie from the oracle's: what Agreement.h's compareStates() goes by.
#pragma once
#include "test/support/Agreement.h"

namespace sn::test {
double largest(const reference::Tensor &tensor); // of the magnitudes
double largestDifference(const reference::Tensor &a, const reference::Tensor &b);

/// Of a tensor: `plain` for every entry, and for each `extra`, what rounding may change there.
struct Tolerance {
  double plain = 0;
  std::vector<double> extra;
};
Tolerance toleranceOf(const reference::Tensor &before, const reference::Tensor &nominal,
                      const reference::Tensor &flipped, const reference::Tensor &spread);
/// Both together, for all parameters and states of a step.
reference::State tolerancesOf(const Expected &expected);
} // namespace sn::test
