#include "test/support/Check.h"
#include "test/support/Features.h"
#include "test/support/Tolerance.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <memory>

namespace sn::test {
namespace {
constexpr int64_t kPlaces = 7; // of the lists of the best columns

/// Weights that have run away say nothing about the next step.
bool isModerate(const reference::State &state) {
  for (const auto &[name, tensor] : state.parameters)
    for (double value : tensor.values)
      if (!(std::abs(value) < 20))
        return false;
  return true;
}

class Check {
public:
  explicit Check(const Case &made) : made(made), network(made.json, "seed " + std::to_string(made.seed), made.adjust) {
    before = network.initialState(made.tables);
    Random random(made.seed + 5000);
    network.shake(before, random, 0.02);
  }

  const Case &of() const { return made; }
  /// Makes the programs.
  void compile() {
    for (const std::vector<int64_t> &batch : made.batches)
      maxRows = std::max(maxRows, static_cast<int64_t>(batch.size()));
    programs = compileSchedules(network, made.seed);
    narrow = storedNarrow(programs.begin()->second.plan);
    for (const auto &[schedule, program] : programs)
      if (storedNarrow(program.plan) != narrow)
        throw std::logic_error("schedules differ in the storage of parameters");
    before = storable(before, narrow);
  }
  /// After compile(): what run() makes.
  std::vector<Upcoming> sessions() const { return sessionsOf(programs, made.tables, maxRows); }
  /// After compile().
  void run() {
    countFeatures();
    ask();
    for (const auto &[schedule, program] : programs) {
      count(schedule, program.plan);
      Session session(program, made.tables, program.plan.training.optimizer, 2, maxRows);
      checkTraining(session, schedule);
      checkInference(session, schedule);
    }
  }

private:
  bool hasOutputs() const {
    const std::vector<frontend::Layer> &layers = network.spec().layers;
    return std::any_of(layers.begin(), layers.end(),
                       [](const frontend::Layer &layer) { return layer.kind == frontend::LayerKind::Output; });
  }
  /// 1-based.
  reference::Run step(int64_t index) const {
    return network.run(made.batches[static_cast<size_t>(index - 1)], index, 1 + index / 2, kSteps);
  }
  void ask();
  void countFeatures() const;
  void count(const std::string &schedule, const plan::Plan &plan) const;
  void checkTraining(Session &session, const std::string &how);
  void checkInference(Session &session, const std::string &how);

