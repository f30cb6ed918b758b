// csc_update: gradients of every data source against plain sums of doubles, and where they go.
#include "runtime/plan/Error.h"
#include <algorithm>
// after the standard headers
#include "test/unit/cuda/SparseRig.h"
// last
#include "kernels-templates/cuda/csc_update.cuh"
#include "test/unit/cuda/Bf16Rig.h"

namespace sn::test {
namespace {
/// v = hyper[0] v + g, w = w + v - hyper[1] w, and a state that counts the updates; the term is w^2.
struct Momentum {
  static void run(const float *in, const float *hypers, float *out, double &term) {
    out[1] = hypers[0] * in[2] + in[1];
    out[0] = in[0] + out[1] - hypers[1] * in[0];
    out[2] = in[3] + 1;
    term += static_cast<double>(in[0]) * in[0];
  }
};
struct Optimizer {
  using Weights = UpdateRule<Momentum, 2>;
  using Bias = Weights;
};
enum class To { Optimizer, Buffer, Sum };

struct Case {
  Int features = 40, units = 4, rows = 7, maxRows = 9, examples = 11;
  bool outerFirst = false, touchedOnly = false;
  To to = To::Optimizer;
  DataSet::Kind kind{};
  std::vector<Corruption> corruption{};
  float offset = 0, scale = 1;
};
/// Weights, states, gradient buffer.
struct Memory {
  std::vector<Floats> arrays;
  double regularization = 0;
};

class UpdateStep {
public:
  explicit UpdateStep(const Case &which, uint64_t seed = 1)
      : c(which), random(seed), data(random, c.examples, c.features, c.kind),
        batch(random, c.rows, c.maxRows, c.units, c.examples), delta(untouched(c.maxRows * c.units)) {
    const Floats deltas = randomFloats(random, c.rows * c.units);
    std::copy(deltas.begin(), deltas.end(), delta.begin());
    for (int i = 0; i < 4; ++i)
      start.arrays.push_back(randomFloats(random, c.features * c.units));
    StepArgs &args = batch.args;
    args.data = data.view();
    args.data.inputOffset = c.offset;
    args.corruption = c.corruption.data();
    args.corruptions = static_cast<int>(c.corruption.size());
    args.updateHypers = hypers;
    args.touchedOnly = c.touchedOnly;
    args.delta = delta.data();
    args.entries = entriesOf();
    args.sourceCount = 1;
    args.source.inner = c.features;
    args.source.outer = c.units;
    args.source.outerFirst = c.outerFirst;
    args.source.accumulate = c.to == To::Sum;
    args.source.scale = c.scale;
  }
  rt::cuda::Launches launches(const Variant &variant = kPlainVariant) const {
    ShapeOf shape;
    shape.sources = {batch.args.source};
    rt::cuda::StepShape asked = shape(batch.args);
    asked.loader = loaderOf(data);
    asked.variant = &variant;
    return rt::cuda::cscUpdateLaunches(asked);
  }
  Memory run(uint64_t order = 0) const {
    Memory memory = start;
    StepArgs args = batch.args;
    args.source.weights = {memory.arrays[0].data(), {memory.arrays[1].data(), memory.arrays[2].data()}};
    args.source.descent = c.to == To::Optimizer ? nullptr : memory.arrays[3].data();
    memory.regularization = regularizationOf<CscUpdate>(launches(), args, order);
    return memory;
  }
  Memory runOn128() const {
    Memory memory = start;
    StepArgs args = batch.args;
    args.source.weights = {memory.arrays[0].data(), {memory.arrays[1].data(), memory.arrays[2].data()}};
    memory.regularization =
        regularizationOf<CscUpdateBy<FfmaTile<128>, Fp32Weights>>(launches(*variantNamed("ffma_128")), args, 2);
    return memory;
  }
  /// The step on weights in BF16, and what it must come to: the weights of run(), rounded.
  std::pair<Memory, Memory> runOnBf16(uint64_t order) {
    Halves narrow = narrowed(start.arrays[0]);
    start.arrays[0] = widened(narrow);
    batch.frame.step = 3;
    Memory actual = start, expected = run();
    StepArgs args = batch.args;
    args.source.weights = {handle(narrow), {actual.arrays[1].data(), actual.arrays[2].data()}, 17};
    args.source.descent = c.to == To::Optimizer ? nullptr : actual.arrays[3].data();
    actual.regularization = regularizationOf<CscUpdateBy<Tile, Bf16Weights>>(launches(), args, order);
    actual.arrays[0] = widened(narrow);
    expected.arrays[0] = widened(stored(expected.arrays[0], batch.frame, 17));
    return {actual, expected};
  }
  Memory expected() const {
    std::vector<double> gradient(start.arrays[0].size());
    std::vector<bool> touched(static_cast<size_t>(c.features));
    for (Int row = 0; row < c.rows; ++row)
      for (const Term &term : termsOf(batch.args, c.corruption, batch.ids[static_cast<size_t>(row)])) {
        if (term.value != 0)
          touched[static_cast<size_t>(term.column)] = true;
        for (Int unit = 0; unit < c.units; ++unit)
          gradient[offsetOf(batch.args.source, term.column, unit)] -= static_cast<double>(term.value) *
                                                                      delta[static_cast<size_t>(row * c.units + unit)] *
                                                                      c.scale / static_cast<double>(c.rows);
      }
    Memory memory = start;
    for (Int feature = 0; feature < c.features; ++feature)
      for (Int unit = 0; unit < c.units; ++unit) {
        const size_t at = offsetOf(batch.args.source, feature, unit);
        const auto g = static_cast<float>(gradient[at]);
        float &weight = memory.arrays[0][at], &buffer = memory.arrays[3][at];
        if (c.to != To::Optimizer)
          buffer = c.to == To::Sum ? buffer + g : g;
        else if (data.dense || !c.touchedOnly || touched[static_cast<size_t>(feature)]) {
          const float in[] = {weight, g, memory.arrays[1][at], memory.arrays[2][at]};
          float out[3];
          Momentum::run(in, hypers, out, memory.regularization);
          weight = out[0];
          memory.arrays[1][at] = out[1];
          memory.arrays[2][at] = out[2];
        }
      }
    return memory;
  }

private:
  template <class Template>
  double regularizationOf(const rt::cuda::Launches &asked, const StepArgs &args, uint64_t order) const {
    return data.dense ? runPasses<Template, Dense, Optimizer, 1>(asked, args, order).regularization
                      : runPasses<Template, Csr, Optimizer, csc::kPasses>(asked, args, order).regularization;
  }
  /// Stored entries of the batch's rows, at most.
  Int entriesOf() const {
    std::vector<Int> lengths;
    for (Int example = 0; example < c.examples; ++example) {
      const size_t row = static_cast<size_t>(data.index.empty() ? example : data.index[static_cast<size_t>(example)]);
      lengths.push_back(data.dense ? 0 : data.indptr[row + 1] - data.indptr[row]);
    }
    return *std::max_element(lengths.begin(), lengths.end()) * c.maxRows;
  }

