// Nothing that parses is without effect: every key of the key tables, on every kind of layer where it is legal, is
// changed in a network that uses it; what training gives then differs, or the change is a located error. A key without
// a case fails, and so does a case without a key.
#include "compiler/Frontend/Keys.h"
#include "runtime/exec/Trainer.h"
#include "test/conformance/language/Cases.h"
#include "test/conformance/language/KeyCases.h"
#include <cstring>
#include <gtest/gtest.h>
#include <regex>

namespace sn::test {
namespace {
using frontend::Key;

/// Data sets of the base network, and some to take their places.
Tables keyTables() {
  return languageCase("", {{"x", {.columns = 11, .storage = Storage::CsrBinary}},
                           {"x2", {.columns = 11, .storage = Storage::CsrBinary}},
                           {"y", {.columns = 7, .storage = Storage::Dense}},
                           {"t", {.columns = 13, .storage = Storage::CsrBinary}},
                           {"t2", {.columns = 13, .storage = Storage::CsrBinary}},
                           {"m", {.columns = 1, .storage = Storage::Dense}}})
      .tables;
}

/// What all of the training gives: names and bits of the parameters, the best columns, and what the plan says of where
/// weights come from and of how precise a GPU is. UserError for a network that is refused.
std::string outcome(const KeyJson &json) {
  static const Tables tables = keyTables();
  Network network(json.dump(1), "net.json");
  Program program = compileSchedules(network, 0, {"single"}).at("single");
  Session session(program, tables, program.plan.training.optimizer, 1, 64);
  session.model().initialize(network.spec().seed);
  rt::Settings settings = rt::settle(program.plan, {});
  rt::Trainer trainer(session.model(), settings, session.binding());
  for (int64_t epoch = 0; epoch < settings.epochs; ++epoch)
    trainer.trainEpoch();
  std::string all = program.plan.training.weights;
  auto append = [&](const auto &values) {
    all.append(reinterpret_cast<const char *>(values.data()), values.size() * sizeof(values[0]));
  };
  for (const plan::Entry &entry : program.plan.entries)
    for (const plan::Step &step : entry.steps)
      all += plan::nameOf(step.precision);
  for (const plan::Parameter &parameter : program.plan.parameters) {
    all += parameter.name;
    append(session.model().parameter(parameter.name));
  }
  for (const auto &[layer, lists] : session.predict(network.run({0, 3, 7}, 1, 1, 1), 5)) {
    all += layer;
    append(lists.columns);
    append(lists.scores);
  }
  return all;
}

/// The outcome, or "error" for a refusal that names the place.
std::string outcomeOrError(const KeyJson &json) {
  try {
    return outcome(json);
  } catch (const UserError &error) {
    EXPECT_TRUE(std::regex_search(error.what(), std::regex("net\\.json:[0-9]+:[0-9]+: error: "))) << error.what();
    return "error";
  }
}

/// Every key to be tried, by table: "network/Decay", "layer Hidden/Skip", "SparsenessPenalty/p", "Schedule Step/Every".
std::map<std::string, Key> allKeys() {
  std::map<std::string, Key> all;
  auto add = [&](const std::string &table, std::span<const Key> keys) {
    for (const Key &key : keys)
      all[table + "/" + std::string(key.name)] = key;
  };
  add("network", frontend::networkKeys());
  for (auto [kind, on] :
       {std::pair{"Input", frontend::kInput}, {"Hidden", frontend::kHidden}, {"Output", frontend::kOutput}})
    for (const Key &key : frontend::layerKeys())
      if (key.on & on)
        all["layer " + std::string(kind) + "/" + std::string(key.name)] = key;
  add("SparsenessPenalty", frontend::penaltyKeys());
  add("Denoising", frontend::denoisingKeys());
  add("DeltaBoost", frontend::boostKeys());
  add("MaxOut", frontend::maxOutKeys());
  add("SharedWeights", frontend::sharingKeys());
  add("WeightInit", frontend::weightInitKeys());
  add("Training", frontend::trainingKeys());
  for (const vocab::Schedule &schedule : vocab::schedules())
    add("Schedule " + std::string(schedule.name), frontend::parameterKeys(schedule.params, true));
  for (const vocab::Loss &loss : vocab::losses())
    if (!loss.object.empty())
      add("loss " + std::string(loss.name), frontend::parameterKeys(loss.params, false));
  return all;
}

KeyJson changed(const KeyCase &made, std::string path) {
  KeyJson json = keyBase(made.setup);
  setAt(json, path, made.value);
  return json;
}

class EveryKey : public ::testing::TestWithParam<KeyCase> {};
TEST_P(EveryKey, HasAnEffect) {
  const KeyCase &made = GetParam();
  std::map<std::string, Key> keys = allKeys();
  auto key = keys.find(made.key);
  ASSERT_NE(key, keys.end()) << made.key << " is no key; remove its case";
  static std::map<std::string, std::string> known; // many cases start from one network
  std::string &before = known[keyBase(made.setup).dump()];
  if (before.empty())
    before = outcome(keyBase(made.setup));
  std::string after = outcomeOrError(changed(made, made.path));
  EXPECT_EQ(after == "error", made.refused) << made.key;
  EXPECT_FALSE(before == after) << made.key << " = " << made.value << " has no effect";
  if (after == "error")
    return;
  for (std::string_view alias : key->second.aliases) {
    std::string path = made.path.substr(0, made.path.rfind('/') + 1) + std::string(alias);
    KeyJson json = changed(made, path);
    EXPECT_EQ(outcomeOrError(json), after) << made.key << " and " << alias << " differ";
  }
}
INSTANTIATE_TEST_SUITE_P(Cases, EveryKey, ::testing::ValuesIn(keyCases()), [](const auto &info) {
  std::string name = std::to_string(info.index) + "_";
  for (char c : info.param.key)
    name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
});

/// Keys that wait for a later issue are errors at the key, whatever their value.
TEST(Keys, OfLaterIssuesAreRefused) {
  for (const auto &[name, key] : allKeys()) {
    if (key.later.empty())
      continue;
    bool ofLayer = name.starts_with("layer ");
    std::string layer = name.starts_with("layer Hidden") ? "@H/" : "@Out/";
    for (const KeyJson &value : {KeyJson(3), KeyJson(KeyJson::object())}) {
      KeyJson json = keyBase({});
      setAt(json, (ofLayer ? layer : "") + std::string(key.name), value);
      EXPECT_EQ(outcomeOrError(json), "error") << name;
    }
  }
}

TEST(Keys, AllHaveACaseOrAReason) {
  std::set<std::string> tried;
  for (const KeyCase &made : keyCases())
    tried.insert(made.key);
  std::map<std::string, Key> keys = allKeys();
  for (const auto &[name, key] : keys) {
    bool isExempt = keyExemptions().contains(name);
    EXPECT_TRUE(tried.contains(name) || isExempt || !key.later.empty()) << name << " has no case in KeyCases.cpp";
    EXPECT_FALSE(tried.contains(name) && isExempt) << name << " has a case and an exemption";
  }
  for (const auto &[name, reason] : keyExemptions())
    EXPECT_TRUE(keys.contains(name) && !reason.empty()) << name;
}

/// The exempted keys really have none: a test that calls everything different would pass all of the above.
TEST(Keys, ExemptedOnesChangeNothing) {
  std::string before = outcome(keyBase({}));
  EXPECT_EQ(outcome(keyBase({})), before);
  for (const auto &[path, value] : std::vector<std::pair<std::string, KeyJson>>{{"Version", 0.8},
                                                                                {"Name", "another"},
                                                                                {"Kind", "AutoEncoder"},
                                                                                {"MaxOut", {{"k", 5}}},
                                                                                {"@Out/Sparse", true}}) {
    KeyJson json = keyBase({});
    setAt(json, path, value);
    EXPECT_EQ(outcome(json), before) << path;
  }
}
} // namespace
} // namespace sn::test
