// Every record in a tiny network that is compiled, trained on the CPU under every schedule and compared with the
// oracle.
#include "test/conformance/records/RecordCases.h"
#include <cmath>
#include <gtest/gtest.h>

namespace sn::test {
namespace {
TEST(Training, HiddenActivations) { checkNetworks(hiddenActivationCases()); }
TEST(Training, LossesBehindActivationsForEachStorage) { checkNetworks(lossCases()); }
TEST(Training, InputsOfEachStorage) { checkNetworks(inputCases()); }
TEST(Training, Optimizers) { checkNetworks(optimizerCases()); }
TEST(Training, Initializers) { checkNetworks(initializerCases()); }
TEST(Training, Schedules) { checkNetworks(scheduleCases()); }

/// Three pooled sources of constant weights.
Case pooledCase(const vocab::Pooling &record, double first, double second, double bias, const std::string &activation) {
  Case made = tinyCase({.loss = anyLoss()});
  Json network = Json::parse(made.json), layers = Json::array({network["Layers"][0]});
  for (auto [name, value] : {std::pair("A", first), {"B", second}, {"C", 0.3}})
    layers.push_back(Json{{"Kind", "Hidden"},
                          {"Name", name},
                          {"N", 5},
                          {"Source", "In"},
                          {"Activation", activation},
                          {"WeightInit", {{"Scheme", "Constant"}, {"Scale", value}, {"Bias", bias}}}});
  layers.push_back(Json{{"Kind", "Hidden"},
                        {"Type", "Pooling"},
                        {"Function", std::string(record.name)},
                        {"Name", "Pool"},
                        {"Source", {"A", "B", "C"}}});
  layers.push_back(network["Layers"][2]);
  layers.back()["Source"] = "Pool";
  network["Layers"] = layers;
  made.json = network.dump(2);
  return made;
}

// In float, through the runtime: vectors of zeros have finite values and gradients.
TEST(Training, PoolingsOfZeroVectors) {
  for (const vocab::Pooling &record : vocab::poolings())
    for (auto [first, second, bias] :
         {std::tuple(0.0, 0.0, 0.0), {0.0, 0.5, 0.0}, {0.5, 0.0, 0.0}, {1.0, 1.0, -50.0}}) {
      SCOPED_TRACE(std::string(record.name) + " of " + std::to_string(first) + " and " + std::to_string(second));
      Case made = pooledCase(record, first, second, bias, bias < 0 ? "Relu" : "Linear");
      Network network(made.json);
      for (const auto &[schedule, program] : compileSchedules(network, 2, {kSchedules[0]})) {
        Session session(program, made.tables, program.plan.training.optimizer);
        session.model().initialize(1);
        EXPECT_TRUE(std::isfinite(session.train(network.run(made.batches[0], 1, 1, 3), 3).reports.at("loss")));
        for (const auto &[name, tensor] : session.state().parameters)
          for (double value : tensor.values)
            ASSERT_TRUE(std::isfinite(value)) << name << " " << schedule;
      }
    }
}

/// The host's scalars by the record's formulas; `dsstne`: with those of "Compatibility": "dsstne".
std::vector<double> scalarsOf(const vocab::Optimizer &record, bool dsstne, const reference::Run &run) {
  std::vector<double> scalars;
  auto at = [&](const vocab::Formula &formula) {
    return formula({run.hyper.at("Alpha"), run.hyper.at("Mu"), run.hyper.at("Mu1"), static_cast<double>(run.step)});
  };
  for (const auto &[name, formula] : record.scalars) {
    scalars.push_back(at(formula));
    for (const auto &[other, instead] : record.dsstneScalars)
      if (dsstne && other == name)
        scalars.back() = at(instead);
  }
  return scalars;
}

/// Three steps of the oracle's update against the record's formulas, on gradients that the oracle computes.
void expectUpdateRule(const vocab::Optimizer &record, bool dsstne) {
  Case made = tinyCase({.optimizer = std::string(record.name), .lambda1 = 0.002, .dsstne = dsstne});
  Network network(made.json);
  reference::State state = network.initialState(made.tables);
  for (int64_t step = 1; step <= 3; ++step) {
    reference::Run run = network.run(made.batches[static_cast<size_t>(step - 1)], step, 1, 3);
    reference::Result result = reference::interpret(network.differentiated(), "train", made.tables, state, run);
    std::vector<double> scalars = scalarsOf(record, dsstne, run),
                        decay{run.hyper.at("Lambda"), run.hyper.at("Lambda1")};
    for (const auto &[name, tensor] : state.parameters)
      for (size_t i = 0; i < tensor.values.size(); ++i) {
        double w = tensor.values[i], g = -result.gradients.at(name).values[i] / static_cast<double>(run.ids.size());
        bool isBias = name.ends_with("/bias");
        std::vector<double> in{w, isBias ? g : vocab::decayed()({w, g}, decay.data())}, out(1 + record.states.size());
        for (const reference::Tensor &own : state.states.at(name))
          in.push_back(own.values[i]);
        record.update.value(in.data(), scalars.data(), out.data());
        double tolerance = 1e-6 * std::max(std::abs(out[0] - w), 1e-9);
        EXPECT_NEAR(result.after.parameters.at(name).values[i], out[0], tolerance) << record.name << " " << name;
        for (size_t s = 0; s < record.states.size(); ++s)
          EXPECT_NEAR(result.after.states.at(name)[s].values[i], out[1 + s], 1e-6 * std::abs(out[1 + s]) + 1e-12)
              << record.name << " " << name;
      }
    state = result.after;
  }
}

TEST(Training, UpdateRulesInPlainDouble) {
  for (const vocab::Optimizer &record : vocab::optimizers()) {
    expectUpdateRule(record, false);
    if (!record.dsstneScalars.empty())
      expectUpdateRule(record, true);
  }
}
} // namespace
} // namespace sn::test
