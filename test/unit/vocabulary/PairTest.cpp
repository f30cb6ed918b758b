#include "test/unit/vocabulary/Support.h"

namespace sn::vocab::test {
namespace {
struct Case {
  const Pair &pair;
  const Activation &activation;
  const Loss &loss;
};
std::vector<Case> cases(bool rowWise) {
  std::vector<Case> found;
  for (const Pair &pair : pairs()) {
    const Activation *activation = find(activations(), pair.activation);
    const Loss *loss = find(losses(), pair.loss);
    if (!activation || !loss)
      ADD_FAILURE() << pair.activation << " x " << pair.loss;
    else if ((activation->row != nullptr) == rowWise)
      found.push_back({pair, *activation, *loss});
  }
  return found;
}
bool nearKink(const Loss &loss, double y) {
  for (double kink : loss.probe.kinks)
    if (std::fabs(y - kink) < 1e-3)
      return true;
  return false;
}
std::string nameOf(const Pair &pair) { return std::string(pair.activation) + " x " + std::string(pair.loss); }

/// Arguments of a row-wise pair at unit i: {z, y, t, c, T, r0, r1, ...}.
Doubles rowArgs(const Row &row, const Doubles &z, const Doubles &t, double c, size_t i) {
  double sum = 0;
  for (double target : t)
    sum += c * target;
  Doubles args{z[i], row.y[i], t[i], c, sum};
  args.insert(args.end(), row.reductions.begin(), row.reductions.end());
  return args;
}
} // namespace

TEST(Pair, GoldenRows) {
  for (const Pair &pair : pairs()) {
    ASSERT_FALSE(pair.golden.empty()) << nameOf(pair);
    for (const Golden &golden : pair.golden) {
      Doubles params = paramsOf(golden, find(losses(), pair.loss)->params);
      expectClose(value(pair.value, golden.args, params), golden.value, 2e-15, nameOf(pair));
      expectClose(value(pair.delta, golden.args, params), golden.derivative, 2e-15, nameOf(pair));
    }
  }
}

TEST(Pair, EqualsTheCompositionItReplaces) {
  for (auto &[pair, activation, loss] : cases(false)) {
    Doubles params = defaults(loss.params);
    for (double t : {0.0, 0.25, 1.0})
      for (double z : grid(activation.probe)) {
        double y = value(activation.forward, {z});
        if (nearKink(loss, y))
          continue;
        expectClose(value(pair.value, {z, y, t}, params), value(loss.value, {y, t}, params), 1e-12, nameOf(pair));
        if (pair.isDefinition)
          continue;
        double chained = derivative(loss.value, {y, t}, params) * derivative(activation.forward, {z});
        expectClose(value(pair.delta, {z, y, t}, params), chained, 1e-12, nameOf(pair));
      }
  }
}

TEST(Pair, RowWiseValueIsTheMultinomialForm) {
  Doubles z{0.5, -1, 2, 0.1}, t{1, 0, 0.5, 0};
  for (auto &[pair, activation, loss] : cases(true)) {
    Row row = forward(*activation.row, z);
    for (size_t i = 0; i < z.size(); ++i)
      expectClose(value(pair.value, rowArgs(row, z, t, 0.5, i), defaults(loss.params)),
                  -0.5 * t[i] * std::log(row.y[i]), 1e-14, nameOf(pair));
  }
}

TEST(Pair, RowWiseDeltaIsTheDerivativeUnlessDefined) {
  Doubles z{0.5, -1, 2, 0.1}, t{1, 0, 0.5, 0};
  int checked = 0;
  for (auto &[pair, activation, loss] : cases(true)) {
    if (pair.isDefinition)
      continue;
    ++checked;
    Row row = forward(*activation.row, z);
    for (size_t i = 0; i < z.size(); ++i) {
      auto along = [&](double moved) {
        Doubles at = z;
        at[i] = moved;
        Row there = forward(*activation.row, at);
        double total = 0;
        for (size_t j = 0; j < z.size(); ++j)
          total += value(pair.value, rowArgs(there, at, t, 0.5, j), defaults(loss.params));
        return total;
      };
      expectClose(value(pair.delta, rowArgs(row, z, t, 0.5, i), defaults(loss.params)), slope(along, z[i]), 1e-8,
                  nameOf(pair));
    }
  }
  EXPECT_EQ(checked, 1);
}

TEST(Pair, FiniteForEveryPreActivation) {
  for (auto &[pair, activation, loss] : cases(false))
    for (double z : {-1e30, -1000.0, -90.0, 90.0, 1000.0, 1e30})
      for (double t : {0.0, 1.0}) {
        Doubles args{z, value(activation.forward, {z}), t};
        double l = value(pair.value, args, defaults(loss.params));
        EXPECT_TRUE(std::isfinite(l) && l >= 0) << nameOf(pair) << " " << z;
        EXPECT_TRUE(std::isfinite(value(pair.delta, args, defaults(loss.params)))) << nameOf(pair) << " " << z;
      }
  for (auto &[pair, activation, loss] : cases(true)) {
    Doubles z{1000, -1000, 0}, t{0, 1, 1};
    Row row = forward(*activation.row, z);
    for (size_t i = 0; i < z.size(); ++i) {
      Doubles args = rowArgs(row, z, t, 0.5, i);
      EXPECT_TRUE(std::isfinite(value(pair.value, args, defaults(loss.params)))) << nameOf(pair);
      EXPECT_TRUE(std::isfinite(value(pair.delta, args, defaults(loss.params)))) << nameOf(pair);
    }
  }
}

TEST(Pair, NotANumberShows) {
  double nan = std::nan("");
  for (auto &[pair, activation, loss] : cases(false))
    for (double t : {0.0, 1.0}) {
      Doubles args{nan, nan, t};
      EXPECT_TRUE(std::isnan(value(pair.value, args, defaults(loss.params)))) << nameOf(pair);
      EXPECT_TRUE(std::isnan(value(pair.delta, args, defaults(loss.params)))) << nameOf(pair);
    }
  for (auto &[pair, activation, loss] : cases(true)) {
    Doubles args{nan, nan, 1, 0.5, 1, nan, nan};
    EXPECT_TRUE(std::isnan(value(pair.value, args, defaults(loss.params)))) << nameOf(pair);
    EXPECT_TRUE(std::isnan(value(pair.delta, args, defaults(loss.params)))) << nameOf(pair);
  }
}

TEST(Pair, InstantiationsAgree) {
  for (bool rowWise : {false, true})
    for (auto &[pair, activation, loss] : cases(rowWise)) {
      SCOPED_TRACE(nameOf(pair));
      for (double z : grid(activation.probe))
        for (double t : {0.0, 0.25, 1.0}) {
          Doubles args = rowWise ? Doubles{z, 0.3, t, 0.5, 1, 3, 2} : Doubles{z, value(activation.forward, {z}), t};
          expectAllInstantiationsAgree(pair.value, args, defaults(loss.params));
          expectAllInstantiationsAgree(pair.delta, args, defaults(loss.params));
        }
    }
}

TEST(Pair, LookUpIgnoresCase) {
  EXPECT_NE(findPair("sigmoid", "CROSSENTROPY"), nullptr);
  EXPECT_EQ(findPair("SoftMax", "L2"), nullptr);
}
} // namespace sn::vocab::test
