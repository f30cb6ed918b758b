// Data sets of every kind: indexed, weighted, 8-bit, with ignored zeros (reference 1.13, 2.5; T-22, T-23, T-25, T-52).
#include "test/conformance/language/Cases.h"
#include <cstring>
#include <gtest/gtest.h>

namespace sn::test {
namespace {
std::string layers(const std::string &activation) {
  return R"({ "Kind": "Input", "Name": "X", "N": "auto", "DataSet": "x", "Sparse": true },
  { "Kind": "Hidden", "Name": "H", "N": 7, "Activation": "Tanh" },
  { "Kind": "Output", "Name": "Out", "N": "auto", "DataSet": "t", "Activation": ")" +
         activation + "\" }";
}
std::string keys(const std::string &loss) {
  return "\"ErrorFunction\": \"" + loss +
         R"(", "Denoising": { "p": 0.2 }, "Training": { "Optimizer": "Momentum", "Lambda": 0.01 })";
}
/// The loss of an example's row behind this activation stands for all losses of that kind.
std::vector<std::string> activationsFor(const vocab::Loss &loss) {
  std::vector<std::string> names{"Sigmoid"};
  if (loss.rowWise)
    names.emplace_back("SoftMax");
  return names;
}
/// Trained from the runtime's own initial values.
std::vector<float> bits(const Case &made, const std::string &schedule = "single") {
  static std::map<std::string, std::pair<std::unique_ptr<Network>, std::map<std::string, Program>>> known;
  auto &[network, programs] = known[made.json]; // one plan serves every kind of data
  if (!network) {
    network = std::make_unique<Network>(made.json);
    programs = compileSchedules(*network, 0);
  }
  return trainedBits(programs.at(schedule), *network, made, 2);
}

TEST(Data, EveryLossOnEveryKind) {
  for (const vocab::Loss &loss : vocab::losses())
    for (const std::string &activation : activationsFor(loss))
      for (Storage input : kStorages)
        for (Storage target : kStorages) {
          if (activation != "Sigmoid" && input != target)
            continue;
          SCOPED_TRACE(std::string(loss.name) + " behind " + activation + ", storages " + std::to_string(int(input)) +
                       " and " + std::to_string(int(target)));
          TableShape x{.columns = 11, .storage = input, .weighted = true, .indexed = true, .image = true},
              t{.columns = 13, .storage = target, .unitInterval = true, .weighted = true, .indexed = true};
          t.ignoreZeros = input != Storage::Dense;
          checkNetwork(languageCase(layers(activation), {{"x", x}, {"t", t}}, keys(std::string(loss.name))));
        }
}

TEST(Data, IndexedEqualsPlain) {
  for (Storage input : kStorages)
    for (Storage target : kStorages)
      for (const char *schedule : kSchedules)
        for (const char *activation : {"Sigmoid", "SoftMax"}) {
          Case made = languageCase(layers(activation),
                                   {{"x", {.columns = 11, .storage = input, .weighted = true, .indexed = true}},
                                    {"t", {.columns = 13, .storage = target, .unitInterval = true, .indexed = true}}},
                                   keys("CrossEntropy"));
          std::vector<float> behindIndex = bits(made, schedule);
          made.tables.indexed.clear();
          std::vector<float> plain = bits(made, schedule);
          ASSERT_EQ(behindIndex.size(), plain.size());
          EXPECT_EQ(std::memcmp(behindIndex.data(), plain.data(), plain.size() * sizeof(float)), 0) << schedule;
        }
}

/// A weight of a sparse input's example multiplies its values: binary entries with weights are analog ones.
TEST(Data, WeightedEntriesAreValues) {
  Case weighted = languageCase(layers("Sigmoid"),
                               {{"x", {.columns = 11, .storage = Storage::CsrBinary, .weighted = true}},
                                {"t", {.columns = 13, .storage = Storage::CsrBinary, .unitInterval = true}}},
                               keys("CrossEntropy")),
       valued = weighted;
  reference::DataTable &x = valued.tables.at("x");
  x.binary = false;
  for (int64_t row = 0; row < x.values.rows; ++row)
    for (int64_t column = 0; column < x.values.columns; ++column)
      x.values(row, column) *= x.weights[static_cast<size_t>(row)];
  x.weights.clear();
  std::vector<float> a = bits(weighted), b = bits(valued);
  for (size_t i = 0; i < a.size(); ++i)
    ASSERT_NEAR(a[i], b[i], 1e-6 * std::max(1.0f, std::abs(a[i])));
}

/// A weight of 2 is the example twice; one of 0 leaves it out.
TEST(Data, WeightsOfTargetsAreRepetitions) {
  Case weighted =
      languageCase(layers("Sigmoid"),
                   {{"x", {.columns = 11, .storage = Storage::CsrBinary}},
                    {"t", {.columns = 13, .storage = Storage::CsrAnalog, .unitInterval = true, .weighted = true}}},
                   "\"ErrorFunction\": \"L2\"");
  Network network(weighted.json);
  Program program = compileSchedules(network, 0, {"single"}).at("single");
  std::vector<double> &w = weighted.tables.at("t").weights;
  reference::Run run = network.run({3, 5, 8}, 1, 1, 1);
  auto loss = [&](double third) {
    w.assign(w.size(), 1);
    w[5] = third;
    Session session(program, weighted.tables, program.plan.training.optimizer);
    session.model().initialize(1);
    return session.evaluate(run);
  };
  double none = loss(0), once = loss(1), twice = loss(2);
  EXPECT_GT(once, none);
  EXPECT_NEAR(twice - once, once - none, 1e-5 * once);
}

/// 8-bit images: the stored k/256, 0.5 less as inputs and untouched as targets (T-22).
TEST(Data, OffsetsActOnInputsAlone) {
  Case offset = languageCase(R"({ "Kind": "Input", "Name": "X", "N": "auto", "DataSet": "x" },
                                     { "Kind": "Hidden", "Name": "H", "N": 7 },
                                     { "Kind": "Output", "Name": "Out", "N": "auto", "DataSet": "t" })",
                             {{"x", {.columns = 11, .storage = Storage::Dense, .image = true}},
                              {"t", {.columns = 13, .storage = Storage::Dense, .unitInterval = true, .image = true}}}),
       shifted = offset;
  ASSERT_NE(offset.tables.at("x").inputOffset, 0);
  ASSERT_NE(offset.tables.at("t").inputOffset, 0);
  reference::DataTable &x = shifted.tables.at("x");
  for (double &value : x.values.values)
    value += x.inputOffset;
  x.inputOffset = shifted.tables.at("t").inputOffset = 0;
  std::vector<float> a = bits(offset), b = bits(shifted);
  EXPECT_EQ(std::memcmp(a.data(), b.data(), a.size() * sizeof(float)), 0);
}
} // namespace
} // namespace sn::test
