// Layers that are more than a product and an activation, against their definitions in plain loops: shared weights,
// skips, poolings, networks without targets.
#include "dialects/Net/Net.h"
#include "test/conformance/oracle/Plain.h"
#include <cmath>
#include <gtest/gtest.h>

namespace sn::test::plain {
namespace {
const std::string kPlainTraining = R"("ErrorFunction": "L2", "ShuffleIndices": false,
  "Training": {"Optimizer": "SGD", "Alpha": 0.3, "Lambda": 0, "Lambda1": 0})";

TEST(SharedWeights, TiedAutoencoderOverTwoDataSets) {
  Random random(1);
  Step step(R"({"Version": 0.9, "Layers": [
    {"Name": "I", "Kind": "Input", "N": "auto", "DataSet": "in", "Sparse": true},
    {"Name": "H", "Kind": "Hidden", "N": 4, "Activation": "Tanh"},
    {"Name": "O", "Kind": "Output", "N": "auto", "DataSet": "out", "Activation": "Linear", "SharedWeights":
      [{"InputLayer": "H", "SourceInputLayer": "I", "SourceOutputLayer": "H", "Transposed": true}]}],
    )" + kPlainTraining +
                "}",
            {{"in", sparseTable(random, 6, 9, true)}, {"out", sparseTable(random, 6, 9, false)}});
  step.train();
  const Tensor &w = step.at("I->H/weights");
  EXPECT_FALSE(step.state.parameters.contains("H->O/weights"));
  Tensor x = step.input("in"), h = tanhOf(plus(product(x, w), step.at("I->H/bias")));
  Tensor delta = minus(plus(product(h, transposed(w)), step.at("H->O/bias")), step.input("out"));
  Tensor inner = throughTanh(product(delta, w), h);
  Tensor gradient = plus(product(transposed(x), inner), product(transposed(delta), h));
  EXPECT_NEAR(step.result.loss, halvedSquares(delta), 1e-6);
  step.expectGradient("I->H/weights", gradient);
  step.expectGradient("I->H/bias", columnSums(inner));
  step.expectGradient("H->O/bias", columnSums(delta));
  // The average over users: half of the gradient's mean for the matrix, the mean itself for biases.
  step.expectAfter("I->H/weights", minus(w, scaled(gradient, 0.3 / 4 / 2)));
  step.expectAfter("H->O/bias", minus(step.at("H->O/bias"), scaled(columnSums(delta), 0.3 / 4)));
}

/// The pair's cosine and what it sends to its sides: reference 1.7.
struct Cosine {
  Tensor value, toA, toB; // value [B, 1]
};
Cosine cosine(const Tensor &a, const Tensor &b) {
  Cosine to{Tensor(a.rows, 1), Tensor(a.rows, a.columns), Tensor(a.rows, a.columns)};
  for (int64_t row = 0; row < a.rows; ++row) {
    double dot = 0, aa = 0, bb = 0;
    for (int64_t i = 0; i < a.columns; ++i)
      dot += a(row, i) * b(row, i), aa += a(row, i) * a(row, i), bb += b(row, i) * b(row, i);
    double normA = std::sqrt(aa) + 1e-8, normB = std::sqrt(bb) + 1e-8, c = dot / (normA * normB);
    to.value(row, 0) = c;
    for (int64_t i = 0; i < a.columns; ++i) {
      to.toA(row, i) = b(row, i) / (normA * normB) - a(row, i) * c / (normA * normA);
      to.toB(row, i) = a(row, i) / (normA * normB) - b(row, i) * c / (normB * normB);
    }
  }
  return to;
}

