// Every record on the emulated device: three training steps under every schedule, losses and lists, against the oracle.
#include "test/conformance/records/RecordCases.h"
#include <gtest/gtest.h>

namespace sn::test {
namespace {
TEST(Records, HiddenActivations) { checkNetworks(hiddenActivationCases()); }
TEST(Records, LossesBehindActivationsForEachStorage) { checkNetworks(lossCases()); }
TEST(Records, InputsOfEachStorage) { checkNetworks(inputCases()); }
TEST(Records, Optimizers) { checkNetworks(optimizerCases()); }
TEST(Records, Initializers) { checkNetworks(initializerCases()); }
} // namespace
} // namespace sn::test
