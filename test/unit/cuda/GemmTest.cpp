#include "test/unit/cuda/WideRig.h"
//
#include "kernels-templates/cuda/gemm.cuh"
#include "kernels-templates/cuda/gemm_update.cuh"
#include "kernels-templates/cuda/mma_tile.cuh"

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
template <class T, class Weights = Fp32Weights>
using AffineBy = Gemm<Slot<AddBias, List<Accumulator, Column<0>>, List<Element<1>>, List<Hyper<0>>>, T, Weights>;
using Affine = AffineBy<Tile>;

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

// ---- Weights in BF16

/// Floats that BF16 holds, and the same in BF16.
std::vector<unsigned short> packed(float *values, Int count) {
  std::vector<unsigned short> result;
  for (float *value = values; value < values + count; ++value) {
    unsigned bits;
    std::memcpy(&bits, value, sizeof bits);
    bits &= 0xffff0000u;
    std::memcpy(value, &bits, sizeof bits);
    result.push_back(static_cast<unsigned short>(bits >> 16));
  }
  return result;
}
template <class T> void checkBf16Gemm(const char *name, const SourceSpec &spec, Int columns) {
  constexpr Int rows = 70;
  WideRig rig(rows, rows, columns);
  rig.add(spec, columns);
  const float hyper = 2;
  rig.args.hypers = &hyper;
  rig.args.pointers[0] = rig.uniform(columns);
  Source &source = rig.sources[0];
  std::vector<unsigned short> weights = packed(source.weights.value, spec.inner * columns);
  const auto run = [&](auto kernel) {
    float *y = rig.args.pointers[1] = rig.floats(rows * columns, kNaN);
    rig.run(rt::cuda::gemmLaunches({rig.step, rig.args, rig.sources, rig.loader, variantNamed(name)}),
            [](int, const StepArgs &args) { decltype(kernel)::template run<NoData, NoOptimizer, gemm::kWhole>(args); });
    return std::vector<float>(y, y + rows * columns);
  };
  const std::vector<float> expected = run(AffineBy<T>());
  source.weights.value = reinterpret_cast<float *>(weights.data());
  const std::vector<float> actual = run(AffineBy<T, Bf16Weights>());
  EXPECT_EQ(std::memcmp(expected.data(), actual.data(), expected.size() * sizeof(float)), 0) << name;
}
TEST(CudaGemm, WeightsInBf16GiveTheBitsOfTheirFloats) {
  for (bool outerFirst : {false, true})
    for (Int inner : {33, 36})
      for (Int columns : {67, 132}) {
        checkBf16Gemm<Tile>("ffma_64", {.inner = inner, .outerFirst = outerFirst}, columns);
        checkBf16Gemm<FfmaTile<128>>("ffma_128", {.inner = inner, .outerFirst = outerFirst}, columns);
        checkBf16Gemm<MmaTile<Precision::Bf16, 128>>("mma_bf16_128", {.inner = inner, .outerFirst = outerFirst},
                                                     columns);
      }
}

/// The update of floats, rounded by the random number of place and step; states as they are.
template <class T> void checkBf16Update(const char *name, const SourceSpec &spec, Int outer) {
  constexpr Int rows = 20;
  WideRig rig(rows, rows, outer);
  rig.frame.step = 3;
  rig.add(spec, outer);
  rig.args.delta = rig.batch(outer);
  Source &source = rig.sources[0];
  source.weights.stream = 11;
  const Int count = spec.inner * outer;
  std::vector<unsigned short> weights = packed(source.weights.value, count);
  const std::vector<float> states(source.weights.states[0], source.weights.states[0] + count);
  const auto run = [&](auto kernel) {
    return rig.run(rt::cuda::gemmUpdateLaunches({rig.step, rig.args, rig.sources, rig.loader, variantNamed(name)}),
                   [](int, const StepArgs &args) { decltype(kernel)::template run<NoData, Momentum, 0>(args); });
  };
  const WideRig::Sums sums = run(GemmUpdateBy<T>());
  const std::vector<float> after(source.weights.states[0], source.weights.states[0] + count);
  const float *values = source.weights.value;
  std::copy(states.begin(), states.end(), source.weights.states[0]);
  source.weights.value = reinterpret_cast<float *>(weights.data());
  EXPECT_EQ(run(GemmUpdateBy<T, Bf16Weights>()).regularization, sums.regularization);
  EXPECT_EQ(std::memcmp(after.data(), source.weights.states[0], after.size() * sizeof(float)), 0) << name;
  size_t wrong = 0;
  for (Int i = 0; i < count; ++i) {
    const unsigned word =
        randomWord(rig.frame.seed, 11, static_cast<unsigned>(Rounding::Update), static_cast<Int>(rig.frame.step), i);
    wrong += weights[static_cast<size_t>(i)] != Bf16Weights::rounded(values[i], word);
  }
  EXPECT_EQ(wrong, 0u) << name;
}
TEST(CudaGemmUpdate, WeightsInBf16AreRoundedAtRandom) {
  for (bool outerFirst : {false, true})
    for (Int extent : {65, 132}) {
      checkBf16Update<Tile>("ffma_64", {.inner = extent, .outerFirst = outerFirst}, extent + 4);
      checkBf16Update<MmaTile<Precision::Bf16, 128>>("mma_bf16_128", {.inner = extent, .outerFirst = outerFirst},
                                                     extent + 4);
    }
}
} // namespace
} // namespace sn::test::dense
