// csr_gather, expand and csc_update: data sources in all their loader kinds.
#include "test/unit/kernels/Rig.h"

namespace sn::test {
namespace {
struct Case {
  int64_t rows = 5, features = 300, units = 33;
  std::string layout = "rows";
  Loader loader = Loader::CsrBinary;
  std::vector<plan::Corruption> corruption = {};
  bool transposed = false;
  Form form = {};
  std::string name() const {
    return fmt::format("rows {} features {} units {} layout {} loader {} masks {} transposed {} {}", rows, features,
                       units, layout, static_cast<int>(loader), corruption.size(), transposed, nameOf(form));
  }
};

struct Problem {
  static constexpr int64_t kDataRows = 50;
  Case at;
  TestData data;
  std::vector<int64_t> ids;
  std::vector<float> weights, bias, delta;

  explicit Problem(const Case &at)
      : at(at), data(kDataRows, at.features, at.features < 10 ? 0.5 : 0.1, 11, at.form),
        ids(someRows(at.rows, kDataRows)), weights(randomValues(at.features * at.units, 12)),
        bias(randomValues(at.units, 13)), delta(randomValues(at.rows * at.units, 14)) {}

  /// v m of an example
  double entry(int64_t example, int64_t feature) const {
    double v = data.input(at.loader, example, feature);
    for (const plan::Corruption &corruption : at.corruption)
      v *= maskOf(corruption.stream, example, feature, corruption.p);
    return v;
  }
  size_t weightIndex(int64_t feature, int64_t unit) const {
    return static_cast<size_t>(at.transposed ? unit * at.features + feature : feature * at.units + unit);
  }
};

std::unique_ptr<Rig> makeRig(const Problem &p, int threads, int states = 0) {
  const Case &at = p.at;
  auto rig = std::make_unique<Rig>(threads);
  rig->memory.data["input"] = p.data.view(at.loader);
  if (at.transposed)
    rig->parameter("W", at.units, at.features, at.layout, p.weights, states);
  else
    rig->parameter("W", at.features, at.units, at.layout, p.weights, states);
  plan::Source source = rig->source("input", "W", "", at.transposed);
  source.data = true;
  source.corruption = at.corruption;
  rig->step.sources = {source};
  rig->step.columns.value = at.units;
  return rig;
}

std::unique_ptr<Rig> gatherRig(const Problem &p, int threads) {
  auto rig = makeRig(p, threads);
  rig->step.kernel = "csr_gather";
  rig->parameter("b", 1, p.at.units, "rows", p.bias);
  rig->buffer("y", std::vector<float>(static_cast<size_t>(p.at.rows * p.at.units), 9));
  rig->step.slots["epilogue"] =
      use("addBias", {arg(Role::Accumulator), arg(Role::Column, "b")}, {arg(Role::Element, "y")});
  return rig;
}
std::vector<float> gather(const Problem &p, int threads) {
  auto rig = gatherRig(p, threads);
  rig->prepare(p.at.rows);
  rig->launch(p.ids);
  return rig->read("y");
}
std::vector<double> gatherOracle(const Problem &p) {
  std::vector<double> y;
  for (int64_t id : p.ids)
    for (int64_t unit = 0; unit < p.at.units; ++unit) {
      double sum = static_cast<double>(p.bias[static_cast<size_t>(unit)]);
      for (int64_t feature = 0; feature < p.at.features; ++feature)
        sum += p.entry(id, feature) * static_cast<double>(p.weights[p.weightIndex(feature, unit)]);
      y.push_back(sum);
    }
  return y;
}

std::unique_ptr<Rig> updateRig(const Problem &p, int threads) {
  auto rig = makeRig(p, threads);
  rig->step.kernel = "csc_update";
  rig->buffer("delta", p.delta);
  rig->step.delta = "delta";
  rig->step.update = true;
  return rig;
}
std::vector<float> update(const Problem &p, int threads, double *regularization = nullptr) {
  auto rig = updateRig(p, threads);
  rig->prepare(p.at.rows);
  rt::Launch launch = rig->launch(p.ids);
  if (regularization)
    *regularization = launch.regularization;
  return rig->readParameter("W");
}
std::vector<double> updateOracle(const Problem &p, double *regularization) {
  std::vector<double> w = widened(p.weights);
  *regularization = 0;
  for (int64_t feature = 0; feature < p.at.features; ++feature)
    for (int64_t unit = 0; unit < p.at.units; ++unit) {
      double g = 0;
      for (int64_t r = 0; r < p.at.rows; ++r)
        g -= p.entry(p.ids[static_cast<size_t>(r)], feature) *
             static_cast<double>(p.delta[static_cast<size_t>(r * p.at.units + unit)]);
      double &value = w[p.weightIndex(feature, unit)];
      *regularization += 0.005 * value * value;
      value += 0.1 * (g / static_cast<double>(p.at.rows) - 0.01 * value);
    }
  return w;
}

const std::vector<plan::Corruption> kMasks = {{4, 0.2}, {5, 0.5}};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (int64_t features : {1, 3, 17, 513, 1025})
    for (Loader loader : {Loader::Dense, Loader::CsrBinary, Loader::CsrAnalog})
      all.push_back({.rows = 64,
                     .features = features,
                     .loader = loader,
                     .corruption = features == 17 ? kMasks : std::vector<plan::Corruption>{}});
  for (int64_t rows : {1, 5, 200})
    for (const char *layout : {"rows", "columns"})
      for (bool transposed : {false, true})
        for (Loader loader : {Loader::Dense, Loader::CsrAnalog})
          all.push_back(
              {.rows = rows, .layout = layout, .loader = loader, .corruption = kMasks, .transposed = transposed});
  for (int64_t units : {1, 16, 128, 150, 513})
    all.push_back({.rows = 17, .features = 40, .units = units});
  for (const Form &form : kForms)
    for (Loader loader : {Loader::Dense, Loader::CsrBinary, Loader::CsrAnalog})
      for (bool transposed : {false, true}) {
        all.push_back({.rows = 70, .features = 600, .units = 5, .loader = loader, .transposed = transposed});
        all.back().form = form;
        all.push_back(all.back());
        all.back().layout = "columns";
        all.back().corruption = kMasks;
      }
  return all;
}
} // namespace

