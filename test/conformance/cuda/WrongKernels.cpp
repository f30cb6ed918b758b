// The suite sees what is wrong: a kernel whose text was changed a little differs from the oracle.
#include "runtime/plan/CudaManifest.h"
#include "test/conformance/records/Tiny.h"
#include <gtest/gtest.h>

namespace sn::test {
namespace {
/// Makes every result of the plan's slots one part in a thousand larger.
int spoil(Program &program) {
  int changed = 0;
  for (auto &[name, text] : program.archive.entries) {
    const std::string store = "out[0] = ";
    if (!name.starts_with(plan::kCudaKernels))
      continue;
    for (size_t at = text.find(store); at != std::string::npos; at = text.find(store, at + 1), ++changed)
      text.insert(at + store.size(), "1.001f * ");
  }
  return changed;
}

TEST(WrongKernels, AreFound) {
  Case made = tinyCase({.hiddenActivation = "Tanh"});
  Network network(made.json);
  const reference::State before = reference::rounded(network.initialState(made.tables));
  const reference::Run run = network.run(made.batches[0], 1, 1, 3);
  const Expected expected = expect(network.differentiated(), made.tables, before, run);
  for (auto &[schedule, program] : compileSchedules(network, 0)) {
    SCOPED_TRACE(schedule);
    Strictness strictness;
    {
      Session right(program, made.tables, program.plan.training.optimizer);
      EXPECT_EQ(compareStates(expected, right.trainFrom(before, run, 3).after, strictness), "");
    }
    Program wrong = program;
    ASSERT_GT(spoil(wrong), 0);
    Session session(wrong, made.tables, program.plan.training.optimizer);
    EXPECT_NE(compareStates(expected, session.trainFrom(before, run, 3).after, strictness), "");
  }
}
} // namespace
} // namespace sn::test
