// The data generator: the shape asked for, equal data for equal seeds, names, and that tastes can be learned.
#include "tools/datagen/Generator.h"
#include "runtime/data/HoldOut.h"
#include "test/unit/data/Support.h"
#include <numeric>
#include <set>

namespace sn::datagen {
namespace {
using namespace rt;

const Options kSmall{.rows = 3000, .columns = 1200, .mean = 40, .minimum = 10, .seed = 5};

TEST(Generator, HasTheShapeAskedFor) {
  DataSet data = generate(kSmall);
  EXPECT_EQ(data.rows, 3000);
  EXPECT_EQ(data.columns, 1200);
  EXPECT_NEAR(double(data.entries()) / 3000, 40, 3);
  for (int64_t row = 0; row < data.rows; ++row) {
    auto [first, end] = rowOf(data, row);
    ASSERT_GE(end - first, 10);
    for (const int32_t *at = first; at < end; ++at)
      ASSERT_TRUE(*at >= 0 && *at < 1200 && (at == first || at[-1] < *at)) << "distinct and sorted";
  }
  for (auto [list, count] : {std::pair(data.rowNames, 3000), {data.columnNames, 1200}}) {
    std::set<std::string_view> distinct;
    for (int64_t i = 0; i < list->size(); ++i)
      distinct.insert((*list)[i]);
    EXPECT_EQ(list->size(), count);
    EXPECT_EQ(int64_t(distinct.size()), count);
  }
}

TEST(Generator, EqualSeedsGiveEqualData) {
  Options other = kSmall;
  other.seed = 6;
  DataSet a = generate(kSmall), b = generate(kSmall), c = generate(other);
  EXPECT_EQ(a.indptr, b.indptr);
  EXPECT_EQ(a.indices, b.indices);
  EXPECT_EQ(*a.columnNames, *b.columnNames);
  EXPECT_NE(a.indices, c.indices);
  Options more = kSmall;
  more.rows = 3100;
  DataSet d = generate(more);
  d.indices.resize(a.indices.size());
  EXPECT_EQ(d.indices, a.indices) << "further users leave the first ones alone";
}

TEST(Generator, RefusesShapesThatCannotBeFilled) {
  auto with = [](auto change) {
    return [=] {
      Options options = kSmall;
      change(options);
      generate(options);
    };
  };
  EXPECT_USER_ERROR(with([](Options &o) { o.mean = 301; })(), "columns / 4 = 300");
  EXPECT_USER_ERROR(with([](Options &o) { o.minimum = 0; })(), "--minimum 0");
  EXPECT_USER_ERROR(with([](Options &o) { o.minimum = 41; })(), "minimum <= mean");
  const char *shape = "columns: there should be at least 1 row, and 4 to 2^26 columns";
  EXPECT_USER_ERROR(with([](Options &o) { o.rows = 0; })(), "0 rows", shape);
  EXPECT_USER_ERROR(with([](Options &o) { o.columns = 3; })(), "3 columns", shape);
  EXPECT_USER_ERROR(with([](Options &o) { o.columns = (int64_t(1) << 26) + 1; })(), "67108865", shape);
}

TEST(Generator, OneItemOneTasteEdge) {
  DataSet data = generate({.rows = 50, .columns = 4, .mean = 1, .minimum = 1, .seed = 1});
  EXPECT_EQ(data.entries(), 50);
  EXPECT_EQ(data.indptr.back(), 50);
}

/// Share of held-out items among the ten best of `scores`, what is known left out.
double recallAt10(const HeldOut &split, const std::function<void(int64_t, std::vector<float> &)> &score) {
  int64_t hits = 0, wanted = 0;
  std::vector<float> scores(split.kept.columns);
  std::vector<int32_t> order(split.kept.columns);
  for (int64_t row = 0; row < split.kept.rows; ++row) {
    std::fill(scores.begin(), scores.end(), 0.0f);
    score(row, scores);
    auto [known, knownEnd] = rowOf(split.kept, row);
    for (; known < knownEnd; ++known)
      scores[*known] = -1;
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + 10, order.end(),
                      [&](int32_t a, int32_t b) { return scores[a] != scores[b] ? scores[a] > scores[b] : a < b; });
    auto [held, heldEnd] = rowOf(split.held, row);
    wanted += std::min<int64_t>(10, heldEnd - held);
    for (int i = 0; i < 10; ++i)
      hits += std::binary_search(held, heldEnd, order[i]);
  }
  return double(hits) / double(wanted);
}

TEST(Generator, TastesCanBeLearned) {
  HeldOut split = holdOut(generate(kSmall), 0.2, 1);
  int64_t columns = split.kept.columns;
  std::vector<float> together(columns * columns); // users who took both
  for (int64_t row = 0; row < split.kept.rows; ++row) {
    auto [first, end] = rowOf(split.kept, row);
    for (const int32_t *a = first; a < end; ++a)
      for (const int32_t *b = first; b < end; ++b)
        ++together[*a * columns + *b];
  }
  auto users = [&](int64_t item) { return together[item * columns + item]; };
  double popularity = recallAt10(split, [&](int64_t, std::vector<float> &scores) {
    for (int64_t item = 0; item < columns; ++item)
      scores[item] = users(item);
  });
  double similarity = recallAt10(split, [&](int64_t row, std::vector<float> &scores) {
    auto [known, end] = rowOf(split.kept, row);
    for (; known < end; ++known)
      for (int64_t item = 0; item < columns; ++item)
        scores[item] += together[*known * columns + item] / std::sqrt(std::max(1.0f, users(item)));
  });
  EXPECT_GT(popularity, 0.02) << "popularity says something";
  EXPECT_GT(similarity, 1.2 * popularity) << "and who is alike says more";
}
} // namespace
} // namespace sn::datagen