TEST(CsrGather, EqualsTheOracle) {
  for (const Case &at : cases()) {
    Problem p(at);
    expectNear(gather(p, 2), gatherOracle(p), 3e-6, at.name());
  }
}

TEST(CsrGather, LongRowsGoInChunks) {
  Problem p({.rows = 3, .features = 30000, .units = 5, .corruption = {{1, 0.3}}});
  expectNear(gather(p, 2), gatherOracle(p), 1e-5, p.at.name());
}

TEST(CsrGather, BitsDoNotDependOnThreads) {
  for (Loader loader : {Loader::Dense, Loader::CsrAnalog}) {
    Problem p({.rows = 200, .loader = loader, .corruption = kMasks, .form = {true, true, -0.5f}});
    std::vector<float> one = gather(p, 1);
    for (int threads : {2, 3, 5})
      EXPECT_EQ(one, gather(p, threads)) << threads;
  }
}

TEST(CsrGather, ARowMaskedWhollyGivesTheBias) {
  Problem p({.rows = 20, .corruption = {{1, 0.9999999}}});
  std::vector<float> y = gather(p, 2);
  for (int64_t r = 0; r < 20; ++r)
    for (int64_t unit = 0; unit < p.at.units; ++unit)
      EXPECT_EQ(y[static_cast<size_t>(r * p.at.units + unit)], p.bias[static_cast<size_t>(unit)]);
}

namespace {
/// A bias is added on the way, as a skip's map would.
std::vector<float> expand(const Problem &p, int threads) {
  Rig rig(threads);
  rig.memory.data["input"] = p.data.view(p.at.loader);
  plan::Source source = rig.source("input", "");
  source.data = true;
  source.corruption = p.at.corruption;
  rig.step.kernel = "expand";
  rig.step.sources = {source};
  rig.step.columns.value = p.at.features;
  rig.parameter("b", 1, p.at.features, "rows", randomValues(p.at.features, 15));
  rig.buffer("y", std::vector<float>(static_cast<size_t>(p.at.rows * p.at.features), 9));
  rig.step.slots["epilogue"] =
      use("addBias", {arg(Role::Accumulator), arg(Role::Column, "b")}, {arg(Role::Element, "y")});
  rig.prepare(p.at.rows);
  rig.launch(p.ids);
  return rig.read("y");
}
} // namespace

