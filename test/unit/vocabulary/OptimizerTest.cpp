#include "dialects/Vocabulary/Dependence.h"
#include "test/unit/vocabulary/Support.h"
#include <algorithm>

namespace sn::vocab::test {
namespace {
/// The host scalars; `dsstne`: those of "Compatibility": "dsstne".
Doubles scalarsOf(const Optimizer &optimizer, const Doubles &hyper, bool dsstne = false) {
  Doubles values;
  for (auto &[name, formula] : optimizer.scalars) {
    values.push_back(value(formula, hyper));
    for (auto &[other, instead] : optimizer.dsstneScalars)
      if (dsstne && other == name)
        values.back() = value(instead, hyper);
  }
  return values;
}
void expectSteps(const Optimizer &optimizer, const std::vector<GoldenUpdate> &rows, bool dsstne) {
  for (const GoldenUpdate &golden : rows) {
    size_t results = 1 + optimizer.states.size();
    ASSERT_EQ(golden.in.size(), results + 1) << optimizer.name;
    ASSERT_EQ(golden.out.size(), results) << optimizer.name;
    Doubles out = run(optimizer.update, golden.in, scalarsOf(optimizer, golden.hyper, dsstne), results);
    for (size_t i = 0; i < results; ++i)
      EXPECT_NEAR(out[i], golden.out[i], 1e-14 * std::fabs(golden.out[i])) << optimizer.name << " result " << i;
  }
}
/// A rule that no table holds: states {v}, scalars {Alpha}.
Optimizer privateRule(Formula update) {
  return {.name = "private",
          .states = {"v"},
          .scalars = {{"Alpha", formula([](const auto *a, const auto *p) { return a[0]; })}},
          .update = update};
}
} // namespace

TEST(Optimizer, GoldenSteps) {
  for (const Optimizer &optimizer : optimizers()) {
    ASSERT_FALSE(optimizer.golden.empty()) << optimizer.name;
    expectSteps(optimizer, optimizer.golden, false);
  }
}

TEST(Optimizer, GoldenStepsOfDsstne) {
  for (const Optimizer &optimizer : optimizers()) {
    EXPECT_EQ(optimizer.dsstneScalars.empty(), optimizer.dsstneGolden.empty()) << optimizer.name;
    expectSteps(optimizer, optimizer.dsstneGolden, true);
    for (auto &[name, formula] : optimizer.dsstneScalars) {
      EXPECT_TRUE(std::any_of(optimizer.scalars.begin(), optimizer.scalars.end(),
                              [&, &name = name](const auto &scalar) { return scalar.first == name; }))
          << name;
      expectAllInstantiationsAgree(formula, {0.1, 0.9, 0.999, 3}, {});
    }
  }
  EXPECT_FALSE(find(optimizers(), "Adam")->dsstneScalars.empty()); // T-38
}

TEST(Optimizer, InstantiationsAgree) {
  for (const Optimizer &optimizer : optimizers()) {
    SCOPED_TRACE(optimizer.name);
    Doubles hyper{0.1, 0.9, 0.999, 3};
    for (auto &[name, formula] : optimizer.scalars)
      expectAllInstantiationsAgree(formula, hyper, {});
    for (double g : {-2.0, 0.0, 0.5}) {
      Doubles in{0.5, g};
      in.resize(2 + optimizer.states.size(), 0.25);
      expectAllInstantiationsAgree(optimizer.update, in, scalarsOf(optimizer, hyper), 1 + optimizer.states.size());
    }
  }
}

TEST(Optimizer, EveryRuleDescends) {
  for (const Optimizer &optimizer : optimizers()) {
    Doubles in{0.5, 0.25};
    in.resize(2 + optimizer.states.size(), 0);
    Doubles scalars = scalarsOf(optimizer, {0.01, 0.9, 0.999, 1});
    EXPECT_GT(run(optimizer.update, in, scalars, in.size() - 1)[0], 0.5) << optimizer.name;
    in[1] = -0.25;
    EXPECT_LT(run(optimizer.update, in, scalars, in.size() - 1)[0], 0.5) << optimizer.name;
  }
}

TEST(Optimizer, IdleAtZeroGradientIsProved) {
  for (std::string_view name : {"SGD", "AdaGrad"})
    EXPECT_TRUE(idleAtZeroGradient(*find(optimizers(), name))) << name;
  for (std::string_view name : {"Momentum", "Nesterov", "RMSProp", "AdaDelta", "Adam"})
    EXPECT_FALSE(idleAtZeroGradient(*find(optimizers(), name))) << name;
}

// What is claimed must hold when run; what is denied must have a counter-example.
TEST(Optimizer, IdleAgreesWithRunningTheUpdate) {
  for (const Optimizer &optimizer : optimizers()) {
    Doubles in{0.5, 0};
    in.resize(2 + optimizer.states.size(), 0.25);
    Doubles out = run(optimizer.update, in, scalarsOf(optimizer, {0.1, 0.9, 0.999, 3}), in.size() - 1);
    in.erase(in.begin() + 1);
    EXPECT_EQ(out == in, idleAtZeroGradient(optimizer)) << optimizer.name;
  }
}

TEST(Optimizer, TheProofHandlesRulesItNeverSaw) {
  EXPECT_TRUE(idleAtZeroGradient(privateRule(formulas([](const auto *a, const auto *p, auto *out) { // AdaGrad
    auto v = a[2] + a[1] * a[1];
    out[0] = a[0] + p[0] * a[1] / sqrt_(max_(decltype(v)(1e-9), v));
    out[1] = v;
  }))));
  EXPECT_FALSE(idleAtZeroGradient(privateRule(formulas([](const auto *a, const auto *p, auto *out) { // 0/0 where v is 0
    out[0] = a[0] + p[0] * a[1] / a[2];
    out[1] = a[2];
  }))));
  EXPECT_FALSE(idleAtZeroGradient(privateRule(formulas([](const auto *a, const auto *p, auto *out) { // may be below 0
    out[0] = a[0] + a[1] / (sqrt_(a[2]) - 1);
    out[1] = a[2];
  }))));
  EXPECT_FALSE(idleAtZeroGradient(privateRule(formulas([](const auto *a, const auto *p, auto *out) { // may be 0
    out[0] = a[0] + a[1] / abs_(a[2]);
    out[1] = a[2];
  }))));
  EXPECT_FALSE(
      idleAtZeroGradient(privateRule(formulas([](const auto *a, const auto *p, auto *out) { // swaps value and state
        out[0] = a[2];
        out[1] = a[0];
      }))));
  EXPECT_TRUE(idleAtZeroGradient(privateRule(formulas([](const auto *a, const auto *p, auto *out) { // sign descent
    using T = std::decay_t<decltype(a[0])>;
    out[0] = a[0] * 1 - p[0] * select(a[1] > 0, T(-1), select(a[1] < 0, T(1), -T(0)));
    out[1] = select(a[1] > 0, a[1], a[2]);
  }))));
  EXPECT_FALSE(
      idleAtZeroGradient(privateRule(formulas([](const auto *a, const auto *p, auto *out) { // forgets its state
        out[0] = a[0] + a[1];
        out[1] = a[1];
      }))));
}

TEST(Optimizer, ReadsWhatItsFormulasName) {
  auto all = [](std::string_view name) {
    std::string read;
    for (std::string_view hyper : {"Alpha", "Mu", "Mu1"})
      if (reads(*find(optimizers(), name), hyper))
        read += (read.empty() ? "" : " ") + std::string(hyper);
    return read;
  };
  EXPECT_EQ(all("SGD"), "Alpha");
  EXPECT_EQ(all("AdaGrad"), "Alpha");
  EXPECT_EQ(all("Nesterov"), "Alpha Mu");
  EXPECT_EQ(all("AdaDelta"), "Mu");
  EXPECT_EQ(all("Adam"), "Alpha Mu Mu1");
  for (const Initializer &initializer : initializers())
    EXPECT_EQ(readsScale(initializer), initializer.name != "SELU") << initializer.name;
}

TEST(Optimizer, DecayIsTheNegativeSlopeOfTheRegularisation) {
  Doubles params{0.3, 0.07};
  for (double w : {-1.5, -0.2, 0.4, 2.0})
    expectClose(value(decayed(), {w, 0.6}, params), 0.6 - derivative(regularization(), {w}, params), 1e-14, "decay");
  EXPECT_EQ(value(decayed(), {0, 0.6}, params), 0.6); // sgn(0) = 0
  EXPECT_DOUBLE_EQ(value(decayed(), {-2, 1}, {0.1, 0.01}), 1.21);
  EXPECT_DOUBLE_EQ(value(regularization(), {-2}, {0.1, 0.01}), 0.22);
  expectAllInstantiationsAgree(decayed(), {-2, 1}, params);
  expectAllInstantiationsAgree(regularization(), {-2}, params);
}

TEST(Optimizer, OwnDefaultsAreHyperParameters) {
  for (const Optimizer &optimizer : optimizers())
    for (const Param &param : optimizer.defaults)
      EXPECT_TRUE(param.name == "Alpha" || param.name == "Mu" || param.name == "Mu1") << param.name;
}
} // namespace sn::vocab::test
