// An autoencoder's training step by its definition, in plain loops that share nothing with the compiler: what the
// importer and differentiation make of the JSON computes the same. Formulas: DSSTNE's semantics as docs and records
// state them.
#include "dialects/Net/Net.h"
#include "runtime/plan/Philox.h"
#include "test/support/Network.h"
#include <cmath>
#include <gtest/gtest.h>

namespace sn::test {
namespace {
constexpr int64_t kItems = 23, kHidden = 6;
constexpr double kDenoising = 0.2, kSparseness = 0.5, kBeta = 2, kOneTarget = 0.9, kZeroTarget = 0.1, kOneScale = 1.5,
                 kZeroScale = 0.75;
constexpr double kAlpha = 0.3, kLambda = 0.01, kLambda1 = 0.002;
const char *const kJson = R"({
  "Version": 0.7, "Name": "AE", "Kind": "FeedForward",
  "SparsenessPenalty": {"p": 0.5, "beta": 2.0}, "ShuffleIndices": false, "Denoising": {"p": 0.2},
  "ScaledMarginalCrossEntropy": {"oneTarget": 0.9, "zeroTarget": 0.1, "oneScale": 1.5, "zeroScale": 0.75},
  "Layers": [
    {"Name": "Input", "Kind": "Input", "N": "auto", "DataSet": "input", "Sparse": true},
    {"Name": "Hidden", "Kind": "Hidden", "Type": "FullyConnected", "N": 6, "Activation": "Sigmoid", "Sparse": true},
    {"Name": "Output", "Kind": "Output", "Type": "FullyConnected", "DataSet": "output", "N": "auto", "Activation": "Sigmoid", "Sparse": true}
  ],
  "ErrorFunction": "ScaledMarginalCrossEntropy",
  "Training": {"Optimizer": "SGD", "Alpha": 0.3, "Lambda": 0.01, "Lambda1": 0.002}
})";

using reference::Tensor;
double sigmoid(double z) { return 1 / (1 + std::exp(-z)); }

/// x W + b.
Tensor affine(const Tensor &x, const Tensor &weights, const Tensor &bias) {
  Tensor z(x.rows, weights.columns);
  for (int64_t row = 0; row < x.rows; ++row)
    for (int64_t out = 0; out < weights.columns; ++out) {
      z(row, out) = bias(0, out);
      for (int64_t in = 0; in < weights.rows; ++in)
        z(row, out) += x(row, in) * weights(in, out);
    }
  return z;
}

/// One step of stochastic gradient descent, and the regularisation term of the weights before it.
double descend(Tensor &weights, Tensor &bias, const Tensor &x, const Tensor &delta) {
  double term = 0, batch = static_cast<double>(x.rows);
  for (int64_t out = 0; out < weights.columns; ++out) {
    for (int64_t in = 0; in < weights.rows; ++in) {
      double &w = weights(in, out), gradient = 0;
      for (int64_t row = 0; row < x.rows; ++row)
        gradient += x(row, in) * delta(row, out) / batch;
      term += kLambda / 2 * w * w + kLambda1 * std::abs(w);
      w -= kAlpha * (gradient + kLambda * w + kLambda1 * (w > 0 ? 1 : w < 0 ? -1 : 0));
    }
    for (int64_t row = 0; row < x.rows; ++row)
      bias(0, out) -= kAlpha * delta(row, out) / batch;
  }
  return term;
}

struct Step {
  double loss = 0, regularization = 0;
};

/// The derivative of the loss by the output's pre-activation. Margins: a unit on its good side has neither.
Tensor outputDelta(const Tensor &y, const reference::DataTable &target, const std::vector<int64_t> &ids, double &loss) {
  Tensor delta(y.rows, y.columns);
  for (int64_t row = 0; row < y.rows; ++row)
    for (int64_t item = 0; item < y.columns; ++item) {
      double a = y(row, item);
      if (target.isStored(ids[static_cast<size_t>(row)], item)) {
        loss -= a < kOneTarget ? kOneScale * std::log(a) : 0;
        delta(row, item) = a < kOneTarget ? kOneScale * (a - 1) : 0;
      } else {
        loss -= a > kZeroTarget ? kZeroScale * std::log(1 - a) : 0;
        delta(row, item) = a > kZeroTarget ? kZeroScale * a : 0;
      }
    }
  return delta;
}

