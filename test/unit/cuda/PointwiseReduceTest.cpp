// row_reduce and column_reduce.
#include "test/unit/cuda/PointwiseRig.h"
// the templates
#include "kernels-templates/cuda/column_reduce.cuh"
#include "kernels-templates/cuda/row_reduce.cuh"

namespace sn::test {
namespace {
// Slots, as the compiler would print them.
struct Value { // element, column
  static constexpr bool kSum = true;
  static void run(const float *in, const float *, float *out, double &sum) {
    out[0] = in[0] * in[1];
    sum += 0.5 * in[0];
  }
};
struct Power { // element; the maximum before
  static constexpr bool kSum = false;
  static void run(const float *in, const float *scalars, float *out, double &) { out[0] = expf(in[0] - scalars[0]); }
};
struct Share { // element, target; maximum, sum, row sum of the target
  static constexpr bool kSum = true;
  static void run(const float *in, const float *scalars, float *out, double &sum) {
    out[0] = expf(in[0] - scalars[0]) / scalars[1] - in[1] * scalars[2];
    sum += out[0] * out[0];
  }
};
struct ShareOfNothing { // element; maximum, sum
  static constexpr bool kSum = true;
  static void run(const float *in, const float *scalars, float *out, double &sum) {
    out[0] = expf(in[0] - scalars[0]) / scalars[1];
    sum += out[0] * out[0];
  }
};
struct Less { // as Share, less what ShareOfNothing says of the element
  static constexpr bool kSum = true;
  static void run(const float *in, const float *scalars, float *out, double &sum) {
    Share::run(in, scalars, out, sum);
    const float nothing = expf(in[0] - scalars[0]) / scalars[1];
    sum -= nothing * nothing;
  }
};

using Most = Reduce<Slot<Value, List<Element<0>, Column<1>>, List<Delta>, List<>>, true>;
using Sum = Reduce<Slot<Power, List<Element<0>>, List<Delta>, List<Reduction<0>>>, false>;
template <class Function>
using Targeted =
    Slot<Function, List<Element<0>, cuda::Target>, List<Element<2>>, List<Reduction<0>, Reduction<1>, TargetSum>>;
using Untargeted = Slot<ShareOfNothing, List<Element<0>>, List<Element<2>>, List<Reduction<0>, Reduction<1>>>;
using Bodies = TargetSlots<NoSlot, Untargeted, Targeted<Less>, Targeted<Share>, Targeted<Share>>;
using Body = TargetSlots<Untargeted, NoSlot, NoSlot, NoSlot, NoSlot>;

struct Extent {
  int64_t rows, maxRows, columns;
};
// One column, fewer than lanes, a warp's row, the border, a block's row, rows in pieces of a tile.
const std::vector<Extent> kExtents = {{1, 1, 1},     {3, 20, 1},  {9, 9, 5},    {17, 40, 128},
                                      {10, 12, 512}, {3, 5, 513}, {2, 2, 1000}, {2, 3, 9001}};

/// A batch of rows, with what must become of it.
struct Rows {
  Batch batch;
  Floats x, column, y, maxima, sums, expected;
  Floats most, total; // of each row
  double sum = 0;     // of the first reduction

