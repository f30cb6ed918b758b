// One plan on data of any storage: binary entries as CSR and as a dense array train to the same numbers; zeros may be
// left out of the loss.
#include "test/conformance/records/Tiny.h"
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

/// A training step with data views of the test's own making: data files cannot ask for ignored zeros yet.
class OwnViews {
public:
  OwnViews(Session &session, const Program &program, const Tables &tables)
      : session(session), program(program), memory(session.model().memory()) {
    rt::Model &model = session.model();
    rt::Extents extents = model.extents(64);
    const plan::Entry &entry = *plan::findEntry(program.plan, "train");
    for (const plan::Buffer &buffer : entry.buffers) {
      int64_t count = 1;
      for (const plan::Dim &dim : buffer.dims)
        count *= dim.symbol == "B" ? extents.maxRows : extents.of(dim);
      memory.buffers[buffer.name] = model.device().allocate(count);
    }
    for (const plan::DataSet &set : program.plan.datasets) {
      rt::DataView view = rt::viewOf(*session.binding().sets.at(set.name), extents.of(set.columns));
      view.ignoreZeros = tables.at(set.name).ignoreZeros;
      memory.data[set.name] = view;
    }
    for (const plan::Step &step : entry.steps)
      kernels.push_back(model.device().prepare(program.plan, step, model.optimizer(), memory, extents));
  }
  Trained train(const reference::State &before, const reference::Run &run) {
    session.set(before);
    rt::StepScalars scalars =
        rt::stepScalars(rt::settle(program.plan, {}), run.step, run.epoch, 3, static_cast<int64_t>(run.ids.size()));
    Trained trained;
    for (const std::unique_ptr<rt::Kernel> &kernel : kernels) {
      rt::Launch launch;
      launch.batch = {static_cast<int64_t>(run.ids.size()), run.ids.data(), run.seed, run.epoch};
      launch.scalar = [&](std::string_view name) { return scalars(name); };
      kernel->launch(launch);
      trained.loss += launch.sum;
    }
    trained.after = session.state();
    return trained;
  }

private:
  Session &session;
  const Program &program;
  rt::Memory memory;
  std::vector<std::unique_ptr<rt::Kernel>> kernels;
};

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
          Trained trained = OwnViews(session, program, made.tables).train(before, run);
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
