#include "test/unit/vocabulary/Support.h"
#include <algorithm>
#include <set>

namespace sn::vocab::test {
namespace {
std::string lower(std::string_view name) {
  std::string text(name);
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}
template <typename Record> void addNames(std::set<std::string> &seen, const Record &record) {
  EXPECT_TRUE(seen.insert(lower(record.name)).second) << record.name;
  for (std::string_view alias : record.aliases)
    EXPECT_TRUE(seen.insert(lower(alias)).second) << alias;
}
template <typename Record> void expectUnique(std::span<const Record> table, std::string_view key) {
  std::set<std::string> seen;
  for (const Record &record : table) {
    addNames(seen, record);
    EXPECT_FALSE(record.doc.empty()) << record.name;
    EXPECT_FALSE(record.note.empty()) << record.name;
    EXPECT_EQ(find(table, record.name), &record);
  }
  for (const Planned &name : planned())
    if (name.key == key)
      addNames(seen, name);
}
} // namespace

TEST(Names, UniqueInTheirTableWhateverTheCase) {
  expectUnique(activations(), "Activation");
  expectUnique(losses(), "ErrorFunction");
  expectUnique(optimizers(), "Optimizer");
  expectUnique(initializers(), "Scheme");
  expectUnique(schedules(), "Schedule");
  expectUnique(poolings(), "Function");
}

namespace {
template <typename Record> std::set<int> numbers(std::span<const Record> table) {
  std::set<int> seen;
  for (const Record &record : table)
    if (record.dsstneNumber >= 0)
      EXPECT_TRUE(seen.insert(record.dsstneNumber).second) << record.name;
  return seen;
}
} // namespace

// Reference 1.23: what has no record there has none here (ReluMax 8, LinearMax 9, ParametricRectifiedLinear 4, images).
TEST(Names, NumbersInDsstneFiles) {
  EXPECT_EQ(numbers(activations()), (std::set<int>{0, 1, 2, 3, 5, 6, 7, 10, 11, 12}));
  EXPECT_EQ(numbers(losses()), (std::set<int>{0, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(numbers(initializers()), (std::set<int>{0, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(numbers(poolings()), (std::set<int>{4, 5, 6}));
  EXPECT_EQ(find(activations(), "SELU")->dsstneNumber, 12);
  EXPECT_EQ(find(losses(), "Hinge")->dsstneNumber, 5);
  EXPECT_EQ(find(initializers(), "SELU")->dsstneNumber, 6);
  EXPECT_EQ(find(poolings(), "Cosine")->dsstneNumber, 6);
}

TEST(Names, EveryPlannedNameSaysWhy) {
  for (const Planned &name : planned())
    EXPECT_FALSE(name.never.empty()) << name.name;
}

TEST(Names, LossesOfOneParameterObjectAgree) {
  for (const Loss &one : losses())
    for (const Loss &other : losses())
      if (!one.object.empty() && one.object == other.object) {
        EXPECT_EQ(one.objectAliases, other.objectAliases) << one.name << " " << other.name;
        ASSERT_EQ(one.params.size(), other.params.size());
        for (size_t i = 0; i < one.params.size(); ++i) {
          EXPECT_EQ(one.params[i].key, other.params[i].key);
          EXPECT_EQ(one.params[i].byDefault, other.params[i].byDefault);
        }
      }
}

TEST(Names, DefaultsExist) {
  EXPECT_NE(find(activations(), kDefaultActivation), nullptr);
  EXPECT_NE(find(losses(), kDefaultLoss), nullptr);
  EXPECT_NE(find(optimizers(), kDefaultOptimizer), nullptr);
  EXPECT_NE(find(initializers(), kDefaultInitializer), nullptr);
  EXPECT_NE(find(schedules(), kDefaultSchedule), nullptr);
}

TEST(Names, LookUpIgnoresCaseAndKnowsAliases) {
  EXPECT_EQ(find(activations(), "rElU"), find(activations(), "RECTIFIEDLINEAR"));
  EXPECT_EQ(find(losses(), "cross entropy"), find(losses(), "CrossEntropy"));
  EXPECT_EQ(find(activations(), "Relu "), nullptr);
  EXPECT_EQ(find(activations(), ""), nullptr);
}

TEST(Names, NearestSpelling) {
  EXPECT_EQ(nearest(activations(), "Sigmod"), "Sigmoid");
  EXPECT_EQ(nearest(optimizers(), "admam"), "Adam");
  EXPECT_EQ(nearest(activations(), "Relo"), "Relu");
  EXPECT_EQ(nearest(activations(), "Quadratic"), "");
}

TEST(Names, Distance) {
  EXPECT_EQ(distance("kitten", "sitting"), 3);
  EXPECT_EQ(distance("Adam", "aDAM"), 0);
  EXPECT_EQ(distance("", "abc"), 3);
  EXPECT_EQ(distance("abc", ""), 3);
}
} // namespace sn::vocab::test
