// What "Compatibility": "dsstne" asks of training: states cleared every epoch, the divergence brake; and parameters
// that are not trained.
#include "runtime/exec/Resume.h"
#include "test/unit/exec/Networks.h"
#include <gtest/gtest.h>

namespace sn::rt {
namespace {
using namespace sn::test;
using plan::Expr;

struct Job {
  Job(plan::Plan plan, std::shared_ptr<const DataSet> data, const Overrides &wishes, const std::string &from = "")
      : session(sessionOf(std::move(plan), 2)), binding(bindingOf({{"input", data}, {"output", data}})),
        start(startOf(wishes, from)), model(session->plan(), session->device(),
                                            resolveSymbols(session->plan(), &binding, nullptr), session->workers()) {
    model.allocateStates(*start.settings.optimizer);
    if (from.empty())
      model.initialize(start.settings.seed);
    else
      model.load(CheckpointReader(from), true);
    trainer.emplace(model, start.settings, binding);
    trainer->resume(start.position, start.sums);
  }
  Start startOf(const Overrides &wishes, const std::string &from) {
    return from.empty() ? Start{settle(session->plan(), wishes), {}, {}, {}}
                        : resumeFrom(session->plan(), CheckpointReader(from), wishes);
  }
  /// What each of up to `steps` batches did.
  std::vector<BatchReport> train(int64_t steps) {
    std::vector<BatchReport> batches;
    while (steps > 0 && trainer->position().epoch < start.settings.epochs)
      if (trainer->runEpoch([&](const BatchReport &batch) {
            batches.push_back(batch);
            return --steps > 0;
          }))
        epochs.push_back(trainer->closeEpoch());
    return batches;
  }
  void save(const std::string &path) {
    session->save(model, session->header(model, start.settings, trainer->position(), binding, trainer->sums()), path,
                  true);
  }
  std::unique_ptr<Session> session;
  Binding binding;
  Start start;
  Model model;
  std::optional<Trainer> trainer;
  std::vector<EpochReport> epochs;
};

plan::Plan clearingPlan() {
  plan::Plan plan = twoLayerPlan();
  plan.training.clearState = true;
  plan.training.alpha = Expr("div", {Expr("Alpha"), Expr("Step")});
  return plan;
}

TEST(ClearState, AnEpochBeginsAsIfItWereTheFirst) {
  auto data = tastes(120, 30, 3);
  const Overrides wishes{.optimizer = "Adam", .batch = 50, .epochs = 2, .shuffle = false};
  Job whole(clearingPlan(), data, wishes);
  whole.train(3);
  std::map<std::string, std::vector<float>> between;
  for (const plan::Parameter &parameter : whole.session->plan().parameters)
    between[parameter.name] = whole.model.parameter(parameter.name);
  EXPECT_NE(whole.model.state("Hidden->Output/weights", 0), std::vector<float>(8 * 30, 0.0f));
  std::vector<BatchReport> second = whole.train(3);

  Job fresh(clearingPlan(), data, wishes);
  for (const auto &[name, values] : between)
    fresh.model.setParameter(name, values);
  std::vector<BatchReport> first = fresh.train(3);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(first[i].loss, second[i].loss);
    EXPECT_EQ(first[i].alpha, second[i].alpha);
    EXPECT_EQ(second[i].alpha, 0.01 / static_cast<double>(i + 1)) << "Step counts from 1 again";
  }
  for (const auto &[name, values] : between)
    EXPECT_EQ(whole.model.parameter(name), fresh.model.parameter(name)) << name;
}

TEST(ClearState, WithoutStatesStepGoesOn) {
  Job run(clearingPlan(), tastes(120, 30, 3), {.hyper = {{"Alpha", 1}}, .batch = 50, .epochs = 2});
  std::vector<BatchReport> batches = run.train(100);
  ASSERT_EQ(batches.size(), 6u);
  EXPECT_EQ(batches[5].alpha, 1.0 / 6);
}

TEST(ClearState, ResumesWithTheSameBytes) {
  Folder folder;
  auto data = tastes(120, 30, 3);
  const Overrides wishes{.optimizer = "Adam", .batch = 50, .epochs = 3};
  Job whole(clearingPlan(), data, wishes);
  whole.train(100);
  whole.save(folder("whole.h5"));
  for (int64_t stop = 1; stop < 9; ++stop) {
    Job first(clearingPlan(), data, wishes);
    first.train(stop);
    first.save(folder("part.h5"));
    Job second(clearingPlan(), data, {}, folder("part.h5"));
    second.train(100);
    second.save(folder("second.h5"));
    EXPECT_TRUE(contentOf(folder("second.h5")) == contentOf(folder("whole.h5"))) << "from " << stop;
  }
}

/// The two-layer plan with the brake: "trial" is the forward pass and the loss.
plan::Plan brakedPlan() {
  plan::Plan plan = twoLayerPlan();
  plan.training.brake = true;
  plan::Entry trial = *plan::findEntry(plan, "evaluate");
  trial.name = "trial";
  plan.entries.push_back(trial);
  return plan;
}

/// Rows of one column each, one of them of nearly all: its loss is far from the others'.
std::shared_ptr<DataSet> withOutlier(int64_t rows, int64_t outlier) {
  std::vector<std::vector<int32_t>> lists;
  for (int64_t row = 0; row < rows; ++row) {
    lists.push_back({static_cast<int32_t>(row % 3)});
    for (int32_t column = 3; row == outlier && column < 60; ++column)
      lists.back().push_back(column);
  }
  return sparse(60, lists);
}
const Overrides kOneByOne{.hyper = {{"Alpha", 0.5}, {"Lambda", 0.001}}, .batch = 1, .epochs = 2, .shuffle = false};

TEST(Brake, LeavesOneUpdateOutAndSlowsTheNext24) {
  Job run(brakedPlan(), withOutlier(180, 130), kOneByOne);
  run.train(130);
  std::vector<float> before = run.model.parameter("Hidden->Output/weights");
  BatchReport outlier = run.train(1).at(0);
  ASSERT_TRUE(outlier.diverging.has_value());
  EXPECT_GT(outlier.loss, 2 * *outlier.diverging);
  EXPECT_EQ(run.model.parameter("Hidden->Output/weights"), before);
  EXPECT_EQ(run.trainer->position().step, 131) << "the batch is done, without an update";
  std::vector<BatchReport> after = run.train(25);
  EXPECT_NE(run.model.parameter("Hidden->Output/weights"), before);
  for (size_t i = 0; i < 24; ++i)
    EXPECT_DOUBLE_EQ(after[i].alpha, 0.05) << i;
  EXPECT_DOUBLE_EQ(after[24].alpha, 0.5);
}

TEST(Brake, FollowsTheFormula) {
  Job run(brakedPlan(), withOutlier(180, 130), kOneByOne);
  double average = 0;
  int64_t at = 0, pulled = 0;
  for (const BatchReport &batch : run.train(180)) {
    average = 0.9 * average + 0.1 * batch.loss;
    EXPECT_EQ(batch.diverging.has_value(), ++at > 100 && batch.loss > 2 * average) << at;
    pulled += batch.diverging.has_value();
    if (batch.diverging)
      EXPECT_NEAR(*batch.diverging, average, 1e-4 * average);
  }
  EXPECT_EQ(pulled, 1);
  EXPECT_EQ(run.epochs.at(0).examples, 180);
  double next = run.train(1).at(0).alpha;
  EXPECT_EQ(next, 0.5) << "an epoch begins without the brake";
  EXPECT_EQ(run.trainer->sums().brake.warmUp, 99);
}

TEST(Brake, NeverInTheFirst100BatchesAndNotWithoutTheSetting) {
  Job early(brakedPlan(), withOutlier(180, 99), kOneByOne);
  for (const BatchReport &batch : early.train(180))
    EXPECT_FALSE(batch.diverging.has_value());
  plan::Plan plan = brakedPlan();
  plan.training.brake = false;
  Job without(plan, withOutlier(180, 130), kOneByOne);
  for (const BatchReport &batch : without.train(180)) {
    EXPECT_FALSE(batch.diverging.has_value());
    EXPECT_EQ(batch.alpha, 0.5);
  }
}

TEST(Brake, ResumesWithTheSameBytes) {
  Folder folder;
  auto data = withOutlier(180, 130);
  Job whole(brakedPlan(), data, kOneByOne);
  whole.train(1000);
  whole.save(folder("whole.h5"));
  for (int64_t stop : {1, 99, 101, 130, 131, 140, 179, 180, 250}) {
    Job first(brakedPlan(), data, kOneByOne);
    first.train(stop);
    first.save(folder("part.h5"));
    Job second(brakedPlan(), data, {}, folder("part.h5"));
    EXPECT_EQ(second.trainer->sums().brake, first.trainer->sums().brake);
    second.train(1000);
    second.save(folder("second.h5"));
    EXPECT_TRUE(contentOf(folder("second.h5")) == contentOf(folder("whole.h5"))) << "from " << stop;
    EXPECT_EQ(second.epochs.back().training, whole.epochs.back().training);
    EXPECT_EQ(second.epochs.back().regularization, whole.epochs.back().regularization);
  }
}

TEST(UntrainedParameters, AreKeptWithoutStates) {
  Folder folder;
  plan::Plan plan = twoLayerPlan();
  plan.parameters[3].trained = false;
  plan.entries[0].steps[1].biases.clear();
  auto data = tastes(60, 20, 3);
  Job run(plan, data, {.optimizer = "Adam", .epochs = 1});
  const std::vector<float> odd(20, 0.375f);
  run.model.setParameter("Hidden->Output/bias", odd);
  run.train(100);
  run.save(folder("w.h5"));
  CheckpointReader weights(folder("w.h5"));
  EXPECT_TRUE(weights.hasState("Hidden->Output/weights", "Adam", "m"));
  EXPECT_FALSE(weights.hasState("Hidden->Output/bias", "Adam", "m"));
  EXPECT_EQ(run.model.stateBytes(), 2 * (run.model.parameterBytes() - 20 * int64_t(sizeof(float))));
  Job again(plan, data, {.epochs = 2}, folder("w.h5"));
  EXPECT_EQ(again.model.parameter("Hidden->Output/bias"), odd);
  again.train(100);
  EXPECT_EQ(again.model.parameter("Hidden->Output/bias"), odd);
}
} // namespace
} // namespace sn::rt
