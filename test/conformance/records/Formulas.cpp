// Every formula three ways: the record's lambda in double, the lambda on dual numbers, and the IR that the compiler
// inlines and differentiates.
#include "test/conformance/records/Regions.h"
#include "test/conformance/records/Tiny.h"
#include <gtest/gtest.h>

namespace sn::test {
namespace {
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

/// The defaults, and values that are none.
constexpr double kFactors[] = {1, 0.6};

void expectActivation(const vocab::Activation &record, const std::vector<double> &params) {
  Regions regions;
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

TEST(Formulas, Activations) {
  for (const vocab::Activation &record : vocab::activations())
    for (double factor : kFactors)
      if (!record.row) // networks check those: they are several operations
        expectActivation(record, valuesOf(record.params, factor));
}

void expectLoss(const vocab::Loss &record, const std::vector<double> &params) {
  Regions regions;
  std::vector<vocab::Dual> dualParams = duals(params);
  mlir::Region &value = regions.make(2, [&](mlir::OpBuilder &b, llvm::ArrayRef<mlir::Value> args) {
    return inlineFormula(b, b.getUnknownLoc(), record.value, args, params);
  });
  mlir::Region &slope = regions.derivative(value, 0);
  for (double y : probes(record.probe))
    for (double t : {0.0, -0.0, 0.25, 0.75, 1.0}) {
      vocab::Dual in[] = {{y, 1}, {t, 0}}, out;
      record.value.dual(in, dualParams.data(), &out);
      expectNear(regions.evaluate(value, {y, t}), record.value({y, t}, params.data()), at(record.name, y));
      expectNear(regions.evaluate(slope, {y, t}), out.derivative, "derivative of " + at(record.name, y));
    }
}

TEST(Formulas, Losses) {
  for (const vocab::Loss &record : vocab::losses())
    for (double factor : kFactors)
      expectLoss(record, valuesOf(record.params, factor));
}

/// Value and derivatives by every argument, in the IR and on dual numbers.
void expectAgreement(const vocab::Formula &formula, std::initializer_list<double> arguments, std::string_view name) {
  Regions regions;
  auto count = static_cast<unsigned>(arguments.size());
  mlir::Region &value = regions.make(count, [&](mlir::OpBuilder &b, llvm::ArrayRef<mlir::Value> args) {
    return inlineFormula(b, b.getUnknownLoc(), formula, llvm::SmallVector<mlir::Value>(args), {});
  });
  expectNear(regions.evaluate(value, arguments), formula(arguments), std::string(name));
  for (unsigned i = 0; i < count; ++i) {
    std::vector<vocab::Dual> in(arguments.begin(), arguments.end());
    in[i].derivative = 1;
    vocab::Dual out;
    formula.dual(in.data(), nullptr, &out);
    expectNear(regions.evaluate(regions.derivative(value, i), arguments), out.derivative,
               "derivative of " + std::string(name));
  }
}

TEST(Formulas, Poolings) {
  for (const vocab::Pooling &record : vocab::poolings()) {
    for (auto [x, y] : {std::pair(0.3, -1.2), {-2.0, 0.7}, {0.0, 1.5}, {0.5, 0.5}}) {
      if (record.fold)
        expectAgreement(record.fold, {x, y}, record.name);
      for (const vocab::Formula &product : record.products)
        expectAgreement(product, {x, y}, record.name);
    }
    if (!record.value)
      continue;
    for (double sum : {0.8, -0.5, 0.0}) // a product of two vectors, and their squares, none of them 0 at first
      for (double square : {1.7, 0.9}) {
        if (record.products.size() == 1)
          expectAgreement(record.value, {sum}, record.name);
        if (record.products.size() == 3)
          expectAgreement(record.value, {sum, square, 2.5}, record.name);
        EXPECT_TRUE(record.products.size() == 1 || record.products.size() == 3) << "no case for " << record.name;
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
    std::vector<double> params = valuesOf(lossOf(pair).params, 1), own = valuesOf(activation.params, 1);
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
    std::vector<double> params = valuesOf(lossOf(pair).params, 1);
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
