// Initial values drawn by the runtime: the oracle's numbers, and the distribution the record states.
#include "test/conformance/records/Tiny.h"
#include <cmath>
#include <gtest/gtest.h>

namespace sn::test {
namespace {
constexpr int64_t kIn = 210, kOut = 131;

reference::State drawn(const vocab::Initializer &record, uint64_t seed, double scale,
                       reference::State *oracle = nullptr, bool dsstne = false) {
  Json layer{{"Kind", "Output"}, {"Name", "Out"}, {"N", kOut}, {"DataSet", "t"}};
  layer["WeightInit"] = {{"Scheme", std::string(record.name)}, {"Scale", scale}, {"Bias", -0.75}};
  Network network(Json{{"Version", 0.9},
                       {"Compatibility", dsstne ? "dsstne" : "none"},
                       {"Layers", {Json{{"Kind", "Input"}, {"Name", "In"}, {"N", kIn}, {"DataSet", "x"}}, layer}},
                       {"Training", {{"Seed", seed}}}}
                      .dump());
  Tables tables;
  tables["x"].values = reference::Tensor(1, kIn);
  tables["t"].values = reference::Tensor(1, kOut);
  std::map<std::string, Program> programs = compileSchedules(network, 0);
  const Program &program = programs.begin()->second;
  Session session(program, tables, program.plan.training.optimizer);
  session.model().initialize(seed);
  if (oracle)
    *oracle = network.initialState(tables);
  return session.state();
}

// What is shifted elsewhere under "Compatibility": "dsstne" is drawn alike (T-35).
TEST(Initial, ShiftsOfDsstne) {
  for (const vocab::Initializer &record : vocab::initializers()) {
    SCOPED_TRACE(record.name);
    constexpr double kScale = 0.8;
    reference::State oracle, ours = drawn(record, 7, kScale), theirs = drawn(record, 7, kScale, &oracle, true);
    double shift = 0;
    if (record.dsstneShift)
      shift = record.dsstneShift({kIn, kOut, kScale}) - record.shift({kIn, kOut, kScale});
    const std::vector<double> &a = ours.parameters.at("In->Out/weights").values;
    const std::vector<double> &b = theirs.parameters.at("In->Out/weights").values;
    for (size_t i = 0; i < a.size(); ++i) {
      EXPECT_NEAR(b[i] - a[i], shift, 1e-6);
      EXPECT_NEAR(b[i], oracle.parameters.at("In->Out/weights").values[i], 1e-6);
    }
  }
}

TEST(Initial, ValuesAndDistribution) {
  for (const vocab::Initializer &record : vocab::initializers()) {
    SCOPED_TRACE(record.name);
    constexpr double kScale = 0.8;
    reference::State oracle, state = drawn(record, 7, kScale, &oracle);
    double scale = record.scale({kIn, kOut, kScale}), shift = record.shift({kIn, kOut, kScale});
    bool uniform = record.draw == "uniform", normal = record.draw == "normal";
    const std::vector<double> &weights = state.parameters.at("In->Out/weights").values;
    ASSERT_EQ(weights.size(), static_cast<size_t>(kIn * kOut));
    double mean = 0, square = 0, inside = 0;
    for (size_t i = 0; i < weights.size(); ++i) {
      EXPECT_NEAR(weights[i], oracle.parameters.at("In->Out/weights").values[i], 1e-7 * std::abs(scale));
      double draw = scale != 0 ? (weights[i] - shift) / scale : weights[i] - shift;
      mean += draw / static_cast<double>(weights.size());
      square += draw * draw / static_cast<double>(weights.size());
      inside += std::abs(draw) < 1 ? 1 / static_cast<double>(weights.size()) : 0;
      if (uniform)
        ASSERT_TRUE(draw > -1e-5 && draw < 1 + 1e-5) << draw;
    }
    // Five standard errors of the mean of as many draws.
    double error = 5 / std::sqrt(static_cast<double>(weights.size())), deviation = std::sqrt(square - mean * mean);
    EXPECT_NEAR(mean, uniform ? 0.5 : 0, normal ? error : uniform ? 0.29 * error : 1e-6);
    EXPECT_NEAR(deviation, uniform ? std::sqrt(1.0 / 12) : normal ? 1 : 0, uniform || normal ? error : 1e-6);
    if (normal)
      EXPECT_NEAR(inside, 0.6827, error);
    for (double bias : state.parameters.at("In->Out/bias").values)
      EXPECT_EQ(bias, -0.75);
    EXPECT_EQ(state.parameters.at("In->Out/weights").values,
              drawn(record, 7, kScale).parameters.at("In->Out/weights").values);
    if (uniform || normal)
      EXPECT_NE(state.parameters.at("In->Out/weights").values,
                drawn(record, 8, kScale).parameters.at("In->Out/weights").values);
  }
}
} // namespace
} // namespace sn::test
