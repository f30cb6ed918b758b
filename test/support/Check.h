// One network through everything: compiled under every schedule and run on the CPU, against the oracle.
#pragma once
#include "test/support/Agreement.h"
#include "test/support/RandomNetwork.h"

namespace sn::test {
/// What has been checked in this process.
struct Coverage {
  Strictness strictness;
  std::map<std::string, int> kernels;  // by "schedule kernel sweep", over all plans
  std::map<std::string, int> features; // networks by what is in them: "activation ...", "several outputs" and the like
};
Coverage &coverage();

/// Three training steps, each from the oracle's state; the loss and the best columns of the untrained network. Failures
/// are those of GoogleTest.
void checkNetwork(const Case &made);
} // namespace sn::test
