// DeltaBoost (reference 1.15, T-68) and what "Compatibility": "dsstne" changes (T-35, T-38, T-39, T-62).
#include "dialects/Net/Net.h"
#include "test/conformance/oracle/Plain.h"
#include <cmath>
#include <gtest/gtest.h>

namespace sn::test::plain {
namespace {
/// Of one example: the bias's gradient is the delta.
Tensor deltaOf(const std::string &loss, const std::string &activation, const DataTable &target,
               std::pair<double, double> boost) {
  std::string json = R"({"Version": 0.9, "Layers": [{"Name": "I", "Kind": "Input", "N": "auto", "DataSet": "x"},
    {"Name": "O", "Kind": "Output", "N": 6, "DataSet": "t", "Activation": ")" +
                     activation + R"("}], "ErrorFunction": ")" + loss + "\"}";
  Random random(11);
  Step step(json, {{"x", denseTable(random, 3, 5)}, {"t", target}}, {1},
            [&](frontend::Network &spec) { // the reader refuses what has no effect
              spec.boostOne = boost.first, spec.boostZero = boost.second;
            });
  step.train();
  return step.result.gradients.at("I->O/bias");
}

enum class Target { Dense, Binary, Analog };
struct BoostCase {
  std::string loss, activation;
  Target target;
  double stored, other; // factors expected of "one" 3 and "zero" 0.5
};

TEST(DeltaBoost, MultipliesTheDeltasTheReferenceLists) {
  for (const BoostCase &c : std::vector<BoostCase>{{"L1", "Linear", Target::Binary, 3, 0.5},
                                                   {"L1", "Tanh", Target::Analog, 3, 0.5},
                                                   {"L1", "Linear", Target::Dense, 1, 1},
                                                   {"L2", "Sigmoid", Target::Binary, 3, 0.5},
                                                   {"L2", "Sigmoid", Target::Analog, 3, 0.5},
                                                   {"L2", "Linear", Target::Binary, 1, 1},
                                                   {"L2", "Linear", Target::Analog, 3, 1},
                                                   {"L2", "Sigmoid", Target::Dense, 1, 1},
                                                   {"CrossEntropy", "Sigmoid", Target::Binary, 3, 0.5},
                                                   {"CrossEntropy", "SoftMax", Target::Binary, 1, 1},
                                                   {"ScaledMarginalCrossEntropy", "Sigmoid", Target::Binary, 1, 1}}) {
    Random random(12);
    DataTable target =
        c.target == Target::Dense ? denseTable(random, 3, 6) : sparseTable(random, 3, 6, c.target == Target::Binary);
    Tensor plain = deltaOf(c.loss, c.activation, target, {1, 1});
    Tensor boosted = deltaOf(c.loss, c.activation, target, {3, 0.5});
    for (int64_t unit = 0; unit < 6; ++unit)
      EXPECT_NEAR(boosted(0, unit), plain(0, unit) * (target.isStored(1, unit) ? c.stored : c.other), 1e-6)
          << c.loss << " " << c.activation << " unit " << unit;
  }
}

TEST(DeltaBoost, LeavesTheLossAlone) {
  Random random(12);
  Tables tables{{"x", denseTable(random, 3, 5)}, {"t", sparseTable(random, 3, 6, true)}};
  auto loss = [&](const std::string &more) {
    Step step(R"({"Version": 0.9, "Layers": [{"Name": "I", "Kind": "Input", "N": "auto", "DataSet": "x"},
      {"Name": "O", "Kind": "Output", "N": 6, "DataSet": "t"}])" +
                  more + "}",
              tables, {0, 2});
    step.train();
    return step.result.loss;
  };
  EXPECT_EQ(loss(""), loss(R"(, "DeltaBoost": {"one": 3, "zero": 0.5})"));
}

const std::string kTwoLayers = R"({"Version": 0.9, "Layers": [
    {"Name": "I", "Kind": "Input", "N": "auto", "DataSet": "x", "Sparse": true},
    {"Name": "H", "Kind": "Hidden", "N": 4, "Sparse": true, "pDropout": 0.25, "BatchNormalization": true, "DeltaNorm": 0.1,
     "WeightInit": {"Scheme": "Constant", "Scale": 0.25}},
    {"Name": "O", "Kind": "Output", "N": 6, "DataSet": "t"}], "Denoising": {"p": 0.2}, "SparsenessPenalty": {"p": 0.1, "beta": 1},
    "WeightsData": "before.sncw", "Training": {"Optimizer": "Adam", "Alpha": 0.1, "Mu": 0.9, "Mu1": 0.99, "Lambda": 0})";

