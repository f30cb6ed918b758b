// Every formula three ways: the record's lambda in double, the lambda on dual numbers, and the IR that the compiler
// inlines and differentiates.
#include "test/conformance/records/Regions.h"
#include <gtest/gtest.h>

namespace sn::test {
namespace {
std::vector<double> defaults(const std::vector<vocab::Param> &params) {
  std::vector<double> values;
  for (const vocab::Param &param : params)
    values.push_back(param.byDefault);
  return values;
}

std::vector<double> probes(const vocab::Probe &probe) {
  std::vector<double> points;
  for (int i = 0; i < 40; ++i) { // 0 is no point: formulas there meet pieces whose slopes differ
    double x = probe.low + (probe.high - probe.low) * (i + 0.25) / 40;
    bool isKink = false;
    for (double kink : probe.kinks)
      isKink = isKink || std::abs(x - kink) < 1e-3;
    if (!isKink)
      points.push_back(x);
  }
  return points;
}

std::vector<vocab::Dual> duals(const std::vector<double> &values) { return {values.begin(), values.end()}; }

// Constants are floats in the IR.
constexpr double kFloat = 1e-6;
void expectNear(double actual, double expected, const std::string &what) {
  EXPECT_NEAR(actual, expected, kFloat * std::max(1.0, std::abs(expected))) << what;
}
std::string at(std::string_view name, double x) { return std::string(name) + " at " + std::to_string(x); }

TEST(Formulas, Activations) {
  for (const vocab::Activation &record : vocab::activations()) {
    if (record.row)
      continue; // networks check those: they are several operations
    Regions regions;
    std::vector<double> params = defaults(record.params);
    std::vector<vocab::Dual> dualParams = duals(params);
    mlir::Region &forward = regions.make(1, [&](mlir::OpBuilder &b, llvm::ArrayRef<mlir::Value> args) {
      return inlineFormula(b, b.getUnknownLoc(), record.forward, args, params);
    });
    mlir::Region &slope = regions.derivative(forward, 0);
    for (double x : probes(record.probe)) {
      vocab::Dual in(x, 1), out;
      record.forward.dual(&in, dualParams.data(), &out);
      double y = record.forward({x}, params.data());
      EXPECT_DOUBLE_EQ(out.value, y) << at(record.name, x);
      expectNear(regions.evaluate(forward, {x}), y, at(record.name, x));
      expectNear(regions.evaluate(slope, {x}), out.derivative, "derivative of " + at(record.name, x));
      if (record.gradFromOutput)
        expectNear(record.gradFromOutput({y}, params.data()), out.derivative,
                   "stated derivative of " + at(record.name, x));
    }
  }
}

TEST(Formulas, Losses) {
  for (const vocab::Loss &record : vocab::losses()) {
    Regions regions;
    std::vector<double> params = defaults(record.params);
    std::vector<vocab::Dual> dualParams = duals(params);
    mlir::Region &value = regions.make(2, [&](mlir::OpBuilder &b, llvm::ArrayRef<mlir::Value> args) {
      return inlineFormula(b, b.getUnknownLoc(), record.value, args, params);
    });
    mlir::Region &slope = regions.derivative(value, 0);
    for (double y : probes(record.probe))
      for (double t : {0.0, 0.25, 0.75, 1.0}) {
        vocab::Dual in[] = {{y, 1}, {t, 0}}, out;
        record.value.dual(in, dualParams.data(), &out);
        expectNear(regions.evaluate(value, {y, t}), record.value({y, t}, params.data()), at(record.name, y));
        expectNear(regions.evaluate(slope, {y, t}), out.derivative, "derivative of " + at(record.name, y));
      }
  }
}

const vocab::Activation &activationOf(const vocab::Pair &pair) {
  return *vocab::find(vocab::activations(), pair.activation);
}
const vocab::Loss &lossOf(const vocab::Pair &pair) { return *vocab::find(vocab::losses(), pair.loss); }

TEST(Formulas, PointwisePairs) {
  for (const vocab::Pair &pair : vocab::pairs()) {
    const vocab::Activation &activation = activationOf(pair);
    if (activation.row)
      continue;
    Regions regions;
    std::vector<double> params = defaults(lossOf(pair).params), own = defaults(activation.params);
    std::vector<vocab::Dual> dualParams = duals(params), dualOwn = duals(own);
    auto make = [&](const vocab::Formula &formula) -> mlir::Region & {
      return regions.make(2, [&](mlir::OpBuilder &b, llvm::ArrayRef<mlir::Value> args) {
        mlir::Value y = inlineFormula(b, b.getUnknownLoc(), activation.forward, {args[0]}, own)[0];
        return inlineFormula(b, b.getUnknownLoc(), formula, {args[0], y, args[1]}, params);
      });
    };
    mlir::Region &value = make(pair.value), &delta = make(pair.delta);
    for (double z : probes(activation.probe))
      for (double t : {0.0, 1.0}) {
        vocab::Dual in[] = {{z, 1}, {}, {t, 0}}, out;
        activation.forward.dual(in, dualOwn.data(), in + 1);
        pair.value.dual(in, dualParams.data(), &out);
        double y = in[1].value;
        std::string what = at(std::string(pair.activation) + " and " + std::string(pair.loss), z);
        expectNear(regions.evaluate(value, {z, t}), pair.value({z, y, t}, params.data()), what);
        expectNear(regions.evaluate(delta, {z, t}), pair.delta({z, y, t}, params.data()), "delta of " + what);
        expectNear(pair.value({z, y, t}, params.data()), lossOf(pair).value({y, t}, params.data()),
                   "composition of " + what);
        if (!pair.isDefinition)
          expectNear(pair.delta({z, y, t}, params.data()), out.derivative, "stated delta of " + what);
      }
  }
}

/// A row of pre-activations with the arguments that a row-wise pair gets for each unit.
struct Row {
  std::vector<double> z, t;
  double loss(const vocab::Pair &pair, const double *params) const {
    double sum = 0;
    for (size_t unit = 0; unit < z.size(); ++unit)
      sum += evaluate(pair.value, pair, unit, params);
    return sum;
  }
  double evaluate(const vocab::Formula &formula, const vocab::Pair &pair, size_t unit, const double *params) const {
    const vocab::RowFormula &row = *activationOf(pair).row;
    std::vector<double> statistics;
    for (const auto &[kind, reduced] : row.reductions) {
      double result = kind == vocab::Reduce::Max ? -1e300 : 0;
      for (double x : z) {
        std::vector<double> arguments{x};
        arguments.insert(arguments.end(), statistics.begin(), statistics.end());
        double value;
        reduced.value(arguments.data(), nullptr, &value);
        result = kind == vocab::Reduce::Max ? std::max(result, value) : result + value;
      }
      statistics.push_back(result);
    }
    std::vector<double> arguments{z[unit]};
    arguments.insert(arguments.end(), statistics.begin(), statistics.end());
    double y, scale = 1, sum = 0, result;
    row.value.value(arguments.data(), nullptr, &y);
    for (double value : t)
      sum += scale * value;
    arguments = {z[unit], y, t[unit], scale, sum};
    arguments.insert(arguments.end(), statistics.begin(), statistics.end());
    formula.value(arguments.data(), params, &result);
    return result;
  }
};

TEST(Formulas, RowWisePairs) {
  for (const vocab::Pair &pair : vocab::pairs()) {
    if (!activationOf(pair).row || pair.isDefinition)
      continue;
    std::vector<double> params = defaults(lossOf(pair).params);
    Row row{{0.3, -1.2, 2.1, 0.7, -0.4}, {1, 0, 0.5, 0, 2}};
    for (size_t unit = 0; unit < row.z.size(); ++unit) {
      Row above = row, below = row;
      above.z[unit] += 1e-5;
      below.z[unit] -= 1e-5;
      double difference = (above.loss(pair, params.data()) - below.loss(pair, params.data())) / 2e-5;
      EXPECT_NEAR(row.evaluate(pair.delta, pair, unit, params.data()), difference, 1e-8)
          << pair.activation << " and " << pair.loss;
    }
  }
}
} // namespace
} // namespace sn::test
