// A weights file holds all that training needs: what is written, read and trained on equals what was never interrupted.
#include "test/conformance/records/Tiny.h"
#include <gtest/gtest.h>

namespace sn::test {
namespace {
void expectEqual(const reference::State &a, const reference::State &b) {
  for (const auto &[name, tensor] : a.parameters) {
    EXPECT_EQ(tensor.values, b.parameters.at(name).values) << name;
    for (size_t i = 0; i < a.states.at(name).size(); ++i)
      EXPECT_EQ(a.states.at(name)[i].values, b.states.at(name)[i].values) << name << " state " << i;
  }
}

TEST(Checkpoint, RoundTripOfEveryOptimizer) {
  for (const vocab::Optimizer &record : vocab::optimizers()) {
    SCOPED_TRACE(record.name);
    Case made = tinyCase({.optimizer = std::string(record.name)});
    Network network(made.json);
    std::map<std::string, Program> programs = compileSchedules(network, 0);
    const Program &program = programs.begin()->second;
    auto train = [&](Session &session, size_t step) {
      session.train(network.run(made.batches[step], static_cast<int64_t>(step) + 1, 1, 3), 3);
    };
    Session first(program, made.tables, program.plan.training.optimizer);
    first.model().initialize(3);
    train(first, 0);
    train(first, 1);

    std::string path = ::testing::TempDir() + "conformance-" + std::string(record.name) + ".weights.h5";
    rt::CheckpointWriter writer(path, true);
    rt::CheckpointHeader header;
    header.optimizer = record.name;
    header.step = 2;
    header.network = made.json;
    header.symbols = {first.model().symbols().begin(), first.model().symbols().end()};
    writer.writeHeader(header);
    first.model().save(writer);
    writer.commit();

    Session second(program, made.tables, program.plan.training.optimizer);
    rt::CheckpointReader reader(path);
    EXPECT_EQ(reader.header().optimizer, record.name);
    EXPECT_EQ(reader.header().step, 2);
    second.model().load(reader, true);
    expectEqual(first.state(), second.state());
    train(first, 2);
    train(second, 2);
    expectEqual(first.state(), second.state());
    std::remove(path.c_str());
  }
}
} // namespace
} // namespace sn::test
