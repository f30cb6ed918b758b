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
