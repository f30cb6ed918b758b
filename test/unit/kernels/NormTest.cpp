// wide_output, sweep norm: the sums of squares of the rows of delta, against double precision, the same with any number
// of threads; nothing else changes.
#include "test/unit/kernels/Rig.h"

namespace sn::test {
namespace {
constexpr int64_t kInner = 3, kRows = 40;

class Norm : public testing::TestWithParam<std::tuple<int64_t, Loader, bool>> {};
TEST_P(Norm, SumsSquaresOfDelta) {
  const auto [columns, loader, ignoreZeros] = GetParam();
  TestData data(kRows, columns, 0.2, 1, {false, true, 0});
  auto x = randomValues(kRows * kInner, 2), w = randomValues(kInner * columns, 3), b = randomValues(columns, 4);
  std::vector<int64_t> ids;
  for (int64_t row = 0; row < kRows; ++row)
    ids.push_back((7 * row + 3) % kRows);
  std::vector<float> first;
  for (int threads : {1, 2, 3}) {
    Rig rig(threads);
    rig.buffer("x", x);
    rig.buffer("norm", std::vector<float>(kRows, 9));
    rig.parameter("W", kInner, columns, "columns", w);
    rig.parameter("b", 1, columns, "rows", b);
    rig.memory.data["target"] = data.view(loader, ignoreZeros);
    rig.step.kernel = "wide_output", rig.step.sweep = "norm";
    rig.step.target = "target", rig.step.columns.value = columns, rig.step.rows = {"norm"};
    rig.step.sources = {rig.source("x", "W")};
    std::vector<plan::SlotArg> in = {arg(Role::Accumulator), arg(Role::Column, "b")}, delta = {arg(Role::Delta)},
                               weight = {arg(Role::TargetWeight)};
    rig.step.slots["background"] = use("crossBackground", in, delta, weight);
    in.push_back(arg(Role::Target));
    rig.step.slots["stored"] = use("crossStored", in, delta, weight);
    rig.step.slots["stored_only"] = rig.step.slots["dense"] = use("crossFull", in, delta, weight);
    rig.prepare(kRows + 3);
    rt::Launch launch = rig.launch(ids);
    EXPECT_EQ(launch.sum, 0) << "the loss is a later sweep's";
    EXPECT_EQ(launch.regularization, 0);
    std::vector<float> norm = rig.read("norm");
    first = first.empty() ? norm : first;
    EXPECT_EQ(norm, first) << threads << " threads";
  }
  for (int64_t r = 0; r < kRows; ++r) {
    double squares = 0;
    const int64_t example = ids[static_cast<size_t>(r)];
    for (int64_t c = 0; c < columns; ++c) {
      if (loader != Loader::Dense && ignoreZeros && !data.stored(example, c))
        continue;
      double z = static_cast<double>(b[static_cast<size_t>(c)]);
      for (int64_t k = 0; k < kInner; ++k)
        z += static_cast<double>(x[static_cast<size_t>(r * kInner + k)]) *
             static_cast<double>(w[static_cast<size_t>(k * columns + c)]);
      double delta = data.weight(example) * (sigmoid(z) - data.value(loader, example, c));
      squares += delta * delta;
    }
    EXPECT_NEAR(static_cast<double>(first[static_cast<size_t>(r)]), squares, 1e-5 * squares + 1e-12) << "row " << r;
  }
}
INSTANTIATE_TEST_SUITE_P(WideOutput, Norm,
                         testing::Combine(testing::Values(1, 130, 2500),
                                          testing::Values(Loader::Dense, Loader::CsrBinary, Loader::CsrAnalog),
                                          testing::Bool()));
} // namespace
} // namespace sn::test
