// One network through everything: compiled under every schedule and run on the CPU, against the oracle.
#pragma once
#include "test/support/Agreement.h"
#include "test/support/RandomNetwork.h"

namespace sn::test {
/// What has been checked in this process.
struct Coverage {
  std::map<std::string, Strictness> strictness; // by optimizer
  std::map<std::string, int> schedules;         // networks that ran under each
  std::map<std::string, int> kernels;           // by "schedule kernel sweep" and "precision kernel sweep"
  std::map<std::string, int> features; // networks by what is in them: "activation ...", "several outputs" and the like
};
Coverage &coverage();
/// What Coverage::kernels holds once a suite has met every schema and sweep.
std::vector<const char *> neededKernels();

/// Three training steps, each from the oracle's state; the loss and the best columns of the untrained network. Failures
/// are those of GoogleTest.
/// Networks without targets: only the lists.
void checkNetwork(const Case &made);
/// The same for several, all compiled before the first runs: quicker where a compiler is started for them.
void checkNetworks(const std::vector<Case> &cases);
/// All parameters and optimizer states after the case's batches, from the runtime's own initial values.
std::vector<float> trainedBits(const Program &program, Network &network, const Case &made, int threads);
/// They are the same to the last bit with any of these numbers of threads, under every schedule.
void checkThreads(const Case &made, const std::vector<int> &threads);
} // namespace sn::test
