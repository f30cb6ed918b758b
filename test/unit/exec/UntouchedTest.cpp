// Training that puts off the updates of untouched rows: the same as without up to rounding, the same bytes wherever it
// was interrupted, and weights files that every reader finds up to date.
#include "runtime/exec/Needs.h"
#include "runtime/exec/Resume.h"
#include "test/unit/exec/Networks.h"
#include <cmath>
#include <gtest/gtest.h>

namespace sn::rt {
namespace {
using namespace sn::test;
using plan::Expr;
using plan::UntouchedWay;

constexpr const char *kWeights = "Input->Hidden/weights";

/// SGD and momentum with a schedule and decay; their biases decay too, which changes nothing here.
plan::Plan lazyPlan() {
  plan::Plan plan = twoLayerPlan();
  const Expr step("mul", {Expr("alpha"), Expr("neg", {Expr("lambda")})}), kept("add", {Expr(1.0), step});
  plan.optimizers[0].untouched = plan::Untouched{{"Lambda1"}, {kept}};
  plan::Optimizer momentum = plan.optimizers[0];
  momentum.name = "Momentum";
  momentum.states = {"v"};
  momentum.scalars.push_back({"mu", Expr("Mu")});
  momentum.weights = momentum.bias = "test_momentum_weights";
  momentum.idleWhenZero.reset();
  momentum.untouched = plan::Untouched{{"Lambda1"}, {kept, Expr("mu"), step, Expr("mu")}};
  plan.optimizers.push_back(momentum);
  plan.training.hyper["Lambda"] = 0.05;
  plan.training.hyper["Alpha"] = 0.2;
  plan.training.given = {"Lambda", "Alpha"};
  plan.training.alpha = Expr("div", {Expr("Alpha"), Expr("add", {Expr(1.0), Expr("mul", {Expr(0.01), Expr("Step")})})});
  return plan;
}

/// Rows of five columns, so that most rows of the weights are not touched by a batch.
std::shared_ptr<DataSet> few(int64_t rows, int64_t columns) {
  std::vector<std::vector<int32_t>> entries(static_cast<size_t>(rows));
  uint64_t state = 1;
  for (auto &row : entries) {
    std::set<int32_t> chosen;
    while (chosen.size() < 5) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      chosen.insert(static_cast<int32_t>((state >> 33) % static_cast<uint64_t>(columns)));
    }
    row.assign(chosen.begin(), chosen.end());
  }
  return sparse(columns, entries);
}

struct Training {
  Training(std::shared_ptr<const DataSet> data, int threads, std::optional<UntouchedWay> way, const Overrides &wishes,
           const std::string &from = "", const plan::Plan &plan = lazyPlan())
      : session(sessionOf(plan, threads)), binding(bindingOf({{"input", data}, {"output", data}})),
        start(startOf(wishes, from)), model(session->plan(), session->device(),
                                            resolveSymbols(session->plan(), &binding, nullptr), session->workers()) {
    start.settings.untouched = way;
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
    return resumeFrom(session->plan(), CheckpointReader(from), wishes);
  }
  std::vector<EpochReport> train(int64_t steps) {
    std::vector<EpochReport> reports;
    while (steps > 0 && trainer->position().epoch < start.settings.epochs)
      if (trainer->runEpoch([&](const BatchReport &) { return --steps > 0; }))
        reports.push_back(trainer->closeEpoch());
    return reports;
  }
  void save(const std::string &path) {
    session->save(model, session->header(model, start.settings, trainer->position(), binding, trainer->sums()), path,
                  true);
  }
  bool pending() { return model.deferrals() && model.deferrals()->pending(); }
  std::unique_ptr<Session> session;
  Binding binding;
  Start start;
  Model model;
  std::optional<Trainer> trainer;
};

void expectNear(const std::vector<float> &a, const std::vector<float> &b, double tolerance, const std::string &what) {
  ASSERT_EQ(a.size(), b.size());
  double most = 0, difference = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    most = std::max(most, std::fabs(static_cast<double>(b[i])));
    difference = std::max(difference, std::fabs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  }
  EXPECT_LE(difference, tolerance * std::max(most, 1e-3)) << what;
}
void expectNear(const Model &a, const Model &b, double tolerance) {
  for (const char *name : {kWeights, "Hidden->Output/weights", "Input->Hidden/bias"})
    expectNear(a.parameter(name), b.parameter(name), tolerance, name);
}

TEST(Untouched, FromEveryStepTheSameBytes) {
  Folder folder;
  auto data = few(230, 400);
  for (const char *optimizer : {"SGD", "Momentum"}) {
    const Overrides wishes{.optimizer = optimizer, .batch = 40, .epochs = 2};
    Training whole(data, 2, UntouchedWay::Lazy, wishes), dense(data, 2, UntouchedWay::Dense, wishes);
    const std::vector<EpochReport> reports = whole.train(1000), denseReports = dense.train(1000);
    whole.save(folder("whole.h5"));
    EXPECT_EQ(CheckpointReader(folder("whole.h5")).version(), 2u) << "all rows are up to date at an epoch's end";
    expectNear(whole.model, dense.model, 1e-5);
    ASSERT_EQ(reports.size(), 2u);
    for (size_t i = 0; i < 2; ++i) {
      EXPECT_NEAR(reports[i].regularization, denseReports[i].regularization, 1e-6 * denseReports[i].regularization);
      EXPECT_NEAR(reports[i].training, denseReports[i].training, 1e-5 * denseReports[i].training);
    }
    for (int64_t stop = 1; stop < 12; ++stop) {
      SCOPED_TRACE(std::string(optimizer) + " from " + std::to_string(stop));
      Training first(data, 1, UntouchedWay::Lazy, wishes);
      std::vector<EpochReport> found = first.train(stop);
      EXPECT_EQ(first.pending(), stop != 6);
      first.save(folder("part.h5"));
      Training second(data, 3, UntouchedWay::Lazy, {}, folder("part.h5"));
      for (const EpochReport &report : second.train(1000))
        found.push_back(report);
      second.save(folder("second.h5"));
      EXPECT_TRUE(contentOf(folder("second.h5")) == contentOf(folder("whole.h5")));
      ASSERT_EQ(found.size(), 2u);
      for (size_t i = 0; i < 2; ++i) {
        EXPECT_EQ(found[i].regularization, reports[i].regularization);
        EXPECT_EQ(found[i].training, reports[i].training);
      }
    }
  }
}

TEST(Untouched, ReadersOfACheckpointInsideAnEpochFindItUpToDate) {
  Folder folder;
  auto data = few(230, 400);
  const Overrides wishes{.optimizer = "Momentum", .batch = 40, .epochs = 2};
  Training lazy(data, 2, UntouchedWay::Lazy, wishes), dense(data, 2, UntouchedWay::Dense, wishes);
  lazy.train(4);
  dense.train(4);
  ASSERT_TRUE(lazy.pending());
  lazy.save(folder("part.h5"));
  const CheckpointReader reader(folder("part.h5"));
  EXPECT_EQ(reader.version(), 3u);
  ASSERT_TRUE(reader.deferred());
  EXPECT_EQ(reader.deferred()->steps(), 4);
  Model read(lazy.session->plan(), lazy.session->device(), lazy.model.symbols(), lazy.session->workers());
  read.load(reader, false); // as prediction, evaluation and --from do
  expectNear(read, dense.model, 1e-5);
  expectNear(read, lazy.model, 1e-7);
  std::vector<float> stored(static_cast<size_t>(400 * 8)), state = stored;
  auto into = [](std::vector<float> &to) {
    return [&to](const Tile &tile, const float *block) { std::copy_n(block, tile.count(), to.begin()); };
  };
  const TensorSpec spec{kWeights, 400, 8};
  reader.readParameter(spec, into(stored), true);
  double far = 0;
  const std::vector<float> upToDate = read.parameter(kWeights);
  for (size_t i = 0; i < stored.size(); ++i)
    far = std::max(far, std::fabs(static_cast<double>(stored[i]) - static_cast<double>(upToDate[i])));
  EXPECT_GT(far, 1e-3) << "as stored, rows have something to make up for";
  reader.readState(spec, "Momentum", "v", into(state));
  expectNear(state, dense.model.state(kWeights, 0), 1e-5, "state");

  // A run that puts nothing off, or may not, goes on from there as well.
  Training went(data, 2, UntouchedWay::Dense, {}, folder("part.h5"));
  EXPECT_FALSE(went.pending());
  Training changed(data, 2, UntouchedWay::Lazy, {.hyper = {{"Lambda1", 0.001}}}, folder("part.h5"));
  EXPECT_FALSE(changed.pending());
  expectNear(changed.model, dense.model, 1e-5);
  went.train(1000);
  dense.train(1000);
  expectNear(went.model, dense.model, 1e-5);
}

TEST(Untouched, RowsCatchUpAfterSoManyStepsAtTheLatest) {
  Folder folder;
  auto data = few(plan::kMostPutOff + 60, 300);
  const Overrides wishes{.optimizer = "Momentum", .batch = 1, .epochs = 1};
  Training whole(data, 2, UntouchedWay::Lazy, wishes), dense(data, 1, UntouchedWay::Dense, wishes),
      first(data, 3, UntouchedWay::Lazy, wishes);
  first.train(plan::kMostPutOff);
  EXPECT_FALSE(first.pending());
  first.train(20);
  EXPECT_TRUE(first.pending());
  first.save(folder("part.h5"));
  Training second(data, 2, UntouchedWay::Lazy, {}, folder("part.h5"));
  second.train(10000);
  const EpochReport report = whole.train(10000).at(0), denseReport = dense.train(10000).at(0);
  second.save(folder("second.h5"));
  whole.save(folder("whole.h5"));
  EXPECT_TRUE(contentOf(folder("second.h5")) == contentOf(folder("whole.h5")));
  EXPECT_NEAR(report.regularization, denseReport.regularization, 1e-6 * denseReport.regularization);
  expectNear(whole.model, dense.model, 1e-4);
}

TEST(Untouched, WhatReadsTheWeightsMeanwhileFindsThemUpToDate) {
  auto data = few(230, 400);
  const Overrides wishes{.optimizer = "SGD", .batch = 40, .epochs = 1};
  Training lazy(data, 2, UntouchedWay::Lazy, wishes), dense(data, 2, UntouchedWay::Dense, wishes);
  EntryRun lazily(lazy.model, "evaluate", lazy.binding, 40, nullptr);
  EntryRun densely(dense.model, "evaluate", dense.binding, 40, nullptr);
  lazy.train(4);
  dense.train(4);
  ASSERT_TRUE(lazy.pending());
  const double loss = averageLoss(densely, dense.start.settings, {4, 0, 160});
  EXPECT_NEAR(averageLoss(lazily, lazy.start.settings, {4, 0, 160}), loss, 1e-5 * loss);
  EXPECT_FALSE(lazy.pending());
  lazy.train(1000); // and goes on
  dense.train(1000);
  expectNear(lazy.model, dense.model, 1e-5);
}

TEST(Untouched, StatesThatBeginAnewEveryEpoch) {
  auto data = few(230, 400);
  plan::Plan plan = lazyPlan();
  plan.training.clearState = true;
  const Overrides wishes{.optimizer = "Momentum", .batch = 40, .epochs = 3};
  Training lazy(data, 2, UntouchedWay::Lazy, wishes, "", plan), dense(data, 2, UntouchedWay::Dense, wishes, "", plan);
  const std::vector<EpochReport> reports = lazy.train(1000), denseReports = dense.train(1000);
  for (size_t i = 0; i < 3; ++i)
    EXPECT_NEAR(reports[i].regularization, denseReports[i].regularization, 1e-6 * denseReports[i].regularization);
  expectNear(lazy.model, dense.model, 1e-5);
}

/// What is put off where nobody asks for it.
std::vector<std::string> chosen(int64_t columns, int64_t batch, const std::string &optimizer, double lambda1 = 0,
                                Loader loader = Loader::CsrBinary) {
  auto data = std::make_shared<DataSet>(*sparse(columns, std::vector<std::vector<int32_t>>(2000, {1, 2, 3})));
  data->loader = loader;
  auto session = sessionOf(lazyPlan(), 1);
  const Binding binding = bindingOf({{"input", data}, {"output", data}});
  Settings settings =
      settle(session->plan(), {.optimizer = optimizer, .hyper = {{"Lambda1", lambda1}}, .batch = batch});
  const Extents extents{{{"inputs", columns}, {"outputs", columns}}, batch};
  return parametersToDefer(session->plan(), session->device(), settings, binding,
                           batchModel(settings, binding, extents));
}

TEST(Untouched, IsChosenWhereItPays) {
  const std::vector<std::string> all = {kWeights}, none;
  EXPECT_EQ(chosen(200000, 1000, "SGD"), all);
  EXPECT_EQ(chosen(200000, 1000, "Momentum"), all);
  EXPECT_EQ(chosen(200000, 1000, "Adam"), none);
  EXPECT_EQ(chosen(200000, 1000, "SGD", 0.01), none) << "L1 decay";
  EXPECT_EQ(chosen(1000, 10, "SGD"), none) << "small";
  EXPECT_EQ(chosen(140000, 1000, "SGD"), all);
  EXPECT_EQ(chosen(140000, 1000000, "SGD"), all) << "no batch is larger than the data";
  EXPECT_EQ(chosen(200000, 1000, "SGD", 0, Loader::Dense), none);
}

TEST(Untouched, CountsInTheForecast) {
  Folder folder;
  auto data = sparse(200000, std::vector<std::vector<int32_t>>(2000, {1, 2, 3}));
  auto session = sessionOf(lazyPlan(), 1);
  Outline outline;
  outline.binding = bindingOf({{"input", data}, {"output", data}});
  for (const char *name : {"input", "output"})
    outline.shapes[name] = {Loader::CsrBinary, 2000, 200000, 6000, 0, 0};
  Forecast forecast(session->plan(), session->device(), resolveSymbols(session->plan(), &outline.binding, nullptr));
  forecast.add("train", outline);
  const plan::Optimizer *momentum = &session->plan().optimizers[2];
  const int64_t before = forecast.needs(100, momentum).workspace;
  forecast.setHyper(settle(session->plan(), {.optimizer = "Momentum"}).hyper);
  EXPECT_EQ(forecast.needs(100, momentum).workspace - before, plan::deferralBytes(200000, 2));
  EXPECT_GE(plan::deferralBytes(200000, 2), 200000 * 2 + plan::kMostPutOff * 4 * 8);
}
} // namespace
} // namespace sn::rt
