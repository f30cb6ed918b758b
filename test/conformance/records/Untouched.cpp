// Updates of untouched rows that are put off, against the oracle, which updates every row in every step.
#include "test/conformance/records/Tiny.h"
#include "test/support/Tolerance.h"
#include <gtest/gtest.h>

namespace sn::test {
namespace {
constexpr int64_t kRows = 40, kColumns = 61, kSteps = 120, kStepsPerEpoch = 30, kBatch = 3;
constexpr const char *kWeights = "In->Hidden/weights";

/// Rows that store few of many columns, so that most features wait for many steps.
Case wideCase(const std::string &optimizer, const std::string &schedule, double lambda, double lambda1,
              const Adjust &adjust = {}) {
  Case made = tinyCase({.optimizer = optimizer, .schedule = schedule, .denoising = 0.2});
  Random random(7);
  reference::DataTable x;
  x.sparse = x.binary = true;
  x.values = reference::Tensor(kRows, kColumns);
  x.stored.resize(static_cast<size_t>(kRows * kColumns));
  for (int64_t row = 0; row < kRows; ++row)
    for (int64_t column = random.integer(0, 9); column < kColumns; column += random.integer(1, 40)) {
      x.values(row, column) = 1;
      x.stored[static_cast<size_t>(row * kColumns + column)] = true;
    }
  made.tables["x"] = x;
  made.tables["t"] = randomTable(random, {.rows = kRows, .columns = 13, .unitInterval = true});
  made.adjust = [=](frontend::Network &network) {
    network.hyper["Lambda"] = lambda;
    network.hyper["Lambda1"] = lambda1;
    if (adjust)
      adjust(network);
  };
  return made;
}

reference::Run stepOf(const Network &network, int64_t step) {
  std::vector<int64_t> ids;
  for (int64_t i = 0; i < kBatch; ++i)
    ids.push_back((step * kBatch + i * 7) % kRows);
  return network.run(ids, step, 1 + (step - 1) / kStepsPerEpoch, kStepsPerEpoch);
}

/// The largest difference of each tensor, in units of the oracle's largest magnitude there.
double distance(const reference::State &a, const reference::State &oracle) {
  double most = 0;
  for (const auto &[name, tensor] : oracle.parameters) {
    most = std::max(most, largestDifference(a.parameters.at(name), tensor) / std::max(1e-3, largest(tensor)));
    for (size_t i = 0; i < oracle.states.at(name).size(); ++i)
      most = std::max(most, largestDifference(a.states.at(name)[i], oracle.states.at(name)[i]) /
                                std::max(1e-3, largest(oracle.states.at(name)[i])));
  }
  return most;
}

/// Trains by the oracle, densely and with updates put off, and demands that the latter is as near the oracle as the
/// former. Returns what is put off.
std::vector<std::string> compare(const Case &made) {
  Network network(made.json, "a test", made.adjust);
  std::map<std::string, Program> programs = compileSchedules(network, 0, {"single"});
  const Program &program = programs.begin()->second;
  const std::string &optimizer = program.plan.training.optimizer;
  Session dense(program, made.tables, optimizer), lazy(program, made.tables, optimizer);
  const std::vector<std::string> putOff = lazy.putOff();
  reference::State state = network.initialState(made.tables);
  dense.set(state);
  lazy.set(state);
  const int64_t steps = putOff.empty() ? 3 : kSteps;
  for (int64_t step = 1; step <= steps; ++step) {
    const reference::Run run = stepOf(network, step);
    const reference::Result expected = reference::interpret(network.differentiated(), "train", made.tables, state, run);
    rt::BatchSums denseSums = dense.train(run, kStepsPerEpoch), lazySums = lazy.train(run, kStepsPerEpoch);
    EXPECT_NEAR(lazySums.regularization, denseSums.regularization, 1e-6 * std::abs(denseSums.regularization)) << step;
    EXPECT_NEAR(lazySums.regularization, expected.regularization, 2e-6 * std::abs(expected.regularization)) << step;
    EXPECT_NEAR(lazySums.reports["loss"], expected.loss, 1e-4 * std::abs(expected.loss)) << step;
    state = expected.after;
    if (step % 50 == 7) { // what is read in between is up to date, and reading changes nothing
      const double far = distance(lazy.state(), state);
      EXPECT_LT(far, 2 * distance(dense.state(), state) + 2e-6) << step;
    }
  }
  EXPECT_LT(distance(lazy.state(), state), 2 * distance(dense.state(), state) + 2e-6);
  lazy.model().settle();
  EXPECT_LT(distance(lazy.state(), state), 2 * distance(dense.state(), state) + 2e-6);
  EXPECT_LT(distance(dense.state(), state), 1e-3) << "the comparison is worth something";
  return putOff;
}

const std::vector<std::string> kAll = {kWeights}, kNone = {};

TEST(Untouched, LinearUpdatesWithDecayAndEverySchedule) {
  for (const vocab::Schedule &schedule : vocab::schedules())
    for (const char *optimizer : {"SGD", "Momentum", "Nesterov"}) {
      SCOPED_TRACE(std::string(optimizer) + ", " + std::string(schedule.name));
      EXPECT_EQ(compare(wideCase(optimizer, std::string(schedule.name), 0.05, 0)), kAll);
    }
}

TEST(Untouched, WithoutDecay) {
  for (const char *optimizer : {"Momentum", "Nesterov", "RMSProp", "AdaDelta"}) {
    SCOPED_TRACE(optimizer);
    EXPECT_EQ(compare(wideCase(optimizer, "", 0, 0)), kAll);
  }
  for (const char *optimizer : {"SGD", "AdaGrad"}) { // idle: there is nothing to put off
    SCOPED_TRACE(optimizer);
    EXPECT_EQ(compare(wideCase(optimizer, "", 0, 0)), kNone);
  }
}

TEST(Untouched, WhatIsNotLinearIsRefused) {
  for (const char *optimizer : {"AdaGrad", "RMSProp", "AdaDelta", "Adam"}) {
    SCOPED_TRACE(optimizer);
    EXPECT_EQ(compare(wideCase(optimizer, "", 0.05, 0)), kNone);
  }
  EXPECT_EQ(compare(wideCase("Adam", "", 0, 0)), kNone);
  for (const vocab::Optimizer &record : vocab::optimizers()) {
    SCOPED_TRACE(record.name);
    EXPECT_EQ(compare(wideCase(std::string(record.name), "", 0.05, 0.01)), kNone);
  }
}

/// Two states that drag each other along: linear, and in no table.
const vocab::Optimizer &coupled() {
  static const vocab::Optimizer record{
      .name = "PrivateCoupled",
      .states = {"v", "u"},
      .scalars = {{"Rate", vocab::formula([](const auto *a, const auto *p) { return a[0] / vocab::sqrt_(a[3]); })},
                  {"Mu", vocab::formula([](const auto *a, const auto *p) { return a[1]; })}},
      .update = vocab::formulas([](const auto *a, const auto *p, auto *out) {
        out[1] = p[1] * a[2] + 0.25 * (a[3] - a[2]) + p[0] * a[1];
        out[2] = a[3] * 0.5 + a[2] / (1 + p[1]);
        out[0] = a[0] + out[1] - 0.125 * out[2];
      })};
  return record;
}

TEST(Untouched, ARuleThatNoTableHolds) {
  EXPECT_EQ(compare(wideCase("", "", 0.05, 0,
                             [](frontend::Network &network) {
                               network.optimizer = {&coupled(), {}, {}};
                             })),
            kAll);
}

std::vector<double> bitsOf(const Program &program, Network &network, const Case &made, int threads) {
  Session session(program, made.tables, program.plan.training.optimizer, threads);
  EXPECT_EQ(session.putOff(), kAll);
  session.set(network.initialState(made.tables));
  std::vector<double> bits;
  for (int64_t step = 1; step <= 40; ++step)
    bits.push_back(session.train(stepOf(network, step), kStepsPerEpoch).regularization);
  session.model().settle();
  const reference::State state = session.state();
  for (const auto &[name, tensor] : state.parameters) {
    bits.insert(bits.end(), tensor.values.begin(), tensor.values.end());
    for (const reference::Tensor &one : state.states.at(name))
      bits.insert(bits.end(), one.values.begin(), one.values.end());
  }
  return bits;
}

TEST(Untouched, TheSameBitsWithAnyNumberOfThreads) {
  for (const char *optimizer : {"SGD", "Nesterov"}) {
    const Case made = wideCase(optimizer, "", 0.05, 0);
    Network network(made.json, "a test", made.adjust);
    std::map<std::string, Program> programs = compileSchedules(network, 0, {"single"});
    const Program &program = programs.begin()->second;
    const std::vector<double> one = bitsOf(program, network, made, 1);
    EXPECT_EQ(one, bitsOf(program, network, made, 2)) << optimizer;
    EXPECT_EQ(one, bitsOf(program, network, made, 3)) << optimizer;
  }
}
} // namespace
} // namespace sn::test
