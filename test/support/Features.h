// What there is in a network and its data, as words: what a suite has met, and has to meet.
#pragma once
#include "compiler/Frontend/Network.h"
#include "test/support/Tables.h"

namespace sn::test {
/// "loss L2", "hidden Tanh", "several outputs", "indexed data" and the like.
std::set<std::string> featuresOf(const frontend::Network &network, const Tables &tables);
/// What a suite of networks has to have met: every record, every kind of data, what joins and norms layers.
std::vector<std::string> neededFeatures();
} // namespace sn::test
