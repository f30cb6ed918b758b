#include "test/conformance/language/KeyCases.h"
#include "dialects/Vocabulary/Records.h"
#include <cmath>
#include <sstream>
#include <stdexcept>

namespace sn::test {
KeyJson keyBase(const std::vector<std::pair<std::string, KeyJson>> &setup) {
  KeyJson network = KeyJson::parse(R"({
    "ErrorFunction": "CrossEntropy",
    "Layers": [
      { "Kind": "Input", "Name": "X", "N": "auto", "DataSet": "x", "Sparse": true },
      { "Kind": "Input", "Name": "Y", "N": 7, "DataSet": "y" },
      { "Kind": "Hidden", "Name": "H", "N": 7, "Source": ["X", "Y"], "Activation": "Tanh" },
      { "Kind": "Hidden", "Name": "G", "N": 7, "Source": "H" },
      { "Kind": "Output", "Name": "Out", "N": 13, "DataSet": "t", "Source": "G" }
    ],
    "Training": { "Batch": 5, "Epochs": 3, "Seed": 7, "Alpha": 0.2 } })");
  for (const auto &[path, value] : setup)
    setAt(network, path, value);
  return network;
}

void setAt(KeyJson &network, const std::string &path, const KeyJson &value) {
  std::istringstream parts(path);
  std::vector<std::string> keys;
  for (std::string part; std::getline(parts, part, '/');)
    keys.push_back(part);
  KeyJson *at = &network;
  for (size_t i = 0; i + 1 < keys.size(); ++i) {
    if (keys[i][0] == '@') {
      KeyJson *found = nullptr;
      for (KeyJson &layer : network["Layers"])
        if (layer["Name"] == keys[i].substr(1))
          found = &layer;
      if (!found)
        throw std::logic_error("no layer " + keys[i]);
      at = found;
      continue;
    }
    at = &(*at)[keys[i]];
  }
  if (value.is_null())
    at->erase(keys.back());
  else
    (*at)[keys.back()] = value;
}

const std::map<std::string, std::string> &keyExemptions() {
  static const std::map<std::string, std::string> reasons{
      {"network/Version", "checked, otherwise without effect as in DSSTNE (T-01)"},
      {"network/Name", "for people"},
      {"network/Kind", "AutoEncoder is FeedForward in DSSTNE"},
      {"network/MaxOut", "holds k alone"},
      {"MaxOut/k", "stored and never used in DSSTNE"},
      {"layer Output/Sparse", "an Output is as sparse as its targets (reference 1.3)"},
  };
  return reasons;
}

