// A changed table changes its page, and nothing of the table is missing on it.
#include "tools/docgen/Pages.h"
#include <gtest/gtest.h>

namespace sn::docgen {
namespace {
bool has(const std::string &page, std::string_view text) { return page.find(text) != std::string::npos; }

/// The page of a table, then that of the same table with one record more.
template <typename Record, typename Page>
void expectToFollow(std::span<const Record> table, Record further, Page page) {
  std::string before = page(table);
  for (const Record &record : table) {
    EXPECT_TRUE(has(before, std::string("`") + std::string(record.name) + "`")) << record.name;
    for (std::string_view alias : record.aliases)
      EXPECT_TRUE(has(before, std::string("`") + std::string(alias) + "`")) << alias;
  }
  std::vector<Record> more(table.begin(), table.end());
  further.name = "Further";
  further.aliases = {"Another"};
  further.doc = "a|b";
  further.note = "of this test";
  more.push_back(further);
  std::string after = page(std::span<const Record>(more));
  EXPECT_NE(before, after);
  EXPECT_TRUE(has(after, "| `Further` (`Another`) | a\\|b |")) << after;
  EXPECT_TRUE(has(after, " of this test |"));
  EXPECT_EQ(after, page(std::span<const Record>(more))) << "equal tables, other bytes";
  std::vector<Record> fewer(table.begin() + 1, table.end());
  EXPECT_NE(before, page(std::span<const Record>(fewer)));
}

TEST(Pages, FollowTheirTables) {
  expectToFollow(vocab::activations(), vocab::Activation{}, activationPage);
  expectToFollow(vocab::losses(), vocab::Loss{}, lossPage);
  vocab::Optimizer still{.update = vocab::formulas([](const auto *a, const auto *p, auto *out) { out[0] = a[0]; })};
  expectToFollow(vocab::optimizers(), still, optimizerPage);
  expectToFollow(vocab::initializers(), vocab::Initializer{}, initializerPage);
  expectToFollow(vocab::schedules(), vocab::Schedule{}, schedulePage);
  expectToFollow(vocab::poolings(), vocab::Pooling{}, poolingPage);
}

TEST(Pages, Parameters) {
  std::vector<vocab::Activation> table{{.name = "One",
                                        .params = {{.name = "bend",
                                                    .byDefault = 0.1,
                                                    .key = "Bend",
                                                    .layerKey = true,
                                                    .low = 0,
                                                    .high = 2,
                                                    .aliases = {"Curve"},
                                                    .caution = "it is straight"}},
                                        .doc = "x"}};
  std::string before = activationPage(table);
  EXPECT_TRUE(has(before, "`Bend` (`Curve`), default 0.1, at least 0 and at most 2, of the layer, else of the network "
                          "(warned of where it is not set: it is straight)"))
      << before;
  table[0].params[0].byDefault = 0.2;
  EXPECT_NE(before, activationPage(table));
}

TEST(Pages, LossesSayWhatTheyNeed) {
  std::vector<vocab::Loss> table{{.name = "One", .object = "Where", .objectAliases = {"There"}, .doc = "0"}};
  std::string before = lossPage(table);
  EXPECT_FALSE(has(before, "`Where`"));
  table[0].params = {{.name = "p", .byDefault = 2, .key = "Pull", .low = 1}};
  before = lossPage(table);
  EXPECT_TRUE(has(before, "| `Pull` of `Where` |")) << before;
  EXPECT_TRUE(has(before, "| `Where` (`There`) | `Pull` | 2 | at least 1 |")) << before;
  for (auto change :
       {+[](vocab::Loss &loss) { loss.unitInterval = true; }, +[](vocab::Loss &loss) { loss.rowWise = false; },
        +[](vocab::Loss &loss) { loss.indicator = true; },
        +[](vocab::Loss &loss) { loss.boost = vocab::Boost::Always; },
        +[](vocab::Loss &loss) { loss.dsstneNumber = 12; }}) {
    std::vector<vocab::Loss> changed = table;
    change(changed[0]);
    EXPECT_NE(before, lossPage(changed));
  }
}

TEST(Pages, Pairs) {
  std::vector<vocab::Pair> table(vocab::pairs().begin(), vocab::pairs().end());
  std::string before = pairPage(table);
  for (const vocab::Pair &pair : table)
    EXPECT_TRUE(has(before, "| `" + std::string(pair.activation) + "` | `" + std::string(pair.loss) + "` |"));
  table[0].isDefinition = !table[0].isDefinition;
  EXPECT_NE(before, pairPage(table));
}

TEST(Pages, OptimizersThatSkipAreTold) {
  std::string page = optimizerPage(vocab::optimizers());
  std::vector<vocab::Optimizer> one{
      {.name = "One",
       .scalars = {{"Rate", vocab::formula([](const auto *a, const auto *p) { return a[0] * (1 + a[3]); })}},
       .update = vocab::formulas([](const auto *a, const auto *p, auto *out) { out[0] = a[0] + p[0] * a[1]; })}};
  EXPECT_TRUE(has(optimizerPage(one), "| yes |"));
  one[0].update = vocab::formulas([](const auto *a, const auto *p, auto *out) { out[0] = a[0] * p[0] + a[1]; });
  EXPECT_FALSE(has(optimizerPage(one), "| yes |"));
}

TEST(Pages, WhatIsReadIsFoundInTheFormulas) {
  auto row = [](const std::string &page, std::string_view name) {
    size_t at = page.find("| `" + std::string(name) + "`");
    return page.substr(at, page.find('\n', at) - at);
  };
  std::string optimizers = optimizerPage(vocab::optimizers()), schemes = initializerPage(vocab::initializers());
  EXPECT_TRUE(has(row(optimizers, "Adam"), "| Alpha, Mu, Mu1, Step |"));
  EXPECT_TRUE(has(row(optimizers, "Momentum"), "| Alpha, Mu |"));
  EXPECT_TRUE(has(row(optimizers, "AdaDelta"), "| Mu |"));
  EXPECT_TRUE(has(row(schemes, "Xavier"), "| nin, nout, Scale |"));
  EXPECT_TRUE(has(row(schemes, "SELU"), "| nin |"));
}

TEST(Pages, KeysOfEveryLevel) {
  std::vector<frontend::Key> keys{{.name = "Open", .forms = frontend::kNumber, .range = {.low = 0, .openLow = true}},
                                  {.name = "Word",
                                   .aliases = {"Other"},
                                   .forms = frontend::kText | frontend::kArray,
                                   .on = frontend::kHidden,
                                   .types = frontend::kPooling,
                                   .byDefault = "none"},
                                  {.name = "Later", .later = "in time"}};
  std::vector<KeyLevel> levels{{"Here", keys, true}};
  std::string page = keyPage(levels);
  EXPECT_TRUE(has(page, "## Here\n"));
  EXPECT_TRUE(has(page, "| `Open` | every Kind | number | above 0 |  |  |")) << page;
  EXPECT_TRUE(has(page, "| `Word` (`Other`) | Hidden, Type Pooling | string, array |  | none |  |")) << page;
  EXPECT_TRUE(has(page, "| not supported yet: in time |")) << page;
  levels[0].defaults = {{"Open", "7"}, {"Word", "unused"}};
  EXPECT_TRUE(has(keyPage(levels), "| `Open` | every Kind | number | above 0 | 7 |  |"));
  EXPECT_TRUE(has(keyPage(levels), "| none |  |"));
  keys[0].range.low = 1;
  EXPECT_NE(page, keyPage(levels));
}

TEST(Pages, EveryKeyOfTheLanguageIsThere) {
  std::string page = pages().at("keys.md");
  for (std::span<const frontend::Key> level :
       {frontend::networkKeys(), frontend::layerKeys(), frontend::trainingKeys(), frontend::weightInitKeys(),
        frontend::sharingKeys(), frontend::penaltyKeys(), frontend::denoisingKeys(), frontend::boostKeys(),
        frontend::maxOutKeys()})
    for (const frontend::Key &key : level)
      EXPECT_TRUE(has(page, "| `" + std::string(key.name) + "`")) << key.name;
  for (const vocab::Loss &loss : vocab::losses())
    for (const vocab::Param &param : loss.params)
      EXPECT_TRUE(has(page, "| `" + std::string(param.key) + "`")) << param.key;
}
} // namespace
} // namespace sn::docgen
