// The key tables. Reference sections 1.2 and 1.3; "Training" is ours. What waits says for what, and the issue that
// brings it.
#include "compiler/Frontend/Keys.h"

namespace sn::frontend {
namespace {
constexpr Range kProbability{.low = 0, .high = 1, .openHigh = true};
constexpr Range kPositive{.low = 0, .openLow = true};
constexpr Range kNotNegative{.low = 0};
constexpr Range kCount{.low = 1, .high = 2147483647};
constexpr std::string_view kImages = "convolution and pooling come later";
constexpr std::string_view kLanguage = "it comes with the rest of the fully connected language";
constexpr unsigned kTrained = kHidden | kOutput;

/// Parameters of activations: settable for the whole network, some per layer. A row that waited for them makes room.
void addActivationParameters(std::vector<Key> &keys, bool layer) {
  for (const vocab::Activation &activation : vocab::activations())
    for (const vocab::Param &param : activation.params)
      if (!layer || param.layerKey) {
        std::erase_if(keys, [&](const Key &key) { return vocab::equalsIgnoringCase(key.name, param.key); });
        keys.push_back({.name = param.key,
                        .forms = kNumber,
                        .range = {.low = param.low, .high = param.high},
                        .on = layer ? kTrained : kAnywhere});
      }
}

std::vector<Key> networkTable() {
  std::vector<Key> keys{
      {.name = "Version", .forms = kText | kNumber | kInteger, .range = {.low = 0.7}, .byDefault = "0.9"},
      {.name = "Name", .forms = kText, .byDefault = "\"\""},
      {.name = "Kind", .forms = kText, .byDefault = "FeedForward"},
      {.name = "SparsenessPenalty", .forms = kObject},
      {.name = "Denoising", .forms = kObject},
      {.name = "ShuffleIndices", .forms = kBoolean, .byDefault = "true"},
      {.name = "ErrorFunction", .forms = kText, .byDefault = vocab::kDefaultLoss},
      {.name = "Layers", .forms = kArray | kObject},
      {.name = "Training", .forms = kObject},
      {.name = "WeightsData",
       .aliases = {"WeightData"},
       .later = "`snrt train --from` starts from given weights",
       .issue = 3},
      {.name = "LocalResponseNormalization", .aliases = {"LRN"}, .later = kImages, .issue = 6},
      {.name = "MaxOut", .later = kImages, .issue = 3},
      {.name = "DeltaBoost", .later = kLanguage, .issue = 3},
      {.name = "DataScaledMarginalCrossEntropy", .later = kLanguage, .issue = 3},
      {.name = "RELUSlope", .aliases = {"Slope"}, .later = kLanguage, .issue = 3},
      {.name = "ELUAlpha", .later = kLanguage, .issue = 3},
      {.name = "SELULambda", .later = kLanguage, .issue = 3},
      {.name = "Decay", .later = "choose a \"Schedule\" in \"Training\" instead", .issue = 3},
  };
  for (const vocab::Loss &loss : vocab::losses())
    if (!loss.object.empty())
      keys.push_back({.name = loss.object, .forms = kObject});
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
      {.name = "pDropout", .forms = kNumber, .range = kProbability, .byDefault = "0"},
      {.name = "Source", .forms = kText | kArray, .on = kTrained, .byDefault = "the previous layer"},
      {.name = "SparsenessPenalty", .forms = kObject, .on = kHidden},
      {.name = "Activation", .forms = kText, .on = kTrained, .byDefault = vocab::kDefaultActivation},
      {.name = "WeightInit", .forms = kObject, .on = kTrained},
      {.name = "DataSet", .forms = kText, .on = kInput | kOutput},
      {.name = "Kernel", .on = kTrained, .later = kImages, .issue = 6},
      {.name = "KernelStride", .on = kTrained, .later = kImages, .issue = 6},
      {.name = "Function", .on = kTrained, .later = kImages, .issue = 6},
      {.name = "BatchNormalization", .on = kHidden, .later = kLanguage, .issue = 3},
      {.name = "Skip", .on = kTrained, .later = kLanguage, .issue = 3},
      {.name = "RELUSlope", .aliases = {"Slope"}, .on = kTrained, .later = kLanguage, .issue = 3},
      {.name = "ELUAlpha", .on = kTrained, .later = kLanguage, .issue = 3},
      {.name = "SELULambda", .on = kTrained, .later = kLanguage, .issue = 3},
      {.name = "WeightNorm", .on = kTrained, .later = kLanguage, .issue = 3},
      {.name = "DeltaNorm", .on = kTrained, .later = kLanguage, .issue = 3},
      {.name = "SharedWeights", .on = kTrained, .later = kLanguage, .issue = 3},
  };
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
    keys.push_back({.name = param.key, .forms = kNumber, .range = {.low = param.low, .high = param.high}});
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
                                         {.name = "Pooling", .later = kImages},
                                         {.name = "Target", .never = "it never had an effect in DSSTNE; say 'Output'"}};
  return kinds;
}
std::span<const Choice> layerTypes() {
  static const std::vector<Choice> types{{.name = "FullyConnected"},
                                         {.name = "Convolutional", .aliases = {"Convolution"}, .later = kImages},
                                         {.name = "Pooling", .later = kImages}};
  return types;
}

std::string kindNames(unsigned on) {
  std::string names;
  for (auto [bit, name] : {std::pair(kInput, "Input"), {kHidden, "Hidden"}, {kOutput, "Output"}})
    if (on & bit)
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
