// Networks that meet every schema whose products have a precision, on data of 90 examples.
#pragma once
#include "runtime/plan/Precision.h"
#include "test/support/RandomNetwork.h"
#include <array>
#include <nlohmann/json.hpp>

namespace sn::test {
inline constexpr std::array kNarrowPrecisions = {plan::Precision::Tf32, plan::Precision::Bf16x3, plan::Precision::Bf16};

/// Sparse input, a hidden product, wide outputs of more than one tile of any side. `keys`: of the network, as
/// "Precision"; `outputKeys`: of the output layer.
Case deepNetwork(const nlohmann::ordered_json &keys, const char *optimizer,
                 const nlohmann::ordered_json &outputKeys = nlohmann::ordered_json::object());
/// In this precision. Optimizers take turns, and bf16, whose updates are its own, meets all of them.
std::vector<Case> casesOfPrecision(plan::Precision precision);
} // namespace sn::test