  Rows(Random &random, const Extent &extent, int64_t examples = 0)
      : batch(random, extent.rows, extent.maxRows, extent.columns, examples),
        x(randomFloats(random, extent.maxRows * extent.columns)), column(randomFloats(random, extent.columns)),
        y(untouched(extent.maxRows * extent.columns)), maxima(untouched(extent.maxRows)), sums(maxima), expected(y),
        most(maxima), total(maxima) {
    batch.args.pointers[0] = x.data();
    batch.args.pointers[1] = column.data();
    batch.args.pointers[2] = y.data();
    batch.args.rows[0] = maxima.data();
    batch.args.rows[1] = sums.data();
    for (int64_t r = 0; r < extent.rows; ++r) {
      float greatest = -INFINITY;
      double all = 0;
      for (int64_t c = 0; c < extent.columns; ++c) {
        greatest = std::max(greatest, at(r, c) * column[static_cast<size_t>(c)]);
        sum += 0.5 * at(r, c);
      }
      for (int64_t c = 0; c < extent.columns; ++c)
        all += std::exp(at(r, c) - greatest);
      most[static_cast<size_t>(r)] = greatest;
      total[static_cast<size_t>(r)] = static_cast<float>(all);
    }
  }
  size_t place(int64_t r, int64_t c) const { return static_cast<size_t>(r * batch.args.columns + c); }
  float at(int64_t r, int64_t c) const { return x[place(r, c)]; }
  float share(int64_t r, int64_t c) const {
    return std::exp(at(r, c) - most[static_cast<size_t>(r)]) / total[static_cast<size_t>(r)];
  }
};

TEST(PointwiseRowReduce, ReductionsAloneAreKept) {
  Random random(1);
  for (const Extent &extent : kExtents) {
    Rows rows(random, extent);
    const ShapeOf shape;
    const Outcome outcome = runStep<RowReduce<List<Most, Sum>, NoSlot>, NoData>(
        rt::cuda::rowReduceLaunches(shape(rows.batch.args)), rows.batch.args);
    expectNear(outcome.sum, rows.sum);
    expectNear(rows.maxima, rows.most);
    expectNear(rows.sums, rows.total);
  }
}
TEST(PointwiseRowReduce, AnyNumberOfLanes) {
  Random random(7);
  for (const int lanes : {1, 3, 8, 32})
    for (const Extent &extent : {Extent{5, 5, 20}, Extent{2, 4, 700}}) {
      Rows rows(random, extent);
      rows.batch.args.lanes = lanes;
      const ShapeOf shape;
      runStep<RowReduce<List<Most, Sum>, NoSlot>, NoData>(rt::cuda::rowReduceLaunches(shape(rows.batch.args)),
                                                          rows.batch.args);
      expectNear(rows.maxima, rows.most);
      expectNear(rows.sums, rows.total);
    }
}
TEST(PointwiseRowReduce, ABodyReadsReductionsThatAreNotKept) {
  Random random(2);
  for (const Extent &extent : kExtents) {
    Rows rows(random, extent);
    rows.batch.args.rows[0] = rows.batch.args.rows[1] = nullptr;
    rows.batch.args.pointers[2] = rows.x.data(); // in place
    Floats expected = rows.x;
    double sum = rows.sum;
    for (int64_t r = 0; r < extent.rows; ++r)
      for (int64_t c = 0; c < extent.columns; ++c) {
        expected[rows.place(r, c)] = rows.share(r, c);
        sum += rows.share(r, c) * rows.share(r, c);
      }
    const ShapeOf shape;
    const Outcome outcome = runStep<RowReduce<List<Most, Sum>, Body>, NoData>(
        rt::cuda::rowReduceLaunches(shape(rows.batch.args)), rows.batch.args);
    expectNear(outcome.sum, sum);
    expectNear(rows.x, expected);
  }
}

template <class Loader> void checkTarget(Random &random, const Extent &extent, const DataSet::Kind &kind) {
  const DataSet target(random, 30, extent.columns, kind);
  Rows rows(random, extent, target.examples);
  rows.batch.args.data = target.view();
  double sum = rows.sum;
  for (int64_t r = 0; r < extent.rows; ++r) {
    const int64_t example = rows.batch.ids[static_cast<size_t>(r)];
    const float scale = target.target(example).sum;
    for (int64_t c = 0; c < extent.columns; ++c) {
      const std::optional<float> t = target.stored(example, c);
      float value = rows.share(r, c);
      if (t)
        value -= *t * scale;
      else if (cuda::operand::same<Loader, CsrStoredOnly>)
        value = 0;
      rows.expected[rows.place(r, c)] = value;
      sum += value * value;
    }
  }
  const ShapeOf shape = withTargetSums(true);
  const Outcome outcome = runStep<RowReduce<List<Most, Sum>, Bodies>, Loader>(
      rt::cuda::rowReduceLaunches(shape(rows.batch.args)), rows.batch.args);
  expectNear(outcome.sum, sum, 1e-4);
  expectNear(rows.y, rows.expected);
  expectNear(rows.maxima, rows.most);
}
TEST(PointwiseRowReduce, Targets) {
  Random random(3);
  for (const Extent &extent : kExtents) {
    checkTarget<Csr>(random, extent, {});
    checkTarget<Csr>(random, extent, {.binary = true, .indexed = true});
    checkTarget<CsrStoredOnly>(random, extent, {.density = 0.6});
    checkTarget<Dense>(random, extent, {.dense = true, .missing = extent.columns / 2});
  }
}

struct Negative { // element
  static constexpr bool kSum = false;
  static void run(const float *in, const float *, float *out, double &) { out[0] = -in[0]; }
};
struct Scalars { // element; the target's sum, weight
  static constexpr bool kSum = false;
  static void run(const float *in, const float *scalars, float *out, double &) {
    out[0] = in[0] * scalars[0] + scalars[1];
  }
};
TEST(PointwiseRowReduce, MaximaOfNegativesAndScalarsOfTheTarget) {
  Random random(4);
  const Extent extent{6, 7, 40};
  const DataSet target(random, 20, extent.columns, {.weighted = true});
  Rows rows(random, extent, target.examples);
  rows.batch.args.data = target.view();
  for (float &x : rows.x)
    x = std::fabs(x) + 1;
  Floats maxima = untouched(extent.maxRows), sums = maxima;
  for (int64_t r = 0; r < extent.rows; ++r) {
    const RowTarget row = target.target(rows.batch.ids[static_cast<size_t>(r)]);
    double sum = 0;
    float most = -INFINITY;
    for (int64_t c = 0; c < extent.columns; ++c) {
      most = std::max(most, -rows.at(r, c));
      sum += rows.at(r, c) * row.sum + row.weight;
    }
    maxima[static_cast<size_t>(r)] = most;
    sums[static_cast<size_t>(r)] = static_cast<float>(sum);
  }
  using First = Reduce<Slot<Negative, List<Element<0>>, List<Delta>, List<>>, true>;
  using Second = Reduce<Slot<Scalars, List<Element<0>>, List<Delta>, List<TargetSum, TargetWeight>>, false>;
  const ShapeOf shape = withTargetSums(true);
  for (const int lanes : {16, 1, 3, 32}) {
    rows.batch.args.lanes = lanes;
    rows.maxima = rows.sums = untouched(extent.maxRows);
    rows.batch.args.rows[0] = rows.maxima.data();
    rows.batch.args.rows[1] = rows.sums.data();
    runStep<RowReduce<List<First, Second>, NoSlot>, Csr>(rt::cuda::rowReduceLaunches(shape(rows.batch.args)),
                                                         rows.batch.args);
    expectNear(rows.maxima, maxima);
    expectNear(rows.sums, sums);
  }
}

// column_reduce
struct Descend { // value, gradient, momentum; rate
  static void run(const float *in, const float *scalars, float *out, double &regularization) {
    out[1] = 0.5f * in[2] + in[1];
    out[0] = in[0] + scalars[0] * out[1];
    regularization += in[0] * in[0];
  }
};
struct Momentum {
  struct Weights { // must not be asked for biases
    static void apply(const StepArgs &, const Trained &, Int, float, double &) { ADD_FAILURE(); }
  };
  using Bias = UpdateRule<Descend, 1>;
};
struct Mean { // accumulator; batch size
  static constexpr bool kSum = true;
  static void run(const float *in, const float *scalars, float *out, double &sum) {
    out[0] = in[0] / scalars[0];
    sum += in[0];
  }
};
using Product = Slot<Value, List<Element<0>, Column<1>>, List<Delta>, List<>>;
using Finish = Slot<Mean, List<Accumulator>, List<Column<2>>, List<Hyper<0>>>;

struct Columns : Rows {
  Floats totals, means, biases[2], momenta[2];
  Bias bias[2];
  float hyper = 0, rate = 0.25f;
  Columns(Random &random, const Extent &extent)
      : Rows(random, extent), totals(static_cast<size_t>(extent.columns)), means(untouched(extent.columns)) {
    for (int64_t c = 0; c < extent.columns; ++c) {
      double all = 0;
      for (int64_t r = 0; r < extent.rows; ++r)
        all += at(r, c) * column[static_cast<size_t>(c)];
      totals[static_cast<size_t>(c)] = static_cast<float>(all);
    }
    for (int i = 0; i < 2; ++i) {
      biases[i] = randomFloats(random, extent.columns);
      momenta[i] = randomFloats(random, extent.columns);
      bias[i].size = extent.columns;
      bias[i].trained.value = biases[i].data();
      bias[i].trained.states[0] = momenta[i].data();
    }
    hyper = static_cast<float>(extent.rows);
    batch.args.pointers[2] = means.data();
    batch.args.hypers = &hyper;
    batch.args.updateHypers = &rate;
    batch.args.biases = bias;
  }
};
const std::vector<Extent> kTall = {{1, 1, 1},     {5, 5, 33},     {63, 200, 70},   {128, 128, 1},
                                   {129, 700, 9}, {700, 700, 31}, {1030, 2100, 40}};

TEST(PointwiseColumnReduce, BiasesThenFinish) {
  Random random(5);
  for (const Extent &extent : kTall) {
    Columns columns(random, extent);
    columns.batch.args.biasCount = 2;
    Floats biases[2] = {columns.biases[0], columns.biases[1]}, momenta[2] = {columns.momenta[0], columns.momenta[1]};
    double regularization = 0, sum = columns.sum;
    Floats means(columns.totals);
    for (size_t c = 0; c < means.size(); ++c) {
      for (int i = 0; i < 2; ++i) {
        regularization += biases[i][c] * biases[i][c];
        momenta[i][c] = 0.5f * momenta[i][c] - columns.totals[c] / columns.hyper;
        biases[i][c] += columns.rate * momenta[i][c];
      }
      means[c] /= columns.hyper;
      sum += columns.totals[c];
    }
    const ShapeOf shape;
    const Outcome outcome = runStep<ColumnReduce<Product, Finish>, NoData, Momentum>(
        rt::cuda::columnReduceLaunches(shape(columns.batch.args)), columns.batch.args);
    expectNear(outcome.sum, sum, 1e-4);
    expectNear(outcome.regularization, regularization);
    expectNear(columns.means, means, 1e-4);
    for (int i = 0; i < 2; ++i) {
      expectNear(columns.biases[i], biases[i]);
      expectNear(columns.momenta[i], momenta[i]);
    }
  }
}
TEST(PointwiseColumnReduce, EitherAlone) {
  Random random(6);
  for (const Extent &extent : kTall) {
    Columns finish(random, extent), update(random, extent);
    const ShapeOf shape;
    runStep<ColumnReduce<Product, Finish>, NoData>(rt::cuda::columnReduceLaunches(shape(finish.batch.args)),
                                                   finish.batch.args);
    for (size_t c = 0; c < finish.means.size(); ++c)
      expectNear(finish.means[c], finish.totals[c] / finish.hyper, 1e-4);
    update.batch.args.biasCount = 1;
    const Floats before = update.biases[1];
    const Outcome outcome = runStep<ColumnReduce<Product, NoSlot>, NoData, Momentum>(
        rt::cuda::columnReduceLaunches(shape(update.batch.args)), update.batch.args);
    expectNear(outcome.sum, update.sum, 1e-4);
    EXPECT_TRUE(std::isnan(update.means[0]));
    expectNear(update.biases[1], before, 0);
  }
}
} // namespace
} // namespace sn::test
