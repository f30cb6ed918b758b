// csr_gather: every data source against plain sums of doubles.
#include <algorithm>
// after the standard headers
#include "test/unit/cuda/SparseRig.h"
// last
#include "kernels-templates/cuda/csr_gather.cuh"
#include "test/unit/cuda/Bf16Rig.h"

namespace sn::test {
namespace {
/// Element<1> = 2 acc + Column<0>; the sum is that of the acc.
struct Affine {
  [[maybe_unused]] static constexpr bool kSum = true;
  static void run(const float *in, const float *, float *out, double &sum) {
    out[0] = 2 * in[0] + in[1];
    sum += in[0];
  }
};
using Epilogue = Slot<Affine, List<Accumulator, Column<0>>, List<Element<1>>, List<>>;
using Gather = CsrGather<Epilogue>;
using GatherBf16 = CsrGather<Epilogue, Tile, Bf16Weights>;
using Gather128 = CsrGather<Epilogue, FfmaTile<128>>;

struct Case {
  Int features = 40, units = 4, rows = 7, maxRows = 9;
  bool outerFirst = false, unaligned = false;
  DataSet::Kind kind{};
  std::vector<Corruption> corruption{};
  float offset = 0;
};
struct Result {
  Floats values;
  double sum = 0;
};

/// A case's memory; launches may be repeated.
class GatherStep {
public:
  explicit GatherStep(const Case &which, uint64_t seed = 1)
      : c(which), random(seed), data(random, 11, c.features, c.kind), batch(random, c.rows, c.maxRows, c.units, 11),
        weights(randomFloats(random, c.features * c.units + c.unaligned)), bias(randomFloats(random, c.units)) {
    StepArgs &args = batch.args;
    args.data = data.view();
    args.data.inputOffset = c.offset;
    args.corruption = c.corruption.data();
    args.corruptions = static_cast<int>(c.corruption.size());
    args.sourceCount = 1;
    args.source.inner = c.features;
    args.source.outer = c.units;
    args.source.outerFirst = c.outerFirst;
    args.source.weights.value = weights.data() + c.unaligned;
    args.sources = &args.source;
    args.pointers[0] = bias.data();
  }
  rt::cuda::Launches launches(plan::Precision storage = plan::Precision::Fp32,
                              const Variant &variant = kPlainVariant) const {
    ShapeOf shape;
    shape.sources = {batch.args.source};
    rt::cuda::StepShape asked = shape(batch.args);
    asked.loader = loaderOf(data);
    asked.storage = storage;
    asked.variant = &variant;
    return rt::cuda::csrGatherLaunches(asked);
  }
  Result run(uint64_t order = 0, int threads = 0) {
    rt::cuda::Launches asked = launches();
    if (threads)
      asked.passes.at(0).threads = threads;
    return run<Gather>(asked, batch.args, order);
  }
  /// By another instance of the template.
  template <class Template> Result run(const rt::cuda::Launches &asked, StepArgs args, uint64_t order = 0) {
    Result result{untouched(c.maxRows * c.units)};
    args.pointers[1] = result.values.data();
    result.sum = data.dense ? runPasses<Template, Dense, NoOptimizer, 1>(asked, args, order).sum
                            : runPasses<Template, Csr, NoOptimizer, 1>(asked, args, order).sum;
    return result;
  }
  Result runOn128() { return run<Gather128>(launches(plan::Precision::Fp32, *variantNamed("ffma_128")), batch.args); }
  /// On weights in BF16, which are `weights` from here on.
  Result runOnBf16(uint64_t order) {
    Halves narrow = narrowed(weights);
    for (size_t i = 0; i < weights.size(); ++i)
      weights[i] = rt::cuda::floatOf(narrow[i]);
    StepArgs args = batch.args;
    args.source.weights.value = handle(narrow);
    return run<GatherBf16>(launches(plan::Precision::Bf16), args, order);
  }
  Result expected() const {
    Result result{untouched(c.maxRows * c.units)};
    for (Int row = 0; row < c.rows; ++row) {
      std::vector<double> acc(static_cast<size_t>(c.units));
      for (const Term &term : termsOf(batch.args, c.corruption, batch.ids[static_cast<size_t>(row)]))
        for (Int unit = 0; unit < c.units; ++unit)
          acc[static_cast<size_t>(unit)] +=
              static_cast<double>(term.value) *
              batch.args.source.weights.value[offsetOf(batch.args.source, term.column, unit)];
      for (Int unit = 0; unit < c.units; ++unit) {
        const double value = acc[static_cast<size_t>(unit)];
        result.values[static_cast<size_t>(row * c.units + unit)] =
            static_cast<float>(2 * value + bias[static_cast<size_t>(unit)]);
        result.sum += value;
      }
    }
    return result;
  }
  /// Weights of features that no example of the batch has become infinite: times 0 they would be NaN.
  void spoilUnread() {
    std::vector<bool> read(static_cast<size_t>(c.features));
    for (Int row = 0; row < c.rows; ++row)
      for (const Term &term : termsOf(batch.args, c.corruption, batch.ids[static_cast<size_t>(row)]))
        if (term.value != 0)
          read[static_cast<size_t>(term.column)] = true;
    ASSERT_TRUE(std::count(read.begin(), read.end(), false) > 0);
    for (Int feature = 0; feature < c.features; ++feature)
      for (Int unit = 0; unit < c.units && !read[static_cast<size_t>(feature)]; ++unit)
        weights[offsetOf(batch.args.source, feature, unit)] = INFINITY;
  }

private:
  Case c;
  Random random;
  DataSet data;
  Batch batch;
  Floats weights, bias;
};
void check(const Case &c, double tolerance = 2e-5) {
  GatherStep step(c);
  const Result actual = step.run(), expected = step.expected();
  expectNear(actual.values, expected.values, tolerance);
  expectNear(actual.sum, expected.sum, 1e-3);
}

TEST(Gather, EverySourceAndWidth) {
  for (const DataSet::Kind &kind : kKinds)
    for (Int units : {1, 3, 4, 100, 130, 257})
      for (bool outerFirst : {false, true}) {
        SCOPED_TRACE(nameOf(kind) + ", " + std::to_string(units) + " units, outer first " + std::to_string(outerFirst));
        check({.units = units, .outerFirst = outerFirst, .kind = kind, .offset = -0.25f});
      }
}
TEST(Gather, MasksGoByExampleAndFeature) {
  for (const DataSet::Kind &kind : kKinds)
    for (const auto &corruption : {kTwoCorruptions, kAlmostAll}) {
      SCOPED_TRACE(nameOf(kind));
      check({.features = 150, .units = 12, .kind = kind, .corruption = corruption, .offset = 0.5f});
    }
}
TEST(Gather, EntriesMaskedToZeroAreNotRead) {
  GatherStep step({.features = 60, .units = 4, .kind = {.density = 0.9}, .corruption = {{1, 0.75f}}});
  step.spoilUnread();
  for (const Result result = step.run(); float value : std::vector(result.values.begin(), result.values.begin() + 28))
    EXPECT_TRUE(std::isfinite(value));
}
TEST(Gather, WeightsThatAreNotAligned) { check({.units = 8, .unaligned = true}); }
TEST(Gather, FewFeatures) {
  for (Int features : {1, 2, 15, 17})
    for (bool dense : {false, true}) {
      SCOPED_TRACE(features);
      check({.features = features, .units = 5, .kind = {.dense = dense, .density = 0.7}});
    }
}
TEST(Gather, LongRows) {
  check({.features = 100000, .units = 4, .rows = 2, .maxRows = 2, .kind = {.density = 0.2}}, 2e-4);
  check({.features = 70, .units = 132, .rows = 130, .maxRows = 131, .kind = {.density = 0.9}});
}
TEST(Gather, DenseTiles) {
  check({.features = 200, .units = 130, .rows = 70, .maxRows = 140, .kind = {.dense = true}});
}
TEST(Gather, NothingToRead) {
  check({.rows = 1, .maxRows = 3, .kind = {.density = 0}});
  check({.rows = 0, .maxRows = 3});
}
TEST(Gather, BitsDependOnNeitherBlocksNorWarps) {
  for (const DataSet::Kind &kind : {DataSet::Kind{.density = 0.6}, DataSet::Kind{.dense = true}}) {
    GatherStep step({.features = 500, .units = 150, .kind = kind, .corruption = kTwoCorruptions});
    const Result first = step.run();
    EXPECT_TRUE(sameBits(first.values, step.run(7).values));
    for (int threads : {32, 64, 128, 256})
      if (!kind.dense)
        EXPECT_TRUE(sameBits(first.values, step.run(3, threads).values)) << threads;
  }
}
/// Columns are read eight, four, one at a time.
TEST(Gather, WeightsInBf16GiveTheBitsOfTheSameNumbersInFloats) {
  for (const DataSet::Kind &kind : kKinds)
    for (Int units : {3, 100, 264})
      for (bool outerFirst : {false, true}) {
        SCOPED_TRACE(nameOf(kind) + ", " + std::to_string(units) + " units, outer first " + std::to_string(outerFirst));
        GatherStep step({.units = units, .outerFirst = outerFirst, .kind = kind});
        const Result narrow = step.runOnBf16(5), floats = step.run();
        EXPECT_TRUE(sameBits(narrow.values, floats.values));
        expectNear(narrow.sum, floats.sum, 1e-9);
      }
}
TEST(Gather, ABlockOfBf16TakesTwiceTheColumns) {
  const auto blocks = [](Int units, plan::Precision storage) {
    return GatherStep({.units = units, .maxRows = 9}).launches(storage).passes.at(0).blocks;
  };
  EXPECT_EQ(blocks(512, plan::Precision::Fp32), 36);
  EXPECT_EQ(blocks(512, plan::Precision::Bf16), 18);
  EXPECT_EQ(blocks(513, plan::Precision::Bf16), 27);
}
TEST(Gather, LargeTilesGiveTheBitsOfSmallOnes) {
  GatherStep step({.features = 75, .units = 150, .rows = 131, .maxRows = 135, .kind = {.dense = true}});
  EXPECT_EQ(step.launches(plan::Precision::Fp32, *variantNamed("ffma_128")).passes.at(0).blocks, 4);
  EXPECT_TRUE(sameBits(step.runOn128().values, step.run().values));
}
TEST(Gather, MoreWarpsForFewerRows) {
  const auto threads = [](Int maxRows, Int units) {
    return GatherStep({.units = units, .maxRows = maxRows}).launches().passes.at(0).threads;
  };
  EXPECT_EQ(threads(9, 4), 256);
  EXPECT_EQ(threads(4096, 128), 128);
  EXPECT_EQ(threads(4096, 512), 64);
}
} // namespace
} // namespace sn::test