TEST(Compatibility, ConstantIsNegativeAndAdamsExponentIsOneMore) {
  Random random(13);
  Tables tables{{"x", sparseTable(random, 6, 5, true)}, {"t", sparseTable(random, 6, 6, true)}};
  for (bool dsstne : {false, true}) {
    std::string json = kTwoLayers + (dsstne ? R"(, "Compatibility": "dsstne"})" : "}");
    Step step(json, tables);
    EXPECT_EQ(step.network.initialState(tables).parameters.at("I->H/weights").values[3], dsstne ? -0.25 : 0.25);
    for (int64_t index = 1; index <= 2; ++index) {
      step.run.step = index;
      step.train();
      double exponent = static_cast<double>(index) + (dsstne ? 1 : 0),
             descent = -step.result.gradients.at("H->O/bias")(0, 2) / 4;
      const std::vector<Tensor> &old = step.state.states.at("H->O/bias");
      double m = 0.9 * old[0](0, 2) + 0.1 * descent, s = 0.99 * old[1](0, 2) + 0.01 * descent * descent;
      double moved = 0.1 * (m / (1 - std::pow(0.9, exponent))) / (std::sqrt(s / (1 - std::pow(0.99, exponent))) + 1e-8);
      EXPECT_NEAR(step.result.after.parameters.at("H->O/bias")(0, 2), step.at("H->O/bias")(0, 2) + moved, 1e-6);
      step.state = step.result.after;
    }
  }
}

TEST(Compatibility, TheTrialIsTheTrainingStepsLossAndNothingElse) {
  Random random(14);
  Tables tables{{"x", sparseTable(random, 6, 5, true)}, {"t", sparseTable(random, 6, 6, true)}};
  Step step(kTwoLayers + R"(, "Compatibility": "dsstne"})", tables);
  step.train();
  reference::Result trial = reference::interpret(step.network.differentiated(), "trial", tables, step.state, step.run);
  EXPECT_EQ(trial.loss, step.result.loss); // the same masks, the same statistics
  for (const auto &[name, tensor] : trial.after.parameters)
    EXPECT_EQ(tensor.values, step.at(name).values) << name;
  EXPECT_FALSE(net::findEntry(Network(kTwoLayers + "}").forward(), "trial"));
}

TEST(Compatibility, TheTrainingAttributeSaysWhatTheRunMustDo) {
  for (bool dsstne : {false, true}) {
    Network network(kTwoLayers + (dsstne ? R"(, "Compatibility": "dsstne"})" : "}"));
    auto training = network.forward()->getAttrOfType<mlir::DictionaryAttr>("net.training");
    EXPECT_EQ(training.getAs<mlir::BoolAttr>("clear_state").getValue(), dsstne);
    EXPECT_EQ(training.getAs<mlir::BoolAttr>("brake").getValue(), dsstne);
    EXPECT_EQ(training.getAs<mlir::StringAttr>("weights").getValue(), "before.sncw");
  }
}

/// T-30: kept units become A y + C and dropped ones A d + C, with mean and variance kept.
TEST(AlphaDropout, ReplacesDroppedUnits) {
  const std::string json = R"({"Version": 0.9, "Layers": [{"Name": "I", "Kind": "Input", "N": "auto", "DataSet": "x"},
    {"Name": "H", "Kind": "Hidden", "N": 40, "Activation": "SELU", "SELULambda": 1.5, "ELUAlpha": 2)";
  const std::string rest = R"(}, {"Name": "O", "Kind": "Output", "N": 40, "DataSet": "t", "Activation": "Linear"}],
    "ErrorFunction": "L1"})";
  Random random(15);
  Tables tables{{"x", denseTable(random, 6, 5)}, {"t", denseTable(random, 6, 40)}};
  for (double &value : tables["t"].values.values)
    value = -1000; // the loss is then the sum of all outputs, up to a constant
  const double p = 0.3, d = -3, a = 1 / std::sqrt(0.7 + d * d * p * 0.7), c = -a * p * d;
  for (int64_t unit : {0, 7, 21}) {
    auto outputSum = [&](const std::string &more, int64_t only) {
      Step step(json + more + rest, tables, {4});
      Tensor &w = step.state.parameters.at("H->O/weights");
      w = Tensor(40, 40);
      w(only, 0) = 1;
      step.state.parameters.at("H->O/bias") = Tensor(1, 40);
      step.train();
      return step.result.loss - 40000;
    };
    double y = outputSum("", unit), dropped = outputSum(R"(, "pDropout": 0.3)", unit);
    EXPECT_TRUE(std::abs(dropped - (a * y + c)) < 1e-5 || std::abs(dropped - (a * d + c)) < 1e-5)
        << "unit " << unit << ": " << dropped << " of " << y;
  }
}
} // namespace
} // namespace sn::test::plain
