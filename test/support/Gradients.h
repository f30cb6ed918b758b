// The gradients of a differentiated network against central differences of its objective, both on the interpreter.
#pragma once
#include "test/support/RandomNetwork.h"

namespace sn::test {
/// Whether the reference defines the deltas of a layer otherwise than as the derivative of the loss: DeltaBoost,
/// DeltaNorm, some pairs.
bool hasDefinedDelta(const frontend::Network &network);

struct GradientCounts {
  int checked = 0, kinks = 0; // directions; those along which a formula bends say nothing
};
/// Two entries and one random direction of every trained parameter, at shaken initial values, on the first batch.
/// Failures are those of GoogleTest.
GradientCounts checkGradients(Network &network, const Case &made);
} // namespace sn::test
