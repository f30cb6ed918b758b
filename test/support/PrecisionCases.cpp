#include "test/support/PrecisionCases.h"

namespace sn::test {
using Json = nlohmann::ordered_json;

namespace {
constexpr int64_t kExamples = 90;

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
} // namespace

Case deepNetwork(const Json &keys, const char *optimizer, const Json &outputKeys) {
  Json output = outputKeys;
  output["N"] = "auto", output["DataSet"] = "t", output["Activation"] = "Sigmoid";
  return caseOf("deep",
                {input("x", true), layer("Hidden", "H", {{"N", 70}, {"Activation", "Tanh"}}),
                 layer("Hidden", "G", {{"N", 24}, {"Activation", "Tanh"}}), layer("Output", "Out", output)},
                keys, optimizer, Storage::CsrBinary, Storage::CsrBinary, 40, 150);
}

std::vector<Case> casesOfPrecision(plan::Precision precision) {
  const Json keys = keysOf(precision);
  switch (precision) {
  case plan::Precision::Tf32:
    return {deepNetwork(keys, "Momentum"), dense(keys, "Adam"), tied(keys, "SGD"), shared(keys, "AdaGrad")};
  case plan::Precision::Bf16x3:
    return {deepNetwork(keys, "Momentum"), dense(keys, "RMSProp"), tied(keys, "Nesterov"), shared(keys, "AdaDelta")};
  default:
    return {deepNetwork(keys, "Momentum"), dense(keys, "Adam"),    tied(keys, "SGD"),       shared(keys, "AdaGrad"),
            dense(keys, "RMSProp"), tied(keys, "Nesterov"), shared(keys, "AdaDelta")};
  }
}
} // namespace sn::test