TEST(SharedWeights, TwoTowersOfOneMatrixCompareByCosine) {
  Random random(2);
  DataTable target = denseTable(random, 6, 1);
  for (double &value : target.values.values)
    value = value > 0 ? 1 : -1;
  Step step(R"({"Version": 0.9, "Layers": [
    {"Name": "Q", "Kind": "Input", "N": "auto", "DataSet": "query", "Sparse": true},
    {"Name": "D", "Kind": "Input", "N": "auto", "DataSet": "document", "Sparse": true},
    {"Name": "U", "Kind": "Hidden", "N": 3, "Activation": "Tanh", "Source": "Q"},
    {"Name": "V", "Kind": "Hidden", "N": 3, "Activation": "Tanh", "Source": "D", "SharedWeights":
      {"InputLayer": "D", "SourceInputLayer": "Q", "SourceOutputLayer": "U"}},
    {"Name": "O", "Kind": "Output", "Type": "Pooling", "Function": "Cosine", "Source": ["U", "V"], "N": 1, "DataSet": "t"}],
    "ErrorFunction": "L2Hinge", "Training": {"Alpha": 0.3, "Lambda": 0}})",
            {{"query", sparseTable(random, 6, 8, true)},
             {"document", sparseTable(random, 6, 8, false)},
             {"t", std::move(target)}});
  step.train();
  const Tensor &w = step.at("Q->U/weights");
  Tensor q = step.input("query"), d = step.input("document"), t = step.input("t");
  Tensor u = tanhOf(plus(product(q, w), step.at("Q->U/bias")));
  Tensor v = tanhOf(plus(product(d, w), step.at("D->V/bias")));
  Cosine pair = cosine(u, v);
  Tensor hinge = combined(pair.value, t, [](double a, double target) {
    return target > 0 ? std::min(0.0, a - target) : std::max(0.0, a - std::abs(target));
  });
  EXPECT_NEAR(step.result.loss, halvedSquares(hinge), 1e-6);
  Tensor toU = throughTanh(times(pair.toA, hinge), u), toV = throughTanh(times(pair.toB, hinge), v);
  Tensor gradient = plus(product(transposed(q), toU), product(transposed(d), toV));
  step.expectGradient("Q->U/weights", gradient);
  step.expectGradient("Q->U/bias", columnSums(toU));
  step.expectGradient("D->V/bias", columnSums(toV));
  step.expectAfter("Q->U/weights", minus(w, scaled(gradient, 0.3 / 4 / 2)));
}

const std::string kThreeHidden = R"({"Version": 0.9, "Layers": [
    {"Name": "I", "Kind": "Input", "N": "auto", "DataSet": "x"},
    {"Name": "H1", "Kind": "Hidden", "N": 3, "Activation": "Tanh", "Source": "I"},
    {"Name": "H2", "Kind": "Hidden", "N": 3, "Activation": "Tanh", "Source": "I"},
    {"Name": "H3", "Kind": "Hidden", "N": 3, "Activation": "Tanh", "Source": "I"},
)";

struct ThreeHidden : Step {
  ThreeHidden(const std::string &rest, Tables given) : Step(kThreeHidden + rest + kPlainTraining + "}", given) {
    train();
    x = input("x");
    for (int i = 0; i < 3; ++i) {
      std::string pair = "I->H" + std::to_string(i + 1);
      h[i] = tanhOf(plus(product(x, at(pair + "/weights")), at(pair + "/bias")));
    }
  }
  void expectHidden(int i, const Tensor &gradient) {
    Tensor inner = throughTanh(gradient, h[i]);
    std::string pair = "I->H" + std::to_string(i + 1);
    expectGradient(pair + "/weights", product(transposed(x), inner));
    expectGradient(pair + "/bias", columnSums(inner));
  }
  Tensor x, h[3];
};

Tensor rowDots(const Tensor &a, const Tensor &b) { return transposed(columnSums(transposed(times(a, b)))); }
Tensor column(const Tensor &a, int64_t index) {
  Tensor to(a.rows, 1);
  for (int64_t row = 0; row < a.rows; ++row)
    to(row, 0) = a(row, index);
  return to;
}
Tensor besides(const Tensor &a, const Tensor &b) {
  Tensor to(a.rows, 2);
  for (int64_t row = 0; row < a.rows; ++row)
    to(row, 0) = a(row, 0), to(row, 1) = b(row, 0);
  return to;
}