namespace {
using Cases = std::vector<KeyCase>;
using Setup = std::vector<std::pair<std::string, KeyJson>>;
const KeyJson kShare = {{"InputLayer", "H"}, {"SourceInputLayer", "Y"}, {"SourceOutputLayer", "H"}};

void networkCases(Cases &cases) {
  for (const char *optimizer : {"Momentum", "Adam"}) // cleared states, the exponent
    cases.push_back({"network/Compatibility", {{"Training/Optimizer", optimizer}}, "Compatibility", "dsstne"});
  cases.push_back({"network/Compatibility",
                   {{"@H/WeightInit", {{"Scheme", "Constant"}, {"Scale", 0.3}}}},
                   "Compatibility",
                   "dsstne"});
  cases.push_back({"network/Precision", {}, "Precision", "tf32"});
  cases.push_back({"network/WeightsData", {}, "WeightsData", "w.h5"});
  cases.push_back({"network/SparsenessPenalty",
                   {{"@H/Sparse", true}, {"@H/Activation", "Sigmoid"}},
                   "SparsenessPenalty",
                   {{"p", 0.2}, {"beta", 1}}});
  cases.push_back({"network/Denoising", {}, "Denoising", {{"p", 0.4}}});
  cases.push_back({"network/DeltaBoost", {}, "DeltaBoost", {{"one", 3}, {"zero", 1}}});
  cases.push_back({"network/ShuffleIndices", {}, "ShuffleIndices", false});
  for (const vocab::Loss &loss : vocab::losses())
    if (loss.name != vocab::kDefaultLoss)
      cases.push_back({"network/ErrorFunction",
                       {{"ScaledMarginalCrossEntropy", {{"oneScale", 3}}}},
                       "ErrorFunction",
                       std::string(loss.name)});
  KeyJson layers = keyBase({})["Layers"];
  layers.erase(3);
  layers[3]["Source"] = "H";
  cases.push_back({"network/Layers", {}, "Layers", layers});
  cases.push_back({"network/Training", {}, "Training", {{"Batch", 5}, {"Epochs", 3}, {"Seed", 7}}});
  cases.push_back({"network/Decay", {}, "Decay", 0.3});
}

/// Objects of the losses: as a whole, and every member.
void lossCases(Cases &cases) {
  for (const vocab::Loss &loss : vocab::losses()) {
    std::string object(loss.object);
    for (const vocab::Param &param : loss.params) {
      std::string member(param.key);
      // Targets are margins: outputs must lie beyond them for a change to be seen.
      double value = param.high <= 1 ? 0.5 : param.byDefault * 3;
      cases.push_back({"loss " + std::string(loss.name) + "/" + member,
                       {{"ErrorFunction", std::string(loss.name)}},
                       object + "/" + member,
                       value});
      cases.push_back({"network/" + object, {{"ErrorFunction", std::string(loss.name)}}, object, {{member, value}}});
    }
  }
}

/// Parameters of activations, on the network and on layers of each kind.
void activationCases(Cases &cases) {
  for (const vocab::Activation &activation : vocab::activations())
    for (const vocab::Param &param : activation.params) {
      std::string key(param.key), name(activation.name);
      double value = param.byDefault * 0.7;
      Setup hidden{{"@H/Activation", name}}, output{{"@Out/Activation", name}, {"ErrorFunction", "L2"}};
      cases.push_back({"network/" + key, hidden, key, value});
      if (!param.layerKey)
        continue;
      cases.push_back({"layer Hidden/" + key, hidden, "@H/" + key, value});
      cases.push_back({"layer Output/" + key, output, "@Out/" + key, value});
    }
}

void structureCases(Cases &cases) {
  cases.push_back({"layer Input/Kind", {}, "@X/Kind", "Hidden", true});
  cases.push_back({"layer Hidden/Kind", {}, "@H/Kind", "Input", true});
  cases.push_back({"layer Output/Kind", {}, "@Out/Kind", "Hidden", true});
  cases.push_back({"layer Hidden/Kind", {{"@H/Source", "X"}, {"@G/Source", {"H", "Y"}}}, "@H/Kind", "Pooling", true});
  cases.push_back({"layer Input/Type", {}, "@X/Type", "Convolutional", true});
  cases.push_back({"layer Hidden/Type", {}, "@H/Type", "Pooling", true});
  cases.push_back({"layer Output/Type", {}, "@Out/Type", "Pooling", true});
  for (const char *layer : {"X", "H", "Out"})
    cases.push_back({std::string("layer ") +
                         (*layer == 'X'   ? "Input"
                          : *layer == 'H' ? "Hidden"
                                          : "Output") +
                         "/Name",
                     {},
                     std::string("@") + layer + "/Name",
                     "Renamed",
                     *layer != 'O'});
  cases.push_back({"layer Input/Sparse", {{"Denoising", {{"p", 0.4}}}}, "@X/Sparse", false});
  cases.push_back({"layer Hidden/Sparse",
                   {{"SparsenessPenalty", {{"p", 0.2}, {"beta", 1}}}, {"@H/Activation", "Sigmoid"}},
                   "@H/Sparse",
                   true});
  cases.push_back({"layer Input/N", {}, "@X/N", 12});
  cases.push_back({"layer Hidden/N", {}, "@H/N", 8});
  cases.push_back({"layer Output/N", {}, "@Out/N", 14});
  cases.push_back({"layer Input/DataSet", {}, "@X/DataSet", "x2"});
  cases.push_back({"layer Output/DataSet", {}, "@Out/DataSet", "t2"});
  cases.push_back({"layer Hidden/Source", {{"@H/Source", "X"}, {"@G/Source", {"H", "Y"}}}, "@H/Source", {"X", "Y"}});
  cases.push_back({"layer Output/Source", {}, "@Out/Source", {"G", "H"}});
  cases.push_back({"layer Hidden/Skip", {}, "@H/Skip", "Y"});
  cases.push_back({"layer Hidden/Skip", {}, "@G/Skip", {"H"}});
  cases.push_back(
      {"layer Output/Skip", {{"@G/N", 13}, {"@G/Source", "X"}, {"@Out/Source", {"H", "G"}}}, "@Out/Skip", "G"});
  Setup pooling{{"@G/Type", "Pooling"}, {"@G/N", nullptr}, {"@G/Source", {"H", "Y"}}, {"@G/Function", "DotProduct"}};
  cases.push_back({"layer Hidden/Function", pooling, "@G/Function", "Cosine"});
  cases.push_back({"layer Output/Function",
                   {{"@Out/Type", "Pooling"},
                    {"@Out/N", nullptr},
                    {"@Out/DataSet", "m"},
                    {"ErrorFunction", "L2"},
                    {"@Out/Source", {"G", "H"}},
                    {"@Out/Function", "DotProduct"}},
                   "@Out/Function",
                   "Cosine"});
}

void trainedLayerCases(Cases &cases) {
  cases.push_back({"layer Input/pDropout", {}, "@X/pDropout", 0.5});
  for (auto [kind, at] : {std::pair<std::string, std::string>{"Hidden", "@H/"}, {"Output", "@Out/"}}) {
    std::string layer = "layer " + kind + "/";
    cases.push_back({layer + "pDropout", {{"ErrorFunction", "L2"}}, at + "pDropout", 0.5});
    cases.push_back({layer + "Activation", {}, at + "Activation", kind == "Hidden" ? "Relu" : "SoftMax"});
    cases.push_back({layer + "WeightInit", {}, at + "WeightInit", {{"Scale", 2}}});
    cases.push_back({layer + "WeightNorm", {}, at + "WeightNorm", 0.3});
    cases.push_back({layer + "DeltaNorm", {}, at + "DeltaNorm", 0.01});
  }
  cases.push_back({"layer Hidden/BatchNormalization", {}, "@H/BatchNormalization", true});
  cases.push_back({"layer Hidden/SparsenessPenalty",
                   {{"@H/Sparse", true}, {"@H/Activation", "Sigmoid"}},
                   "@H/SparsenessPenalty",
                   {{"p", 0.2}, {"beta", 1}}});
  cases.push_back({"layer Hidden/SharedWeights", {}, "@G/SharedWeights", kShare});
  for (const char *layer : {"Hidden", "Output"})
    cases.push_back({std::string("layer ") + layer + "/Precision",
                     {{"Precision", "tf32"}},
                     *layer == 'H' ? "@H/Precision" : "@Out/Precision",
                     "fp32"});
  Setup wide{{"@G/N", 13}, {"@Out/Source", {"G", "H"}}};
  cases.push_back({"layer Output/SharedWeights",
                   wide,
                   "@Out/SharedWeights",
                   {{"InputLayer", "H"}, {"SourceInputLayer", "H"}, {"SourceOutputLayer", "G"}}});
}

void objectCases(Cases &cases) {
  Setup sparse{{"@H/Sparse", true}, {"@H/Activation", "Sigmoid"}, {"SparsenessPenalty", {{"p", 0.2}, {"beta", 1}}}};
  cases.push_back({"SparsenessPenalty/p", sparse, "SparsenessPenalty/p", 0.6});
  cases.push_back({"SparsenessPenalty/beta", sparse, "SparsenessPenalty/beta", 3});
  sparse.push_back({"@H/SparsenessPenalty", {{"p", 0.3}, {"beta", 0.5}}});
  cases.push_back({"SparsenessPenalty/p", sparse, "@H/SparsenessPenalty/p", 0.6});
  cases.push_back({"SparsenessPenalty/beta", sparse, "@H/SparsenessPenalty/beta", 3});
  cases.push_back({"Denoising/p", {{"Denoising", {{"p", 0.2}}}}, "Denoising/p", 0.6});
  cases.push_back({"DeltaBoost/one", {}, "DeltaBoost/one", 3});
  cases.push_back({"DeltaBoost/zero", {}, "DeltaBoost/zero", 0.2});

  Setup shared{{"@G/Source", {"H", "Y"}}, {"@G/SharedWeights", kShare}};
  cases.push_back({"SharedWeights/InputLayer", shared, "@G/SharedWeights/InputLayer", "Y"});
  cases.push_back({"SharedWeights/SourceInputLayer", shared, "@G/SharedWeights/SourceInputLayer", "X", true});
  cases.push_back(
      {"SharedWeights/SourceOutputLayer",
       {{"@G/Source", {"H", "Y"}}, {"@Out/Source", {"G", "H", "Y"}}, {"@Out/N", 13}, {"@G/SharedWeights", kShare}},
       "@G/SharedWeights/SourceOutputLayer",
       "Out",
       true});
  cases.push_back({"SharedWeights/Transposed", shared, "@G/SharedWeights/Transposed", true});

  Setup init{{"@H/WeightInit", {{"Scheme", "Uniform"}, {"Scale", 0.5}}}};
  for (const vocab::Initializer &record : vocab::initializers())
    if (record.name != "Uniform")
      cases.push_back({"WeightInit/Scheme", init, "@H/WeightInit/Scheme", std::string(record.name)});
  cases.push_back({"WeightInit/Scale", init, "@H/WeightInit/Scale", 0.7});
  cases.push_back({"WeightInit/Bias", init, "@H/WeightInit/Bias", 0.4});
}

void trainingCases(Cases &cases) {
  for (const vocab::Optimizer &record : vocab::optimizers())
    if (record.name != vocab::kDefaultOptimizer)
      cases.push_back({"Training/Optimizer", {}, "Training/Optimizer", std::string(record.name)});
  cases.push_back({"Training/Alpha", {}, "Training/Alpha", 0.1});
  cases.push_back({"Training/Lambda", {}, "Training/Lambda", 0.05});
  cases.push_back({"Training/Lambda1", {}, "Training/Lambda1", 0.05});
  cases.push_back({"Training/Mu", {{"Training/Optimizer", "Momentum"}}, "Training/Mu", 0.8});
  cases.push_back({"Training/Mu1", {{"Training/Optimizer", "Adam"}}, "Training/Mu1", 0.8});
  cases.push_back({"Training/Batch", {}, "Training/Batch", 6});
  cases.push_back({"Training/Epochs", {}, "Training/Epochs", 2});
  cases.push_back({"Training/Seed", {}, "Training/Seed", 8});
  cases.push_back({"Training/Schedule", {}, "Training/Schedule", {{"Kind", "Exponential"}, {"Factor", 0.5}}});
  for (const vocab::Schedule &schedule : vocab::schedules()) {
    std::string name(schedule.name), table = "Schedule " + name + "/";
    Setup setup{{"Training/Epochs", 24}, {"Training/Schedule", {{"Kind", name}}}};
    cases.push_back(
        {table + "Kind", setup, "Training/Schedule/Kind", name == "Exponential" ? "Constant" : "Exponential"});
    for (const vocab::Param &param : schedule.params) {
      double value = param.byDefault > 1 ? std::floor(param.byDefault / 2) : param.byDefault * 0.5 + 0.1;
      cases.push_back({table + std::string(param.key), setup, "Training/Schedule/" + std::string(param.key), value});
    }
  }
}
} // namespace

const std::vector<KeyCase> &keyCases() {
  static const Cases all = [] {
    Cases cases;
    networkCases(cases);
    lossCases(cases);
    activationCases(cases);
    structureCases(cases);
    trainedLayerCases(cases);
    objectCases(cases);
    trainingCases(cases);
    return cases;
  }();
  return all;
}
} // namespace sn::test
