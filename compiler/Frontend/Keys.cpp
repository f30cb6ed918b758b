// The key tables. Reference sections 1.2 and 1.3; "Training" and "Precision" are ours. What waits says for what, and
// the issue that brings it.
#include "compiler/Frontend/Keys.h"

namespace sn::frontend {
namespace {
constexpr Range kProbability{.low = 0, .high = 1, .openHigh = true};
constexpr Range kPositive{.low = 0, .openLow = true};
constexpr Range kNotNegative{.low = 0};
constexpr Range kCount{.low = 1, .high = 2147483647};
constexpr std::string_view kImages = "convolution and the pooling of images come later";
constexpr unsigned kTrained = kHidden | kOutput;

/// Parameters of activations: settable for the whole network, some per layer. Activations may share one.
void addActivationParameters(std::vector<Key> &keys, bool layer) {
  for (const vocab::Activation &activation : vocab::activations())
    for (const vocab::Param &param : activation.params)
      if (!layer || param.layerKey) {
        std::erase_if(keys, [&](const Key &key) { return vocab::equalsIgnoringCase(key.name, param.key); });
        keys.push_back({.name = param.key,
                        .aliases = param.aliases,
                        .forms = kNumber,
                        .range = {.low = param.low, .high = param.high},
                        .on = layer ? kTrained : kAnywhere,
                        .types = layer ? kFullyConnected : kAnyType});
      }
}

/// The objects that hold the losses' parameters; losses may share one.
void addLossObjects(std::vector<Key> &keys) {
  for (const vocab::Loss &loss : vocab::losses())
    if (!loss.object.empty() && !vocab::find(std::span<const Key>(keys), loss.object))
      keys.push_back({.name = loss.object, .aliases = loss.objectAliases, .forms = kObject});
}

std::vector<Key> networkTable() {
  std::vector<Key> keys{
      {.name = "Version", .forms = kText | kNumber | kInteger, .range = {.low = 0.7}, .byDefault = "0.9"},
      {.name = "Name", .forms = kText, .byDefault = "\"\""},
      {.name = "Kind", .forms = kText, .byDefault = "FeedForward"},
      {.name = "Compatibility", .forms = kText, .byDefault = "none"},
      {.name = "WeightsData", .aliases = {"WeightData"}, .forms = kText, .byDefault = "none"},
      {.name = "SparsenessPenalty", .forms = kObject},
      {.name = "Denoising", .forms = kObject},
      {.name = "DeltaBoost", .forms = kObject},
      {.name = "MaxOut", .forms = kObject},
      {.name = "ShuffleIndices", .forms = kBoolean, .byDefault = "true"},
      {.name = "ErrorFunction", .forms = kText, .byDefault = vocab::kDefaultLoss},
      {.name = "Layers", .forms = kArray | kObject},
      {.name = "Training", .forms = kObject},
      {.name = "Precision", .forms = kText, .byDefault = plan::nameOf(plan::Precision::Fp32)},
      {.name = "Decay", .forms = kNumber, .range = kNotNegative, .byDefault = "0"},
      {.name = "LocalResponseNormalization", .aliases = {"LRN"}, .later = kImages, .issue = 6},
  };
  addLossObjects(keys);
  addActivationParameters(keys, false);
  return keys;
}

std::vector<Key> layerTable() {
  std::vector<Key> keys{
      {.name = "Kind", .forms = kText, .byDefault = "by position: first Input, last Output, else Hidden"},
      {.name = "Type", .forms = kText, .byDefault = "FullyConnected"},
      {.name = "Name", .forms = kText, .byDefault = "Kind and index"},
      {.name = "Sparse", .forms = kBoolean, .byDefault = "false"},
      {.name = "N", .forms = kInteger | kText | kArray, .range = kCount, .byDefault = "1"},
      {.name = "DataSet", .forms = kText, .on = kInput | kOutput},
      {.name = "Source", .forms = kText | kArray, .on = kTrained, .byDefault = "the previous layer"},
      {.name = "Skip", .forms = kText | kArray, .on = kTrained, .byDefault = "none"},
      {.name = "Activation", .forms = kText, .on = kTrained, .byDefault = vocab::kDefaultActivation},
      {.name = "Function", .forms = kText, .on = kTrained, .types = kPooling},
      {.name = "Kernel", .on = kTrained, .later = kImages, .issue = 6},
      {.name = "KernelStride", .on = kTrained, .later = kImages, .issue = 6},
  };
  for (Key key : std::vector<Key>{
           {.name = "pDropout", .forms = kNumber, .range = kProbability, .byDefault = "0"},
           {.name = "SparsenessPenalty", .forms = kObject, .on = kHidden},
           {.name = "BatchNormalization", .forms = kBoolean, .on = kHidden, .byDefault = "false"},
           {.name = "WeightInit", .forms = kObject, .on = kTrained},
           {.name = "WeightNorm", .forms = kNumber, .range = kNotNegative, .on = kTrained, .byDefault = "0"},
           {.name = "DeltaNorm", .forms = kNumber, .range = kNotNegative, .on = kTrained, .byDefault = "0"},
           {.name = "SharedWeights", .forms = kObject | kArray, .on = kTrained, .byDefault = "none"},
           {.name = "Precision", .forms = kText, .on = kTrained, .byDefault = "the network's"},
       }) {
    key.types = kFullyConnected;
    keys.push_back(std::move(key));
  }
  addActivationParameters(keys, true);
  return keys;
}
} // namespace

std::span<const Key> networkKeys() {
  static const std::vector<Key> keys = networkTable();
  return keys;
}
std::span<const Key> layerKeys() {
  static const std::vector<Key> keys = layerTable();
  return keys;
}
std::span<const Key> penaltyKeys() {
  static const std::vector<Key> keys{
      {.name = "p", .forms = kNumber, .range = kProbability, .byDefault = "0"},
      {.name = "beta", .forms = kNumber, .range = kNotNegative, .byDefault = "0"},
  };
  return keys;
}
std::span<const Key> denoisingKeys() {
  static const std::vector<Key> keys{{.name = "p", .forms = kNumber, .range = kProbability, .byDefault = "0"}};
  return keys;
}
std::span<const Key> boostKeys() {
  static const std::vector<Key> keys{
      {.name = "one", .forms = kNumber, .range = kNotNegative, .byDefault = "1"},
      {.name = "zero", .forms = kNumber, .range = kNotNegative, .byDefault = "1"},
  };
  return keys;
}
std::span<const Key> maxOutKeys() {
  static const std::vector<Key> keys{{.name = "k", .forms = kNumber, .byDefault = "2"}};
  return keys;
}
std::span<const Key> sharingKeys() {
  static const std::vector<Key> keys{
      {.name = "InputLayer", .forms = kText},
      {.name = "SourceInputLayer", .forms = kText},
      {.name = "SourceOutputLayer", .forms = kText},
      {.name = "Transposed", .forms = kBoolean, .byDefault = "false"},
  };
  return keys;
}
std::span<const Key> weightInitKeys() {
  static const std::vector<Key> keys{
      {.name = "Scheme", .forms = kText, .byDefault = vocab::kDefaultInitializer},
      {.name = "Scale", .forms = kNumber, .byDefault = "1"},
      {.name = "Bias", .forms = kNumber, .byDefault = "0"},
  };
  return keys;
}
std::span<const Key> trainingKeys() {
  static const std::vector<Key> keys{
      {.name = "Optimizer", .forms = kText, .byDefault = vocab::kDefaultOptimizer},
      {.name = "Alpha", .forms = kNumber, .range = kPositive, .byDefault = "0.025"},
      {.name = "Lambda", .forms = kNumber, .range = kNotNegative, .byDefault = "0.0001"},
      {.name = "Lambda1", .forms = kNumber, .range = kNotNegative, .byDefault = "0"},
      {.name = "Mu", .forms = kNumber, .range = kProbability, .byDefault = "0.5"},
      {.name = "Mu1", .forms = kNumber, .range = kProbability, .byDefault = "0"},
      {.name = "Batch", .forms = kInteger, .range = kCount, .byDefault = "1024"},
      {.name = "Epochs", .forms = kInteger, .range = kCount, .byDefault = "40"},
      {.name = "Seed", .forms = kInteger, .range = {.low = 0, .high = 9007199254740992}, .byDefault = "12134"},
      {.name = "Schedule", .forms = kText | kObject, .byDefault = vocab::kDefaultSchedule},
  };
  return keys;
}

std::vector<Key> parameterKeys(const std::vector<vocab::Param> &params, bool withKind) {
  std::vector<Key> keys;
  if (withKind)
    keys.push_back({.name = "Kind", .forms = kText});
  for (const vocab::Param &param : params)
    keys.push_back({.name = param.key,
                    .aliases = param.aliases,
                    .forms = kNumber,
                    .range = {.low = param.low, .high = param.high}});
  return keys;
}

std::span<const Choice> networkKinds() {
  static const std::vector<Choice> kinds{{.name = "FeedForward"}, {.name = "AutoEncoder"}};
  return kinds;
}
std::span<const Choice> layerKinds() {
  static const std::vector<Choice> kinds{{.name = "Input"},
                                         {.name = "Hidden"},
                                         {.name = "Output"},
                                         {.name = "Pooling"}, // Hidden, of this type (T-03)
                                         {.name = "Target", .never = "it never had an effect in DSSTNE; say 'Output'"}};
  return kinds;
}
std::span<const Choice> layerTypes() {
  static const std::vector<Choice> types{{.name = "FullyConnected"},
                                         {.name = "Pooling"},
                                         {.name = "Convolutional", .aliases = {"Convolution"}, .later = kImages}};
  return types;
}
std::span<const Choice> compatibilities() {
  static const std::vector<Choice> choices{{.name = "none"}, {.name = "dsstne"}};
  return choices;
}
std::span<const Choice> precisions() {
  static const std::vector<Choice> choices = [] {
    std::vector<Choice> all;
    for (std::string_view name : plan::kPrecisions)
      all.push_back({.name = name});
    return all;
  }();
  return choices;
}
std::span<const Choice> imageFunctions() {
  static const std::vector<Choice> functions{
      {.name = "Max", .later = kImages},
      {.name = "Average", .later = kImages},
      {.name = "LocalResponseNormalization", .aliases = {"LRN"}, .later = kImages}};
  return functions;
}

std::string kindNames(unsigned on) {
  std::string names;
  for (auto [bit, name] : {std::pair(kInput, "Input"), {kHidden, "Hidden"}, {kOutput, "Output"}})
    if (on & bit)
      names += (names.empty() ? "" : " and ") + std::string(name);
  return names;
}

std::string typeNames(unsigned types) {
  std::string names;
  for (auto [bit, name] : {std::pair(kFullyConnected, "FullyConnected"), {kPooling, "Pooling"}})
    if (types & bit)
      names += (names.empty() ? "" : " and ") + std::string(name);
  return names;
}

std::string describe(const Range &range) {
  std::string text;
  if (range.low > -1e29)
    text = fmt::format("{} {}", range.openLow ? "above" : "at least", range.low);
  if (range.high < 1e29)
    text += fmt::format("{}{} {}", text.empty() ? "" : " and ", range.openHigh ? "below" : "at most", range.high);
  return text;
}
} // namespace sn::frontend
