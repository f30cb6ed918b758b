#include "runtime/exec/Arena.h"
#include "test/unit/exec/Networks.h"
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

namespace sn::rt {
namespace {
using namespace sn::test;

TEST(Settings, CommandLineThenFileThenOptimizerThenDsstne) {
  plan::Plan plan = twoLayerPlan();
  Settings sgd = settle(plan, {});
  EXPECT_EQ(sgd.optimizer->name, "SGD");
  EXPECT_EQ(sgd.hyper.at("Alpha"), 0.5); // file
  EXPECT_EQ(sgd.hyper.at("Mu"), 0.5);    // DSSTNE
  plan.training.hyper["Mu"] = 0.25;      // not in `given`: a default of the plan's own optimizer
  EXPECT_EQ(settle(plan, {}).hyper.at("Mu"), 0.25);
  Settings adam = settle(plan, {.optimizer = "ADAM", .hyper = {{"Mu1", 0.99}}, .batch = 7, .seed = 3});
  EXPECT_EQ(adam.optimizer->name, "Adam");
  EXPECT_EQ(adam.hyper.at("Alpha"), 0.01);    // optimizer
  EXPECT_EQ(adam.hyper.at("Mu"), 0.9);        // optimizer
  EXPECT_EQ(adam.hyper.at("Mu1"), 0.99);      // command line
  EXPECT_EQ(adam.hyper.at("Lambda"), 0.0001); // file
  EXPECT_EQ(adam.batch, 7);
  EXPECT_EQ(adam.epochs, 3);
  EXPECT_EQ(adam.seed, 3u);
  EXPECT_NE(refusal([&] { settle(plan, {.optimizer = "Lion"}); }).find("no optimizer 'Lion'; it has SGD, Adam"),
            std::string::npos);
  EXPECT_NE(refusal([&] { settle(plan, {.batch = 0}); }).find("a batch of 0 examples; at least 1 is expected"),
            std::string::npos);
  EXPECT_NE(refusal([&] { settle(plan, {.epochs = -1}); }).find("-1 epochs; 0 or more are expected"),
            std::string::npos);
  EXPECT_NE(refusal([&] {
              settle(plan, {.hyper = {{"Mu", std::nan("")}}});
            }).find("Mu is nan; a finite number is expected"),
            std::string::npos);
  EXPECT_NE(
      refusal([&] { sessionOf(plan, 1)->entry("dream"); }).find("the plan of the network 'two' has no entry 'dream'"),
      std::string::npos);
}

TEST(Settings, ScalarsOfAStep) {
  plan::Plan plan = twoLayerPlan();
  using plan::Expr;
  plan.training.alpha =
      Expr("div", {Expr("Alpha"), Expr("add", {Expr("Step"), Expr("mul", {Expr("Steps"), Expr("Epochs")})})});
  Settings settings = settle(plan, {});
  StepScalars scalars = stepScalars(settings, 4, 2, 3, 50);
  EXPECT_DOUBLE_EQ(scalars("Alpha"), 0.5 / (4 + 3 * 3));
  EXPECT_EQ(scalars("Step"), 4);
  EXPECT_EQ(scalars("Epoch"), 2);
  EXPECT_EQ(scalars("B"), 50);
  EXPECT_THROW(scalars("Steps"), std::out_of_range);
}

TEST(Settings, SchedulesAsText) {
  using plan::Expr;
  Expr steps("floor", {Expr("div", {Expr("sub", {Expr("Epoch"), Expr(1.0)}), Expr(10.0)})});
  EXPECT_EQ(textOf(Expr("mul", {Expr("Alpha"), Expr("pow", {Expr(0.5), steps})})),
            "Alpha * pow(0.5, floor((Epoch - 1) / 10))");
  EXPECT_EQ(textOf(Expr("sub", {Expr("Alpha"), Expr("sub", {Expr("Step"), Expr("Epoch")})})), "Alpha - (Step - Epoch)");
  EXPECT_EQ(textOf(Expr("Alpha")), "Alpha");
}

TEST(Settings, OrderIsAPermutationPerEpoch) {
  Settings settings = settle(twoLayerPlan(), {});
  std::vector<int64_t> first = exampleOrder(settings, 9, 1, 1000), second = exampleOrder(settings, 9, 2, 1000);
  EXPECT_EQ(first, exampleOrder(settings, 9, 1, 1000));
  EXPECT_NE(first, second);
  EXPECT_FALSE(std::is_sorted(first.begin(), first.end()));
  std::sort(first.begin(), first.end());
  settings.shuffle = false;
  EXPECT_EQ(first, exampleOrder(settings, 9, 1, 1000));
}

TEST(Arena, SharesWhatDoesNotMeet) {
  std::vector<BufferNeed> needs = {{100, 0, 2}, {64, 1, 3}, {100, 3, 5}, {10, 4, 4}, {1, 0, 5}};
  Packing packing = packBuffers(needs);
  for (size_t a = 0; a < needs.size(); ++a) {
    EXPECT_EQ(packing.offsets[a] % kArenaAlignment, 0);
    EXPECT_LE(packing.offsets[a] + needs[a].count, packing.total);
    for (size_t b = 0; b < a; ++b)
      if (needs[a].first <= needs[b].last && needs[b].first <= needs[a].last)
        EXPECT_TRUE(packing.offsets[a] + needs[a].count <= packing.offsets[b] ||
                    packing.offsets[b] + needs[b].count <= packing.offsets[a])
            << a << " and " << b;
  }
  EXPECT_EQ(packing.offsets[0], packing.offsets[2]); // lifetimes do not meet
  EXPECT_EQ(packing.total, 112 + 64 + 16);
}

TEST(Binding, Refusals) {
  Folder folder;
  DataFileWriter writer(folder("d.h5"), false);
  writer.write("input", *sparse(4, {{0}, {1, 3}}));
  writer.write("output", *sparse(4, {{0}, {1}, {2}}));
  writer.write("empty", *sparse(4, {}));
  writer.commit();
  DataFile file = DataFile::open(folder("d.h5"));
  plan::Plan plan = twoLayerPlan();
  auto bind = [&](const Aliases &aliases) {
    return refusal([&] { bindData(plan, dataSetsOf(plan.entries[0]), file, aliases); });
  };
  EXPECT_NE(bind({}).find("'input' has 2 rows and 'output' has 3"), std::string::npos) << bind({});
  EXPECT_NE(
      bind({{"output", "clicks"}}).find("has no data set 'clicks', which the plan needs; it has empty, input, output"),
      std::string::npos);
  EXPECT_NE(bind({{"target", "input"}}).find("--bind target=input: the plan has no data set 'target'"),
            std::string::npos);
  EXPECT_NE(bind({{"input", "empty"}, {"output", "empty"}}).find("has 0 rows"), std::string::npos);
  EXPECT_NE(refusal([&] { bindData(plan, {}, file, {}); }).find("reads no data set"), std::string::npos);
  EXPECT_EQ(bind({{"output", "input"}}), "");
  for (std::string text : {"output", "=input", "output=", "="}) {
    std::string said = refusal([&] { parseAliases({text}); });
    EXPECT_EQ(said, "--bind " + text + ": NAME=NAME is expected, the plan's data set first, as in --bind output=input");
  }
  Binding narrow = bindingOf({{"input", sparse(4, {{0}})}, {"output", sparse(0, {{}})}});
  std::string said = refusal([&] { resolveSymbols(plan, &narrow, nullptr); });
  EXPECT_EQ(said, "'made.h5': the data set 'output' has no columns");

  Binding inputs = bindData(plan, dataSetsOf(plan.entries[2]), file, {});
  EXPECT_EQ(inputs.sets.size(), 1u); // predict needs no target
  EXPECT_NE(refusal([&] { resolveSymbols(plan, &inputs, nullptr); }).find("width of the data set 'output' is unknown"),
            std::string::npos);
  CheckpointHeader header;
  header.symbols = {{"inputs", 3}, {"outputs", 9}};
  SymbolValues symbols = resolveSymbols(plan, &inputs, &header);
  EXPECT_EQ(symbols.at("outputs"), 9);
  EXPECT_NE(refusal([&] {
              boundView(plan, inputs, "input", {symbols, 2});
            }).find("has 4 columns, but the network takes 3"),
            std::string::npos);
  symbols["inputs"] = 6; // narrower data is fine
  EXPECT_EQ(boundView(plan, inputs, "input", {symbols, 2}).columns, 6);
}
} // namespace
} // namespace sn::rt