Tensor hiddenDelta(const Tensor &hidden, const Tensor &delta, const Tensor &weights) {
  Tensor to(hidden.rows, hidden.columns);
  for (int64_t unit = 0; unit < hidden.columns; ++unit) {
    double mean = 0;
    for (int64_t row = 0; row < hidden.rows; ++row)
      mean += hidden(row, unit) / static_cast<double>(hidden.rows);
    for (int64_t row = 0; row < hidden.rows; ++row) {
      double sum = kBeta * (-kSparseness / mean + (1 - kSparseness) / (1 - mean)), h = hidden(row, unit);
      for (int64_t item = 0; item < delta.columns; ++item)
        sum += delta(row, item) * weights(unit, item);
      to(row, unit) = sum * h * (1 - h);
    }
  }
  return to;
}

Step trainStep(std::map<std::string, Tensor> &w, const Tables &tables, const reference::Run &run, uint32_t maskStream) {
  Tensor x(static_cast<int64_t>(run.ids.size()), kItems);
  for (int64_t row = 0; row < x.rows; ++row)
    for (int64_t item = 0; item < kItems; ++item) {
      uint64_t id = static_cast<uint64_t>(run.ids[static_cast<size_t>(row)]);
      double draw = plan::uniform({run.seed, maskStream, run.epoch}, id, static_cast<uint64_t>(item));
      x(row, item) = draw < static_cast<float>(kDenoising)
                         ? 0
                         : tables.at("input").values(static_cast<int64_t>(id), item) / (1 - kDenoising);
    }
  Tensor hidden = affine(x, w.at("Input->Hidden/weights"), w.at("Input->Hidden/bias"));
  for (double &value : hidden.values)
    value = sigmoid(value);
  Tensor y = affine(hidden, w.at("Hidden->Output/weights"), w.at("Hidden->Output/bias"));
  for (double &value : y.values)
    value = sigmoid(value);
  Step step;
  Tensor delta = outputDelta(y, tables.at("output"), run.ids, step.loss),
         inner = hiddenDelta(hidden, delta, w.at("Hidden->Output/weights"));
  step.regularization = descend(w.at("Hidden->Output/weights"), w.at("Hidden->Output/bias"), hidden, delta);
  step.regularization += descend(w.at("Input->Hidden/weights"), w.at("Input->Hidden/bias"), x, inner);
  return step;
}

TEST(Autoencoder, TrainsAsDefined) {
  Network network(kJson);
  Random random(4);
  Tables tables;
  for (const char *name : {"input", "output"})
    tables[name] = randomTable(random, {.rows = 12, .columns = kItems, .storage = Storage::CsrBinary});
  uint32_t maskStream = 0;
  network.differentiated().walk([&](net::CorruptOp op) { maskStream = static_cast<uint32_t>(op.getStream()); });
  ASSERT_GT(maskStream, 0u);

  reference::State state = network.initialState(tables);
  std::map<std::string, Tensor> defined = state.parameters;
  ASSERT_EQ(defined.at("Input->Hidden/weights").columns, kHidden);
  for (int64_t index = 1; index <= 3; ++index) {
    reference::Run run = network.run({(index * 5) % 12, 3, 7 + index, 0, 11}, index, 1, 3);
    reference::Result result = reference::interpret(network.differentiated(), "train", tables, state, run);
    Step step = trainStep(defined, tables, run, maskStream);
    EXPECT_NEAR(result.loss, step.loss, 1e-6 * step.loss);
    EXPECT_NEAR(result.regularization, step.regularization, 1e-6 * step.regularization);
    for (const auto &[name, tensor] : defined)
      for (size_t i = 0; i < tensor.values.size(); ++i) // constants and hyper-parameters are floats in the IR
        EXPECT_NEAR(result.after.parameters.at(name).values[i], tensor.values[i], 1e-6) << name << " step " << index;
    state = result.after;
  }
}
} // namespace
} // namespace sn::test
