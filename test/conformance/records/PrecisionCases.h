// Networks that meet every schema, in a precision; and what shows that a backend rounds as that says. For every backend that
// computes in less than fp32.
#pragma once
#include "test/support/Check.h"
#include <array>
#include <nlohmann/json.hpp>

namespace sn::test {
using OrderedJson = nlohmann::ordered_json;
inline constexpr std::array kNarrowPrecisions = {plan::Precision::Tf32, plan::Precision::Bf16x3, plan::Precision::Bf16};

/// {"Precision": ...}, of a network or a layer.
OrderedJson keysOf(plan::Precision precision);
/// Sparse input, a hidden product, wide outputs of more than one tile of any side.
Case deep(const OrderedJson &keys, const char *optimizer, const OrderedJson &outputKeys = OrderedJson::object());
/// The networks; optimizers take turns, and bf16, whose updates are its own, meets all of them.
std::vector<Case> casesOf(plan::Precision precision);

/// What a step's weight gradients are is seen in Momentum's states, which are fp32: they lie nearer to those of an
/// oracle that rounds factors than that lies to the exact one.
void checkRounding(const Case &made);

/// What training on the case leaves, under `single`.
std::vector<float> bitsOf(const Case &made);
bool sameBits(const std::vector<float> &a, const std::vector<float> &b);
} // namespace sn::test
