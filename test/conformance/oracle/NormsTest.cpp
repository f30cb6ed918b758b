// Batch normalization, DeltaNorm and WeightNorm by their definitions (reference 1.5, 1.19, 1.21), in plain loops.
#include "dialects/Net/Net.h"
#include "test/conformance/oracle/Plain.h"
#include <cmath>
#include <gtest/gtest.h>

namespace sn::test::plain {
namespace {
const std::string kTraining =
    R"("ErrorFunction": "L2", "Training": {"Optimizer": "SGD", "Alpha": 0.3, "Lambda": 0, "Lambda1": 0}})";

std::string hidden(const std::string &keys, const std::string &outputKeys = "") {
  return R"({"Version": 0.9, "Layers": [
    {"Name": "I", "Kind": "Input", "N": "auto", "DataSet": "x"},
    {"Name": "H", "Kind": "Hidden", "N": 4, "Activation": "Tanh")" +
         keys + R"(},
    {"Name": "O", "Kind": "Output", "N": 3, "DataSet": "t", "Activation": "Linear")" +
         outputKeys + "}],\n" + kTraining;
}

Tables tables(uint64_t seed) {
  Random random(seed);
  Tables to;
  to["x"] = denseTable(random, 6, 5);
  to["t"] = denseTable(random, 6, 3);
  return to;
}

struct Statistics {
  Tensor mean{1, 4}, variance{1, 4}; // biased
};
Statistics statisticsOf(const Tensor &z) {
  Statistics to;
  double count = static_cast<double>(z.rows);
  for (int64_t unit = 0; unit < 4; ++unit) {
    for (int64_t row = 0; row < z.rows; ++row)
      to.mean(0, unit) += z(row, unit) / count;
    for (int64_t row = 0; row < z.rows; ++row)
      to.variance(0, unit) += std::pow(z(row, unit) - to.mean(0, unit), 2) / count;
  }
  return to;
}
Tensor inverseOf(const Tensor &variance) {
  return combined(variance, variance, [](double v, double) { return 1 / std::sqrt(v + 1e-5); });
}
Tensor normalized(const Step &step, const Tensor &z, const Tensor &mean, const Tensor &variance) {
  Tensor normal = times(minus(z, mean), inverseOf(variance));
  return plus(times(normal, step.at("H/scale")), step.at("H/shift"));
}
Tensor outputOf(const Step &step, const Tensor &y) {
  return plus(product(y, step.at("H->O/weights")), step.at("H->O/bias"));
}

/// The delta of the hidden layer is bounded behind batch normalization, in the order of backprop: activation, bound,
/// normalization. Data is shifted as images are.
TEST(BatchNormalization, ForwardGradientsAndRunningStatistics) {
  for (const std::string bound : {"", R"(, "DeltaNorm": 0.05)"}) {
    Tables data = tables(5);
    data["x"].inputOffset = -0.5;
    Step step(hidden(R"(, "BatchNormalization": true)" + bound), data);
    step.train();
    Tensor x = plus(step.input("x"), Tensor(1, 1, -0.5));
    Tensor z = plus(product(x, step.at("I->H/weights")), step.at("I->H/bias"));
    auto [mean, variance] = statisticsOf(z);
    Tensor inverse = inverseOf(variance), normal = times(minus(z, mean), inverse);
    Tensor h = tanhOf(normalized(step, z, mean, variance));
    Tensor delta = minus(outputOf(step, h), step.input("t"));
    EXPECT_NEAR(step.result.loss, halvedSquares(delta), 1e-6);

    Tensor g = throughTanh(product(delta, transposed(step.at("H->O/weights"))), h);
    if (!bound.empty())
      g = boundedRows(g, 0.05);
    step.expectGradient("H/shift", columnSums(g));
    step.expectGradient("H/scale", columnSums(times(g, normal)));
    // The closed form: scale / deviation (g - mean of g - normal times the mean of g normal).
    Tensor centred =
        minus(minus(g, scaled(columnSums(g), 0.25)), times(normal, scaled(columnSums(times(g, normal)), 0.25)));
    Tensor toZ = times(times(centred, inverse), step.at("H/scale"));
    step.expectGradient("I->H/weights", product(transposed(x), toZ));
    // The mean takes the bias away again: exactly, not but for rounding.
    EXPECT_EQ(step.result.gradients.at("I->H/bias").values, std::vector<double>(4, 0.0));
    EXPECT_FALSE(step.result.gradients.contains("H/running_mean"));
  }
}

TEST(BatchNormalization, RunningStatisticsAverageTheFirstStepsAndThenFade) {
  Step step(hidden(R"(, "BatchNormalization": true)"), tables(6));
  Tensor z = plus(product(step.input("x"), step.at("I->H/weights")), step.at("I->H/bias"));
  auto [mean, variance] = statisticsOf(z);
  for (auto [index, rate] : {std::pair{1, 1.0}, {2, 0.5}, {10, 0.1}, {40, 0.1}}) {
    step.run.step = index;
    step.train();
    const Tensor &oldMean = step.at("H/running_mean"), &oldVariance = step.at("H/running_variance");
    step.expectAfter("H/running_mean", plus(oldMean, scaled(minus(mean, oldMean), rate)));
    step.expectAfter("H/running_variance",
                     plus(oldVariance, scaled(minus(scaled(variance, 4.0 / 3), oldVariance), rate)));
  }
}

TEST(BatchNormalization, OneExampleHasNoVariance) {
  Step step(hidden(R"(, "BatchNormalization": true)"), tables(6), {4});
  step.train();
  step.expectAfter("H/running_variance", Tensor(1, 4));
  EXPECT_TRUE(std::isfinite(step.result.loss));
}

TEST(BatchNormalization, EvaluationAndPredictionUseTheRunningStatistics) {
  Step step(hidden(R"(, "BatchNormalization": true)"), tables(7));
  Tensor z = plus(product(step.input("x"), step.at("I->H/weights")), step.at("I->H/bias"));
  Tensor y = outputOf(step, tanhOf(normalized(step, z, step.at("H/running_mean"), step.at("H/running_variance"))));
  mlir::ModuleOp net = step.network.differentiated();
  reference::Result evaluated = reference::interpret(net, "evaluate", step.tables, step.state, step.run);
  EXPECT_NEAR(evaluated.loss, halvedSquares(minus(y, step.input("t"))), 1e-6);
  EXPECT_EQ(evaluated.after.parameters.at("H/running_mean").values, step.at("H/running_mean").values);
  reference::Result predicted = reference::interpret(net, "predict", step.tables, step.state, step.run);
  expectNear(predicted.scores.at("O"), y, "scores");
}

TEST(BatchNormalization, StartsAsTheIdentity) {
  Network network(hidden(R"(, "BatchNormalization": true)"));
  reference::State state = network.initialState(tables(7));
  for (auto [name, value] :
       {std::pair{"H/scale", 1.0}, {"H/shift", 0.0}, {"H/running_mean", 0.0}, {"H/running_variance", 1.0}})
    EXPECT_EQ(state.parameters.at(name).values, std::vector<double>(4, value)) << name;
  EXPECT_TRUE(state.states.contains("H/scale"));
  EXPECT_FALSE(state.states.contains("H/running_mean"));
  EXPECT_FALSE(network.forward().lookupSymbol<net::ParameterOp>("H/scale").getDecays());
}

TEST(DeltaNorm, BoundsHiddenAndOutputDeltas) {
  Step step(hidden(R"(, "DeltaNorm": 0.1)", R"(, "DeltaNorm": 0.4)"), tables(8));
  step.train();
  Tensor x = step.input("x");
  Tensor h = tanhOf(plus(product(x, step.at("I->H/weights")), step.at("I->H/bias")));
  Tensor raw = minus(outputOf(step, h), step.input("t")), delta = boundedRows(raw, 0.4);
  ASSERT_NE(raw.values, delta.values);
  EXPECT_NEAR(step.result.loss, halvedSquares(raw), 1e-6); // the loss is what it was
  step.expectGradient("H->O/weights", product(transposed(h), delta));
  Tensor inner = throughTanh(product(delta, transposed(step.at("H->O/weights"))), h);
  Tensor bounded = boundedRows(inner, 0.1);
  ASSERT_NE(inner.values, bounded.values);
  step.expectGradient("I->H/weights", product(transposed(x), bounded));
  step.expectGradient("I->H/bias", columnSums(bounded));
}

/// Behind a stated delta, and one that goes through the activation.
TEST(DeltaNorm, BoundsTheDeltaOfThePreActivation) {
  for (const char *loss : {"CrossEntropy", "L2"}) {
    std::string json = R"({"Version": 0.9, "Layers": [{"Name": "I", "Kind": "Input", "N": "auto", "DataSet": "x"},
      {"Name": "O", "Kind": "Output", "N": 3, "DataSet": "t", "Activation": "Sigmoid", "DeltaNorm": 0.05}],
      "ErrorFunction": ")" +
                       std::string(loss) + R"("})";
    Random random(9);
    Step step(json, {{"x", denseTable(random, 6, 5)}, {"t", sparseTable(random, 6, 3, true)}});
    step.train();
    Tensor x = step.input("x"), z = plus(product(x, step.at("I->O/weights")), step.at("I->O/bias"));
    bool squares = std::string(loss) == "L2";
    Tensor delta = combined(z, step.input("t"), [&](double v, double t) {
      double y = 1 / (1 + std::exp(-v));
      return (y - t) * (squares ? y * (1 - y) : 1);
    });
    step.expectGradient("I->O/weights", product(transposed(x), boundedRows(delta, 0.05)));
  }
}

TEST(WeightNorm, BoundsTheIncomingWeightsOfEveryUnitAfterTheUpdate) {
  Step step(hidden(R"(, "WeightNorm": 0.4)", R"(, "WeightNorm": 100)"), tables(10));
  step.train();
  auto stepped = [&](const std::string &name) {
    return minus(step.at(name), scaled(step.result.gradients.at(name), 0.3 / 4));
  };
  Tensor free = stepped("I->H/weights"), bounded = boundedColumns(free, 0.4);
  ASSERT_NE(free.values, bounded.values);
  step.expectAfter("I->H/weights", bounded);
  step.expectAfter("I->H/bias", stepped("I->H/bias"));
  step.expectAfter("H->O/weights", stepped("H->O/weights"));
}
} // namespace
} // namespace sn::test::plain
