// update, limit_norm, and the kernels that all plans share.
#include "test/unit/cuda/PointwiseRig.h"
// the templates
#include "kernels-templates/cuda/limit_norm.cuh"
#include "kernels-templates/cuda/parameter_update.cuh"
#include "kernels-templates/cuda/targets.cuh"
#include "test/unit/cuda/Bf16Rig.h"

namespace sn::test {
namespace {
struct Decaying { // value, gradient, two states; rate, decay
  static void run(const float *in, const float *scalars, float *out, double &regularization) {
    out[1] = in[2] + in[1] * in[1];
    out[2] = 0.5f * in[3] + in[1];
    out[0] = in[0] * (1 - scalars[1]) + scalars[0] * out[2] / (1 + out[1]);
    regularization += 0.5 * in[0] * in[0];
  }
};
struct Plain { // value, gradient, two states; rate
  static void run(const float *in, const float *scalars, float *out, double &) {
    out[1] = in[2];
    out[2] = in[3] + 1;
    out[0] = in[0] + scalars[0] * in[1];
  }
};
struct Rule {
  using Weights = UpdateRule<Decaying, 2>;
  using Bias = UpdateRule<Plain, 2>;
};

template <class Function, bool Decays> void checkUpdate(int64_t inner, int64_t outer) {
  Random random(static_cast<uint64_t>(inner));
  const int64_t size = inner * outer;
  Floats value = randomFloats(random, size), gradient = randomFloats(random, size), first = randomFloats(random, size),
         second = randomFloats(random, size);
  for (float &x : first)
    x = std::fabs(x);
  const float hypers[] = {0.1f, 0.01f};
  Batch batch(random, 1, 1, outer);
  batch.args.updateHypers = hypers;
  ShapeOf shape;
  Source &source = shape.sources.emplace_back();
  source.inner = inner;
  source.outer = outer;
  shape.step.update = true;
  source.descent = gradient.data();
  source.weights = {value.data(), {first.data(), second.data()}};
  batch.args.source = source;
  Floats expected[] = {value, first, second};
  double regularization = 0;
  for (size_t i = 0; i < value.size(); ++i) {
    const float in[] = {value[i], gradient[i], first[i], second[i]};
    float out[3];
    Function::run(in, hypers, out, regularization);
    for (int o = 0; o < 3; ++o)
      expected[o][i] = out[o];
  }
  const Floats before = gradient;
  const Outcome outcome =
      runStep<ParameterUpdate<Decays>, NoData, Rule>(rt::cuda::updateLaunches(shape(batch.args)), batch.args);
  expectNear(outcome.regularization, regularization);
  EXPECT_EQ(outcome.sum, 0);
  expectNear(value, expected[0]);
  expectNear(first, expected[1]);
  expectNear(second, expected[2]);
  EXPECT_EQ(gradient, before);
}
TEST(PointwiseUpdate, WholeParameters) {
  for (const auto &[inner, outer] : {std::pair(1, 1), {1, 300}, {7, 33}, {200, 129}}) {
    checkUpdate<Decaying, true>(inner, outer);
    checkUpdate<Plain, false>(inner, outer);
  }
}

/// Four places at a time, and what is left over.
TEST(PointwiseUpdate, WeightsInBf16AreThoseOfFloatsRoundedAtRandom) {
  for (const auto &[inner, outer] : {std::pair(1, 1), {1, 3}, {7, 33}, {200, 129}}) {
    Random random(static_cast<uint64_t>(inner));
    Halves narrow = narrowed(randomFloats(random, inner * outer));
    Floats value = widened(narrow), gradient = randomFloats(random, inner * outer), first(value.size(), 0.5f),
           second(value.size(), -0.5f), narrowFirst = first, narrowSecond = second;
    const float hypers[] = {0.1f, 0.01f};
    Batch batch(random, 1, 1, outer);
    batch.frame.step = 8;
    batch.args.updateHypers = hypers;
    ShapeOf shape;
    Source &source = shape.sources.emplace_back();
    source.inner = inner;
    source.outer = outer;
    shape.step.update = true;
    source.descent = gradient.data();
    const rt::cuda::Launches launches = rt::cuda::updateLaunches(shape(batch.args));
    const auto run = [&](auto &&runTemplate, const Trained &trained) {
      source.weights = trained;
      batch.args.source = source;
      return runTemplate(launches, batch.args).regularization;
    };
    const double ofFloats =
        run(runStep<ParameterUpdate<true>, NoData, Rule>, {value.data(), {first.data(), second.data()}, 5});
    const double ofHalves = run(runStep<ParameterUpdate<true, Bf16Weights>, NoData, Rule>,
                                {handle(narrow), {narrowFirst.data(), narrowSecond.data()}, 5});
    EXPECT_EQ(ofHalves, ofFloats);
    EXPECT_EQ(narrow, stored(value, batch.frame, 5));
    EXPECT_EQ(narrowFirst, first);
    EXPECT_EQ(narrowSecond, second);
  }
}

/// Columns with norms around the limit, one of zeros, one that is no number.
void checkNorm(int64_t inner, int64_t outer, bool outerFirst) {
  Random random(static_cast<uint64_t>(inner + outer));
  const double limit = 0.75;
  const auto place = [&](int64_t k, int64_t c) {
    return static_cast<size_t>(outerFirst ? c * inner + k : k * outer + c);
  };
  Floats value(static_cast<size_t>(inner * outer));
  for (int64_t c = 0; c < outer; ++c) {
    const double norm = outer > 2 && c == 1 ? 0.0 : random.real(0.3, 1.2);
    for (int64_t k = 0; k < inner; ++k)
      value[place(k, c)] = static_cast<float>(random.real(-1, 1) * norm * std::sqrt(3.0 / static_cast<double>(inner)));
  }
  if (outer > 3)
    value[place(inner / 2, 3)] = NAN;
  Floats expected = value;
  for (int64_t c = 0; c < outer; ++c) {
    double squares = 0;
    for (int64_t k = 0; k < inner; ++k)
      squares += static_cast<double>(value[place(k, c)]) * value[place(k, c)];
    const auto factor = static_cast<float>(std::sqrt(squares) > limit ? limit / std::sqrt(squares) : 1.0);
    for (int64_t k = 0; k < inner; ++k)
      expected[place(k, c)] *= factor;
  }
  Batch batch(random, 1, 1, outer);
  batch.args.limit = limit;
  ShapeOf shape;
  Source &source = shape.sources.emplace_back();
  source.inner = inner;
  source.outer = outer;
  source.outerFirst = outerFirst;
  source.weights.value = value.data();
  batch.args.source = source;
  runStep<LimitNorm, NoData>(rt::cuda::limitNormLaunches(shape(batch.args)), batch.args);
  expectNear(value, expected, 1e-6);
}
TEST(PointwiseLimitNorm, ColumnsInOnePiece) {
  for (const auto &[inner, outer] : {std::pair(1, 1), {5, 1}, {3, 70}, {512, 9}, {513, 5}, {3000, 2}}) {
    checkNorm(inner, outer, true);
    if (outer == 1)
      checkNorm(inner, outer, false);
  }
  checkNorm(2500, 1, false);
}
TEST(PointwiseLimitNorm, ColumnsAcrossLines) {
  for (const auto &[inner, outer] : {std::pair(1, 2), {3, 70}, {40, 33}, {300, 5}, {5000, 7}, {9000, 40}})
    checkNorm(inner, outer, false);
}

/// Scaled values are rounded at random, by other numbers than updates; columns below the limit keep their bits.
TEST(PointwiseLimitNorm, WeightsInBf16) {
  for (const auto &[inner, outer, outerFirst] : {std::tuple(3, 70, true), {600, 9, true}, {300, 5, false}}) {
    Random random(3);
    Halves narrow = narrowed(randomFloats(random, inner * outer));
    for (int k = 0; k < inner; ++k) // a column below the limit
      narrow[static_cast<size_t>(outerFirst ? inner + k : k * outer + 1)] = rt::cuda::bf16Of(0.01f);
    const Halves before = narrow;
    Floats value = widened(narrow);
    Batch batch(random, 1, 1, outer);
    batch.frame.step = 4;
    batch.args.limit = 0.75;
    ShapeOf shape;
    Source &source = shape.sources.emplace_back();
    source.inner = inner;
    source.outer = outer;
    source.outerFirst = outerFirst;
    const rt::cuda::Launches launches = rt::cuda::limitNormLaunches(shape(batch.args));
    source.weights = {value.data(), {}, 6};
    batch.args.source = source;
    runStep<LimitNorm, NoData>(launches, batch.args);
    batch.args.source.weights.value = handle(narrow);
    runStep<LimitNormOf<Bf16Weights>, NoData>(launches, batch.args);
    EXPECT_EQ(narrow, stored(value, batch.frame, 6, Rounding::Scaling));
    EXPECT_NE(narrow, stored(value, batch.frame, 6, Rounding::Update));
    EXPECT_NE(narrow, before);
    for (int k = 0; k < inner; ++k) {
      const auto at = static_cast<size_t>(outerFirst ? inner + k : k * outer + 1);
      EXPECT_EQ(narrow[at], before[at]);
    }
  }
}

TEST(PointwiseCommon, SumsOfBlocks) {
  Random random(1);
  std::vector<std::vector<double>> values;
  std::vector<PartialSums> parts;
  std::vector<double> expected;
  for (const size_t count : {0, 1, 31, 256, 257, 5000}) {
    std::vector<double> &part = values.emplace_back();
    double sum = 0;
    for (size_t i = 0; i < count; ++i)
      sum += part.emplace_back(random.real(-1, 1));
    parts.push_back({part.data(), static_cast<Int>(count)});
    expected.push_back(sum);
  }
  std::vector<double> results(parts.size(), NAN);
  const FinishArgs args{parts.data(), results.data()};
  sn::emulator::launch(static_cast<unsigned>(parts.size()), 1, kThreads, 0, [&] { finishSums(args); });
  for (size_t i = 0; i < results.size(); ++i)
    EXPECT_NEAR(results[i], expected[i], 1e-10);
}

/// Bits: the tree is that of the CPU.
TEST(PointwiseCommon, PartialSumsOfLanes) {
  for (const int lanes : {1, 2, 7, 8, 16, 128}) {
    Random random(static_cast<uint64_t>(lanes));
    const int64_t rows = 5, maxRows = 8, inner = 37, size = maxRows * inner;
    Batch batch(random, rows, maxRows, 1);
    Floats partials = untouched(lanes * size), gradient = untouched(size), expected = gradient;
    for (int lane = 0; lane < lanes; ++lane) // rows beyond the batch are not written by anybody
      for (int64_t i = 0; i < rows * inner; ++i)
        partials[static_cast<size_t>(lane * size + i)] = static_cast<float>(random.real(-1, 1));
    Floats tree = partials;
    plan::combineLanes(lanes, [&](int into, int from) {
      for (int64_t i = 0; i < rows * inner; ++i)
        tree[static_cast<size_t>(into * size + i)] += tree[static_cast<size_t>(from * size + i)];
    });
    std::copy_n(tree.begin(), rows * inner, expected.begin());
    batch.args.wideLanes = lanes;
    batch.args.source.inner = inner;
    batch.args.source.partials = partials.data();
    batch.args.source.gradient = gradient.data();
    sn::emulator::launch(static_cast<unsigned>((size + kThreads - 1) / kThreads), 1, kThreads, 0,
                         [&] { combineLanes(batch.args); });
    for (size_t i = 0; i < gradient.size(); ++i)
      EXPECT_TRUE(gradient[i] == expected[i] || (std::isnan(gradient[i]) && std::isnan(expected[i]))) << i;
  }
}

TEST(PointwiseCommon, ShortLanesAreTheLanesOfThePlan) {
  for (const int64_t extent : {0, 1, 5, 16, 100, 27278, 2147483647})
    for (const int lanes : {1, 3, 16, 128})
      for (int lane = 0; lane < lanes; ++lane) {
        const plan::Range range = plan::laneRange(extent, lane, lanes);
        const cuda::Range found = shortLaneRange(extent, lane, lanes);
        EXPECT_EQ(found.begin, range.begin);
        EXPECT_EQ(found.end, range.end);
      }
  for (const int64_t rows : {1, 127, 128, 255, 256, 700, 1024, 2047, 2048, 100000})
    EXPECT_EQ(batchLanes(rows), plan::batchLanes(rows));
}

TEST(PointwiseCommon, RowsOfTargets) {
  Random random(2);
  for (const DataSet::Kind &kind : {DataSet::Kind{.density = 0.5}, DataSet::Kind{.binary = true, .indexed = true},
                                    DataSet::Kind{.dense = true, .weighted = true, .missing = 40}}) {
    const DataSet target(random, 30, 100, kind);
    Batch batch(random, 11, 13, target.columns, target.examples);
    std::vector<RowTarget> rows(13, {NAN, NAN, NAN, NAN});
    static_assert(sizeof(RowTarget) == kRowTargetBytes);
    batch.args.data = target.view();
    batch.args.work[kTargetRowsArea] = rows.data();
    sn::emulator::launch(2, 1, kThreads, 0, [&] { targetRows(batch.args); });
    for (size_t r = 0; r < rows.size(); ++r) {
      if (r >= 11) {
        EXPECT_TRUE(std::isnan(rows[r].sum));
        continue;
      }
      const RowTarget expected = target.target(batch.ids[r]);
      EXPECT_EQ(rows[r].weight, expected.weight);
      EXPECT_EQ(rows[r].binary, expected.binary);
      EXPECT_EQ(rows[r].scale, expected.scale);
      expectNear(rows[r].sum, expected.sum);
    }
  }
}

/// Tiles inside larger ones: every place is a value or "not stored", what lies between lines stays.
TEST(PointwiseCommon, TilesOfTargets) {
  Random random(3);
  for (const bool dense : {false, true}) {
    const DataSet target(random, 30, 200, {.dense = dense, .density = 0.3, .missing = dense ? 90 : 0});
    Batch batch(random, 70, 70, target.columns, target.examples);
    batch.args.data = target.view();
    for (const auto &[rows, columns] : {std::pair(1, 1), {3, 150}, {64, 17}, {40, 64}}) {
      const int firstRow = 5, firstColumn = 49, stride = columns + 3;
      Floats tile(static_cast<size_t>(rows * stride), 9.0f);
      sn::emulator::launch(1, 1, kThreads, 0, [&, rows = rows, columns = columns] {
        if (dense)
          stageTargets<Dense>(batch.args, firstRow, rows, firstColumn, columns, tile.data(), stride);
        else
          stageTargets<CsrStoredOnly>(batch.args, firstRow, rows, firstColumn, columns, tile.data(), stride);
      });
      for (int r = 0; r < rows; ++r)
        for (int c = 0; c < stride; ++c) {
          const float found = tile[static_cast<size_t>(r * stride + c)];
          if (c >= columns) {
            EXPECT_EQ(found, 9.0f);
            continue;
          }
          const std::optional<float> value =
              target.stored(batch.ids[static_cast<size_t>(firstRow + r)], firstColumn + c);
          EXPECT_EQ(isStored(found), dense || value.has_value());
          if (isStored(found))
            EXPECT_EQ(found, value.value_or(0));
        }
    }
  }
}
} // namespace
} // namespace sn::test
