// Extents near 2^31 and offsets beyond it: borders, workspace, and gathers and updates far out in sparse virtual
// memory.
#include "kernels-templates/cpu/ColumnReduce.h"
#include "kernels-templates/cpu/CscUpdate.h"
#include "kernels-templates/cpu/Expand.h"
#include "kernels-templates/cpu/Gemm.h"
#include "kernels-templates/cpu/GemmUpdate.h"
#include "kernels-templates/cpu/LimitNorm.h"
#include "kernels-templates/cpu/ParameterUpdate.h"
#include "kernels-templates/cpu/WideOutput.h"
#include "kernels-templates/cpu/WideSoftmax.h"
#include "kernels-templates/cpu/WideTopk.h"
#include "test/unit/kernels/Rig.h"
#include <sys/mman.h>

namespace sn::test {
namespace {
constexpr int64_t kMost = (int64_t(1) << 31) - 1; // columns of a data set: indices are int32
constexpr int64_t kMiB = 1 << 20;

TEST(Large, LanesOfAnyWidth) {
  for (int64_t extent : {kMost, kMost - 1, 3 * kMost, int64_t(10'000'000)})
    for (int lanes : {1, 3, 16, 64}) {
      ASSERT_EQ(plan::laneRange(extent, 0, lanes).begin, 0);
      ASSERT_EQ(plan::laneRange(extent, lanes - 1, lanes).end, extent);
      for (int lane = 0; lane < lanes; ++lane) {
        const plan::Range range = plan::laneRange(extent, lane, lanes);
        ASSERT_NEAR(static_cast<double>(range.size()), static_cast<double>(extent) / lanes, 1);
        ASSERT_EQ(plan::laneOf(extent, range.begin, lanes), lane);
        ASSERT_EQ(plan::laneOf(extent, range.end - 1, lanes), lane);
      }
    }
}

TEST(Large, LanesOfWideLayersAreNotThin) {
  EXPECT_EQ(plan::wideLanes(1), 1);
  EXPECT_EQ(plan::wideLanes(255), 1);
  EXPECT_EQ(plan::wideLanes(256), 2);
  EXPECT_EQ(plan::wideLanes(1500), 8);
  EXPECT_EQ(plan::wideLanes(2048), 16);
  EXPECT_EQ(plan::wideLanes(kMost), plan::kLanes);
}

TEST(Large, TilesOfAnyWidth) {
  for (int64_t width : {kMost, 8 * kMost}) {
    const rt::cpu::Tiles tiles(width);
    EXPECT_EQ(tiles.size % 16, 0);
    EXPECT_EQ(tiles[0].begin, 0);
    EXPECT_EQ(tiles[tiles.count - 1].end, width);
    EXPECT_GT(tiles[tiles.count - 1].size(), 0);
  }
}

/// Workspace of a skeleton for a batch of `rows`, on two workers.
template <typename Skeleton> int64_t workspaceOf(Skeleton skeleton, int64_t rows) {
  rt::cpu::Context context(2, {});
  rt::cpu::Carver measure;
  skeleton.layout(measure, rows, context);
  return measure.bytes();
}
rt::cpu::Weights weightsOf(int64_t inner, int64_t outer, bool outerFirst) { return {{}, inner, outer, outerFirst}; }

TEST(Large, WorkspaceOfWideLayersDoesNotGrowWithThem) {
  float gradient = 0;
  rt::cpu::WideOutput output;
  output.sources = {{nullptr, weightsOf(64, kMost, true), &gradient}};
  output.backprop = output.update = true;
  rt::cpu::WideSoftmaxStatistics softmax;
  softmax.sources = output.sources;
  rt::cpu::WideTopk topk;
  topk.sources = output.sources;
  auto atWidth = [&](int64_t columns) {
    output.columns = softmax.columns = topk.columns = columns;
    return std::array{workspaceOf(output, 1024), workspaceOf(softmax, 1024), workspaceOf(topk, 1024)};
  };
  EXPECT_EQ(atWidth(kMost), atWidth(10'000'000));
  for (int64_t bytes : atWidth(kMost)) {
    EXPECT_GT(bytes, 0);
    EXPECT_LT(bytes, 64 * kMiB);
  }
}

TEST(Large, WorkspaceOfWideInputsStaysSmall) {
  for (rt::Loader loader : {rt::Loader::CsrBinary, rt::Loader::CsrAnalog}) {
    rt::cpu::CscUpdate update;
    update.source.data.loader = loader;
    update.weights = weightsOf(kMost, 64, false);
    const int64_t bytes = workspaceOf(update, 1024);
    EXPECT_GT(bytes, 0);
    EXPECT_LT(bytes, 8 * kMiB);
    rt::cpu::CsrGather gather;
    gather.source.data.loader = loader;
    gather.weights = update.weights;
    gather.columns = 64;
    EXPECT_LT(workspaceOf(gather, 1024), 8 * kMiB);
  }
}

TEST(Large, WorkspaceOfWholeParametersStaysSmall) {
  for (bool outerFirst : {false, true})
    for (auto [inner, outer] : {std::pair<int64_t, int64_t>{kMost, 64}, {64, kMost}}) {
      rt::cpu::LimitNorm limit;
      limit.weights = weightsOf(inner, outer, outerFirst);
      EXPECT_LT(workspaceOf(limit, 1024), kMiB / 8);
      rt::cpu::ParameterUpdate update;
      update.size = 64 * int64_t(10'000'000);
      EXPECT_LT(workspaceOf(update, 1024), kMiB);
    }
  rt::cpu::Expand expand;
  expand.columns = kMost;
  EXPECT_LT(workspaceOf(expand, 1024), kMiB / 8);
}

TEST(Large, WorkspaceBeyondTwoGigabytesIsCountedRight) {
  rt::cpu::ColumnReduce reduce; // 16 lanes of partial sums and the gradient
  reduce.columns = kMost;
  EXPECT_GT(workspaceOf(reduce, 1024), 17 * kMost * 4);
  rt::cpu::GemmUpdate update;
  update.source.weights = weightsOf(1 << 20, 1 << 20, false);
  EXPECT_GT(workspaceOf(update, 1024), int64_t(8192) * 8192 * 8) << "a sum for each block of weights";
  rt::cpu::Gemm gemm;
  gemm.sources = {{nullptr, weightsOf(kMost, 64, true), nullptr}};
  gemm.columns = 64;
  EXPECT_LT(workspaceOf(gemm, 1024), 64 * kMiB);
}

/// Zeroed floats of which only the pages touched take memory.
class VirtualFloats {
public:
  explicit VirtualFloats(int64_t count) : bytes(static_cast<size_t>(count) * sizeof(float)) {
    void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    values = memory == MAP_FAILED ? nullptr : static_cast<float *>(memory);
  }
  ~VirtualFloats() {
    if (values)
      munmap(values, bytes);
  }
  VirtualFloats(const VirtualFloats &) = delete;
  VirtualFloats &operator=(const VirtualFloats &) = delete;
  float *values = nullptr;

private:
  size_t bytes;
};

/// Weights of 2^27 features x 64 units: offsets reach 2^33. Two rows store the features at the ends and in the middle.
class FarOut : public testing::Test {
protected:
  static constexpr int64_t kFeatures = int64_t(1) << 27, kUnits = 64;
  FarOut() : weights(kFeatures * kUnits) {
    view.rows = 2;
    view.columns = kFeatures;
    view.indptr = indptr.data();
    view.indices = indices.data();
  }
  void SetUp() override {
    if (!weights.values)
      GTEST_SKIP() << "this system gives no address space that is not backed by memory";
    plan::Parameter parameter;
    parameter.name = "w";
    parameter.in.value = kFeatures;
    parameter.out.value = kUnits;
    parameter.layout = "rows";
    rig.plan.parameters.push_back(parameter);
    rig.memory.parameters["w"] = weights.values;
    rig.memory.states["w"] = {};
    rig.memory.data["in"] = view;
    rig.step.columns.value = kUnits;
    rig.step.sources = {rig.source("in", "w")};
    rig.step.sources[0].data = true;
  }
  float &weight(int64_t feature, int64_t unit) { return weights.values[feature * kUnits + unit]; }

