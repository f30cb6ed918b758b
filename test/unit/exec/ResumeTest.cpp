// Training taken up again: from every step, the same bytes; and what cannot be taken up is refused.
#include "runtime/exec/Resume.h"
#include "runtime/exec/Cadence.h"
#include "runtime/exec/DiskRoom.h"
#include "runtime/exec/Trainer.h"
#include "test/unit/exec/Networks.h"
#include <gtest/gtest.h>

namespace sn::rt {
namespace {
using namespace sn::test;
using plan::Expr;

/// A run in memory: of its own settings, or from a weights file.
struct Training {
  Training(const plan::Plan &plan, std::shared_ptr<const DataSet> data, int threads, const Overrides &wishes,
           const std::string &from = "")
      : session(sessionOf(plan, threads)), binding(bindingOf({{"input", data}, {"output", data}})),
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
    if (from.empty())
      return {settle(session->plan(), wishes), {}, {}, {}};
    CheckpointReader weights(from);
    Start found = resumeFrom(session->plan(), weights, wishes);
    checkExamples(weights, binding, found);
    return found;
  }
  /// Up to `steps` steps from here; the reports of the epochs that ended.
  std::vector<EpochReport> train(int64_t steps) {
    std::vector<EpochReport> reports;
    while (steps > 0 && trainer->position().epoch < start.settings.epochs) {
      bool whole = trainer->runEpoch([&](const BatchReport &) { return --steps > 0; });
      if (whole)
        reports.push_back(trainer->closeEpoch());
    }
    return reports;
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
};

plan::Plan scheduledPlan() {
  plan::Plan plan = twoLayerPlan();
  // Falls with the step, and with the share of all epochs that is done.
  plan.training.alpha =
      Expr("mul", {Expr("Alpha"), Expr("div", {Expr("Epochs"), Expr("add", {Expr("Step"), Expr("Epoch")})})});
  return plan;
}

void expectSame(const EpochReport &a, const EpochReport &b) {
  EXPECT_EQ(a.epoch, b.epoch);
  EXPECT_EQ(a.steps, b.steps);
  EXPECT_EQ(a.examples, b.examples);
  EXPECT_EQ(a.training, b.training);
  EXPECT_EQ(a.regularization, b.regularization);
  EXPECT_EQ(a.alpha, b.alpha);
  EXPECT_EQ(a.reports, b.reports);
}

TEST(Resume, FromEveryStepTheSameBytes) {
  Folder folder;
  auto data = tastes(230, 40, 3);
  for (const char *optimizer : {"SGD", "Adam"})
    for (bool shuffle : {true, false}) {
      Overrides wishes{.optimizer = optimizer, .batch = 50, .epochs = 3, .shuffle = shuffle};
      Training whole(scheduledPlan(), data, 2, wishes);
      std::vector<EpochReport> reports = whole.train(1000);
      whole.save(folder("whole.h5"));
      ASSERT_EQ(reports.size(), 3u);
      for (int64_t stop = 1; stop < 15; ++stop) {
        Training first(scheduledPlan(), data, 1, wishes);
        std::vector<EpochReport> found = first.train(stop);
        first.save(folder("part.h5"));
        Training second(scheduledPlan(), data, 3, {}, folder("part.h5"));
        EXPECT_EQ(second.trainer->position(), first.trainer->position());
        for (const EpochReport &report : second.train(1000))
          found.push_back(report);
        second.save(folder("second.h5"));
        EXPECT_TRUE(contentOf(folder("second.h5")) == contentOf(folder("whole.h5"))) << optimizer << " from " << stop;
        ASSERT_EQ(found.size(), 3u);
        for (size_t i = 0; i < 3; ++i)
          expectSame(found[i], reports[i]);
      }
    }
}

TEST(Resume, AnEpochWhoseStepsAreAllDoneIsClosedLater) {
  Folder folder;
  auto data = tastes(100, 20, 3);
  Training whole(twoLayerPlan(), data, 1, {.batch = 50, .epochs = 1});
  EpochReport report = whole.train(1000).at(0);
  Training first(twoLayerPlan(), data, 1, {.batch = 50, .epochs = 1});
  EXPECT_TRUE(first.trainer->runEpoch());
  first.save(folder("open.h5"));
  Training second(twoLayerPlan(), data, 1, {}, folder("open.h5"));
  EXPECT_EQ(second.trainer->position(), (Position{2, 0, 100}));
  expectSame(second.train(1000).at(0), report);
  whole.save(folder("a.h5"));
  second.save(folder("b.h5"));
  EXPECT_TRUE(contentOf(folder("a.h5")) == contentOf(folder("b.h5")));
}

class Refusals : public testing::Test {
protected:
  Folder folder;
  std::shared_ptr<DataSet> data = tastes(100, 20, 3);
  std::string middle = folder("middle.h5"), boundary = folder("boundary.h5");
  void SetUp() override {
    Training run(scheduledPlan(), data, 1, {.optimizer = "adam", .batch = 30});
    run.train(4);
    run.save(boundary);
    run.train(2);
    run.save(middle);
  }
  std::string refused(const std::string &path, const Overrides &wishes) {
    return refusal([&] { resumeFrom(scheduledPlan(), CheckpointReader(path), wishes); });
  }
  std::vector<std::string> notes(const std::string &path, const Overrides &wishes) {
    plan::Plan plan = scheduledPlan();
    return resumeFrom(plan, CheckpointReader(path), wishes).notes;
  }
};
#define EXPECT_SAYS(said, part) EXPECT_NE((said).find(part), std::string::npos) << (said)

TEST_F(Refusals, WhatContradictsAnEpochBegun) {
  EXPECT_SAYS(refused(middle, {.batch = 31}),
              "--batch 31: '" + middle +
                  "' stopped inside an epoch (1 epochs and 60 examples of the next done) that "
                  "began with 30: its steps have that size");
  EXPECT_SAYS(refused(middle, {.seed = 1}), "--seed 1: ");
  EXPECT_SAYS(refused(middle, {.seed = 1}), "the order of its examples comes from the seed");
  EXPECT_SAYS(refused(middle, {.shuffle = false}), "the order of its examples is drawn");
  EXPECT_EQ(refused(middle, {.optimizer = "ADAM", .batch = 30, .seed = 12134, .shuffle = true}), "");
  EXPECT_EQ(notes(middle, {.batch = 30, .epochs = 3, .seed = 12134}), std::vector<std::string>{});
}

TEST_F(Refusals, WhatMayChangeBetweenEpochs) {
  EXPECT_EQ(
      notes(boundary, {.hyper = {{"Alpha", 0.125}}, .batch = 31}),
      (std::vector<std::string>{"--batch 31 from here on; it was 30", "Alpha is 0.125 from here on; it was 0.01"}));
  Start start = resumeFrom(scheduledPlan(), CheckpointReader(boundary), {.hyper = {{"Alpha", 0.125}}, .batch = 31});
  EXPECT_EQ(start.settings.batch, 31);
  EXPECT_EQ(start.settings.hyper.at("Alpha"), 0.125);
  EXPECT_EQ(start.settings.hyper.at("Mu1"), 0.999);
  EXPECT_SAYS(refused(boundary, {.batch = 0}), "a batch of 0 examples; at least 1 is expected");
}

TEST_F(Refusals, AnotherOptimizer) {
  EXPECT_SAYS(refused(boundary, {.optimizer = "SGD"}),
              "--optimizer SGD: '" + boundary +
                  "' was trained with Adam, and another optimizer cannot go on from there; --from " + boundary);
  plan::Plan plan = scheduledPlan();
  plan.optimizers.pop_back();
  EXPECT_SAYS(refusal([&] { resumeFrom(plan, CheckpointReader(boundary), {}); }),
              "was trained with the optimizer 'Adam', which the plan does not have");
}

TEST_F(Refusals, Epochs) {
  EXPECT_SAYS(refused(middle, {.epochs = 1}), "--epochs 1: '" + middle + "' has done 1 epochs and 60 examples");
  EXPECT_EQ(refused(boundary, {.epochs = 1}), "");
  ASSERT_EQ(notes(boundary, {.epochs = 9}).size(), 1u);
  EXPECT_SAYS(notes(boundary, {.epochs = 9})[0],
              "follows Alpha * (Epochs / (Step + Epoch)) with Epochs = 9 from here on; so far it was 3");
  plan::Plan plan = scheduledPlan();
  plan.training.alpha = Expr("div", {Expr("Alpha"), Expr("Epoch")});
  Training run(plan, data, 1, {});
  run.train(1);
  run.save(folder("other.h5"));
  Start start = resumeFrom(plan, CheckpointReader(folder("other.h5")), {.epochs = 9});
  ASSERT_EQ(start.notes.size(), 1u);
  EXPECT_SAYS(start.notes[0], "9 epochs in place of 3: the learning rate goes on along Alpha / Epoch");
}

TEST_F(Refusals, UntrainedWeightsAndLackingStates) {
  Training fresh(twoLayerPlan(), data, 1, {});
  CheckpointHeader header = fresh.session->header(fresh.model, fresh.start.settings, {}, fresh.binding);
  header.optimizer = "";
  fresh.session->save(fresh.model, header, folder("init.h5"), false);
  EXPECT_SAYS(refused(folder("init.h5"), {}), "holds untrained weights (snrt init)");
  EXPECT_SAYS(refused(folder("init.h5"), {}), "--from " + folder("init.h5") + " starts with them");
  header.optimizer = "Adam"; // its states are not in the file
  fresh.session->save(fresh.model, header, folder("bare.h5"), false);
  EXPECT_SAYS(refused(folder("bare.h5"), {}), "lacks the state 'm' of the optimizer Adam for 'Input->Hidden/weights'");
}

TEST_F(Refusals, DamagedHeaders) {
  Training run(twoLayerPlan(), data, 1, {.batch = 30});
  run.train(2);
  CheckpointHeader header =
      run.session->header(run.model, run.start.settings, run.trainer->position(), run.binding, run.trainer->sums());
  CheckpointHeader spoilt = header;
  spoilt.training.erase("alpha");
  run.session->save(run.model, spoilt, folder("a.h5"), false);
  EXPECT_SAYS(refused(folder("a.h5"), {}), "settings of training (snc/training) are damaged");
  spoilt = header;
  spoilt.training["batch"] = -1;
  run.session->save(run.model, spoilt, folder("b.h5"), false);
  EXPECT_SAYS(refused(folder("b.h5"), {}), "its settings of training are damaged: negative numbers");
  spoilt = header;
  spoilt.sums = nullptr;
  run.session->save(run.model, spoilt, folder("c.h5"), false);
  EXPECT_SAYS(refused(folder("c.h5"), {}), "sums of the epoch begun (snc/sums) are damaged");
}

TEST_F(Refusals, OtherDataInsideAnEpoch) {
  auto more = bindingOf({{"input", tastes(101, 20, 3)}});
  CheckpointReader inside(middle), between(boundary);
  plan::Plan plan = scheduledPlan();
  Start start = resumeFrom(plan, inside, {});
  EXPECT_SAYS(refusal([&] { checkExamples(inside, more, start); }),
              "stopped inside an epoch of 100 examples, but 'made.h5' has 101");
  start = resumeFrom(plan, between, {});
  checkExamples(between, more, start);
  ASSERT_EQ(start.notes.size(), 1u);
  EXPECT_SAYS(start.notes[0], "has 101 examples; so far it was 100");
}

TEST(Cadence, EpochsAndTimes) {
  EXPECT_EQ(parseCadence("3", "-c").epochs, 3);
  EXPECT_EQ(parseCadence("30s", "-c").seconds, 30);
  EXPECT_EQ(parseCadence("1.5h", "-c").seconds, 5400);
  EXPECT_EQ(parseCadence("10m", "-c").seconds, 600);
  EXPECT_EQ(parseCadence(".25s", "-c").seconds, 0.25);
  for (const char *wrong : {"", "0", "-1", "2.5", "10x", "m", "0s", "-3s", "10 m", "nan", "infs", "1e300"})
    EXPECT_SAYS(refusal([&] { parseCadence(wrong, "--checkpoint-every"); }),
                std::string("--checkpoint-every ") + wrong + ": a whole number of epochs is expected, or a time: 30s");
}

TEST(DiskRoom, IsAskedForWithTheNumbers) {
  constexpr int64_t kMiB = 1 << 20;
  auto refused = [&](bool again, int64_t available, int64_t standing) {
    return refusal([&] { requireDiskRoom("w.h5", 100 * kMiB, again, available * kMiB, standing * kMiB); });
  };
  EXPECT_EQ(refused(false, 100, 0), "");
  EXPECT_SAYS(refused(false, 99, 0),
              "'w.h5': a weights file of this network takes 100.0 MiB, and the disk has 99.0 MiB free");
  EXPECT_SAYS(refused(true, 199, 0),
              "takes 100.0 MiB, and 200.0 MiB while one replaces the other, and the disk has 199.0 MiB free");
  EXPECT_EQ(refused(true, 200, 0), "");
  EXPECT_EQ(refused(true, 100, 100), "") << "the old file goes when the new one is whole";
  EXPECT_SAYS(refused(true, 99, 100), "takes 100.0 MiB, and the disk");
  EXPECT_SAYS(refusal([&] { requireDiskRoom("w.h5", int64_t(1) << 60, false); }), "takes 1048576.0 TiB");
}

TEST(DiskRoom, KnowsTheSizeOfTheFile) {
  Folder folder;
  Training run(twoLayerPlan(200), tastes(100, 3000, 3), 1, {.optimizer = "Adam"});
  run.save(folder("w.h5"));
  int64_t guessed = checkpointBytes(run.model, run.session->header(run.model, run.start.settings, {}, run.binding));
  int64_t real = static_cast<int64_t>(std::filesystem::file_size(folder("w.h5")));
  EXPECT_GE(guessed, real);
  EXPECT_LE(guessed, real + real / 50);
}
} // namespace
} // namespace sn::rt
