#include "test/unit/cuda/WideRig.h"
//
#include "kernels-templates/cuda/gemm.cuh"
#include "kernels-templates/cuda/gemm_update.cuh"

namespace sn::test::dense {
/// y = acc + bias, of which the sum is taken.
struct AddBias {
  static constexpr bool kSum = true;
  static void run(const float *in, const float *scalars, float *out, double &sum) {
    out[0] = scalars[0] * in[0] + in[1];
    sum += double(out[0]);
  }
};
namespace {
using Affine = Gemm<Slot<AddBias, List<Accumulator, Column<0>>, List<Element<1>>, List<Hyper<0>>>>;

void runGemm(Int rows, Int maxRows, Int columns, const std::vector<SourceSpec> &specs) {
  WideRig rig(rows, maxRows, columns);
  for (const SourceSpec &spec : specs)
    rig.add(spec, columns);
  const float hyper = 2;
  rig.args.hypers = &hyper;
  rig.args.pointers[0] = rig.uniform(columns);
  float *y = rig.args.pointers[1] = rig.floats(maxRows * columns, kNaN);
  Doubles expected = contraction(rig);
  double sum = 0;
  for (size_t i = 0; i < expected.size(); ++i)
    sum += expected[i] = 2 * expected[i] + double(rig.args.pointers[0][i % static_cast<size_t>(columns)]);
  const rt::cuda::Launches launches = rt::cuda::gemmLaunches({rig.step, rig.args, rig.sources, rig.loader});
  std::vector<float> before;
  for (uint64_t order : {0, 5}) {
    sn::emulator::setOrder(order);
    const WideRig::Sums sums = rig.run(launches, [](int pass, const StepArgs &args) {
      if (pass == gemm::kWhole)
        Affine::run<NoData, NoOptimizer, gemm::kWhole>(args);
      else if (pass == gemm::kPartial)
        Affine::run<NoData, NoOptimizer, gemm::kPartial>(args);
      else
        Affine::run<NoData, NoOptimizer, gemm::kFinish>(args);
    });
    expectNear(expected, y, "y");
    EXPECT_NEAR(sums.sum, sum, 1e-4 * double(expected.size()));
    std::vector<float> now(y, y + rows * columns);
    if (!before.empty())
      EXPECT_EQ(0, std::memcmp(before.data(), now.data(), now.size() * sizeof(float))) << "depends on the order";
    before = now;
    for (Int i = rows * columns; i < maxRows * columns; ++i)
      ASSERT_TRUE(std::isnan(y[i])) << "written beyond the batch";
  }
  sn::emulator::setOrder(0);
}

TEST(CudaGemm, Extents) {
  for (bool outerFirst : {false, true}) {
    runGemm(1, 1, 1, {{.inner = 1, .outerFirst = outerFirst}});
    runGemm(1, 130, 63, {{.inner = 17, .outerFirst = outerFirst}});
    runGemm(64, 64, 64, {{.inner = 16, .outerFirst = outerFirst}});
    runGemm(65, 130, 65, {{.inner = 130, .outerFirst = outerFirst}});
    runGemm(130, 200, 300, {{.inner = 33, .outerFirst = outerFirst}});
  }
}
TEST(CudaGemm, SourcesAdd) { runGemm(65, 70, 65, {{.inner = 17, .outerFirst = true}, {.inner = 130}, {.inner = 1}}); }
TEST(CudaGemm, WideInnerGoesByLanes) {
  runGemm(3, 66, 65, {{.inner = 4096}});
  runGemm(65, 65, 3, {{.inner = 20}, {.inner = 4099, .outerFirst = true}, {.inner = 5}, {.inner = 5000}});
}
TEST(CudaGemm, LanesAddAsOnTheCpu) {
  // Values whose sum shows the order: 2^24 in one lane, ones in others. Pairs (14, 15), then (12..15), then (8..15).
  const Int inner = 4096, lane = inner / 16;
  WideRig rig(1, 1, 1);
  rig.add({.inner = inner}, 1);
  float *x = const_cast<float *>(rig.sources[0].x), *w = rig.sources[0].weights.value;
  std::fill(x, x + inner, 0.0f);
  std::fill(w, w + inner, 1.0f);
  float *y = rig.args.pointers[1] = rig.floats(1, kNaN);
  rig.args.pointers[0] = rig.floats(1, 0);
  const float hyper = 1;
  rig.args.hypers = &hyper;
  x[8 * lane] = 0x1p24f;
  for (int l = 9; l < 16; ++l)
    x[l * lane] = 1;
  float partial[16] = {};
  for (int l = 0; l < 16; ++l)
    partial[l] = x[l * lane];
  plan::combineLanes(16, [&](int into, int from) { partial[into] += partial[from]; });
  ASSERT_NE(partial[0], 0x1p24f + 7) << "this order does not show";
  rig.run(rt::cuda::gemmLaunches({rig.step, rig.args, rig.sources, rig.loader}), [](int pass, const StepArgs &args) {
    if (pass == gemm::kPartial)
      Affine::run<NoData, NoOptimizer, gemm::kPartial>(args);
    else
      Affine::run<NoData, NoOptimizer, gemm::kFinish>(args);
  });
  EXPECT_EQ(y[0], partial[0]);
}

void runUpdate(Int rows, Int maxRows, Int outer, const SourceSpec &spec) {
  WideRig rig(rows, maxRows, outer);
  rig.add(spec, outer);
  const Source &source = rig.sources[0];
  const float *delta = rig.batch(outer);
  rig.args.delta = delta;
  const auto launches = rt::cuda::gemmUpdateLaunches({rig.step, rig.args, rig.sources, rig.loader});
  for (uint64_t order : {0, 3}) { // the second time from what the first left
    sn::emulator::setOrder(order);
    Doubles gradient = weightGradient(source, Doubles(delta, delta + rows * outer), rows);
    double regularization = 0;
    const Expected expected(source.weights, gradient, regularization);
    const Doubles values(source.weights.value, source.weights.value + gradient.size());
    for (size_t i = 0; i < gradient.size() && source.accumulate; ++i)
      gradient[i] += double(source.descent[i]);
    const auto sums = rig.run(launches, [](int, const StepArgs &args) { GemmUpdate::run<NoData, Momentum, 0>(args); });
    if (source.descent) {
      expectNear(gradient, source.descent, "gradient");
      expectNear(values, source.weights.value, "value");
      EXPECT_EQ(sums.regularization, 0);
    } else {
      expected.check(source.weights, "weights");
      EXPECT_NEAR(sums.regularization, regularization, 1e-4 * (1 + regularization));
    }
  }
  sn::emulator::setOrder(0);
}
TEST(CudaGemmUpdate, Extents) {
  for (bool outerFirst : {false, true}) {
    runUpdate(1, 1, 1, {.inner = 1, .outerFirst = outerFirst});
    runUpdate(65, 130, 63, {.inner = 17, .outerFirst = outerFirst, .scale = 0.5f});
    runUpdate(130, 130, 65, {.inner = 130, .outerFirst = outerFirst});
  }
}
TEST(CudaGemmUpdate, BatchLanes) {
  for (Int rows : {127, 128, 511, 700, 2100})
    runUpdate(rows, 2100, 3, {.inner = 5, .outerFirst = rows % 2 == 0});
}
TEST(CudaGemmUpdate, Buffers) {
  for (auto descent : {SourceSpec::Over, SourceSpec::Accumulate})
    for (bool outerFirst : {false, true})
      runUpdate(66, 70, 70, {.inner = 65, .outerFirst = outerFirst, .descent = descent, .scale = 0.25f});
}
} // namespace
} // namespace sn::test::dense
