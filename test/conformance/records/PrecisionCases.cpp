#include "test/conformance/records/PrecisionCases.h"
#include "compiler/Reference/Rounding.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

namespace sn::test {
namespace {
constexpr int64_t kExamples = 90;

OrderedJson layer(const char *kind, const char *name, OrderedJson keys) {
  keys["Kind"] = kind, keys["Name"] = name;
  return keys;
}
OrderedJson input(const char *data, bool sparse) {
  return layer("Input", "In", {{"N", "auto"}, {"DataSet", data}, {"Sparse", sparse}});
}

/// One network, of smooth formulas alone: at a kink rounding changes more than its own size.
Case caseOf(const std::string &name, OrderedJson layers, const OrderedJson &keys, const char *optimizer, Storage in, Storage target,
            int64_t inputs, int64_t outputs, const std::vector<int64_t> &batches = {70, 5}) {
  OrderedJson network = keys;
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

/// Dense input, soft-max.
Case dense(const OrderedJson &keys, const char *optimizer) {
  return caseOf("dense",
                {input("x", false), layer("Hidden", "H", {{"N", 24}, {"Activation", "Sigmoid"}}),
                 layer("Output", "Out", {{"N", "auto"}, {"DataSet", "t"}, {"Activation", "SoftMax"}})},
                keys, optimizer, Storage::Dense, Storage::CsrAnalog, 75, 40);
}
/// The input's matrix transposed at the output, bounds on norms of weights and of deltas: gradient buffers.
Case tied(const OrderedJson &keys, const char *optimizer) {
  OrderedJson shared{{"InputLayer", "H"}, {"SourceInputLayer", "In"}, {"SourceOutputLayer", "H"}, {"Transposed", true}};
  OrderedJson own = keys;
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
Case shared(const OrderedJson &keys, const char *optimizer) {
  OrderedJson sharing{{"InputLayer", "G"}, {"SourceInputLayer", "H"}, {"SourceOutputLayer", "G"}};
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
double distance(const reference::Tensor &a, const reference::Tensor &b) {
  double squares = 0;
  for (size_t i = 0; i < a.values.size(); ++i)
    squares += (a.values[i] - b.values[i]) * (a.values[i] - b.values[i]);
  return std::sqrt(squares);
}

} // namespace

Case deep(const OrderedJson &keys, const char *optimizer, const OrderedJson &outputKeys) {
  OrderedJson output = outputKeys;
  output["N"] = "auto", output["DataSet"] = "t", output["Activation"] = "Sigmoid";
  return caseOf("deep",
                {input("x", true), layer("Hidden", "H", {{"N", 70}, {"Activation", "Tanh"}}),
                 layer("Hidden", "G", {{"N", 24}, {"Activation", "Tanh"}}), layer("Output", "Out", output)},
                keys, optimizer, Storage::CsrBinary, Storage::CsrBinary, 40, 150);
}
OrderedJson keysOf(plan::Precision precision) { return {{"Precision", plan::nameOf(precision)}}; }

std::vector<Case> casesOf(plan::Precision precision) {
  const OrderedJson keys = keysOf(precision);
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

std::vector<float> bitsOf(const Case &made) {
  Network network(made.json);
  const std::map<std::string, Program> programs = compileSchedules(network, 0, {"single"});
  backend().expect(sessionsOf(programs, made.tables, static_cast<int64_t>(made.batches[0].size())));
  return trainedBits(programs.begin()->second, network, made, 1);
}
bool sameBits(const std::vector<float> &a, const std::vector<float> &b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

} // namespace sn::test