TEST(Expand, EqualsTheOracle) {
  for (const Case &at : cases()) {
    Problem p(at);
    auto bias = randomValues(at.features, 15);
    std::vector<double> wanted;
    for (int64_t id : p.ids)
      for (int64_t feature = 0; feature < at.features; ++feature)
        wanted.push_back(p.entry(id, feature) + static_cast<double>(bias[static_cast<size_t>(feature)]));
    std::vector<float> got = expand(p, 2);
    expectNear(got, wanted, 1e-6, at.name());
    for (int threads : {1, 3})
      EXPECT_EQ(got, expand(p, threads)) << at.name();
  }
}

TEST(Expand, ColumnsBeyondTheStoredOnesAreZero) {
  std::vector<float> values = {1, 2, 3, 4};
  Rig rig(1);
  rt::DataView view;
  view.loader = Loader::Dense;
  view.rows = 2;
  view.columns = 5;
  view.storedColumns = 2;
  view.values = values.data();
  view.inputOffset = -0.5f;
  rig.memory.data["input"] = view;
  rig.step.kernel = "expand";
  rig.step.sources = {rig.source("input", "")};
  rig.step.sources[0].data = true;
  rig.step.columns.value = 5;
  rig.buffer("y", std::vector<float>(10, 9));
  rig.step.slots["epilogue"] = use("copy", {arg(Role::Accumulator)}, {arg(Role::Element, "y")});
  rig.prepare(2);
  rig.launch({1, 0});
  EXPECT_EQ(rig.read("y"), (std::vector<float>{2.5, 3.5, 0, 0, 0, 0.5, 1.5, 0, 0, 0}));
}

TEST(CscUpdate, EqualsTheOracle) {
  for (const Case &at : cases()) {
    Problem p(at);
    double regularization = 0, wanted = 0;
    std::vector<float> got = update(p, 2, &regularization);
    expectNear(got, updateOracle(p, &wanted), 2e-6, at.name());
    EXPECT_NEAR(regularization, wanted, 1e-6 * (1 + wanted)) << at.name();
  }
}

TEST(CscUpdate, BitsDoNotDependOnThreads) {
  for (Loader loader : {Loader::Dense, Loader::CsrBinary}) {
    Problem p({.rows = 200, .features = 1025, .loader = loader, .corruption = kMasks, .form = {true, true, -0.5f}});
    double one = 0, other = 0;
    std::vector<float> values = update(p, 1, &one);
    for (int threads : {2, 3, 5}) {
      EXPECT_EQ(values, update(p, threads, &other)) << threads;
      EXPECT_EQ(one, other) << threads;
    }
  }
}

TEST(CscUpdate, UntouchedFeaturesAreLeftAloneOnlyWhereTheOptimizerIsIdle) {
  // The first state shrinks at every update, whatever the gradient: it tells which features were updated.
  for (bool idle : {false, true}) {
    Problem p({.rows = 5, .features = 200, .units = 4});
    auto rig = makeRig(p, 2, 2);
    for (float *state : rig->memory.states["W"])
      std::fill_n(state, 200 * 4, 1.0f);
    rig->step.kernel = "csc_update";
    rig->buffer("delta", p.delta);
    rig->step.delta = "delta";
    rig->step.update = true;
    rig->optimizer.weights = "twoStates";
    rig->optimizer.states = {"m", "v"};
    rig->optimizer.idleWhenZero = std::vector<std::string>{"Lambda", "Lambda1"};
    rig->hypers["Lambda"] = idle ? 0.0 : 0.1;
    rig->prepare(5);
    rig->launch(p.ids);
    std::vector<float> m = rig->readParameter("W", 0);
    for (int64_t feature = 0; feature < 200; ++feature) {
      bool touched = false;
      for (int64_t id : p.ids)
        touched = touched || p.data.stored(id, feature);
      bool moved = m[static_cast<size_t>(feature * 4)] != 1.0f;
      EXPECT_EQ(moved, touched || !idle) << feature;
    }
  }
}

TEST(CscUpdate, AnUnboundDataSetIsNamed) {
  Problem p({});
  auto rig = updateRig(p, 1);
  rig->step.sources[0].ref = "nowhere";
  try {
    rig->prepare(5);
    FAIL();
  } catch (const UserError &error) {
    EXPECT_NE(std::string(error.what()).find("'nowhere'"), std::string::npos) << error.what();
  }
}
} // namespace sn::test
