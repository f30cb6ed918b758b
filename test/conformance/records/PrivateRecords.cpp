// Openness: records that no table holds compile, train under every schedule and equal the oracle. Nothing but the
// record is written for them.
#include "test/conformance/records/Tiny.h"
#include <algorithm>
#include <gtest/gtest.h>

namespace sn::test {
namespace {
using vocab::abs_, vocab::exp_, vocab::log1p_, vocab::max_, vocab::sqrt_, vocab::formula;
using vocab::formulas;

/// log(1 + e^x), without a stated derivative.
const vocab::Activation &softplus() {
  static const vocab::Activation record{.name = "PrivateSoftplus", .forward = formula([](const auto *a, const auto *p) {
                                                                     return max_(a[0], decltype(a[0] * 1)(0)) +
                                                                            log1p_(exp_(-abs_(a[0])));
                                                                   })};
  return record;
}
/// x / sqrt(1 + p x^2), scaled by a parameter.
const vocab::Activation &squash() {
  static const vocab::Activation record{
      .name = "PrivateSquash",
      .params = {{.name = "p", .byDefault = 0.5}},
      .forward = formula([](const auto *a, const auto *p) { return a[0] / sqrt_(1 + p[0] * a[0] * a[0]); })};
  return record;
}
/// sqrt(1 + (y - t)^2) - 1: a smooth absolute error.
const vocab::Loss &smoothAbsolute() {
  static const vocab::Loss record{
      .name = "PrivateSmoothAbsolute",
      .value = formula([](const auto *a, const auto *p) { return sqrt_(1 + (a[0] - a[1]) * (a[0] - a[1])) - 1; })};
  return record;
}
/// Two states and a host scalar: v = mu v + g, u = u/2 + g^2; w += alpha v / (1 + u).
const vocab::Optimizer &damped() {
  static const vocab::Optimizer record{
      .name = "PrivateDamped",
      .states = {"v", "u"},
      .scalars = {{"Rate", formula([](const auto *a, const auto *p) { return a[0] / sqrt_(a[3]); })},
                  {"Mu", formula([](const auto *a, const auto *p) { return a[1]; })}},
      .update = formulas([](const auto *a, const auto *p, auto *out) {
        out[1] = p[1] * a[2] + a[1];
        out[2] = a[3] * 0.5 + a[1] * a[1];
        out[0] = a[0] + p[0] * out[1] / (1 + out[2]);
      })};
  return record;
}

/// Uniform on 0.05 to 0.05 + 3 Scale / (nin + 2 nout).
const vocab::Initializer &tilted() {
  static const vocab::Initializer record{
      .name = "PrivateTilted",
      .draw = "uniform",
      .scale = formula([](const auto *a, const auto *p) { return 3 * a[2] / (a[0] + 2 * a[1]); }),
      .shift = formula([](const auto *a, const auto *p) { return 0.05 + 0 * a[2]; })};
  return record;
}
/// Alpha / sqrt(Step), at least Alpha / 4.
const vocab::Schedule &rootOfTime() {
  static const vocab::Schedule record{
      .name = "PrivateRootOfTime",
      .params = {{.name = "Least", .byDefault = 0.25, .key = "Least"}},
      .rate = formula([](const auto *a, const auto *p) { return a[0] * max_(p[0], 1 / sqrt_(a[1])); })};
  return record;
}
/// The mean of neighbouring sources: x + (y - x) / 2, folded.
const vocab::Pooling &blend() {
  static const vocab::Pooling record{
      .name = "PrivateBlend", .fold = formula([](const auto *a, const auto *p) { return a[0] + (a[1] - a[0]) * 0.5; })};
  return record;
}
/// 1 / (1 + the squared distance).
const vocab::Pooling &nearness() {
  static const vocab::Pooling record{
      .name = "PrivateNearness",
      .products = {formula([](const auto *a, const auto *p) { return (a[0] - a[1]) * (a[0] - a[1]); })},
      .value = formula([](const auto *a, const auto *p) { return 1 / (1 + a[0]); })};
  return record;
}

TEST(PrivateRecords, Activations) {
  for (const vocab::Activation *record : {&softplus(), &squash()}) {
    SCOPED_TRACE(record->name);
    Case made = tinyCase({.denoising = 0.2});
    made.adjust = [&](frontend::Network &network) {
      for (frontend::Layer &layer : network.layers)
        if (layer.kind == frontend::LayerKind::Hidden)
          layer.activation = {record, {}, {}};
      for (frontend::Layer &layer : network.layers)
        for (const vocab::Param &param : record->params)
          if (layer.kind == frontend::LayerKind::Hidden)
            layer.activation.params.push_back(param.byDefault);
    };
    checkNetwork(made);
  }
}

TEST(PrivateRecords, LossBehindAPrivateActivationForEachStorage) {
  for (Storage storage : kStorages) {
    Case made = tinyCase({.target = storage});
    made.adjust = [](frontend::Network &network) {
      network.loss = {&smoothAbsolute(), {}, {}};
      network.layers.back().activation = {&softplus(), {}, {}};
    };
    checkNetwork(made);
  }
}

TEST(PrivateRecords, Optimizer) {
  Case made = tinyCase({.lambda1 = 0.002});
  made.adjust = [](frontend::Network &network) { network.optimizer = {&damped(), {}, {}}; };
  checkNetwork(made);
}

TEST(PrivateRecords, Schedule) {
  Case made = tinyCase({});
  made.adjust = [](frontend::Network &network) { network.schedule = {&rootOfTime(), {0.25}, {}}; };
  checkNetwork(made);
}

TEST(PrivateRecords, Poolings) {
  for (const vocab::Pooling *record : {&blend(), &nearness()}) {
    SCOPED_TRACE(record->name);
    // Widths are those of the record that stands in the text: as a fold's, and one less than sources.
    const vocab::Pooling *like = nullptr;
    for (const vocab::Pooling &known : vocab::poolings())
      if (static_cast<bool>(known.fold) == static_cast<bool>(record->fold))
        like = &known;
    ASSERT_NE(like, nullptr);
    Case made = tinyCase({});
    Json network = Json::parse(made.json);
    Json tower{{"Kind", "Hidden"}, {"N", 5}, {"Source", "In"}};
    Json layers = Json::array({network["Layers"][0]});
    for (const char *name : {"A", "B", "C"}) {
      tower["Name"] = name;
      layers.push_back(tower);
    }
    layers.push_back(Json{{"Kind", "Hidden"},
                          {"Type", "Pooling"},
                          {"Function", std::string(like->name)},
                          {"Name", "Pool"},
                          {"Source", {"A", "B", "C"}}});
    layers.push_back(network["Layers"][2]);
    layers.back()["Source"] = "Pool";
    network["Layers"] = layers;
    made.json = network.dump(2);
    made.adjust = [&](frontend::Network &read) {
      for (frontend::Layer &layer : read.layers)
        if (layer.type == frontend::LayerType::Pooling)
          layer.pooling.record = record;
    };
    checkNetwork(made);
  }
}

/// A network of nothing but private records.
Case privateCase() {
  Case made = tinyCase({.target = Storage::Dense});
  made.adjust = [](frontend::Network &network) {
    for (frontend::Layer &layer : network.layers)
      if (layer.kind != frontend::LayerKind::Input) {
        layer.activation = {&squash(), {0.5}, {}};
        layer.weightInit = {&tilted(), {}, {}};
      }
    network.loss = {&smoothAbsolute(), {}, {}};
    network.optimizer = {&damped(), {}, {}};
    network.schedule = {&rootOfTime(), {0.25}, {}};
  };
  return made;
}

TEST(PrivateRecords, AllTogetherEqualTheOracle) { checkNetwork(privateCase()); }

// What the runtime draws is what the oracle draws, and lies where the formulas say.
TEST(PrivateRecords, Initializer) {
  Case made = privateCase();
  Network network(made.json, "a test", made.adjust);
  std::map<std::string, Program> programs = compileSchedules(network, 0);
  const Program &program = programs.begin()->second;
  Session session(program, made.tables, program.plan.training.optimizer);
  session.model().initialize(program.plan.training.seed);
  reference::State drawn = session.state(), oracle = network.initialState(made.tables);
  for (const auto &[name, nin, nout] : {std::tuple("In->Hidden/weights", 11, 6), {"Hidden->Out/weights", 6, 13}}) {
    const std::vector<double> &values = drawn.parameters.at(name).values;
    double width = 3 * 0.4 / (nin + 2 * nout); // the tiny networks' Scale
    for (size_t i = 0; i < values.size(); ++i) {
      EXPECT_NEAR(values[i], oracle.parameters.at(name).values[i], 1e-7);
      EXPECT_TRUE(values[i] > 0.05 - 1e-6 && values[i] < 0.05 + width + 1e-6) << values[i];
    }
    auto [least, most] = std::minmax_element(values.begin(), values.end());
    EXPECT_GT(*most - *least, width / 2);
  }
}

// Compiled, initialised and trained by the runtime alone: the loss falls far.
TEST(PrivateRecords, TrainEndToEnd) {
  Case made = privateCase();
  auto records = made.adjust;
  made.adjust = [records](frontend::Network &network) {
    records(network);
    network.hyper["Alpha"] = 4;
    network.hyper["Lambda"] = 0;
  };
  Network network(made.json, "a test", made.adjust);
  for (const auto &[schedule, program] : compileSchedules(network, 1)) {
    SCOPED_TRACE(schedule);
    Session session(program, made.tables, program.plan.training.optimizer);
    session.model().initialize(program.plan.training.seed);
    reference::Run all = network.run({0, 1, 2, 3, 4, 5}, 1, 1, 1);
    double before = session.evaluate(all);
    for (int64_t step = 1; step <= 400; ++step)
      session.train(network.run(all.ids, step, step, 1), 1);
    double after = session.evaluate(all);
    EXPECT_TRUE(after < 0.5 * before) << before << " to " << after;
  }
}
} // namespace
} // namespace sn::test