  static constexpr int64_t kSteps = 3; // of an epoch, for the schedule of the learning rate
  const Case &made;
  Network network;
  std::map<std::string, Program> programs;
  int64_t maxRows = 0;
  reference::State before;
  std::vector<Expected> steps;
  std::set<std::string> narrow; // parameters in BF16
  reference::Result evaluated, predicted;
  std::vector<reference::Result> noisyEvaluated, noisyPredicted;
};

void Check::ask() {
  mlir::ModuleOp net = network.differentiated();
  reference::State state = before;
  predicted = reference::interpret(net, "predict", made.tables, before, step(1));
  const bool narrowly = coarsestRounding(net) > 0;
  if (narrowly)
    noisyPredicted = noisyRuns(net, "predict", made.tables, before, step(1));
  if (!hasOutputs())
    return;
  for (int64_t index = 1; index <= static_cast<int64_t>(made.batches.size()); ++index) {
    steps.push_back(expect(net, made.tables, state, step(index), narrow));
    reference::State after = storable(steps.back().nominal.after, narrow);
    state = isModerate(after) ? after : before;
  }
  evaluated = reference::interpret(net, "evaluate", made.tables, before, step(1));
  if (narrowly)
    noisyEvaluated = noisyRuns(net, "evaluate", made.tables, before, step(1));
}

void Check::countFeatures() const {
  for (const std::string &feature : featuresOf(network.spec(), made.tables))
    ++coverage().features[feature];
}

void Check::count(const std::string &schedule, const plan::Plan &plan) const {
  ++coverage().schedules[schedule];
  for (const plan::Entry &entry : plan.entries)
    for (const plan::Step &planned : entry.steps)
      for (const std::string &way : {schedule, std::string(plan::nameOf(planned.precision))})
        ++coverage().kernels[way + " " + planned.kernel + (planned.sweep.empty() ? "" : " " + planned.sweep)];
}

void Check::checkTraining(Session &session, const std::string &how) {
  for (size_t i = 0; i < steps.size(); ++i) {
    const Expected &expected = steps[i];
    const reference::Result &nominal = expected.nominal;
    reference::Run run = step(static_cast<int64_t>(i) + 1);
    std::string where = how + ", step " + std::to_string(i + 1) + ": ";
    if (network.spec().dsstne) {
      session.set(expected.before);
      EXPECT_EQ(compareLoss(expected, session.trial(run, kSteps)), "") << where << "trial";
    }
    Trained trained = session.trainFrom(expected.before, run, kSteps);
    for (const std::string &problem :
         {compareStates(expected, trained.after,
                        coverage().strictness[std::string(network.spec().optimizer.record->name)]),
          compareLoss(expected, trained.loss),
          compareSum("regularisation", nominal.regularization, nominal.regularization, trained.regularization)})
      if (!problem.empty())
        ADD_FAILURE() << where << problem;
  }
}

void Check::checkInference(Session &session, const std::string &how) {
  session.set(before);
  double rounding = 0;
  for (const reference::Result &noisy : noisyEvaluated)
    rounding = std::max(rounding, 4 * std::abs(noisy.loss - evaluated.loss));
  if (hasOutputs())
    EXPECT_EQ(compareSum("loss of evaluate", evaluated.loss, evaluated.loss + rounding, session.evaluate(step(1))), "")
        << how;
  std::map<std::string, Ranked> lists = session.predict(step(1), kPlaces);
  EXPECT_EQ(lists.size(), predicted.scores.size()) << how;
  for (const auto &[layer, scores] : predicted.scores) {
    ASSERT_TRUE(lists.contains(layer)) << how << ": no list for " << layer;
    rounding = 0;
    for (const reference::Result &noisy : noisyPredicted)
      rounding = std::max(rounding, 4 * largestDifference(noisy.scores.at(layer), scores));
    EXPECT_EQ(compareLists(layer, scores, lists.at(layer), rounding), "") << how;
  }
}
} // namespace

Coverage &coverage() {
  static Coverage all;
  return all;
}

std::vector<const char *> neededKernels() {
  return {"single wide_output single",
          "single wide_output loss",
          "recompute wide_output forward",
          "recompute wide_output update",
          "single wide_softmax statistics",
          "single wide_softmax single",
          "single wide_softmax loss",
          "recompute wide_softmax forward",
          "recompute wide_softmax update",
          "single csr_gather",
          "single csc_update",
          "single gemm",
          "single gemm_update",
          "single wide_topk",
          "unfused map",
          "single column_reduce",
          "single row_reduce",
          "single wide_output norm",
          "single expand",
          "single update",
          "single limit_norm"};
}

std::vector<float> trainedBits(const Program &program, Network &network, const Case &made, int threads) {
  Session session(program, made.tables, program.plan.training.optimizer, threads,
                  static_cast<int64_t>(made.batches[0].size()));
  session.model().initialize(network.spec().seed);
  for (size_t i = 0; i < made.batches.size(); ++i)
    session.train(network.run(made.batches[i], static_cast<int64_t>(i) + 1, 1, 3), 3);
  std::vector<float> all;
  auto append = [&](const std::vector<float> &values) { all.insert(all.end(), values.begin(), values.end()); };
  for (const plan::Parameter &parameter : program.plan.parameters) {
    append(session.model().parameter(parameter.name));
    for (size_t i = 0; parameter.trained && i < session.model().optimizer()->states.size(); ++i)
      append(session.model().state(parameter.name, i));
  }
  return all;
}

void checkThreads(const Case &made, const std::vector<int> &counts) {
  Network network(made.json, "seed " + std::to_string(made.seed), made.adjust);
  const std::map<std::string, Program> programs = compileSchedules(network, made.seed);
  backend().expect(sessionsOf(programs, made.tables, static_cast<int64_t>(made.batches[0].size())));
  for (const auto &[schedule, program] : programs) {
    std::vector<float> one = trainedBits(program, network, made, 1);
    for (int threads : counts) {
      std::vector<float> other = trainedBits(program, network, made, threads);
      ASSERT_EQ(one.size(), other.size());
      EXPECT_EQ(std::memcmp(one.data(), other.data(), one.size() * sizeof(float)), 0)
          << threads << " threads, schedule " << schedule << ", seed " << made.seed << "\n"
          << made.json;
    }
  }
}

void checkNetwork(const Case &made) { checkNetworks({made}); }

void checkNetworks(const std::vector<Case> &cases) {
  std::vector<std::unique_ptr<Check>> checks;
  auto attempt = [&](const Case &made, const auto &what) {
    SCOPED_TRACE(made.name);
    const int failed = ::testing::UnitTest::GetInstance()->current_test_info()->result()->total_part_count();
    try {
      what();
    } catch (const std::exception &fault) {
      ADD_FAILURE() << fault.what();
    }
    if (::testing::UnitTest::GetInstance()->current_test_info()->result()->total_part_count() > failed)
      std::cerr << made.name << " seed " << made.seed << ":\n" << made.json << "\n";
  };
  for (const Case &made : cases)
    attempt(made, [&] {
      auto check = std::make_unique<Check>(made);
      check->compile();
      checks.push_back(std::move(check));
    });
  std::vector<Upcoming> coming;
  for (const std::unique_ptr<Check> &check : checks)
    for (const Upcoming &session : check->sessions())
      coming.push_back(session);
  backend().expect(coming);
  for (std::unique_ptr<Check> &check : checks) {
    attempt(check->of(), [&] { check->run(); });
    check.reset();
  }
}
} // namespace sn::test
