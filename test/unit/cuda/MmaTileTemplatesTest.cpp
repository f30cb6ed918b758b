// The templates over MmaTile. Where every factor is exact in BF16 and every sum in fp32, they must give the bits that
// they give over Tile; where factors are rounded, products stay within the precision's bound.
#include "test/unit/cuda/WideCase.h"
//
#include "kernels-templates/cuda/gemm.cuh"
#include "kernels-templates/cuda/gemm_update.cuh"
#include "kernels-templates/cuda/mma_tile.cuh"
#include "kernels-templates/cuda/wide_output.cuh"
#include "kernels-templates/cuda/wide_softmax.cuh"

namespace sn::test::dense {
struct AddColumn {
  static constexpr bool kSum = true;
  static void run(const float *in, const float *, float *out, double &sum) {
    out[0] = in[0] + in[1];
    sum += double(out[0]);
  }
};
/// Deltas that are small whole numbers: sign(acc + column) - target.
template <int Inputs> struct SignDelta {
  static constexpr bool kSum = true;
  static void run(const float *in, const float *, float *out, double &sum) {
    const float z = in[0] + in[1];
    out[0] = (z > 0 ? 1.0f : z < 0 ? -1.0f : 0.0f) - (Inputs == 3 ? in[2] : 0);
    sum += double(z);
  }
};
namespace {
using SignBackground = Slot<SignDelta<2>, List<Accumulator, Column<0>>, List<Delta>, List<>>;
using SignStored = Slot<SignDelta<3>, List<Accumulator, Column<0>, Target>, List<Delta>, List<>>;
using SignLoss = TargetSlots<SignBackground, SignBackground, SignStored, SignStored, SignStored>;
template <class T> using Affine = Gemm<Slot<AddColumn, List<Accumulator, Column<0>>, List<Element<1>>, List<>>, T>;
template <class T>
using Statistics = WideSoftmaxStatistics<Slot<AddColumn, List<Accumulator, Column<0>>, List<Delta>, List<>>, T>;
using Tf32 = MmaTile<Precision::Tf32>;
using Bf16x3 = MmaTile<Precision::Bf16x3>;
using Bf16 = MmaTile<Precision::Bf16>;

/// Quarters from -1 to 1, but where there is NaN.
void quantize(const float *values, Int count) {
  for (float *value = const_cast<float *>(values); value < values + count; ++value)
    *value = std::rint(*value * 4) / 4;
}
void quantize(WideRig &rig) {
  for (const Source &source : rig.sources) {
    quantize(source.x, rig.args.maxRows * source.inner);
    quantize(source.weights.value, source.inner * source.outer);
  }
  quantize(rig.args.pointers[0], rig.args.columns);
}

/// What a step wrote, and its sums as floats.
using Written = std::vector<float>;
void append(Written &to, const float *values, Int count) { to.insert(to.end(), values, values + count); }
void append(Written &to, const WideRig::Sums &sums) {
  to.push_back(static_cast<float>(sums.sum));
  to.push_back(static_cast<float>(sums.regularization));
}
void append(Written &to, const Trained &trained, Int count) {
  append(to, trained.value, count);
  append(to, trained.states[0], count);
}
/// run(tile) makes the step's operands anew, always the same, and returns what the kernel wrote.
template <class Run> void expectSameBits(const Run &run, const char *what) {
  const Written expected = run(Tile{});
  ASSERT_FALSE(expected.empty());
  for (float value : expected)
    ASSERT_FALSE(std::isnan(value)) << what;
  for (const auto &[name, actual] :
       {std::pair{"tf32", run(Tf32{})}, std::pair{"bf16x3", run(Bf16x3{})}, std::pair{"bf16", run(Bf16{})}}) {
    ASSERT_EQ(actual.size(), expected.size());
    size_t wrong = 0;
    for (size_t i = 0; i < expected.size(); ++i)
      wrong += std::memcmp(&actual[i], &expected[i], sizeof(float)) != 0;
    EXPECT_EQ(wrong, 0u) << what << " over " << name;
  }
}

/// The same over tiles of both sides, or two of them; run(tile, variant).
template <class Run> void expectSameBitsOfSides(const Run &run, const char *what, bool two = false) {
  const Written expected = run(Tile{}, kPlainVariant);
  ASSERT_FALSE(expected.empty());
  for (float value : expected)
    ASSERT_FALSE(std::isnan(value)) << what;
  const auto compare = [&](auto tile, const char *name) {
    const Variant *variant = variantNamed(name);
    ASSERT_NE(variant, nullptr) << name;
    ASSERT_EQ(variant->side, decltype(tile)::kSide) << name;
    const Written actual = run(tile, *variant);
    ASSERT_EQ(actual.size(), expected.size());
    EXPECT_EQ(std::memcmp(actual.data(), expected.data(), actual.size() * sizeof(float)), 0)
        << what << " over " << name;
  };
  compare(FfmaTile<128>{}, "ffma_128");
  compare(MmaTile<Precision::Bf16, 128>{}, "mma_bf16_128");
  if (two)
    return;
  compare(Tf32{}, "mma_tf32_64");
  compare(Bf16x3{}, "mma_bf16x3_64");
  compare(Bf16{}, "mma_bf16_64");
  compare(MmaTile<Precision::Tf32, 128>{}, "mma_tf32_128");
  compare(MmaTile<Precision::Bf16x3, 128>{}, "mma_bf16x3_128");
}

template <class T> WideRig::Sums runAffine(WideRig &rig, const Variant &variant = kPlainVariant) {
  return rig.run(rt::cuda::gemmLaunches({rig.step, rig.args, rig.sources, rig.loader, &variant}),
                 [](int pass, const StepArgs &args) {
                   if (pass == gemm::kWhole)
                     Affine<T>::template run<NoData, NoOptimizer, gemm::kWhole>(args);
                   else if (pass == gemm::kPartial)
                     Affine<T>::template run<NoData, NoOptimizer, gemm::kPartial>(args);
                   else
                     Affine<T>::template run<NoData, NoOptimizer, gemm::kFinish>(args);
                 });
}
/// Rows and columns of several tiles, lines of whole fours and others, a sum by lanes.
void checkExactGemm(Int rows, Int columns, const std::vector<SourceSpec> &specs) {
  expectSameBitsOfSides(
      [&](auto tile, const Variant &variant) {
        WideRig rig(rows, rows + 5, columns);
        for (const SourceSpec &spec : specs)
          rig.add(spec, columns);
        rig.args.pointers[0] = rig.uniform(columns);
        const float *y = rig.args.pointers[1] = rig.floats((rows + 5) * columns, kNaN);
        quantize(rig);
        Written written;
        append(written, runAffine<decltype(tile)>(rig, variant));
        append(written, y, rows * columns);
        return written;
      },
      "gemm", specs[0].inner >= gemm::kWideInner);
}
TEST(CudaMmaTemplates, GemmOfExactFactors) {
  checkExactGemm(65, 67, {{.inner = 130}, {.inner = 17, .outerFirst = true}});
  checkExactGemm(129, 132, {{.inner = 36}, {.inner = 20, .outerFirst = true}});
  checkExactGemm(3, 67, {{.inner = 4100}, {.inner = 4, .outerFirst = true}});
}

/// u: what rounding moves a product by (mma_tile.cuh).
template <class T> void checkGemm(double u, const char *variant) {
  WideRig rig(65, 70, 67);
  rig.add({.inner = 130, .outerFirst = true}, 67);
  rig.add({.inner = 33}, 67);
  rig.args.pointers[0] = rig.uniform(67);
  const float *y = rig.args.pointers[1] = rig.floats(70 * 67, kNaN);
  const Doubles exact = contraction(rig);
  runAffine<T>(rig, *variantNamed(variant));
  double most = 0;
  for (Int row = 0; row < 65; ++row)
    for (Int c = 0; c < 67; ++c) {
      double magnitude = 0;
      for (const Source &source : rig.sources)
        for (Int k = 0; k < source.inner; ++k)
          magnitude += std::fabs(double(source.x[row * source.inner + k]) *
                                 double(source.weights.value[offsetOf(source, k, c)]));
      const size_t at = static_cast<size_t>(row * 67 + c);
      const double error = std::fabs(double(y[at]) - exact[at] - double(rig.args.pointers[0][c])) / magnitude;
      most = std::max(most, error);
    }
  EXPECT_LE(most, u + 0x1p-20) << "the sums' own rounding is below 2^-20";
  EXPECT_GT(most, u / 100) << "this is not the precision asked for";
}
TEST(CudaMmaTemplates, GemmOfRoundedFactors) {
  checkGemm<Tf32>(0x1p-10, "mma_tf32_64");
  checkGemm<Bf16x3>(0x1p-15, "mma_bf16x3_64");
  checkGemm<Bf16>(0x1p-7, "mma_bf16_64");
  checkGemm<MmaTile<Precision::Tf32, 128>>(0x1p-10, "mma_tf32_128");
  checkGemm<MmaTile<Precision::Bf16x3, 128>>(0x1p-15, "mma_bf16x3_128");
  checkGemm<MmaTile<Precision::Bf16, 128>>(0x1p-7, "mma_bf16_128");
}

void checkExactUpdate(Int rows, Int columns, const SourceSpec &spec) {
  expectSameBitsOfSides(
      [&](auto tile, const Variant &variant) {
        WideRig rig(rows, rows + 10, columns);
        rig.add(spec, columns);
        rig.args.pointers[0] = rig.uniform(columns);
        quantize(rig);
        rig.args.delta = rig.batch(columns);
        quantize(rig.args.delta, (rows + 10) * columns);
        Written written;
        append(written, rig.run(rt::cuda::gemmUpdateLaunches({rig.step, rig.args, rig.sources, rig.loader, &variant}),
                                [](int, const StepArgs &args) {
                                  GemmUpdateBy<decltype(tile)>::template run<NoData, Momentum, 0>(args);
                                }));
        append(written, rig.sources[0].weights, spec.inner * columns);
        if (rig.sources[0].descent)
          append(written, rig.sources[0].descent, spec.inner * columns);
        return written;
      },
      "gemm_update");
}
TEST(CudaMmaTemplates, GemmUpdate) {
  for (bool outerFirst : {false, true}) {
    checkExactUpdate(300, 70, {.inner = 65, .outerFirst = outerFirst});  // three batch lanes
    checkExactUpdate(64, 132, {.inner = 136, .outerFirst = outerFirst}); // lines of whole fours, cut by the tile
    checkExactUpdate(9, 68, {.inner = 72, .outerFirst = outerFirst, .descent = SourceSpec::Accumulate});
  }
}

template <class T> struct SignOf { template <Sweep S> using Kernel = WideOutput<S, SignLoss, T>; };
template <Sweep S> void checkWide(const char *sweep) {
  expectSameBits(
      [&](auto tile) {
        constexpr Int rows = 70, columns = 131;
        WideRig rig(rows, 75, columns);
        rig.add({.inner = 65, .gradient = true}, columns);
        rig.add({.inner = 18, .outerFirst = true, .gradient = true}, columns);
        rig.addBias(columns);
        rig.setTarget(rt::Loader::CsrBinary);
        rig.args.pointers[0] = rig.biases[0].trained.value;
        quantize(rig);
        rig.args.rows[0] = rig.floats(75, kNaN);
        rig.step.sweep = sweep;
        rig.step.target = "target";
        Written written;
        append(written, rig.run(rt::cuda::wideOutputLaunches({rig.step, rig.args, rig.sources, rig.loader}),
                                [](int pass, const StepArgs &args) {
                                  runWidePass<SignOf<decltype(tile)>::template Kernel, S, Csr, Momentum>(pass, args);
                                }));
        for (const Source &source : rig.sources) {
          append(written, source.weights, source.inner * columns);
          if (S == Sweep::Single || S == Sweep::Forward)
            append(written, source.gradient, rows * source.inner);
        }
        append(written, rig.biases[0].trained, columns);
        if (S == Sweep::Norm)
          append(written, rig.args.rows[0], rows);
        return written;
      },
      sweep);
}
TEST(CudaMmaTemplates, WideOutput) {
  checkWide<Sweep::Single>("single");
  checkWide<Sweep::Forward>("forward");
  checkWide<Sweep::Update>("update");
  checkWide<Sweep::Loss>("loss");
  checkWide<Sweep::Norm>("norm");
}
TEST(CudaMmaTemplates, WideSoftmaxStatistics) {
  expectSameBits(
      [&](auto tile) {
        WideRig rig(66, 70, 200);
        rig.add({.inner = 40}, 200);
        rig.args.pointers[0] = rig.uniform(200);
        quantize(rig);
        rig.args.rows[0] = rig.floats(70, kNaN);
        rig.args.rows[1] = rig.floats(70, kNaN);
        Written written;
        append(written, rig.run(rt::cuda::wideSoftmaxLaunches({rig.step, rig.args, rig.sources, rig.loader}),
                                [](int pass, const StepArgs &args) {
                                  if (pass == wide::kSweep)
                                    Statistics<decltype(tile)>::template run<NoData, NoOptimizer, wide::kSweep>(args);
                                  else
                                    Statistics<decltype(tile)>::template run<NoData, NoOptimizer, wide::kFinish>(args);
                                }));
        append(written, rig.args.rows[0], 66);
        append(written, rig.args.rows[1], 66);
        return written;
      },
      "statistics");
}
} // namespace
} // namespace sn::test::dense
