// wide_topk and the statistics sweep of wide_softmax.
#include "test/unit/kernels/Rig.h"
#include <numeric>

namespace sn::test {
namespace {
struct Lists {
  std::vector<int32_t> columns;
  std::vector<float> scores;
  bool operator==(const Lists &) const = default;
};
struct Problem {
  int64_t rows, columns;
  std::string layout = "columns";
  bool transposed = false; // the parameter is [columns, 7]
  std::vector<int64_t> ids = someRows(rows, 30);
  std::vector<float> x = randomValues(rows * 7, 1), w = randomValues(7 * columns, 2), bias = randomValues(columns, 3);

  std::unique_ptr<Rig> rig(int threads) const {
    auto rig = std::make_unique<Rig>(threads);
    rig->buffer("x", x);
    std::vector<float> turned(w.size());
    for (size_t i = 0; i < w.size(); ++i)
      turned[i % static_cast<size_t>(columns) * 7 + i / static_cast<size_t>(columns)] = w[i];
    if (transposed)
      rig->parameter("W", columns, 7, layout, turned);
    else
      rig->parameter("W", 7, columns, layout, w);
    rig->parameter("b", 1, columns, "rows", bias);
    rig->step.columns.value = columns;
    rig->step.sources = {rig->source("x", "W", "", transposed)};
    return rig;
  }
  double z(int64_t r, int64_t c) const {
    double sum = static_cast<double>(bias[static_cast<size_t>(c)]);
    for (int64_t k = 0; k < 7; ++k)
      sum += static_cast<double>(x[static_cast<size_t>(r * 7 + k)]) *
             static_cast<double>(w[static_cast<size_t>(k * columns + c)]);
    return sum;
  }
};

Lists launch(Rig &rig, const std::vector<int64_t> &ids, int64_t k, const rt::DataView *exclude) {
  Lists lists{std::vector<int32_t>(ids.size() * static_cast<size_t>(k)),
              std::vector<float>(ids.size() * static_cast<size_t>(k))};
  rt::TopK topk{k, exclude, lists.columns.data(), lists.scores.data()};
  rig.launch(ids, &topk);
  return lists;
}

/// Full sort of [rows, columns] scores.
Lists sorted(const std::vector<float> &scores, const std::vector<int64_t> &ids, int64_t columns, int64_t k,
             const TestData *exclude) {
  Lists lists;
  for (size_t r = 0; r < ids.size(); ++r) {
    std::vector<int32_t> order;
    for (int64_t c = 0; c < columns; ++c)
      if (!exclude || !exclude->stored(ids[r], c))
        order.push_back(static_cast<int32_t>(c));
    const float *line = scores.data() + static_cast<int64_t>(r) * columns;
    std::sort(order.begin(), order.end(),
              [&](int32_t a, int32_t b) { return line[a] > line[b] || (line[a] == line[b] && a < b); });
    for (int64_t i = 0; i < k; ++i) {
      bool found = i < static_cast<int64_t>(order.size());
      lists.columns.push_back(found ? order[static_cast<size_t>(i)] : -1);
      lists.scores.push_back(found ? line[order[static_cast<size_t>(i)]] : -INFINITY);
    }
  }
  return lists;
}
} // namespace

TEST(WideTopk, FindsTheBestColumns) {
  for (const char *layout : {"rows", "columns"})
    for (int64_t columns : {3, 513, 1025})
      for (auto [rows, transposed] : {std::pair<int64_t, bool>{1, false}, {70, false}, {70, true}}) {
        Problem p{rows, columns, layout, transposed};
        auto rig = p.rig(2);
        rig->step.kernel = "wide_topk";
        rig->step.slots["score"] = use("addBias", {arg(Role::Accumulator), arg(Role::Column, "b")}, {arg(Role::Delta)});
        rig->prepare(rows);
        Lists lists = launch(*rig, p.ids, 10, nullptr);
        for (int64_t r = 0; r < rows; ++r) {
          std::vector<double> all;
          for (int64_t c = 0; c < columns; ++c)
            all.push_back(p.z(r, c));
          std::sort(all.begin(), all.end(), std::greater<>());
          for (int64_t i = 0; i < 10; ++i) {
            size_t place = static_cast<size_t>(r * 10 + i);
            if (i >= columns) {
              EXPECT_EQ(lists.columns[place], -1);
              EXPECT_EQ(lists.scores[place], -INFINITY);
              continue;
            }
            EXPECT_NEAR(lists.scores[place], all[static_cast<size_t>(i)], 1e-5);
            EXPECT_NEAR(lists.scores[place], p.z(r, lists.columns[place]), 1e-5);
          }
        }
      }
}

TEST(WideTopk, TiesExclusionsAndAnyLengthFromStoredScores) {
  // Few different scores, no sources: the slot copies a buffer.
  for (int64_t columns : {1, 17, 513, 1500})
    for (int64_t k : {0, 1, 10, 600, 1500}) {
      std::vector<int64_t> ids = someRows(70, 30);
      std::vector<float> scores = randomValues(70 * columns, 4, 4);
      for (float &score : scores)
        score = std::floor(score);
      TestData known(30, columns, 0.3, 8, {.indexed = k == 10, .weighted = false, .offset = 0});
      Rig rig(3);
      rig.buffer("s", scores);
      rig.step.kernel = "wide_topk";
      rig.step.columns.value = columns;
      rig.step.slots["score"] = use("copy", {arg(Role::Element, "s")}, {arg(Role::Delta)});
      rig.prepare(70);
      EXPECT_TRUE(launch(rig, ids, k, nullptr) == sorted(scores, ids, columns, k, nullptr)) << columns << " " << k;
      for (Loader loader : {Loader::CsrBinary, Loader::Dense}) {
        rt::DataView exclude = known.view(loader);
        EXPECT_TRUE(launch(rig, ids, k, &exclude) == sorted(scores, ids, columns, k, &known)) << columns << " " << k;
      }
    }
}

TEST(WideTopk, BitsDoNotDependOnThreads) {
  Problem p{200, 1025};
  Lists one;
  for (int threads : {1, 2, 3, 5}) {
    auto rig = p.rig(threads);
    rig->step.kernel = "wide_topk";
    rig->step.slots["score"] = use("addBias", {arg(Role::Accumulator), arg(Role::Column, "b")}, {arg(Role::Delta)});
    rig->prepare(200);
    Lists lists = launch(*rig, p.ids, 25, nullptr);
    if (threads == 1)
      one = lists;
    EXPECT_TRUE(one == lists) << threads;
  }
}

namespace {
std::pair<std::vector<float>, std::vector<float>> statistics(const Problem &p, int threads) {
  auto rig = p.rig(threads);
  rig->buffer("max", std::vector<float>(static_cast<size_t>(p.rows)));
  rig->buffer("sum", std::vector<float>(static_cast<size_t>(p.rows)));
  rig->step.kernel = "wide_softmax";
  rig->step.sweep = "statistics";
  rig->step.rows = {"max", "sum"};
  rig->step.slots["logit"] = use("addBias", {arg(Role::Accumulator), arg(Role::Column, "b")}, {arg(Role::Delta)});
  rig->prepare(p.rows);
  rig->launch(p.ids);
  return {rig->read("max"), rig->read("sum")};
}
} // namespace

TEST(WideSoftmax, StatisticsAreRowMaximumAndSum) {
  for (int64_t columns : {1, 3, 17, 300, 513, 1025, 2100})
    for (int64_t rows : {1, 5, 64, 200}) {
      Problem p{rows, columns, "rows", rows > 5};
      for (float &value : p.bias)
        value *= 60; // a wide spread: most terms vanish
      auto [maximum, sum] = statistics(p, 2);
      std::vector<double> maxima, sums;
      for (int64_t r = 0; r < rows; ++r) {
        double most = -INFINITY, total = 0;
        for (int64_t c = 0; c < columns; ++c)
          most = std::max(most, p.z(r, c));
        for (int64_t c = 0; c < columns; ++c)
          total += std::exp(p.z(r, c) - most);
        maxima.push_back(most);
        sums.push_back(total);
      }
      expectNear(maximum, maxima, 1e-6, "max");
      expectNear(sum, sums, 2e-5, "sum");
    }
}

TEST(WideSoftmax, BitsDoNotDependOnThreads) {
  for (int64_t columns : {300, 1025, 2100}) {
    Problem p{200, columns};
    auto one = statistics(p, 1);
    for (int threads : {2, 3, 5})
      EXPECT_TRUE(one == statistics(p, threads)) << threads;
  }
}

TEST(WideSoftmax, SingleSweepReadsTheStatistics) {
  const int64_t rows = 64, columns = 513;
  for (Loader loader : {Loader::Dense, Loader::CsrBinary, Loader::CsrAnalog}) {
    Problem p{rows, columns};
    TestData data(30, columns, 0.1, 9);
    auto [maximum, sum] = statistics(p, 2);
    auto rig = p.rig(2);
    rig->buffer("max", maximum);
    rig->buffer("sum", sum);
    rig->buffer("dx", std::vector<float>(p.x.size()));
    rig->memory.data["target"] = data.view(loader);
    rig->step.kernel = "wide_softmax";
    rig->step.sweep = "forward";
    rig->step.target = "target";
    rig->step.sources[0].gradient = "dx";
    std::vector<plan::SlotArg> in = {arg(Role::Accumulator), arg(Role::Column, "b")}, delta = {arg(Role::Delta)},
                               scalars = {arg(Role::Row, "max"), arg(Role::Row, "sum"), arg(Role::TargetSum)};
    rig->step.slots["background"] = use("softmaxBackground", in, delta, scalars);
    in.push_back(arg(Role::Target));
    rig->step.slots["stored"] = rig->step.slots["dense"] = use("softmaxDense", in, delta, scalars);
    rig->prepare(rows);
    rt::Launch launch = rig->launch(p.ids);
    std::vector<double> gradient(p.x.size());
    double loss = 0;
    for (int64_t r = 0; r < rows; ++r) {
      int64_t id = p.ids[static_cast<size_t>(r)];
      double s = 0;
      for (int64_t c = 0; c < columns; ++c)
        s += std::exp(p.z(r, c));
      for (int64_t c = 0; c < columns; ++c) {
        double t = data.value(loader, id, c), y = std::exp(p.z(r, c)) / s, d = y * data.sum(loader, id) - t;
        loss -= t * std::log(y);
        for (int64_t k = 0; k < 7; ++k)
          gradient[static_cast<size_t>(r * 7 + k)] +=
              d * static_cast<double>(p.w[static_cast<size_t>(k * columns + c)]);
      }
    }
    expectNear(rig->read("dx"), gradient, 1e-5, "dx");
    EXPECT_NEAR(launch.sum, loss, 1e-5 * (1 + loss));
  }
}
} // namespace sn::test
