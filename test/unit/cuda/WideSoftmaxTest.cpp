#include "test/unit/cuda/WideRig.h"
//
#include "kernels-templates/cuda/wide_softmax.cuh"

namespace sn::test::dense {
/// z = acc + mask of the column; the sum takes z where it is finite.
struct MaskedLogit {
  static constexpr bool kSum = true;
  static void run(const float *in, const float *, float *out, double &sum) {
    out[0] = in[0] + in[1];
    sum += std::isfinite(out[0]) ? double(out[0]) : 0;
  }
};
namespace {
using Statistics = WideSoftmaxStatistics<Slot<MaskedLogit, List<Accumulator, Column<0>>, List<Delta>, List<>>>;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// `mask` changes the column operand, small random numbers.
void check(Int rows, Int maxRows, Int columns, const std::vector<SourceSpec> &specs,
           const std::function<void(float *)> &mask = {}) {
  SCOPED_TRACE(std::to_string(rows) + " x " + std::to_string(columns));
  WideRig rig(rows, maxRows, columns);
  for (const SourceSpec &spec : specs)
    rig.add(spec, columns);
  float *column = rig.args.pointers[0] = rig.uniform(columns);
  if (mask)
    mask(column);
  float *maximum = rig.args.rows[0] = rig.floats(maxRows, kNaN), *sum = rig.args.rows[1] = rig.floats(maxRows, kNaN);
  Doubles z = contraction(rig), maxima(static_cast<size_t>(rows), -double(kInfinity)), sums(static_cast<size_t>(rows));
  const size_t width = static_cast<size_t>(columns);
  double total = 0;
  for (size_t i = 0; i < z.size(); ++i) {
    z[i] += double(column[i % width]);
    total += std::isfinite(z[i]) ? z[i] : 0;
    maxima[i / width] = std::max(maxima[i / width], z[i]);
  }
  for (size_t i = 0; i < z.size(); ++i)
    sums[i / width] += z[i] == -double(kInfinity) ? 0 : std::exp(z[i] - maxima[i / width]);
  std::vector<float> before;
  for (uint64_t order : {0, 4}) {
    sn::emulator::setOrder(order);
    const auto result = rig.run(rt::cuda::wideSoftmaxLaunches({rig.step, rig.args, rig.sources, rig.loader}),
                                [](int pass, const StepArgs &args) {
                                  if (pass == wide::kSweep)
                                    Statistics::run<NoData, NoOptimizer, wide::kSweep>(args);
                                  else
                                    Statistics::run<NoData, NoOptimizer, wide::kFinish>(args);
                                });
    EXPECT_NEAR(result.sum, total, 1e-4 * (1 + std::fabs(total)));
    EXPECT_EQ(result.regularization, 0);
    for (size_t row = 0; row < static_cast<size_t>(rows); ++row) {
      if (std::isinf(maxima[row]))
        EXPECT_EQ(maximum[row], maxima[row]);
      else
        EXPECT_NEAR(maximum[row], maxima[row], 1e-4 * (1 + std::fabs(maxima[row])));
      EXPECT_NEAR(sum[row], sums[row], 1e-4 * (1 + sums[row]));
    }
    std::vector<float> now(maximum, maximum + rows);
    now.insert(now.end(), sum, sum + rows);
    if (!before.empty())
      EXPECT_EQ(0, std::memcmp(before.data(), now.data(), now.size() * sizeof(float))) << "depends on the order";
    before = now;
  }
  sn::emulator::setOrder(0);
}

TEST(CudaWideSoftmax, Extents) {
  for (Int columns : {1, 3, 63, 64, 65, 300})
    for (bool outerFirst : {false, true})
      check(outerFirst ? 1 : 65, 70, columns, {{.inner = columns == 65 ? 130 : 17, .outerFirst = outerFirst}});
  check(130, 130, 3000, {{.inner = 2}});
  check(64, 64, 65, {{.inner = 17}, {.inner = 1, .outerFirst = true}});
}
TEST(CudaWideSoftmax, LargeLogits) {
  check(5, 5, 300, {{.inner = 3}}, [](float *column) {
    column[7] = 300;
    column[290] = 301;
    column[100] = -1000;
  });
}
TEST(CudaWideSoftmax, MaskedColumns) {
  check(5, 5, 300, {{.inner = 3}}, [](float *column) {
    for (int c = 0; c < 150; ++c) // a whole lane, and more
      column[c] = -kInfinity;
    for (int c = 200; c < 300; c += 2)
      column[c] = -kInfinity;
  });
  check(2, 2, 300, {{.inner = 3}}, [](float *column) { std::fill(column, column + 300, -kInfinity); });
}
TEST(CudaWideSoftmax, NotANumberShows) {
  WideRig rig(1, 1, 70);
  rig.add({.inner = 1}, 70);
  rig.args.pointers[0] = rig.uniform(70);
  rig.args.pointers[0][66] = kNaN;
  rig.args.rows[0] = rig.floats(1, 0);
  rig.args.rows[1] = rig.floats(1, 0);
  rig.run(rt::cuda::wideSoftmaxLaunches({rig.step, rig.args, rig.sources, rig.loader}),
          [](int pass, const StepArgs &args) {
            if (pass == wide::kSweep)
              Statistics::run<NoData, NoOptimizer, wide::kSweep>(args);
            else
              Statistics::run<NoData, NoOptimizer, wide::kFinish>(args);
          });
  EXPECT_TRUE(std::isnan(rig.args.rows[1][0]));
}
} // namespace
} // namespace sn::test::dense
