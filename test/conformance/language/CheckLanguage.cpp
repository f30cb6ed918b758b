#include "test/conformance/language/Cases.h"
#include "test/support/Gradients.h"
#include <gtest/gtest.h>

namespace sn::test {
void checkLanguage(const Case &made) {
  checkNetwork(made);
  checkThreads(made, {1, 2, 3});
  Network network(made.json);
  if (hasDefinedDelta(network.spec()))
    return;
  GradientCounts counts = checkGradients(network, made);
  EXPECT_GT(4 * counts.checked, counts.kinks) << "kinks almost everywhere";
}
} // namespace sn::test
