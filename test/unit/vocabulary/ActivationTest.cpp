#include "test/unit/vocabulary/Support.h"

namespace sn::vocab::test {
TEST(Activation, GoldenRows) {
  for (const Activation &activation : activations()) {
    ASSERT_FALSE(activation.golden.empty()) << activation.name;
    for (const Golden &golden : activation.golden) {
      Doubles params = paramsOf(golden, activation.params);
      std::string where = std::string(activation.name) + " at " + std::to_string(golden.args[0]);
      if (activation.row) {
        Row row = forward(*activation.row, golden.args);
        Doubles unit(row.y.size(), 0);
        unit[0] = 1;
        expectClose(row.y[0], golden.value, 1e-15, where);
        expectClose(adjoint(*activation.row, unit, row.y)[0], golden.derivative, 1e-15, where);
        continue;
      }
      EXPECT_NEAR(value(activation.forward, golden.args, params), golden.value, 1e-15 * std::fabs(golden.value))
          << where;
      EXPECT_NEAR(derivative(activation.forward, golden.args, params), golden.derivative,
                  1e-14 * std::fabs(golden.derivative))
          << where;
    }
  }
}

TEST(Activation, EitherPointwiseOrRowWise) {
  for (const Activation &activation : activations())
    EXPECT_NE(static_cast<bool>(activation.forward), activation.row != nullptr) << activation.name;
}

TEST(Activation, DerivativeEqualsFiniteDifferenceAndOverride) {
  for (const Activation &activation : activations())
    for (const Doubles &params : {defaults(activation.params), offDefaults(activation.params)}) {
      if (activation.row)
        continue;
      for (double x : grid(activation.probe)) {
        auto f = [&](double at) { return value(activation.forward, {at}, params); };
        double derived = derivative(activation.forward, {x}, params);
        expectClose(derived, slope(f, x), 1e-8, std::string(activation.name));
        if (activation.gradFromOutput)
          expectClose(value(activation.gradFromOutput, {f(x)}, params), derived, 1e-12, std::string(activation.name));
        if (activation.unitInterval) {
          EXPECT_TRUE(f(x) > 0 && f(x) < 1) << activation.name;
        }
      }
    }
}

TEST(Activation, InstantiationsAgree) {
  for (const Activation &activation : activations()) {
    SCOPED_TRACE(activation.name);
    Doubles params = defaults(activation.params);
    for (double x : grid(activation.probe)) {
      if (activation.forward)
        expectAllInstantiationsAgree(activation.forward, {x}, params);
      if (activation.gradFromOutput)
        expectAllInstantiationsAgree(activation.gradFromOutput, {value(activation.forward, {x}, params)}, params);
      if (!activation.row)
        continue;
      Doubles args{x}; // an element or g, then y or results of reductions
      for (auto &[reduce, body] : activation.row->reductions) {
        expectAllInstantiationsAgree(body, args, params);
        args.push_back(1.5);
      }
      expectAllInstantiationsAgree(activation.row->value, args, params);
      args = {x, 0.3};
      for (auto &[reduce, body] : activation.row->adjointReductions) {
        expectAllInstantiationsAgree(body, args, params);
        args.push_back(0.7);
      }
      expectAllInstantiationsAgree(activation.row->adjoint, args, params);
    }
  }
}

TEST(Activation, RowAdjointEqualsNumericJacobian) {
  Doubles x{0.3, -1.2, 2.1, 0.0, 1.4}, g{0.5, -2, 1.25, 0.1, -0.7};
  for (const Activation &activation : activations()) {
    if (!activation.row)
      continue;
    Doubles derived = adjoint(*activation.row, g, forward(*activation.row, x).y);
    for (size_t i = 0; i < x.size(); ++i) {
      auto along = [&](double moved) {
        Doubles at = x;
        at[i] = moved;
        Doubles y = forward(*activation.row, at).y;
        double total = 0;
        for (size_t j = 0; j < y.size(); ++j)
          total += g[j] * y[j];
        return total;
      };
      expectClose(derived[i], slope(along, x[i]), 1e-8, std::string(activation.name));
    }
  }
}

TEST(Activation, SoftMaxIsFiniteForAnyRow) {
  const Activation *softMax = find(activations(), "softmax");
  Doubles y = forward(*softMax->row, {1000, -1000, 999}).y;
  EXPECT_NEAR(y[0], 0.7310585786300049, 1e-15);
  EXPECT_EQ(y[1], 0);
  EXPECT_NEAR(y[0] + y[1] + y[2], 1, 1e-15);
}

TEST(Activation, FiniteAndNaNPassingEverywhere) {
  for (const Activation &activation : activations()) {
    if (activation.row)
      continue;
    Doubles params = defaults(activation.params);
    for (double x : {-1e30, -1000.0, -90.0, 90.0, 1000.0, 1e30}) {
      EXPECT_TRUE(std::isfinite(value(activation.forward, {x}, params))) << activation.name << " " << x;
      double y = value(activation.forward, {x}, params);
      if (activation.gradFromOutput)
        EXPECT_TRUE(std::isfinite(value(activation.gradFromOutput, {y}, params))) << activation.name << " " << x;
    }
    EXPECT_TRUE(std::isnan(value(activation.forward, {NAN}, params))) << activation.name;
  }
}

// Alpha dropout drops to the limit for x -> -infinity.
TEST(Activation, DroppedUnitsTakeTheLowerLimit) {
  for (const Activation &activation : activations())
    if (activation.dropped)
      for (const Doubles &params : {defaults(activation.params), offDefaults(activation.params)}) {
        expectClose(value(activation.dropped, {}, params), value(activation.forward, {-700}, params), 1e-15,
                    std::string(activation.name));
        EXPECT_LT(value(activation.dropped, {}, params), 0) << activation.name;
      }
  EXPECT_TRUE(find(activations(), "SELU")->dropped); // T-30
}

TEST(Activation, CautionsWhereDsstnesDefaultSurprises) {
  EXPECT_FALSE(find(activations(), "LRelu")->params[0].caution.empty()); // T-10
  EXPECT_FALSE(find(activations(), "SELU")->params[0].caution.empty());  // T-11
  EXPECT_TRUE(find(activations(), "ELU")->params[0].caution.empty());
}

TEST(Activation, RectifiedLinearPassesNaNOn) {
  const Activation *relu = find(activations(), "Relu");
  EXPECT_TRUE(std::isnan(value(relu->forward, {NAN})));
  EXPECT_FALSE(std::signbit(value(relu->forward, {-0.0})));
}
} // namespace sn::vocab::test
