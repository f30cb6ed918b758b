// wide_topk: lists against a full sort. Weights and inputs are small integers, so that scores are exact and often
// equal.
#include <algorithm>
// after the standard headers
#include "test/unit/cuda/SparseRig.h"
// last
#include "kernels-templates/cuda/wide_topk.cuh"
#include "test/unit/cuda/Bf16Rig.h"

namespace sn::test {
namespace {
/// The score is acc + Column<0>, which keeps the sign of a zero; the sum counts the elements.
struct Biased {
  [[maybe_unused]] static constexpr bool kSum = true;
  static void run(const float *in, const float *, float *out, double &sum) {
    out[0] = in[0] == 0 ? in[1] : in[0] + in[1];
    sum += 1;
  }
};
using Score = Slot<Biased, List<Accumulator, Column<0>>, List<Delta>, List<>>;
using TopK = WideTopk<Score>;

struct Case {
  Int columns = 300, k = 10, rows = 5, maxRows = 7;
  int sources = 1;
  bool outerFirst = false, excludes = false;
  DataSet::Kind kind{};
};
struct Lists {
  std::vector<int> columns;
  Floats scores;
  double sum = 0;
};

class TopkStep {
public:
  explicit TopkStep(const Case &which, uint64_t seed = 1)
      : c(which), random(seed), known(random, 9, c.columns, c.kind), batch(random, c.rows, c.maxRows, c.columns, 9),
        bias(integers(c.columns, 2)), sources(static_cast<size_t>(c.sources)) {
    for (float &value : known.values) // what a dense row holds is known where it is not 0
      if (known.dense && value < 0)
        value = 0;
    for (Source &source : sources) {
      const Int inner = 5 + 17 * (&source - sources.data());
      matrices.push_back(integers(c.maxRows * inner, 2));
      source.x = matrices.back().data();
      matrices.push_back(integers(inner * c.columns, 2));
      source.weights.value = matrices.back().data();
      source.inner = inner;
      source.outer = c.columns;
      source.outerFirst = c.outerFirst;
    }
    StepArgs &args = batch.args;
    if (c.excludes)
      args.data = known.view();
    args.sourceCount = c.sources;
    args.sources = sources.data();
    args.pointers[0] = bias.data();
    batch.frame.k = static_cast<int>(c.k);
  }
  rt::cuda::Launches launches(Int k, const Variant &variant = kPlainVariant) const {
    ShapeOf shape;
    shape.sources = sources;
    rt::cuda::StepShape asked = shape(batch.args);
    asked.variant = &variant;
    return rt::cuda::wideTopkLaunches(asked, k);
  }
  /// With room for lists of `largest`.
  template <class Template = TopK>
  Lists run(Int largest, uint64_t order = 0, int parts = 0, const Variant &variant = kPlainVariant) {
    const size_t size = static_cast<size_t>(c.maxRows * c.k);
    Lists lists{std::vector<int>(size, -7), untouched(c.maxRows * c.k)};
    StepArgs args = batch.args;
    args.topColumns = lists.columns.data();
    args.topScores = lists.scores.data();
    rt::cuda::Launches asked = launches(largest, variant);
    if (parts) {
      asked.passes.at(0).blocksY = parts;
      asked.workBytes[0] *= 8;
      asked.workBytes[1] *= 8;
    }
    if (!c.excludes)
      lists.sum = runPasses<Template, NoData, NoOptimizer, 2>(asked, args, order).sum;
    else if (known.dense)
      lists.sum = runPasses<Template, Dense, NoOptimizer, 2>(asked, args, order).sum;
    else
      lists.sum = runPasses<Template, Csr, NoOptimizer, 2>(asked, args, order).sum;
    return lists;
  }
  /// On weights in BF16, which holds these integers.
  template <class Template> Lists runOnBf16(const Variant &variant) {
    const std::vector<Source> floats = sources;
    std::vector<Halves> narrow;
    for (size_t s = 0; s < sources.size(); ++s)
      narrow.push_back(narrowed(matrices[2 * s + 1]));
    for (size_t s = 0; s < sources.size(); ++s)
      sources[s].weights.value = handle(narrow[s]);
    const Lists lists = run<Template>(c.k, 3, 0, variant);
    std::copy(floats.begin(), floats.end(), sources.begin());
    return lists;
  }
  Lists run() { return run(c.k); }
  Lists expected() const {
    Lists lists{std::vector<int>(static_cast<size_t>(c.maxRows * c.k), -7), untouched(c.maxRows * c.k)};
    for (Int row = 0; row < c.rows; ++row) {
      std::vector<std::pair<float, int>> found;
      for (Int column = 0; column < c.columns; ++column)
        if (!excluded(batch.ids[static_cast<size_t>(row)], column))
          found.push_back({score(row, column), static_cast<int>(column)});
      std::sort(found.begin(), found.end(), [](const auto &a, const auto &b) {
        if (std::isnan(a.first) || std::isnan(b.first))
          return std::isnan(a.first) == std::isnan(b.first) ? a.second < b.second : std::isnan(b.first);
        return a.first > b.first || (a.first == b.first && a.second < b.second);
      });
      for (size_t i = 0; i < static_cast<size_t>(c.k); ++i) {
        const size_t at = static_cast<size_t>(row * c.k) + i;
        lists.columns[at] = i < found.size() ? found[i].second : -1;
        lists.scores[at] = i < found.size() ? found[i].first : -INFINITY;
      }
    }
    lists.sum = static_cast<double>(c.rows * c.columns);
    return lists;
  }
  Floats &biases() { return bias; }
  DataSet &excludedData() { return known; }

private:
  Floats integers(Int count, int64_t most) {
    Floats values(static_cast<size_t>(count));
    for (float &value : values)
      value = static_cast<float>(random.integer(-most, most));
    return values;
  }
  bool excluded(Int example, Int column) const {
    const std::optional<float> value = c.excludes ? known.stored(example, column) : std::nullopt;
    return value && (!known.dense || *value != 0);
  }
  float score(Int row, Int column) const {
    float sum = bias[static_cast<size_t>(column)];
    for (const Source &source : sources)
      for (Int k = 0; k < source.inner; ++k)
        sum += source.x[row * source.inner + k] * source.weights.value[offsetOf(source, k, column)];
    return sum;
  }

