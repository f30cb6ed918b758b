// map and expand: element by element, with every kind of data set.
#include "test/unit/cuda/PointwiseRig.h"
// the templates
#include "kernels-templates/cuda/expand.cuh"
#include "kernels-templates/cuda/map.cuh"

namespace sn::test {
namespace {
constexpr unsigned kQuarter = 0x3e800000u; // 0.25f

// Slots, as the compiler would print them.
struct Twist { // element, column, mask, index; row, hyper
  static constexpr bool kSum = true;
  static void run(const float *in, const float *scalars, float *out, double &sum) {
    out[0] = in[0] * in[2] + in[1] * scalars[0] + scalars[1] + 0.001f * in[3];
    out[1] = in[0] + 1;
    sum += in[0] * scalars[0];
  }
};
using TwistSlot = Slot<Twist, List<Element<0>, Column<1>, Mask<7, kQuarter>, Index>, List<Element<3>, Element<4>>,
                       List<Row<2>, Hyper<0>>>;
template <class Body> using Plain = TargetSlots<Body, NoSlot, NoSlot, NoSlot, NoSlot>;

struct Extent {
  int64_t rows, maxRows, columns;
};
const std::vector<Extent> kExtents = {{1, 1, 1},     {3, 5, 1},    {70, 130, 3}, {5, 5, 257},
                                      {17, 40, 100}, {9, 9, 1030}, {1, 64, 700}};

TEST(PointwiseMap, ElementsWithEveryOperand) {
  Random random(1);
  for (const Extent &extent : kExtents) {
    Batch batch(random, extent.rows, extent.maxRows, extent.columns, 1000);
    Floats x = randomFloats(random, extent.maxRows * extent.columns), bias = randomFloats(random, extent.columns),
           row = randomFloats(random, extent.maxRows), y = untouched(extent.maxRows * extent.columns), other = y;
    const float hyper = 0.75f;
    batch.args.pointers[0] = x.data();
    batch.args.pointers[1] = bias.data();
    batch.args.pointers[2] = row.data();
    batch.args.pointers[3] = y.data();
    batch.args.pointers[4] = other.data();
    batch.args.hypers = &hyper;
    Floats expected = untouched(extent.maxRows * extent.columns), expectedOther = expected;
    double sum = 0;
    for (int64_t r = 0; r < extent.rows; ++r)
      for (int64_t c = 0; c < extent.columns; ++c) {
        const size_t i = static_cast<size_t>(r * extent.columns + c);
        const float mask = plan::maskValue(plan::randomWord({batch.frame.seed, 7, batch.frame.epoch},
                                                            static_cast<uint64_t>(batch.ids[static_cast<size_t>(r)]),
                                                            static_cast<uint64_t>(c)),
                                           0.25f);
        const float in = x[i], perRow = row[static_cast<size_t>(r)];
        expected[i] = in * mask + bias[static_cast<size_t>(c)] * perRow + hyper + 0.001f * static_cast<float>(c);
        expectedOther[i] = in + 1;
        sum += in * perRow;
      }
    const ShapeOf shape;
    const auto launches = fewer(rt::cuda::mapLaunches(shape(batch.args), false), random.integer(1, 9));
    EXPECT_NEAR((runStep<Map<Plain<TwistSlot>, false>, NoData>(launches, batch.args).sum), sum, 1e-4);
    expectNear(y, expected);
    expectNear(other, expectedOther);
    // The result may take the memory of the operand.
    batch.args.pointers[3] = x.data();
    runStep<Map<Plain<TwistSlot>, false>, NoData>(launches, batch.args);
    for (size_t i = static_cast<size_t>(extent.rows * extent.columns); i < x.size(); ++i)
      expected[i] = x[i];
    expectNear(x, expected);
  }
}

struct Blend { // column, column, index; hyper
  static constexpr bool kSum = false;
  static void run(const float *in, const float *scalars, float *out, double &) {
    out[0] = in[0] * scalars[0] + in[1] * (1 - scalars[0]) + in[2];
  }
};
TEST(PointwiseMap, VectorsAreOneRow) {
  Random random(2);
  for (const int64_t columns : {1, 31, 300, 2000}) {
    Batch batch(random, 40, 64, columns);
    Floats value = randomFloats(random, columns), mean = randomFloats(random, columns), expected = value;
    const float hyper[] = {0, 0.9f};
    for (size_t c = 0; c < value.size(); ++c)
      expected[c] = value[c] * 0.9f + mean[c] * (1 - 0.9f) + static_cast<float>(c);
    batch.args.pointers[0] = value.data();
    batch.args.pointers[1] = mean.data();
    batch.args.hypers = hyper;
    using Slots = Plain<Slot<Blend, List<Column<0>, Column<1>, Index>, List<Column<0>>, List<Hyper<1>>>>;
    const ShapeOf shape;
    runStep<Map<Slots, true>, NoData>(fewer(rt::cuda::mapLaunches(shape(batch.args), true), 3), batch.args);
    expectNear(value, expected);
  }
}

// A loss of z and t: l(z, 0) = w z^2; with t: w (z - scale t)^2 + 0.1 t (sum + binary).
struct Background { // z; weight
  static constexpr bool kSum = true;
  static void run(const float *in, const float *scalars, float *out, double &sum) {
    out[0] = 2 * scalars[0] * in[0];
    sum += scalars[0] * in[0] * in[0];
  }
};
struct Stored { // z, t; weight, binary, and if they are read scale, sum
  static constexpr bool kSum = true;
  static float loss(float z, float t, const RowTarget &row) {
    return row.weight * (z - row.scale * t) * (z - row.scale * t) + 0.1f * t * (row.sum + row.binary);
  }
  static float delta(float z, float t, const RowTarget &row) { return 2 * row.weight * (z - row.scale * t); }
  static void run(const float *in, const float *scalars, float *out, double &sum) {
    const RowTarget row{scalars[0], scalars[2], scalars[3], scalars[1]};
    out[0] = delta(in[0], in[1], row);
    sum += loss(in[0], in[1], row) - scalars[0] * in[0] * in[0];
  }
};
struct Whole { // as Stored, the whole loss
  static constexpr bool kSum = true;
  static void run(const float *in, const float *scalars, float *out, double &sum) {
    const RowTarget row{scalars[0], scalars[2], scalars[3], scalars[1]};
    out[0] = Stored::delta(in[0], in[1], row);
    sum += Stored::loss(in[0], in[1], row);
  }
};
template <class Function>
using WithSums = Slot<Function, List<Element<0>, Target>, List<Element<1>>,
                      List<TargetWeight, TargetBinary, TargetScale, TargetSum>>;
/// The row's scale and sum stand in a hyper: 1, so that nothing asks for a walk.
template <class Function>
using WithoutSums =
    Slot<Function, List<Element<0>, Target>, List<Element<1>>, List<TargetWeight, TargetBinary, Hyper<0>, Hyper<0>>>;
using Zeros = Slot<Background, List<Element<0>>, List<Element<1>>, List<TargetWeight>>;
template <template <class> class Form> using Loss = TargetSlots<NoSlot, Zeros, Form<Stored>, Form<Whole>, Form<Whole>>;

/// One batch of a target through map; results take the memory of the operands if `inPlace`.
template <class Loader, template <class> class Form>
void checkTarget(Random &random, const Extent &extent, const DataSet::Kind &kind, bool sums, bool inPlace) {
  const DataSet target(random, 50, extent.columns, kind);
  Batch batch(random, extent.rows, extent.maxRows, extent.columns, target.examples);
  Floats z = randomFloats(random, extent.maxRows * extent.columns), delta = untouched(extent.maxRows * extent.columns);
  const float one = 1;
  batch.args.data = target.view();
  batch.args.hypers = &one;
  batch.args.pointers[0] = z.data();
  batch.args.pointers[1] = inPlace ? z.data() : delta.data();
  Floats expected = inPlace ? z : delta;
  double sum = 0;
  for (int64_t r = 0; r < extent.rows; ++r) {
    const int64_t example = batch.ids[static_cast<size_t>(r)];
    RowTarget row = target.target(example);
    if (!sums)
      row.scale = row.sum = 1;
    for (int64_t c = 0; c < extent.columns; ++c) {
      const size_t i = static_cast<size_t>(r * extent.columns + c);
      std::optional<float> t = target.stored(example, c);
      if (target.dense && !t)
        t = 0.0f;
      if (t) {
        expected[i] = Stored::delta(z[i], *t, row);
        sum += Stored::loss(z[i], *t, row);
      } else if (cuda::operand::same<Loader, Csr>) {
        expected[i] = 2 * row.weight * z[i];
        sum += row.weight * z[i] * z[i];
      } else {
        expected[i] = 0;
      }
    }
  }
  const ShapeOf shape = withTargetSums(sums);
  const Outcome outcome = runStep<Map<Loss<Form>, false>, Loader>(
      fewer(rt::cuda::mapLaunches(shape(batch.args), false), random.integer(1, 9)), batch.args);
  expectNear(outcome.sum, sum);
  expectNear(inPlace ? z : delta, expected);
}

TEST(PointwiseMap, SparseTargets) {
  Random random(3);
  for (const Extent &extent : kExtents)
    for (const DataSet::Kind &kind :
         {DataSet::Kind{}, DataSet::Kind{.binary = true}, DataSet::Kind{.indexed = true, .weighted = true},
          DataSet::Kind{.binary = true, .indexed = true, .weighted = true, .density = 0.7}}) {
      checkTarget<Csr, WithSums>(random, extent, kind, true, false);
      checkTarget<Csr, WithoutSums>(random, extent, kind, false, true);
      checkTarget<CsrStoredOnly, WithSums>(random, extent, kind, true, true);
      checkTarget<CsrStoredOnly, WithoutSums>(random, extent, kind, false, false);
    }
}
TEST(PointwiseMap, DenseTargetsMayBeNarrower) {
  Random random(4);
  for (const Extent &extent : kExtents)
    for (const DataSet::Kind &kind :
         {DataSet::Kind{.dense = true}, DataSet::Kind{.dense = true, .indexed = true, .weighted = true},
          DataSet::Kind{.dense = true, .missing = extent.columns / 2}}) {
      checkTarget<Dense, WithSums>(random, extent, kind, true, true);
      checkTarget<Dense, WithoutSums>(random, extent, kind, false, false);
    }
}

TEST(PointwiseLaunches, BlocksAreBoundedAndReportOnlyWhereThereIsSomething) {
  StepArgs args;
  args.columns = 10000000;
  args.maxRows = 1024;
  ShapeOf shape;
  EXPECT_EQ(rt::cuda::mapLaunches(shape(args), false).passes.at(0).blocks, kElementBlocks);
  EXPECT_TRUE(rt::cuda::mapLaunches(shape(args), false).passes.at(0).sums);
  EXPECT_EQ(rt::cuda::expandLaunches(shape(args)).passes.at(0).blocks, kElementBlocks);
  shape.step.slots.clear();
  EXPECT_FALSE(rt::cuda::mapLaunches(shape(args), false).passes.at(0).sums);
  shape.step.update = true;
  EXPECT_TRUE(rt::cuda::columnReduceLaunches(shape(args)).passes.at(1).sums);
}

struct Copy { // accumulator, column
  static constexpr bool kSum = true;
  static void run(const float *in, const float *, float *out, double &sum) {
    out[0] = in[0] + in[1];
    sum += in[0];
  }
};
using CopySlot = Slot<Copy, List<Accumulator, Column<0>>, List<Element<1>>, List<>>;

template <class Loader>
void checkExpand(Random &random, const Extent &extent, const DataSet::Kind &kind,
                 const std::vector<Corruption> &corruptions, float offset) {
  const DataSet data(random, 50, extent.columns, kind);
  Batch batch(random, extent.rows, extent.maxRows, extent.columns, data.examples);
  Floats bias = randomFloats(random, extent.columns), y = untouched(extent.maxRows * extent.columns), expected = y;
  batch.args.data = data.view();
  batch.args.data.inputOffset = offset;
  batch.args.corruption = corruptions.data();
  batch.args.corruptions = static_cast<int>(corruptions.size());
  batch.args.pointers[0] = bias.data();
  batch.args.pointers[1] = y.data();
  double sum = 0;
  for (int64_t r = 0; r < extent.rows; ++r)
    for (int64_t c = 0; c < extent.columns; ++c) {
      const int64_t example = batch.ids[static_cast<size_t>(r)];
      float value = 0;
      if (const std::optional<float> stored = data.stored(example, c)) {
        value = data.dense ? *stored + offset : *stored * data.weight(example);
        for (const Corruption &corruption : corruptions)
          value *= plan::maskValue(plan::randomWord({batch.frame.seed, corruption.stream, batch.frame.epoch},
                                                    static_cast<uint64_t>(example), static_cast<uint64_t>(c)),
                                   corruption.p);
      }
      expected[static_cast<size_t>(r * extent.columns + c)] = value + bias[static_cast<size_t>(c)];
      sum += value;
    }
  const ShapeOf shape;
  expectNear((runStep<Expand<CopySlot>, Loader>(
                  fewer(rt::cuda::expandLaunches(shape(batch.args)), random.integer(1, 9)), batch.args)
                  .sum),
             sum);
  expectNear(y, expected);
}

TEST(PointwiseExpand, DataSetsAsDenseRows) {
  Random random(5);
  const std::vector<Corruption> none, two = {{3, 0.25f}, {9, 0.5f}};
  for (const Extent &extent : kExtents)
    for (const std::vector<Corruption> &corruptions : {none, two}) {
      checkExpand<Csr>(random, extent, {}, corruptions, 0);
      checkExpand<Csr>(random, extent, {.binary = true, .indexed = true, .weighted = true}, corruptions, 0);
      checkExpand<Csr>(random, extent, {.weighted = true, .density = 0.8}, corruptions, 0);
      checkExpand<Dense>(random, extent, {.dense = true, .indexed = true, .weighted = true}, corruptions, 0.5f);
      checkExpand<Dense>(random, extent, {.dense = true, .missing = extent.columns / 2}, corruptions, -0.25f);
    }
}
} // namespace
} // namespace sn::test
