// WgmmaTile: where it puts factors in shared memory, and the templates over it. (Its products are those of
// TileTest.cpp; what the instructions do is tested in unit-emulator.) Where every factor is exact in BF16 and every sum
// in fp32, templates must give the bits that they give over Tile.
#include "test/unit/cuda/WideCase.h"
#include <set>
//
#include "kernels-templates/cuda/gemm.cuh"
#include "kernels-templates/cuda/gemm_update.cuh"
#include "kernels-templates/cuda/wgmma_tile.cuh"
#include "kernels-templates/cuda/wide_softmax.cuh"

namespace sn::test::dense {
namespace {
using Tf32 = WgmmaTile<Precision::Tf32>;
using Bf16x3 = WgmmaTile<Precision::Bf16x3>;
using Bf16 = WgmmaTile<Precision::Bf16>;

// ---- Shared memory

/// Swizzle<3, 4, 3> of the PTX manual's swizzle figures: of a byte's address in patterns of 1,024 bytes, bits 7 to 9
/// change bits 4 to 6.
int swizzled(int address) {
  for (int bit : {4, 5, 6})
    if (address >> (bit + 3) & 1)
      address ^= 1 << bit;
  return address;
}
TEST(CudaWgmma, LinesLieAsThePtxManualSays) {
  for (int line = 0; line < 128; ++line)
    for (int chunk = 0; chunk < 8; ++chunk)
      EXPECT_EQ(Tf32::placeOf(line, chunk), swizzled(line * 128 + chunk * 16)) << line << ", " << chunk;
}
/// All values of a slice are some thread's, once; and in each turn of a store (eight threads for 16 bytes, 16 for 8) no
/// bank is met twice.
template <class T> void checkStores(int bytes) {
  const int turn = 128 / bytes;
  for (bool alongDepth : {false, true}) {
    std::set<std::pair<int, int>> seen;
    for (int n = 0; n < 4; ++n)
      for (int first = 0; first < kThreads; first += turn) {
        std::set<int> banks;
        for (int t = first; t < first + turn; ++t) {
          const int line = T::lineOf(alongDepth, t, n), group = T::groupOf(alongDepth, t);
          EXPECT_TRUE(seen.insert({line, group}).second) << line << ", " << group << " twice";
          const int place = bytes == 16 ? T::placeOf(line, group) : T::placeOf(line, group / 2) + group % 2 * 8;
          for (int word = 0; word < bytes; word += 4)
            banks.insert((place + word) / 4 % 32);
        }
        EXPECT_EQ(banks.size(), 32u) << "threads from " << first << ", line " << n << ", along depth " << alongDepth;
      }
    EXPECT_EQ(seen.size(), 128u * 8);
  }
}
TEST(CudaWgmma, BanksAreMetOnce) {
  checkStores<Tf32>(16);
  checkStores<Bf16x3>(8);
  checkStores<Bf16>(8);
}
/// Neighbouring threads load neighbouring addresses: a warp's load takes whole sectors of 32 bytes.
TEST(CudaWgmma, LoadsTakeWholeSectors) {
  const auto sectors = [](auto tile, bool alongDepth) {
    using T = decltype(tile);
    std::set<std::pair<int, int>> result; // line of memory, sector in it
    for (int t = 0; t < kWarp; ++t) {
      const int line = T::lineOf(alongDepth, t, 0), depth = T::groupOf(alongDepth, t) * 4;
      result.insert(alongDepth ? std::pair{line, depth / 8} : std::pair{depth, line / 8});
    }
    return result.size();
  };
  for (bool alongDepth : {false, true}) {
    EXPECT_EQ(sectors(Tf32(), alongDepth), 16u); // 32 loads of 16 bytes
    EXPECT_EQ(sectors(Bf16(), alongDepth), 16u);
  }
}

// ---- Templates

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
using SignBackground = Slot<SignDelta<2>, List<Accumulator, Column<0>>, List<Delta>, List<>>;
using SignStored = Slot<SignDelta<3>, List<Accumulator, Column<0>, Target>, List<Delta>, List<>>;
using SignLoss = TargetSlots<SignBackground, SignBackground, SignStored, SignStored, SignStored>;
template <class T> using Affine = Gemm<Slot<AddColumn, List<Accumulator, Column<0>>, List<Element<1>>, List<>>, T>;
template <class T>
using Statistics = WideSoftmaxStatistics<Slot<AddColumn, List<Accumulator, Column<0>>, List<Delta>, List<>>, T>;

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
/// run(tile, variant) makes the step's operands anew, always the same, and returns what the kernel wrote.
template <class Run> void expectSameBits(const Run &run, const char *what) {
  const Written expected = run(Tile{}, *variantNamed("ffma_64"));
  ASSERT_FALSE(expected.empty());
  for (float value : expected)
    ASSERT_FALSE(std::isnan(value)) << what;
  for (const auto &[name, actual] : {std::pair{"tf32", run(Tf32{}, *variantNamed("wgmma_tf32_128"))},
                                     std::pair{"bf16x3", run(Bf16x3{}, *variantNamed("wgmma_bf16x3_128"))},
                                     std::pair{"bf16", run(Bf16{}, *variantNamed("wgmma_bf16_128"))}}) {
    ASSERT_EQ(actual.size(), expected.size());
    size_t wrong = 0;
    for (size_t i = 0; i < expected.size(); ++i)
      wrong += std::memcmp(&actual[i], &expected[i], sizeof(float)) != 0;
    EXPECT_EQ(wrong, 0u) << what << " over " << name;
  }
}

template <class T> WideRig::Sums runAffine(WideRig &rig, const Variant &variant) {
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
TEST(CudaWgmmaTemplates, Gemm) {
  for (const std::vector<SourceSpec> &specs :
       {std::vector<SourceSpec>{{.inner = 130}, {.inner = 17, .outerFirst = true}}, {{.inner = 4100}}})
    expectSameBits(
        [&](auto tile, const Variant &variant) {
          WideRig rig(130, 135, 131);
          for (const SourceSpec &spec : specs)
            rig.add(spec, 131);
          rig.args.pointers[0] = rig.uniform(131);
          const float *y = rig.args.pointers[1] = rig.floats(135 * 131, kNaN);
          quantize(rig);
          Written written;
          append(written, runAffine<decltype(tile)>(rig, variant));
          append(written, y, 130 * 131);
          return written;
        },
        "gemm");
}
TEST(CudaWgmmaTemplates, GemmUpdate) {
  for (bool outerFirst : {false, true})
    expectSameBits(
        [&](auto tile, const Variant &variant) {
          WideRig rig(300, 310, 140);
          rig.add({.inner = 65, .outerFirst = outerFirst}, 140);
          rig.args.pointers[0] = rig.uniform(140);
          quantize(rig);
          rig.args.delta = rig.batch(140);
          quantize(rig.args.delta, 310 * 140);
          Written written;
          append(written, rig.run(rt::cuda::gemmUpdateLaunches({rig.step, rig.args, rig.sources, rig.loader, &variant}),
                                  [](int, const StepArgs &args) {
                                    GemmUpdateBy<decltype(tile)>::template run<NoData, Momentum, 0>(args);
                                  }));
          append(written, rig.sources[0].weights, 65 * 140);
          return written;
        },
        "gemm_update");
}

template <class T> struct SignOf { template <Sweep S> using Kernel = WideOutput<S, SignLoss, T>; };
template <Sweep S> void checkWide(const char *sweep, Int rows) {
  SCOPED_TRACE(testing::Message() << rows << " rows");
  expectSameBits(
      [&](auto tile, const Variant &variant) {
        constexpr Int columns = 200;
        WideRig rig(rows, rows + 5, columns);
        rig.args.wideLanes = rt::cuda::wideLanesOf(variant, rows + 5, columns);
        rig.add({.inner = 65, .gradient = true}, columns);
        rig.add({.inner = 18, .outerFirst = true, .gradient = true}, columns);
        rig.addBias(columns);
        rig.setTarget(rt::Loader::CsrBinary);
        rig.args.pointers[0] = rig.biases[0].trained.value;
        quantize(rig);
        rig.args.rows[0] = rig.floats(rows + 5, kNaN);
        rig.step.sweep = sweep;
        rig.step.target = "target";
        rig.args.biasCount = 1;
        Written written;
        append(written, rig.run(rt::cuda::wideOutputLaunches({rig.step, rig.args, rig.sources, rig.loader, &variant}),
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
TEST(CudaWgmmaTemplates, WideOutput) {
  for (Int rows : {70, 140}) // one tile of rows and two: two schedules
    checkWide<Sweep::Single>("single", rows);
  checkWide<Sweep::Forward>("forward", 140);
  checkWide<Sweep::Update>("update", 140);
  checkWide<Sweep::Loss>("loss", 70);
  checkWide<Sweep::Norm>("norm", 70);
}
TEST(CudaWgmmaTemplates, WideSoftmaxStatistics) {
  expectSameBits(
      [&](auto tile, const Variant &variant) {
        WideRig rig(130, 135, 200);
        rig.args.wideLanes = rt::cuda::wideLanesOf(variant, 135, 200);
        rig.add({.inner = 40}, 200);
        rig.args.pointers[0] = rig.uniform(200);
        quantize(rig);
        rig.args.rows[0] = rig.floats(135, kNaN);
        rig.args.rows[1] = rig.floats(135, kNaN);
        rig.run(rt::cuda::wideSoftmaxLaunches({rig.step, rig.args, rig.sources, rig.loader, &variant}),
                [](int pass, const StepArgs &args) {
                  if (pass == wide::kSweep)
                    Statistics<decltype(tile)>::template run<NoData, NoOptimizer, wide::kSweep>(args);
                  else
                    Statistics<decltype(tile)>::template run<NoData, NoOptimizer, wide::kFinish>(args);
                });
        Written written;
        append(written, rig.args.rows[0], 130);
        // The exponentials' sums go by tiles, whose sides differ.
        for (Int row = 0; row < 130; ++row)
          written.push_back(std::rint(rig.args.rows[1][row] * 0x1p12f) * 0x1p-12f);
        return written;
      },
      "statistics");
}
} // namespace
} // namespace sn::test::dense