  static constexpr float hypers[] = {0.5f, 0.01f};
  Case c;
  Random random;
  DataSet data;
  Batch batch;
  Floats delta;
  Memory start;
};
void check(const Case &c, double tolerance = 1e-5) {
  const UpdateStep step(c);
  const Memory actual = step.run(5), expected = step.expected();
  for (size_t i = 0; i < actual.arrays.size(); ++i) {
    SCOPED_TRACE(i);
    expectNear(actual.arrays[i], expected.arrays[i], tolerance);
  }
  expectNear(actual.regularization, expected.regularization, 1e-6);
}

TEST(Csc, EverySourceAndWidth) {
  for (const DataSet::Kind &kind : kKinds)
    for (Int units : {1, 3, 4, 100, 130, 257})
      for (bool outerFirst : {false, true}) {
        SCOPED_TRACE(nameOf(kind) + ", " + std::to_string(units) + " units, outer first " + std::to_string(outerFirst));
        check({.units = units, .outerFirst = outerFirst, .kind = kind, .offset = -0.25f, .scale = 0.5f});
      }
}
TEST(Csc, UntouchedFeaturesAndBuffers) {
  for (const DataSet::Kind &kind : {DataSet::Kind{.density = 0.03}, DataSet::Kind{.dense = true}})
    for (bool touchedOnly : {false, true})
      for (bool outerFirst : {false, true})
        for (To to : {To::Optimizer, To::Buffer, To::Sum}) {
          SCOPED_TRACE(nameOf(kind) + ", touched only " + std::to_string(touchedOnly) + ", outer first " +
                       std::to_string(outerFirst) + ", to " + std::to_string(static_cast<int>(to)));
          check({.features = 333,
                 .units = 5,
                 .outerFirst = outerFirst,
                 .touchedOnly = touchedOnly,
                 .to = to,
                 .kind = kind});
        }
}
TEST(Csc, MasksGoByExampleAndFeature) {
  for (const DataSet::Kind &kind : kKinds)
    for (const auto &corruption : {kTwoCorruptions, kAlmostAll}) {
      SCOPED_TRACE(nameOf(kind));
      check({.features = 150, .units = 12, .touchedOnly = true, .kind = kind, .corruption = corruption});
    }
}
TEST(Csc, ListsOfEveryLength) { // a warp's, more than a warp, more than a block's border
  for (double density : {0.1, 0.25, 0.6, 1.0})
    for (Int units : {4, 130}) {
      SCOPED_TRACE(density);
      check(
          {.features = 20, .units = units, .rows = 300, .maxRows = 333, .examples = 400, .kind = {.density = density}},
          3e-5);
    }
}
TEST(CscLarge, ListsLongerThanAWindow) {
  static_assert(csc::kWindow < 8400);
  check({.features = 3, .units = 1, .rows = 8400, .maxRows = 8401, .examples = 500, .kind = {.density = 0.9}}, 1e-4);
}
TEST(CscLarge, ManyFeatures) { // more than the starts of 256 chunks
  check({.features = 1100000,
         .units = 1,
         .rows = 5,
         .maxRows = 5,
         .examples = 5,
         .touchedOnly = true,
         .kind = {.density = 1e-4}});
}
TEST(CscLarge, MoreFeaturesThanBlocks) {
  static_assert(csc::kUpdateBlocks * 8 < 17000);
  check({.features = 17000, .units = 2, .rows = 5, .maxRows = 5, .kind = {.density = 0.01}});
}
TEST(Csc, NothingStored) {
  for (bool touchedOnly : {false, true})
    check({.touchedOnly = touchedOnly, .kind = {.density = 0}});
}
TEST(Csc, BitsDependOnNeitherBlocksNorAtomics) {
  for (const DataSet::Kind &kind :
       {DataSet::Kind{.density = 0.05}, DataSet::Kind{.density = 0.6}, DataSet::Kind{.dense = true}}) {
    const UpdateStep step({.features = 50, .units = 130, .rows = 250, .maxRows = 250, .examples = 250, .kind = kind});
    const Memory first = step.run();
    for (uint64_t order : {3, 4}) {
      const Memory again = step.run(order);
      for (size_t i = 0; i < first.arrays.size(); ++i)
        EXPECT_TRUE(sameBits(first.arrays[i], again.arrays[i]));
      EXPECT_EQ(first.regularization, again.regularization);
    }
  }
}
void checkBf16(const Case &c) {
  UpdateStep step(c);
  const auto [actual, expected] = step.runOnBf16(5);
  for (size_t i = 0; i < actual.arrays.size(); ++i)
    EXPECT_TRUE(sameBits(actual.arrays[i], expected.arrays[i])) << i;
  expectNear(actual.regularization, expected.regularization, 1e-12);
}
/// Four places at a time and one by one; features in blocks of eight and lists of them; gradients to a buffer.
TEST(Csc, WeightsInBf16AreThoseOfFloatsRoundedAtRandom) {
  for (const DataSet::Kind &kind : {DataSet::Kind{.density = 0.1}, DataSet::Kind{.dense = true}})
    for (bool outerFirst : {false, true})
      for (bool touchedOnly : {false, true})
        for (Int features : {64, 45})
          for (Int units : {5, 132}) {
            SCOPED_TRACE(nameOf(kind) + ", " + std::to_string(features) + " x " + std::to_string(units) +
                         ", outer first " + std::to_string(outerFirst));
            checkBf16({.features = features,
                       .units = units,
                       .outerFirst = outerFirst,
                       .touchedOnly = touchedOnly,
                       .kind = kind});
          }
  checkBf16({.units = 12, .to = To::Sum});
}
TEST(Csc, LargeTilesGiveTheBitsOfSmallOnes) {
  for (bool outerFirst : {false, true}) {
    const UpdateStep step(
        {.features = 140, .units = 133, .rows = 37, .maxRows = 40, .outerFirst = outerFirst, .kind = {.dense = true}});
    const Memory small = step.run(), large = step.runOn128();
    for (size_t i = 0; i < small.arrays.size(); ++i)
      EXPECT_TRUE(sameBits(small.arrays[i], large.arrays[i])) << i;
  }
}
TEST(Csc, MoreEntriesThanPlacesCanBeCounted) {
  ShapeOf shape;
  shape.sources.resize(1);
  StepArgs args;
  args.maxRows = 1 << 20;
  args.entries = Int{1} << 32;
  try {
    rt::cuda::cscUpdateLaunches(shape(args));
    FAIL();
  } catch (const UserError &error) {
    EXPECT_STREQ(error.what(),
                 "a batch of 1048576 rows can store 4294967296 entries; the CUDA device takes 4294967295 at "
                 "most: use a smaller --batch");
  }
}
} // namespace
} // namespace sn::test
