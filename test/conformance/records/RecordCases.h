// Every record in a tiny network: what each backend trains and compares with the oracle.
#pragma once
#include "test/conformance/records/Tiny.h"

namespace sn::test {
std::vector<Case> hiddenActivationCases();
/// Each loss behind each activation on one storage, and behind one of the activations on all of them; the storages take
/// turns. Weighted, indexed and ignored targets: language/Data.cpp.
std::vector<Case> lossCases();
std::vector<Case> inputCases();
std::vector<Case> optimizerCases();
std::vector<Case> initializerCases();
std::vector<Case> scheduleCases();
} // namespace sn::test
