// The page of keys.
#include "tools/docgen/Markdown.h"
#include "tools/docgen/Pages.h"
#include <deque>

namespace sn::docgen {
namespace {
std::string forms(const frontend::Key &key) {
  std::vector<std::string> parts;
  if (key.forms & frontend::kText)
    parts.push_back("string");
  if (key.forms & frontend::kNumber)
    parts.push_back("number");
  else if (key.forms & frontend::kInteger)
    parts.push_back("whole number");
  if (key.forms & frontend::kBoolean)
    parts.push_back("true or false");
  if (key.forms & frontend::kObject)
    parts.push_back("object");
  if (key.forms & frontend::kArray)
    parts.push_back("array");
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string remark(const frontend::Key &key) {
  return key.later.empty() ? "" : fmt::format("not supported yet: {}", key.later);
}

std::string legal(const frontend::Key &key) {
  std::string text = key.on == frontend::kAnywhere ? "every Kind" : frontend::kindNames(key.on);
  return key.types == frontend::kAnyType ? text : fmt::format("{}, Type {}", text, frontend::typeNames(key.types));
}

std::string defaultOf(const frontend::Key &key, const KeyLevel &level) {
  auto found = level.defaults.find(std::string(key.name));
  return key.byDefault.empty() && found != level.defaults.end() ? found->second : std::string(key.byDefault);
}

std::map<std::string, std::string> defaultsOf(const std::vector<vocab::Param> &params) {
  std::map<std::string, std::string> defaults;
  for (const vocab::Param &param : params)
    defaults[std::string(param.key)] = number(param.byDefault);
  return defaults;
}

std::string keyTable(const KeyLevel &level) {
  std::vector<std::string> titles{"key", "value", "range", "default", "remark"};
  if (level.ofLayers)
    titles.insert(titles.begin() + 1, "on");
  Table rows(titles);
  for (const frontend::Key &key : level.keys) {
    std::vector<std::string> cells{names(key), forms(key), frontend::describe(key.range), defaultOf(key, level),
                                   remark(key)};
    if (level.ofLayers)
      cells.insert(cells.begin() + 1, legal(key));
    rows.add(cells);
  }
  return fmt::format("## {}\n\n{}\n", level.title, rows.str());
}

std::string words() {
  Table rows({"key", "word", "remark"});
  auto add = [&](std::string_view key, std::span<const frontend::Choice> choices) {
    for (const frontend::Choice &choice : choices)
      rows.add({std::string(key), names(choice),
                !choice.never.empty()   ? fmt::format("not supported: {}", choice.never)
                : !choice.later.empty() ? fmt::format("not supported yet: {}", choice.later)
                                        : std::string()});
  };
  add("`Kind` of the network", frontend::networkKinds());
  add("`Compatibility`", frontend::compatibilities());
  add("`Kind` of a layer", frontend::layerKinds());
  add("`Type`", frontend::layerTypes());
  add("`Precision`", frontend::precisions());
  add("`Function`", frontend::imageFunctions());
  return fmt::format("## Words that are no records\n\n{}", rows.str());
}
} // namespace

std::string keyPage(std::span<const KeyLevel> levels) {
  std::string text = head(
      "Keys", "compiler/Frontend/Keys.cpp and dialects/Vocabulary",
      "Every key of a network file, level by level, with its other names. What they mean is in "
      "[network.md](../spec/network.md). An empty default: the key's absence means what that page says, or the key is "
      "required.");
  for (const KeyLevel &level : levels)
    text += keyTable(level);
  return text + words();
}

std::map<std::string, std::string> pages() {
  std::deque<std::vector<frontend::Key>> made; // keys of parameter objects
  std::map<std::string, std::string> network, layer;
  for (const vocab::Activation &activation : vocab::activations()) {
    network.merge(defaultsOf(activation.params));
    for (const vocab::Param &param : activation.params)
      layer[std::string(param.key)] = "the network's";
  }
  std::vector<KeyLevel> levels{{"The network", frontend::networkKeys(), false, network},
                               {"A layer", frontend::layerKeys(), true, layer},
                               {"`Training`", frontend::trainingKeys()},
                               {"`WeightInit`", frontend::weightInitKeys()},
                               {"One entry of `SharedWeights`", frontend::sharingKeys()},
                               {"`SparsenessPenalty`", frontend::penaltyKeys()},
                               {"`Denoising`", frontend::denoisingKeys()},
                               {"`DeltaBoost`", frontend::boostKeys()},
                               {"`MaxOut`", frontend::maxOutKeys()}};
  std::map<std::string_view, bool> shown;
  for (const vocab::Loss &loss : vocab::losses())
    if (!loss.object.empty() && !shown[loss.object]) {
      shown[loss.object] = true;
      made.push_back(frontend::parameterKeys(loss.params, false));
      levels.push_back({code(loss.object), made.back(), false, defaultsOf(loss.params)});
    }
  for (const vocab::Schedule &schedule : vocab::schedules())
    if (!schedule.params.empty()) {
      made.push_back(frontend::parameterKeys(schedule.params, true));
      levels.push_back({fmt::format("`Schedule` of `Kind` {}", code(schedule.name)), made.back(), false,
                        defaultsOf(schedule.params)});
    }
  return {{"activations.md", activationPage(vocab::activations())},
          {"initializers.md", initializerPage(vocab::initializers())},
          {"keys.md", keyPage(levels)},
          {"losses.md", lossPage(vocab::losses())},
          {"optimizers.md", optimizerPage(vocab::optimizers())},
          {"pairs.md", pairPage(vocab::pairs())},
          {"poolings.md", poolingPage(vocab::poolings())},
          {"schedules.md", schedulePage(vocab::schedules())}};
}
} // namespace sn::docgen
