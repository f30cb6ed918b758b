// Every schema in every precision on the emulated device: against the oracle, whose factors get errors of the size that
// the precision allows; and nearer to an oracle that rounds as the device says it does than to an exact one.
#include "compiler/Reference/Rounding.h"
#include "test/support/Check.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace sn::test {
namespace {
using Json = nlohmann::ordered_json;
constexpr int64_t kExamples = 90;
constexpr std::array kNarrow = {plan::Precision::Tf32, plan::Precision::Bf16x3, plan::Precision::Bf16};

Json layer(const char *kind, const char *name, Json keys) {
  keys["Kind"] = kind, keys["Name"] = name;
  return keys;
}
Json input(const char *data, bool sparse) {
  return layer("Input", "In", {{"N", "auto"}, {"DataSet", data}, {"Sparse", sparse}});
}

/// One network, of smooth formulas alone: at a kink rounding changes more than its own size.
Case caseOf(const std::string &name, Json layers, const Json &keys, const char *optimizer, Storage in, Storage target,
            int64_t inputs, int64_t outputs, const std::vector<int64_t> &batches = {70, 5}) {
  Json network = keys;
  network["Layers"] = std::move(layers);
  network["Training"] = {{"Optimizer", optimizer}, {"Alpha", 0.1}, {"Lambda", 0.001}};
  Case made{.seed = 1, .json = network.dump(1), .tables = {}, .batches = {}, .adjust = {}, .name = name};
  Random random(31);
  addTable(made.tables, "x", random, {.rows = kExamples, .columns = inputs, .storage = in});
  addTable(made.tables, "t", random, {.rows = kExamples, .columns = outputs, .storage = target, .unitInterval = true});
  for (int64_t rows : batches) {
    std::vector<int64_t> batch;
    for (int64_t row = 0; row < rows; ++row)
      batch.push_back((7 * row + 3 * rows) % kExamples);
    made.batches.push_back(batch);
  }
  return made;
}

/// Sparse input, a hidden product, wide outputs of more than one tile of any side.
Case deep(const Json &keys, const char *optimizer, const Json &outputKeys = Json::object()) {
  Json output = outputKeys;
  output["N"] = "auto", output["DataSet"] = "t", output["Activation"] = "Sigmoid";
  return caseOf("deep",
                {input("x", true), layer("Hidden", "H", {{"N", 70}, {"Activation", "Tanh"}}),
                 layer("Hidden", "G", {{"N", 24}, {"Activation", "Tanh"}}), layer("Output", "Out", output)},
                keys, optimizer, Storage::CsrBinary, Storage::CsrBinary, 40, 150);
}
/// Dense input, soft-max.
Case dense(const Json &keys, const char *optimizer) {
  return caseOf("dense",
                {input("x", false), layer("Hidden", "H", {{"N", 24}, {"Activation", "Sigmoid"}}),
                 layer("Output", "Out", {{"N", "auto"}, {"DataSet", "t"}, {"Activation", "SoftMax"}})},
                keys, optimizer, Storage::Dense, Storage::CsrAnalog, 75, 40);
}
/// The input's matrix transposed at the output, bounds on norms of weights and of deltas: gradient buffers.
Case tied(const Json &keys, const char *optimizer) {
  Json shared{{"InputLayer", "H"}, {"SourceInputLayer", "In"}, {"SourceOutputLayer", "H"}, {"Transposed", true}};
  Json own = keys;
  own["ErrorFunction"] = "L2";
  Case made = caseOf("tied",
                     {input("x", true), layer("Hidden", "H", {{"N", 12}, {"Activation", "Tanh"}, {"WeightNorm", 0.4}}),
                      layer("Output", "Out",
                            {{"N", "auto"},
                             {"DataSet", "x"},
                             {"Activation", "Sigmoid"},
                             {"DeltaNorm", 0.5},
                             {"SharedWeights", shared}})},
                     own, optimizer, Storage::CsrAnalog, Storage::Dense, 35, 2);
  made.tables.erase("t");
  return made;
}
/// A matrix of two hidden layers, two outputs of one source, batch normalization.
Case shared(const Json &keys, const char *optimizer) {
  Json sharing{{"InputLayer", "G"}, {"SourceInputLayer", "H"}, {"SourceOutputLayer", "G"}};
  Case made =
      caseOf("shared",
             {input("x", true), layer("Hidden", "H", {{"N", 10}, {"Activation", "Tanh"}}),
              layer("Hidden", "G", {{"N", 10}, {"Activation", "Sigmoid"}, {"BatchNormalization", true}}),
              layer("Hidden", "F", {{"N", 10}, {"Activation", "Tanh"}, {"SharedWeights", sharing}}),
              layer("Output", "A", {{"N", "auto"}, {"DataSet", "t"}, {"Activation", "Sigmoid"}}),
              layer("Output", "B", {{"N", "auto"}, {"DataSet", "x"}, {"Activation", "Sigmoid"}, {"Source", "F"}})},
             keys, optimizer, Storage::CsrBinary, Storage::Dense, 30, 20);
  return made;
}

Json keysOf(plan::Precision precision) { return {{"Precision", plan::nameOf(precision)}}; }

/// The networks; optimizers take turns, and bf16, whose updates are its own, meets all of them.
std::vector<Case> casesOf(plan::Precision precision) {
  const Json keys = keysOf(precision);
  switch (precision) {
  case plan::Precision::Tf32:
    return {deep(keys, "Momentum"), dense(keys, "Adam"), tied(keys, "SGD"), shared(keys, "AdaGrad")};
  case plan::Precision::Bf16x3:
    return {deep(keys, "Momentum"), dense(keys, "RMSProp"), tied(keys, "Nesterov"), shared(keys, "AdaDelta")};
  default:
    return {deep(keys, "Momentum"), dense(keys, "Adam"),    tied(keys, "SGD"),       shared(keys, "AdaGrad"),
            dense(keys, "RMSProp"), tied(keys, "Nesterov"), shared(keys, "AdaDelta")};
  }
}

class Precision : public ::testing::TestWithParam<plan::Precision> {};
INSTANTIATE_TEST_SUITE_P(Of, Precision, ::testing::ValuesIn(kNarrow),
                         [](const auto &info) { return std::string(plan::nameOf(info.param)); });

TEST_P(Precision, EqualsOracle) {
  checkNetworks(casesOf(GetParam()));
  for (const char *kernel :
       {"csc_update", "csr_gather", "gemm", "gemm_update", "wide_output forward", "wide_output loss",
        "wide_output norm", "wide_output single", "wide_output update", "wide_softmax forward", "wide_softmax loss",
        "wide_softmax single", "wide_softmax statistics", "wide_softmax update", "wide_topk"})
    EXPECT_TRUE(coverage().kernels.contains(std::string(plan::nameOf(GetParam())) + " " + kernel)) << kernel;
}

double distance(const reference::Tensor &a, const reference::Tensor &b) {
  double squares = 0;
  for (size_t i = 0; i < a.values.size(); ++i)
    squares += (a.values[i] - b.values[i]) * (a.values[i] - b.values[i]);
  return std::sqrt(squares);
}

/// What a step's weight gradients are is seen in Momentum's states, which are fp32: they lie nearer to those of an
/// oracle that rounds factors than that lies to the exact one.
void checkRounding(const Case &made) {
  Network network(made.json);
  const std::map<std::string, Program> programs = compileSchedules(network, 0);
  backend().expect(sessionsOf(programs, made.tables, kExamples));
  const std::set<std::string> narrow = narrowOf(programs.begin()->second.plan);
  reference::State before = network.initialState(made.tables);
  Random random(11);
  network.shake(before, random, 0.02);
  before = storable(before, narrow);
  reference::Run run = network.run(made.batches[0], 1, 1, 3);
  const reference::State exact =
      reference::interpret(network.differentiated(), "train", made.tables, before, run).after;
  run.factors = reference::Factors::Rounded;
  const reference::State rounded =
      reference::interpret(network.differentiated(), "train", made.tables, before, run).after;
  for (const auto &[schedule, program] : programs) {
    Session session(program, made.tables, "Momentum", 1, kExamples);
    const reference::State after = session.trainFrom(before, run, 3).after;
    for (const auto &[name, states] : rounded.states) {
      if (states[0].rows == 1)
        continue; // a bias's gradient is no product: what rounding changes in it is lost in its sum
      const double all = distance(exact.states.at(name)[0], states[0]),
                   left = distance(after.states.at(name)[0], states[0]);
      EXPECT_GT(all, 0) << name;
      EXPECT_LT(left, 0.25 * all) << schedule << ": " << name << " is not rounded as its precision says";
    }
    for (const std::string &name : narrow) {
      bool moved = false;
      for (size_t i = 0; i < after.parameters.at(name).values.size(); ++i) {
        const double value = after.parameters.at(name).values[i];
        ASSERT_EQ(value, reference::nearest(value, 8)) << schedule << ": " << name << " is not stored as BF16";
        moved = moved || value != before.parameters.at(name).values[i];
      }
      EXPECT_TRUE(moved) << schedule << ": " << name;
    }
  }
}

TEST_P(Precision, RoundsAsItSays) { checkRounding(deep(keysOf(GetParam()), "Momentum")); }

/// A layer's own: the output's products and what they hand back alone.
TEST(PrecisionOfLayers, OneLayerAlone) {
  checkRounding(deep(keysOf(plan::Precision::Tf32), "Momentum", keysOf(plan::Precision::Bf16)));
}

std::vector<float> bitsOf(const Case &made) {
  Network network(made.json);
  const std::map<std::string, Program> programs = compileSchedules(network, 0, {"single"});
  backend().expect(sessionsOf(programs, made.tables, static_cast<int64_t>(made.batches[0].size())));
  return trainedBits(programs.begin()->second, network, made, 1);
}
bool sameBits(const std::vector<float> &a, const std::vector<float> &b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

TEST(PrecisionOfLayers, SameBitsInAnyOrderOfBlocksAndOthersInEachPrecision) {
  std::vector<std::vector<float>> bits{bitsOf(deep(keysOf(plan::Precision::Fp32), "Momentum"))};
  for (plan::Precision precision : kNarrow) {
    const Case made = deep(keysOf(precision), "Momentum");
    checkThreads(made, {1, 2}); // the order's seed, here
    bits.push_back(bitsOf(made));
  }
  for (size_t i = 0; i < bits.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      EXPECT_FALSE(sameBits(bits[i], bits[j])) << i << " and " << j;
}
} // namespace
} // namespace sn::test