TEST(Poolings, DotProductsOfThreeSourcesAndASkipOverALayer) {
  Random random(3);
  ThreeHidden step(R"(
    {"Name": "P", "Kind": "Hidden", "Type": "Pooling", "Function": "DotProduct", "Source": ["H1", "H2", "H3"]},
    {"Name": "O", "Kind": "Output", "N": 2, "DataSet": "t", "Activation": "Linear", "Source": "P", "Skip": "P"}],
    )",
                   {{"x", denseTable(random, 6, 5)}, {"t", denseTable(random, 6, 2)}});
  Tensor p = besides(rowDots(step.h[0], step.h[1]), rowDots(step.h[0], step.h[2]));
  const Tensor &w = step.at("P->O/weights");
  Tensor delta = minus(plus(plus(product(p, w), step.at("P->O/bias")), p), step.input("t"));
  EXPECT_NEAR(step.result.loss, halvedSquares(delta), 1e-6);
  step.expectGradient("P->O/weights", product(transposed(p), delta));
  Tensor g = plus(product(delta, transposed(w)), delta), g0 = column(g, 0), g1 = column(g, 1);
  step.expectHidden(0, plus(times(step.h[1], g0), times(step.h[2], g1)));
  step.expectHidden(1, times(step.h[0], g0));
  step.expectHidden(2, times(step.h[0], g1));
}

TEST(Poolings, CosinesOfThreeSources) {
  Random random(31);
  ThreeHidden step(R"(
    {"Name": "O", "Kind": "Output", "Type": "Pooling", "Function": "Cosine", "Source": ["H1", "H2", "H3"], "N": 2, "DataSet": "t"}],
    )",
                   {{"x", denseTable(random, 6, 5)}, {"t", denseTable(random, 6, 2)}});
  Cosine first = cosine(step.h[0], step.h[1]), second = cosine(step.h[0], step.h[2]);
  Tensor delta = minus(besides(first.value, second.value), step.input("t"));
  EXPECT_NEAR(step.result.loss, halvedSquares(delta), 1e-6);
  Tensor g0 = column(delta, 0), g1 = column(delta, 1);
  step.expectHidden(0, plus(times(first.toA, g0), times(second.toA, g1)));
  step.expectHidden(1, times(first.toB, g0));
  step.expectHidden(2, times(second.toB, g1));
}

TEST(Poolings, CosineOfAVectorOfZerosHasAFiniteGradient) {
  Random random(32);
  Step step(R"({"Version": 0.9, "Layers": [
    {"Name": "A", "Kind": "Input", "N": "auto", "DataSet": "a"}, {"Name": "B", "Kind": "Input", "N": "auto", "DataSet": "b"},
    {"Name": "U", "Kind": "Hidden", "N": 3, "Activation": "Relu", "Source": "A"},
    {"Name": "V", "Kind": "Hidden", "N": 3, "Activation": "Tanh", "Source": "B"},
    {"Name": "O", "Kind": "Output", "Type": "Pooling", "Function": "Cosine", "Source": ["U", "V"], "N": 1, "DataSet": "t"}],
    )" + kPlainTraining +
                "}",
            {{"a", denseTable(random, 6, 4)}, {"b", denseTable(random, 6, 4)}, {"t", denseTable(random, 6, 1)}});
  for (double &value : step.state.parameters.at("A->U/bias").values)
    value = -10; // every unit of U is 0
  step.train();
  for (const auto &[name, gradient] : step.result.gradients)
    for (double value : gradient.values)
      EXPECT_TRUE(std::isfinite(value)) << name;
}

