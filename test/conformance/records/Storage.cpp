// One plan on data of any storage: binary entries as CSR and as a dense array train to the same numbers; zeros may be
// left out of the loss.
#include "test/conformance/records/Tiny.h"
#include <cmath>
#include <gtest/gtest.h>

namespace sn::test {
namespace {
/// The pair's deltas weigh binary targets by 1/n, which dense targets do not have.
bool weighsTargets(const vocab::Activation &activation, const vocab::Loss &loss) {
  return activation.row && vocab::findPair(activation.name, loss.name);
}

TEST(Storage, SparseEqualsDense) {
  for (const vocab::Loss &loss : vocab::losses())
    for (const vocab::Activation *activation : activationsFor(loss)) {
      SCOPED_TRACE(std::string(loss.name) + " behind " + std::string(activation->name));
      Case made = tinyCase(
          {.outputActivation = std::string(activation->name), .loss = std::string(loss.name), .denoising = 0.25});
      Network network(made.json);
      reference::State before = network.initialState(made.tables);
      reference::Run run = network.run(made.batches[0], 1, 1, 3);
      Expected expected = expect(network.differentiated(), made.tables, before, run);
      for (const auto &[schedule, program] : compileSchedules(network, 2))
        for (Storage input : kStorages)
          for (Storage target : kStorages) {
            if (target != Storage::CsrBinary && weighsTargets(*activation, loss))
              continue;
            Tables tables{{"x", stored(made.tables.at("x"), input)}, {"t", stored(made.tables.at("t"), target)}};
            Session session(program, tables, program.plan.training.optimizer);
            Trained trained = session.trainFrom(before, run, 3);
            Strictness strictness;
            EXPECT_EQ(compareStates(expected, trained.after, strictness), "") << schedule;
            EXPECT_EQ(compareSum("loss", expected.nominal.loss, expected.flipped.loss, trained.loss), "") << schedule;
          }
    }
}

/// Whether the loss of a stored 0 is another than that of a unit that is not stored.
bool tellsStoredZeros(const vocab::Loss &loss) {
  std::vector<double> params = valuesOf(loss.params, 1);
  return loss.indicator || loss.value({0.4, 0.0}, params.data()) != loss.value({0.4, -0.0}, params.data());
}

TEST(Storage, StoredZeros) {
  int telling = 0;
  for (const vocab::Loss &loss : vocab::losses()) {
    SCOPED_TRACE(loss.name);
    const vocab::Activation &activation = *activationsFor(loss).front();
    Case made = tinyCase({.outputActivation = std::string(activation.name),
                          .loss = std::string(loss.name),
                          .target = Storage::CsrAnalog});
    reference::DataTable &target = made.tables.at("t");
    for (size_t i = 0, stored = 0; i < target.values.values.size(); ++i)
      if (target.stored[i] && ++stored % 3 == 0)
        target.values.values[i] = 0;
    Network network(made.json);
    reference::State before = network.initialState(made.tables);
    reference::Run run = network.run(made.batches[0], 1, 1, 3);
    Expected expected = expect(network.differentiated(), made.tables, before, run);
    for (const auto &[schedule, program] : compileSchedules(network, 2)) {
      Session session(program, made.tables, program.plan.training.optimizer);
      Trained trained = session.trainFrom(before, run, 3);
      Strictness strictness;
      EXPECT_EQ(compareStates(expected, trained.after, strictness), "") << schedule;
      EXPECT_EQ(compareSum("loss", expected.nominal.loss, expected.flipped.loss, trained.loss), "") << schedule;
    }
    for (size_t i = 0; i < target.values.values.size(); ++i)
      target.stored[i] = target.stored[i] && target.values.values[i] != 0;
    double without = expect(network.differentiated(), made.tables, before, run).nominal.loss;
    EXPECT_EQ(std::abs(without - expected.nominal.loss) > 1e-3, tellsStoredZeros(loss));
    telling += tellsStoredZeros(loss) && !loss.indicator;
  }
  EXPECT_GT(telling, 0) << "no loss shows that stored zeros reach it";
}

TEST(Storage, IgnoredZeros) {
  for (const vocab::Loss &loss : vocab::losses())
    for (const vocab::Activation *activation : activationsFor(loss))
      for (Storage target : {Storage::CsrBinary, Storage::CsrAnalog}) {
        SCOPED_TRACE(std::string(loss.name) + " behind " + std::string(activation->name));
        Case made = tinyCase(
            {.outputActivation = std::string(activation->name), .loss = std::string(loss.name), .target = target});
        Network network(made.json);
        reference::State before = network.initialState(made.tables);
        reference::Run run = network.run(made.batches[0], 1, 1, 3);
        double counted = expect(network.differentiated(), made.tables, before, run).nominal.loss;
        made.tables.at("t").ignoreZeros = true;
        Expected expected = expect(network.differentiated(), made.tables, before, run);
        for (const auto &[schedule, program] : compileSchedules(network, 2)) {
          Session session(program, made.tables, program.plan.training.optimizer);
          Trained trained = session.trainFrom(before, run, 3);
          Strictness strictness;
          EXPECT_EQ(compareStates(expected, trained.after, strictness), "") << schedule;
          EXPECT_EQ(compareSum("loss", expected.nominal.loss, expected.flipped.loss, trained.loss), "") << schedule;
        }
        // Row-wise pairs have no loss where nothing is stored; the others do.
        if (!weighsTargets(*activation, loss))
          EXPECT_LT(expected.nominal.loss, counted);
      }
}
} // namespace
} // namespace sn::test
