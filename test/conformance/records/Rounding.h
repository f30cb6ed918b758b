// What shows that a backend rounds as a precision says. For every backend that computes in less than fp32.
#pragma once
#include "test/support/Check.h"
#include "test/support/PrecisionCases.h"

namespace sn::test {
/// {"Precision": ...}, of a network or a layer.
nlohmann::ordered_json keysOf(plan::Precision precision);

/// What a step's weight gradients are is seen in Momentum's states, which are fp32: they lie nearer to those of an
/// oracle that rounds factors than that lies to the exact one.
void checkRounding(const Case &made);

/// What training on the case leaves, under `single`.
std::vector<float> bitsOf(const Case &made);
bool sameBits(const std::vector<float> &a, const std::vector<float> &b);
} // namespace sn::test