  std::vector<int64_t> indptr{0, 2, 4};
  std::vector<int32_t> indices{0, static_cast<int32_t>(kFeatures - 1), static_cast<int32_t>(kFeatures / 2),
                               static_cast<int32_t>(kFeatures - 1)};
  VirtualFloats weights;
  rt::DataView view;
  Rig rig;
};

TEST_F(FarOut, Gather) {
  for (int64_t unit = 0; unit < kUnits; ++unit) {
    weight(0, unit) = 1;
    weight(kFeatures / 2, unit) = 10;
    weight(kFeatures - 1, unit) = 100 + static_cast<float>(unit);
  }
  rig.buffer("out", std::vector<float>(2 * kUnits));
  rig.step.kernel = "csr_gather";
  rig.step.slots["epilogue"] = use("copy", {arg(Role::Accumulator)}, {arg(Role::Element, "out")});
  rig.prepare(2);
  rig.launch({0, 1});
  const std::vector<float> out = rig.read("out");
  EXPECT_EQ(out[0], 101);
  EXPECT_EQ(out[kUnits - 1], 101 + 63);
  EXPECT_EQ(out[kUnits], 110);
}

TEST_F(FarOut, UpdateOfTouchedRows) {
  rig.buffer("delta", std::vector<float>(2 * kUnits, 2.0f));
  rig.step.kernel = "csc_update";
  rig.step.delta = "delta";
  rig.step.update = true;
  rig.optimizer.idleWhenZero = {{"Lambda"}};
  rig.hypers["Lambda"] = 0;
  rig.hypers["Alpha"] = 1;
  rig.prepare(2);
  rig.launch({0, 1});
  EXPECT_EQ(weight(0, 0), -1); // -1/B x delta
  EXPECT_EQ(weight(kFeatures / 2, 7), -1);
  EXPECT_EQ(weight(kFeatures - 1, 63), -2); // stored in both rows
  EXPECT_EQ(weight(kFeatures - 2, 63), 0);
}
} // namespace
} // namespace sn::test
