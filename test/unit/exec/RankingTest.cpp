#include "runtime/exec/Baselines.h"
#include "test/unit/exec/Networks.h"
#include <gtest/gtest.h>

namespace sn::rt {
namespace {
using namespace sn::test;

TEST(Ranking, OneListByHand) {
  // Relevant 2, 5, 9; the list hits at places 1 and 3.
  int32_t list[] = {5, 1, 9, 7};
  RankingAt at = measureList(list, 4, {2, 5, 9});
  EXPECT_DOUBLE_EQ(at.recall, 2.0 / 3);
  EXPECT_DOUBLE_EQ(at.precision, 0.5);
  double dcg = 1 + 0.5, ideal = 1 + 1 / std::log2(3.0) + 0.5;
  EXPECT_DOUBLE_EQ(at.ndcg, dcg / ideal);
  at = measureList(list, 1, {2, 5, 9});
  EXPECT_DOUBLE_EQ(at.recall, 1.0 / 3);
  EXPECT_DOUBLE_EQ(at.precision, 1);
  EXPECT_DOUBLE_EQ(at.ndcg, 1); // an ideal list of one place has one hit
  int32_t nothing[] = {-1, -1};
  EXPECT_EQ(measureList(nothing, 2, {0}).ndcg, 0);
}

TEST(Ranking, AveragesAndSkips) {
  auto data = sparse(4, {{0}, {1}, {2}});
  Truth truth = alignTruth(sparse(4, {{1}, {}, {0, 3}}), "t.h5", *data, nullptr);
  ListSource lists = [](int64_t first, int64_t count, int64_t k, int32_t *columns, float *) {
    for (int64_t i = 0; i < count * k; ++i)
      columns[i] = static_cast<int32_t>(i % k == 0 ? 1 : first + i / k); // row 0: 1 0, row 2: 1 2
  };
  RankingReport report = rank(lists, truth, {1, 2}, 2);
  EXPECT_EQ(report.users, 2);
  EXPECT_EQ(report.skipped, 1);
  EXPECT_DOUBLE_EQ(report.at[0].recall, 0.5);
  EXPECT_DOUBLE_EQ(report.at[1].precision, 0.25);
}

TEST(Ranking, TruthIsMatchedByName) {
  auto data = sparse(2, {{0}, {1}, {0}});
  data->rowNames = std::make_shared<const Names>(Names{"ann", "bob", "cyd"});
  auto held = sparse(2, {{1}, {0}});
  held->rowNames = std::make_shared<const Names>(Names{"cyd", "ann"});
  Truth truth = alignTruth(held, "t.h5", *data, nullptr);
  EXPECT_EQ(truth.rowOf, (std::vector<int64_t>{1, -1, 0}));
  EXPECT_EQ(truth.relevant(0), (std::vector<int32_t>{0}));
  EXPECT_TRUE(truth.relevant(1).empty());
  held->rowNames = std::make_shared<const Names>(Names{"x", "y"});
  EXPECT_NE(refusal([&] { alignTruth(held, "t.h5", *data, nullptr); }).find("none of its row names"),
            std::string::npos);
  held->rowNames.reset();
  EXPECT_NE(refusal([&] { alignTruth(held, "t.h5", *data, nullptr); }).find("has 2 rows and the data 3"),
            std::string::npos);
  Names items{"apple", "pear"};
  held->columnNames = std::make_shared<const Names>(Names{"pear", "apple"});
  EXPECT_NE(
      refusal([&] { alignTruth(held, "t.h5", *data, &items); }).find("column 0 of 'made' is named 'pear', but 'apple'"),
      std::string::npos);
}

TEST(Ranking, DenseAndAnalogTruthCountNonZeros) {
  auto dense = std::make_shared<DataSet>();
  dense->loader = Loader::Dense, dense->rows = 1, dense->columns = 3, dense->values = {0, 2, 1};
  EXPECT_EQ((Truth{dense, {0}}.relevant(0)), (std::vector<int32_t>{1, 2}));
  auto analog = sparse(3, {{0, 2}});
  analog->loader = Loader::CsrAnalog, analog->values = {0, 4};
  EXPECT_EQ((Truth{analog, {0}}.relevant(0)), (std::vector<int32_t>{2}));
}

// Rows of a 4 x 5 matrix; column counts 3 2 2 1 0.
std::shared_ptr<DataSet> fourByFive() { return sparse(5, {{0, 1}, {0, 1, 2}, {0, 3}, {2}}); }

std::vector<int32_t> listsOf(const ListSource &source, int64_t rows, int64_t k, std::vector<float> *scores = nullptr) {
  std::vector<int32_t> columns(static_cast<size_t>(rows * k));
  std::vector<float> values(columns.size());
  source(0, rows, k, columns.data(), values.data());
  if (scores)
    *scores = values;
  return columns;
}

TEST(Baselines, Popularity) {
  auto data = fourByFive();
  EXPECT_EQ(listsOf(popularityLists(*data, nullptr), 1, 5), (std::vector<int32_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(listsOf(popularityLists(*data, data.get()), 4, 3),
            (std::vector<int32_t>{2, 3, 4, 3, 4, -1, 1, 2, 4, 0, 1, 3}));
}

TEST(Baselines, ItemKnnByHand) {
  auto data = fourByFive();
  ThreadPool pool(2);
  std::vector<float> scores;
  // sim(0,1) = 2/sqrt(6), sim(0,2) = 1/sqrt(6), sim(0,3) = 1/sqrt(3), sim(1,2) = 1/2.
  std::vector<int32_t> lists = listsOf(itemKnnLists(*data, data.get(), 100, pool), 4, 2, &scores);
  // Row 0 {0,1}: column 2 gets sim(0,2) + sim(1,2), column 3 gets sim(0,3). Row 2 {0,3}: column 1, then 2. Row 3 {2}:
  // column 1, then 0.
  EXPECT_EQ(lists, (std::vector<int32_t>{2, 3, 3, -1, 1, 2, 1, 0}));
  EXPECT_FLOAT_EQ(scores[0], 1 / std::sqrt(6.0f) + 0.5f);
  EXPECT_FLOAT_EQ(scores[1], 1 / std::sqrt(3.0f));
  EXPECT_FLOAT_EQ(scores[4], 2 / std::sqrt(6.0f));
  EXPECT_EQ(scores[3], -std::numeric_limits<float>::infinity());
  // One neighbour each: 0 keeps 1, 1 keeps 0, 2 keeps 1, 3 keeps 0; so row 0 has nothing new to recommend.
  EXPECT_EQ(listsOf(itemKnnLists(*data, data.get(), 1, pool), 4, 1), (std::vector<int32_t>{-1, -1, 1, 1}));
}

/// The rows of fourByFive() as examples of an indexed data set, the second one twice.
std::shared_ptr<DataSet> indexedFive() {
  auto data = sparse(5, {{2}, {0, 1, 2}, {0, 1}, {0, 3}});
  data->index = {2, 1, 3, 0, 1};
  data->rows = 5;
  return data;
}

TEST(Baselines, CountExamplesOfIndexedData) {
  auto plain = sparse(5, {{0, 1}, {0, 1, 2}, {0, 3}, {2}, {0, 1, 2}}), indexed = indexedFive();
  ThreadPool pool(2);
  for (const DataSet *exclude : {static_cast<const DataSet *>(nullptr), static_cast<const DataSet *>(indexed.get())}) {
    const DataSet *same = exclude ? plain.get() : nullptr;
    EXPECT_EQ(listsOf(popularityLists(*indexed, exclude), 5, 3), listsOf(popularityLists(*plain, same), 5, 3));
    EXPECT_EQ(listsOf(itemKnnLists(*indexed, exclude, 100, pool), 5, 3),
              listsOf(itemKnnLists(*plain, same, 100, pool), 5, 3));
  }
}

TEST(Ranking, TruthOfIndexedData) {
  Truth truth{indexedFive(), {0, 4, -1}};
  EXPECT_EQ(truth.relevant(0), (std::vector<int32_t>{0, 1}));
  EXPECT_EQ(truth.relevant(1), (std::vector<int32_t>{0, 1, 2}));
  auto dense = std::make_shared<DataSet>();
  dense->loader = Loader::Dense, dense->rows = 2, dense->columns = 2, dense->values = {0, 2, 1, 0},
  dense->index = {1, 0};
  EXPECT_EQ((Truth{dense, {0}}.relevant(0)), (std::vector<int32_t>{0}));
}

TEST(Baselines, ItemKnnDoesNotDependOnThreads) {
  auto data = tastes(400, 60, 8);
  std::vector<int32_t> first;
  for (int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    std::vector<int32_t> lists = listsOf(itemKnnLists(*data, data.get(), 10, pool), 400, 20);
    if (first.empty())
      first = lists;
    EXPECT_EQ(lists, first);
  }
}

TEST(Baselines, DenseDataIsRefused) {
  DataSet dense;
  dense.loader = Loader::Dense;
  dense.name = "pixels";
  EXPECT_NE(refusal([&] { popularityLists(dense, nullptr); }).find("'pixels' is dense"), std::string::npos);
}
} // namespace
} // namespace sn::rt