TEST(Poolings, MaxoutAndASkipFromAWeightedInput) {
  Random random(4);
  DataTable x = sparseTable(random, 6, 5, false), t = denseTable(random, 6, 5);
  for (int i = 0; i < 6; ++i)
    x.weights.push_back(0.5 + i), t.weights.push_back(2.5 - 0.25 * i);
  DataTable weighted = x; // what the input layer is
  for (int64_t row = 0; row < 6; ++row)
    for (int64_t item = 0; item < 5; ++item)
      weighted.values(row, item) *= x.weights[static_cast<size_t>(row)];
  Tables tables{{"x", x}, {"t", t}};
  ThreeHidden step(R"(
    {"Name": "P", "Kind": "Hidden", "Type": "Pooling", "Function": "Maxout", "Source": ["H1", "H2", "H3"], "Skip": "H2"},
    {"Name": "O", "Kind": "Output", "N": "auto", "DataSet": "t", "Activation": "Linear", "Source": "P", "Skip": "I"}],
    )",
                   tables);
  step.x = rows(weighted, step.run.ids);
  Tensor w(4, 1), p(4, 3), gate[3] = {p, p, p};
  for (int i = 0; i < 3; ++i) {
    std::string pair = "I->H" + std::to_string(i + 1);
    step.h[i] = tanhOf(plus(product(step.x, step.at(pair + "/weights")), step.at(pair + "/bias")));
  }
  for (int64_t row = 0; row < 4; ++row) {
    w(row, 0) = t.weights[static_cast<size_t>(step.run.ids[static_cast<size_t>(row)])];
    for (int64_t unit = 0; unit < 3; ++unit) {
      int best = 0;
      for (int i = 1; i < 3; ++i)
        best = step.h[i](row, unit) > step.h[best](row, unit) ? i : best;
      p(row, unit) = step.h[best](row, unit) + step.h[1](row, unit);
      gate[best](row, unit) = 1;
    }
  }
  Tensor y = plus(plus(product(p, step.at("P->O/weights")), step.at("P->O/bias")), step.x);
  Tensor difference = minus(y, step.input("t")), delta = times(difference, w);
  double loss = 0;
  for (size_t i = 0; i < delta.values.size(); ++i)
    loss += delta.values[i] * difference.values[i] / 2;
  EXPECT_NEAR(step.result.loss, loss, 1e-6 * loss);
  step.expectGradient("P->O/weights", product(transposed(p), delta));
  Tensor g = product(delta, transposed(step.at("P->O/weights")));
  step.expectHidden(0, times(g, gate[0]));
  step.expectHidden(1, plus(times(g, gate[1]), g));
  step.expectHidden(2, times(g, gate[2]));
}

TEST(Entries, WithoutTargetsTheLayersThatFeedNobodyAreRanked) {
  Network network(R"({"Version": 0.9, "Layers": [
    {"Name": "I", "Kind": "Input", "N": "auto", "DataSet": "x"},
    {"Name": "A", "Kind": "Hidden", "N": 3}, {"Name": "B", "Kind": "Hidden", "N": 2},
    {"Name": "C", "Kind": "Hidden", "N": 2, "Source": "A"}]})");
  std::vector<std::string> entries, ranked;
  for (net::EntryOp entry : network.forward().getOps<net::EntryOp>())
    entries.push_back(entry.getSymName().str());
  network.forward().walk(
      [&](net::RankOp op) { ranked.push_back(mlir::cast<mlir::StringAttr>(op.getLayers()[0]).str()); });
  EXPECT_EQ(entries, std::vector<std::string>{"predict"});
  EXPECT_EQ(ranked, (std::vector<std::string>{"B", "C"}));
}

TEST(Entries, HoldNothingThatNoResultDependsOn) {
  Network network(R"({"Version": 0.9, "Layers": [
    {"Name": "I", "Kind": "Input", "N": "auto", "DataSet": "x"},
    {"Name": "Dangling", "Kind": "Hidden", "N": 3}, {"Name": "O", "Kind": "Output", "N": 2, "DataSet": "t"}]})",
                  "a test", [](frontend::Network &spec) { spec.layers[2].sources = {0}; });
  std::vector<std::string> entries;
  for (net::EntryOp entry : network.forward().getOps<net::EntryOp>()) {
    entries.push_back(entry.getSymName().str());
    for (net::ReadOp read : entry.getBody().getOps<net::ReadOp>())
      EXPECT_TRUE(read.getParameter().starts_with("I->O")) << read.getParameter().str();
  }
  EXPECT_EQ(entries, (std::vector<std::string>{"train", "evaluate", "predict"}));
}
} // namespace
} // namespace sn::test::plain