  Case c;
  Random random;
  DataSet known;
  Batch batch;
  Floats bias;
  std::vector<Source> sources;
  std::vector<Floats> matrices;
};
void expectLists(const Lists &actual, const Lists &expected) {
  EXPECT_EQ(actual.columns, expected.columns);
  ASSERT_EQ(actual.scores.size(), expected.scores.size());
  for (size_t i = 0; i < actual.scores.size(); ++i)
    if (!std::isnan(expected.scores[i]) || !std::isnan(actual.scores[i]))
      ASSERT_EQ(actual.scores[i], expected.scores[i]) << "at " << i;
}
void check(const Case &c) {
  TopkStep step(c);
  const Lists actual = step.run(), expected = step.expected();
  expectLists(actual, expected);
  if (c.k > 0)
    EXPECT_EQ(actual.sum, expected.sum);
}

TEST(Topk, ColumnsAndLengths) {
  for (Int columns : {1, 63, 64, 65, 300, 700})
    for (Int k : {0, 1, 10, 64, 350, 1500}) {
      SCOPED_TRACE(std::to_string(columns) + " columns, k " + std::to_string(k));
      check({.columns = columns, .k = k});
    }
}
TEST(Topk, Sources) {
  for (int sources : {0, 1, 2, 3})
    for (bool outerFirst : {false, true})
      check({.sources = sources, .outerFirst = outerFirst});
}
TEST(Topk, Excluded) {
  for (DataSet::Kind kind : kKinds)
    for (double density : {0.1, 0.5, 1.0}) { // 1: all but the empty rows
      SCOPED_TRACE(nameOf(kind) + " " + std::to_string(density));
      kind.density = density;
      check({.columns = 500, .k = 12, .excludes = true, .kind = kind});
    }
}
TEST(Topk, RowsBeyondATile) { check({.k = 7, .rows = 70, .maxRows = 130, .excludes = true}); }
TEST(Topk, ListsLongerThanSharedMemory) {
  static_assert(topk::kInShared < 1500);
  check({.columns = 4000, .k = 1500, .rows = 2, .maxRows = 3, .excludes = true});
}
TEST(Topk, ManyColumns) { check({.columns = 20000, .k = 20, .rows = 3, .maxRows = 3}); }
TEST(Topk, EqualScoresGoByColumn) {
  TopkStep step({.columns = 1000, .k = 300, .sources = 0});
  std::fill(step.biases().begin(), step.biases().end(), 0.0f);
  for (size_t i = 0; i < 1000; i += 3)
    step.biases()[i] = -0.0f; // equals 0
  const Lists lists = step.run();
  for (int i = 0; i < 300; ++i)
    EXPECT_EQ(lists.columns[static_cast<size_t>(i)], i);
}
TEST(Topk, BetterColumnsLater) { // every tile shortens every list
  TopkStep step({.columns = 5000, .k = 40, .sources = 0});
  for (size_t i = 0; i < 5000; ++i)
    step.biases()[i] = static_cast<float>(i);
  expectLists(step.run(), step.expected());
}
TEST(Topk, NaNIsBelowEverything) {
  TopkStep step({.columns = 20, .k = 20, .sources = 0});
  step.biases()[3] = NAN;
  step.biases()[4] = -INFINITY;
  step.biases()[5] = INFINITY;
  step.biases()[17] = -NAN;
  expectLists(step.run(), step.expected());
}
TEST(Topk, ListsDependOnNeitherPartsNorRoom) {
  TopkStep step({.columns = 900, .k = 30, .excludes = true});
  const Lists expected = step.expected();
  expectLists(step.run(30, 5), expected);
  expectLists(step.run(200, 6), expected);
  for (int parts : {1, 2, 5, 13})
    expectLists(step.run(30, 7, parts), expected);
}
TEST(Topk, WeightsInBf16AndLargeTiles) {
  const Variant &large = *variantNamed("ffma_128");
  for (const auto &[outerFirst, rows, k] : {std::tuple<bool, Int, Int>(false, 130, 10), {true, 66, 140}}) {
    TopkStep step({.columns = 150,
                   .k = k,
                   .rows = rows,
                   .maxRows = rows + 5,
                   .sources = 2,
                   .outerFirst = outerFirst,
                   .excludes = true});
    const Lists expected = step.expected();
    expectLists(step.runOnBf16<WideTopk<Score, Tile, Bf16Weights>>(kPlainVariant), expected);
    expectLists(step.runOnBf16<WideTopk<Score, FfmaTile<128>, Bf16Weights>>(large), expected);
  }
}
TEST(Topk, PartsForFewRowsAndManyColumns) {
  const auto parts = [](Int maxRows, Int columns) {
    return TopkStep({.columns = columns, .maxRows = maxRows}).launches(10).passes.at(0).blocksY;
  };
  EXPECT_EQ(parts(7, 300), 2);
  EXPECT_EQ(parts(7, 100000), 128);
  EXPECT_EQ(parts(4096, 100000), 16);
}
} // namespace
} // namespace sn::test
