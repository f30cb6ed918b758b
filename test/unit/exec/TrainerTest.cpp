#include "runtime/exec/HeldOut.h"
#include "runtime/plan/Philox.h"
#include "test/unit/exec/Networks.h"
#include <gtest/gtest.h>
#include <numeric>

namespace sn::rt {
namespace {
using namespace sn::test;

struct Job {
  Job(plan::Plan plan, std::shared_ptr<const DataSet> data, Overrides overrides, int threads)
      : session(sessionOf(std::move(plan), threads)), settings(settle(session->plan(), overrides)),
        binding(bindingOf({{"input", data}, {"output", data}})),
        model(session->plan(), session->device(), resolveSymbols(session->plan(), &binding, nullptr),
              session->workers()) {
    model.allocateStates(*settings.optimizer);
    model.initialize(settings.seed);
  }
  std::unique_ptr<Session> session;
  Settings settings;
  Binding binding;
  Model model;
};

TEST(Plans, AreCorrect) {
  EXPECT_EQ(plan::verify(oneLayerPlan()), std::vector<std::string>{});
  EXPECT_EQ(plan::verify(twoLayerPlan()), std::vector<std::string>{});
}

TEST(Trainer, LossDecreases) {
  for (const plan::Plan &plan : {oneLayerPlan(), twoLayerPlan()}) {
    Job run(plan, tastes(300, 40, 1), {}, 2);
    Trainer trainer(run.model, run.settings, run.binding);
    double before = trainer.trainEpoch().training;
    double after = 0;
    for (int epoch = 0; epoch < 20; ++epoch)
      after = trainer.trainEpoch().training;
    EXPECT_LT(after, 0.8 * before) << plan.network;
    EXPECT_EQ(trainer.position().epoch, 21);
    EXPECT_EQ(trainer.position().step, 63);
    EXPECT_EQ(trainer.position().example, 0);
  }
}

TEST(Trainer, OneStepByHand) {
  // One row {0}, weights and bias zero: z = 0, y = 1/2, so delta = -1/2 at column 0 and 1/2 at column 1.
  Job run(oneLayerPlan(), sparse(2, {{0}}), {.hyper = {{"Alpha", 0.1}, {"Lambda", 0}}}, 1);
  run.model.setParameter("Input->Output/weights", {0, 0, 0, 0});
  run.model.setParameter("Input->Output/bias", {0, 0});
  EpochReport report = Trainer(run.model, run.settings, run.binding).trainEpoch();
  EXPECT_NEAR(report.training, 2 * std::log(2.0), 1e-6);
  EXPECT_EQ(report.steps, 1);
  std::vector<float> w = run.model.parameter("Input->Output/weights"), b = run.model.parameter("Input->Output/bias");
  EXPECT_FLOAT_EQ(w[0], 0.05f);
  EXPECT_FLOAT_EQ(w[1], -0.05f);
  EXPECT_EQ(w[2], 0);
  EXPECT_FLOAT_EQ(b[0], 0.05f);
  EXPECT_FLOAT_EQ(b[1], -0.05f);
}

TEST(Trainer, RegularizationIsReported) {
  Job run(oneLayerPlan(), sparse(2, {{0}, {1}}), {.hyper = {{"Alpha", 0}, {"Lambda", 0.5}}}, 1);
  run.model.setParameter("Input->Output/weights", {1, 2, 3, 4});
  EXPECT_NEAR(Trainer(run.model, run.settings, run.binding).trainEpoch().regularization, 0.25 * 30, 1e-6);
}

TEST(Trainer, ThreadsDoNotChangeTheBytes) {
  Folder folder;
  std::string first;
  for (int threads : {1, 2, 3, 5}) {
    Job run(twoLayerPlan(), tastes(300, 1200, 2), {.optimizer = "adam"}, threads);
    Trainer trainer(run.model, run.settings, run.binding);
    trainer.trainEpoch();
    trainer.trainEpoch();
    std::string path = folder("w" + std::to_string(threads) + ".h5");
    run.session->save(run.model, run.session->header(run.model, run.settings, trainer.position(), run.binding), path,
                      false);
    std::string bytes = contentOf(path);
    ASSERT_GT(bytes.size(), 1000u);
    if (first.empty())
      first = bytes;
    EXPECT_TRUE(bytes == first) << threads << " threads";
  }
}

TEST(Trainer, NanStopsWithAdvice) {
  plan::Plan plan = oneLayerPlan();
  plan.entries[0].steps[1].slots["stored"].function = "test_nan";
  Job run(plan, tastes(150, 10, 1), {}, 1);
  Trainer trainer(run.model, run.settings, run.binding);
  std::string said = refusal([&] { trainer.trainEpoch(); });
  EXPECT_NE(said.find("diverged in step 1 (epoch 1)"), std::string::npos) << said;
  EXPECT_NE(said.find("--alpha"), std::string::npos);
}

TEST(Trainer, StatesSurviveEpochsAndFiles) {
  Folder folder;
  auto data = tastes(100, 20, 3);
  Overrides adam{.optimizer = "Adam"};
  Job whole(twoLayerPlan(), data, adam, 1);
  Trainer trainer(whole.model, whole.settings, whole.binding);
  trainer.trainEpoch();
  whole.session->save(whole.model,
                      whole.session->header(whole.model, whole.settings, trainer.position(), whole.binding),
                      folder("half.h5"), false);
  EXPECT_NE(whole.model.state("Hidden->Output/weights", 0), std::vector<float>(160, 0.0f));
  trainer.trainEpoch();

  CheckpointReader half(folder("half.h5"));
  EXPECT_EQ(half.header().optimizer, "Adam");
  Job resumed(twoLayerPlan(), data, adam, 1);
  resumed.model.load(half, true);
  Trainer again(resumed.model, resumed.settings, resumed.binding);
  again.resume({half.header().step, half.header().epoch, half.header().position}, {});
  again.trainEpoch();
  for (const plan::Parameter &p : whole.session->plan().parameters)
    EXPECT_EQ(whole.model.parameter(p.name), resumed.model.parameter(p.name)) << p.name;
}

TEST(Trainer, EvaluateEqualsTrainingLossBeforeUpdates) {
  auto data = tastes(90, 30, 4);
  Job run(twoLayerPlan(), data, {.hyper = {{"Alpha", 0}}, .shuffle = false}, 2);
  double training = Trainer(run.model, run.settings, run.binding).trainEpoch().training;
  EntryRun evaluate(run.model, "evaluate", run.binding, 90, nullptr);
  EXPECT_NEAR(averageLoss(evaluate, run.settings, {}), training, 1e-9 * training);
}

TEST(Trainer, LayoutsGiveTheSameNetwork) {
  plan::Plan rows = twoLayerPlan(), columns = twoLayerPlan();
  rows.parameters[2].layout = "rows";
  auto data = tastes(100, 30, 6);
  Job a(rows, data, {}, 1), b(columns, data, {}, 1);
  EXPECT_EQ(a.model.parameter("Hidden->Output/weights"), b.model.parameter("Hidden->Output/weights")) << "as drawn";
  Trainer(a.model, a.settings, a.binding).trainEpoch();
  Trainer(b.model, b.settings, b.binding).trainEpoch();
  std::vector<float> x = a.model.parameter("Hidden->Output/weights"), y = b.model.parameter("Hidden->Output/weights");
  for (size_t i = 0; i < x.size(); ++i)
    EXPECT_NEAR(x[i], y[i], 1e-5);
}

TEST(Model, InitialValuesByHand) {
  Job run(twoLayerPlan(3), sparse(5, {{0}}), {.seed = 99}, 3);
  std::vector<float> w = run.model.parameter("Hidden->Output/weights"); // [3, 5], stored [5][3]
  double range = std::sqrt(6.0 / 8);
  for (uint64_t i = 0; i < 3; ++i)
    for (uint64_t o = 0; o < 5; ++o)
      EXPECT_EQ(w[i * 5 + o], static_cast<float>(2 * range * plan::uniform({99, 2, 0}, i, o) + -range))
          << i << " " << o;
  EXPECT_EQ(run.model.parameter("Hidden->Output/bias"), std::vector<float>(5, -0.5f));
}

TEST(Recommender, RanksByScoreAndLeavesOut) {
  Job run(twoLayerPlan(2), sparse(4, {{0}, {1}, {}}), {.batch = 2}, 1);
  run.model.setParameter("Input->Hidden/weights", std::vector<float>(8, 0.0f));
  run.model.setParameter("Hidden->Output/weights", std::vector<float>(8, 0.0f));
  run.model.setParameter("Hidden->Output/bias", {0.1f, 0.4f, 0.4f, 0.2f});
  Binding inputs = bindingOf({{"input", run.binding.sets.at("input")}});
  Recommender recommender(run.model, run.settings, inputs, "");
  auto listsOf = [&] {
    std::vector<int32_t> columns(9);
    std::vector<float> scores(9);
    recommender.source()(0, 3, 3, columns.data(), scores.data());
    return columns;
  };
  EXPECT_EQ(listsOf(), (std::vector<int32_t>{1, 2, 3, 1, 2, 3, 1, 2, 3}));
  recommender.leaveOut(inputs.sets.at("input").get());
  EXPECT_EQ(listsOf(), (std::vector<int32_t>{1, 2, 3, 2, 3, 0, 1, 2, 3}));
  EXPECT_EQ(rankedDataSet(run.session->plan(), recommender.step()), "output");
  EXPECT_NE(refusal([&] {
              Recommender(run.model, run.settings, inputs, "Deep");
            }).find("no output layer 'Deep'; it has Output"),
            std::string::npos);
}

TEST(Recommender, DataSetsThatCannotBeLeftOut) {
  Job run(twoLayerPlan(2), sparse(4, {{0}, {1}, {}}), {.batch = 2}, 1);
  Recommender recommender(run.model, run.settings, run.binding, "");
  auto dense = std::make_shared<DataSet>(*sparse(4, {{}, {}, {}}));
  dense->loader = Loader::Dense, dense->values.resize(12);
  for (const auto &[set, says] :
       {std::pair(sparse(4, {{0}}), "'made.h5': the data set to leave out, 'made', has 1 rows, but the data has 3"),
        {dense, "'made.h5': the data set to leave out, 'made', is dense; a sparse one is expected"},
        {sparse(5, {{0}, {1}, {4}}), "'made', has 5 columns, but the ranked layer has 4"}}) {
    std::string said = refusal([&] { recommender.leaveOut(set.get()); });
    EXPECT_NE(said.find(says), std::string::npos) << said;
  }
}

TEST(Recommender, PlansThatRankNothing) {
  auto data = sparse(4, {{0}, {1}, {}});
  plan::Plan blind = twoLayerPlan(2);
  blind.entries[2].steps.pop_back();
  Job ranksNothing(blind, data, {}, 1), predictsNothing(oneLayerPlan(), data, {}, 1);
  std::string said = refusal([&] { Recommender(ranksNothing.model, ranksNothing.settings, ranksNothing.binding, ""); });
  EXPECT_NE(said.find("the plan ranks no output"), std::string::npos) << said;
  said = refusal([&] { HeldOut::bufferCount(predictsNothing.model, predictsNothing.settings, 3); });
  EXPECT_NE(said.find("the network 'one' has no entry 'predict', so it cannot be measured by its lists"),
            std::string::npos)
      << said;
}

TEST(Device, AMissingSlotIsRefused) {
  plan::Plan plan = oneLayerPlan();
  plan.functions.push_back({"test_gone", 1, 1, 0, false});
  plan.entries[0].steps[0].slots["epilogue"].function = "test_gone";
  Job run(plan, tastes(10, 10, 1), {}, 1);
  EXPECT_NE(refusal([&] { Trainer(run.model, run.settings, run.binding); }).find("'test_gone'"), std::string::npos);
}

TEST(Profile, CountsLaunches) {
  Job run(twoLayerPlan(), tastes(250, 10, 1), {}, 1);
  Trainer trainer(run.model, run.settings, run.binding);
  trainer.trainEpoch();
  ASSERT_EQ(trainer.run().profile().size(), 5u);
  for (const StepProfile &step : trainer.run().profile()) {
    EXPECT_EQ(step.launches, 3) << step.label;
    EXPECT_GT(step.seconds, 0);
  }
}
} // namespace
} // namespace sn::rt
