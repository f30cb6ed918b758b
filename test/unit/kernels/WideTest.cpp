// wide_output: loss, input gradients and updates against double loops.
#include "test/unit/kernels/Rig.h"

namespace sn::test {
namespace {
struct Case {
  int64_t rows = 5, columns = 17;
  std::string layout = "columns";
  Loader loader = Loader::CsrBinary;
  bool ignoreZeros = false, twoStates = false;
  std::string sweep = "single";
  Form form = {};
  /// By source: its gradient goes to a buffer, which starts at kStart, in place of an update.
  bool buffered[2] = {false, false};
  bool accumulate = false;
  double scale = 1;
  std::string name() const {
    return fmt::format("rows {} columns {} layout {} loader {} ignore {} sweep {} {} buffered {} {} add {} scale {}",
                       rows, columns, layout, static_cast<int>(loader), ignoreZeros, sweep, nameOf(form), buffered[0],
                       buffered[1], accumulate, scale);
  }
};
constexpr float kStart = 0.75f;
struct Outcome {
  std::vector<float> gradient0, gradient1, weights0, weights1, bias, state, buffer0, buffer1;
  double sum = 0, regularization = 0;
  bool operator==(const Outcome &) const = default;
};

/// Two sources: hidden [rows, 7] times W0 [7, columns], and skip [rows, 3] times W1^T, W1 [columns, 3].
struct Problem {
  static constexpr int64_t kInner0 = 7, kInner1 = 3, kDataRows = 40;
  Case at;
  TestData data;
  std::vector<int64_t> ids;
  std::vector<float> x0, x1, w0, w1, bias;

  explicit Problem(const Case &at)
      : at(at), data(kDataRows, at.columns, at.columns < 10 ? 0.5 : 0.1, 3, at.form), ids(someRows(at.rows, kDataRows)),
        x0(randomValues(at.rows * kInner0, 1)), x1(randomValues(at.rows * kInner1, 2)),
        w0(randomValues(kInner0 * at.columns, 3)), w1(randomValues(at.columns * kInner1, 4)),
        bias(randomValues(at.columns, 5)) {}

  double w(int64_t source, int64_t k, int64_t c) const {
    return static_cast<double>(source == 0 ? w0[static_cast<size_t>(k * at.columns + c)]
                                           : w1[static_cast<size_t>(c * kInner1 + k)]);
  }
  double x(int64_t source, int64_t r, int64_t k) const {
    return static_cast<double>(source == 0 ? x0[static_cast<size_t>(r * kInner0 + k)]
                                           : x1[static_cast<size_t>(r * kInner1 + k)]);
  }
  static int64_t inner(int64_t source) { return source == 0 ? kInner0 : kInner1; }
};

std::unique_ptr<Rig> makeRig(const Problem &p, int threads, const std::string &level = "") {
  const Case &at = p.at;
  auto rig = std::make_unique<Rig>(threads, level);
  rig->buffer("x0", p.x0);
  rig->buffer("x1", p.x1);
  rig->buffer("d0", std::vector<float>(p.x0.size(), 9));
  rig->buffer("d1", std::vector<float>(p.x1.size(), 9));
  int states = at.twoStates ? 2 : 0;
  rig->parameter("W0", Problem::kInner0, at.columns, at.layout, p.w0, states, 0.25f);
  rig->parameter("W1", at.columns, Problem::kInner1, at.layout, p.w1, states, 0.25f);
  rig->parameter("b", 1, at.columns, "rows", p.bias, states, 0.25f);
  if (at.twoStates) {
    rig->optimizer.weights = rig->optimizer.bias = "twoStates";
    rig->optimizer.states = {"m", "v"};
  }
  rig->memory.data["target"] = p.data.view(at.loader, at.ignoreZeros);
  plan::Step &step = rig->step;
  step.kernel = "wide_output";
  step.sweep = at.sweep;
  step.target = "target";
  step.columns.value = at.columns;
  step.sources = {rig->source("x0", "W0", "d0"), rig->source("x1", "W1", "d1", true)};
  for (size_t s : {0u, 1u}) {
    const std::string weights = "W" + std::to_string(s), into = "g" + std::to_string(s);
    rig->gradientBuffer(into, weights, std::vector<float>(s ? p.w1.size() : p.w0.size(), kStart));
    step.sources[s].weightGradient = at.buffered[s] ? into : "";
    step.sources[s].accumulate = at.accumulate;
    step.sources[s].scale = at.scale;
  }
  step.biases = {"b"};
  step.update = at.sweep == "single" || at.sweep == "update";
  std::vector<plan::SlotArg> in = {arg(Role::Accumulator), arg(Role::Column, "b")}, delta = {arg(Role::Delta)},
                             weight = {arg(Role::TargetWeight)};
  step.slots["background"] = use("crossBackground", in, delta, weight);
  in.push_back(arg(Role::Target));
  step.slots["stored"] = use("crossStored", in, delta, weight);
  step.slots["stored_only"] = use("crossFull", in, delta, weight);
  step.slots["dense"] = use("crossFull", in, delta, weight);
  return rig;
}

Outcome outcomeOf(Rig &rig, const rt::Launch &launch, bool states) {
  return {rig.read("d0"),
          rig.read("d1"),
          rig.readParameter("W0"),
          rig.readParameter("W1"),
          rig.readParameter("b"),
          states ? rig.readParameter("W0", 1) : std::vector<float>(),
          rig.readGradient("g0", "W0"),
          rig.readGradient("g1", "W1"),
          launch.sum,
          launch.regularization};
}
Outcome run(const Problem &p, int threads, const std::string &level = "") {
  auto rig = makeRig(p, threads, level);
  rig->prepare(p.at.rows + 3);
  return outcomeOf(*rig, rig->launch(p.ids), p.at.twoStates);
}

/// What Outcome should be, in double precision.
struct Oracle {
  std::vector<double> gradient[2], weights[2], buffer[2], bias, state;
  double sum = 0, regularization = 0;

  explicit Oracle(const Problem &p) {
    const Case &at = p.at;
    std::vector<double> delta(static_cast<size_t>(at.rows * at.columns));
    for (int64_t r = 0; r < at.rows; ++r)
      for (int64_t c = 0; c < at.columns; ++c)
        delta[static_cast<size_t>(r * at.columns + c)] = deltaAt(p, r, c);
    for (int64_t s = 0; s < 2; ++s)
      backprop(p, s, delta);
    bias = widened(p.bias);
    std::vector<double> none;
    for (int64_t c = 0; c < at.columns; ++c) {
      double g = 0;
      for (int64_t r = 0; r < at.rows; ++r)
        g += delta[static_cast<size_t>(r * at.columns + c)];
      update(p, bias[static_cast<size_t>(c)], -g / static_cast<double>(at.rows), 0, none);
    }
    if (at.sweep == "update")
      sum = 0;
  }

private:
  double deltaAt(const Problem &p, int64_t r, int64_t c) {
    const Case &at = p.at;
    int64_t row = p.ids[static_cast<size_t>(r)];
    if (at.loader != Loader::Dense && at.ignoreZeros && !p.data.stored(row, c))
      return 0;
    double z = static_cast<double>(p.bias[static_cast<size_t>(c)]), t = p.data.value(at.loader, row, c);
    for (int64_t s = 0; s < 2; ++s)
      for (int64_t k = 0; k < Problem::inner(s); ++k)
        z += p.x(s, r, k) * p.w(s, k, c);
    sum += p.data.weight(row) * (softplus(z) - t * z);
    return p.data.weight(row) * (sigmoid(z) - t);
  }
  void backprop(const Problem &p, int64_t s, const std::vector<double> &delta) {
    const int64_t inner = Problem::inner(s), n = p.at.columns;
    gradient[s].assign(static_cast<size_t>(p.at.rows * inner), 0);
    weights[s] = widened(s == 0 ? p.w0 : p.w1);
    buffer[s].assign(weights[s].size(), static_cast<double>(kStart));
    for (int64_t r = 0; r < p.at.rows; ++r)
      for (int64_t k = 0; k < inner; ++k)
        for (int64_t c = 0; c < n; ++c)
          gradient[s][static_cast<size_t>(r * inner + k)] += delta[static_cast<size_t>(r * n + c)] * p.w(s, k, c);
    for (int64_t k = 0; k < inner; ++k)
      for (int64_t c = 0; c < n; ++c) {
        double g = 0;
        for (int64_t r = 0; r < p.at.rows; ++r)
          g += p.x(s, r, k) * delta[static_cast<size_t>(r * n + c)];
        g *= -p.at.scale / static_cast<double>(p.at.rows);
        const size_t place = static_cast<size_t>(s == 0 ? k * n + c : c * inner + k);
        if (p.at.buffered[s])
          buffer[s][place] = g + (p.at.accumulate ? static_cast<double>(kStart) : 0);
        else
          update(p, weights[s][place], g, 0.01, s == 0 ? state : unused);
      }
  }
  void update(const Problem &p, double &w, double g, double lambda, std::vector<double> &states) {
    if (p.at.twoStates) {
      double m = 0.9 * 0.25 + g, v = 0.5 * 0.25 + g * g;
      states.push_back(v);
      w += 0.1 * m / (1 + v);
      return;
    }
    regularization += 0.5 * lambda * w * w;
    w += 0.1 * (g - lambda * w);
  }
  std::vector<double> unused;
};

void expectRight(const Problem &p, const Outcome &got) {
  const Case &at = p.at;
  Oracle want(p);
  if (at.sweep == "single" || at.sweep == "forward") {
    expectNear(got.gradient0, want.gradient[0], 2e-5, at.name());
    expectNear(got.gradient1, want.gradient[1], 2e-5, at.name());
  }
  if (at.sweep == "single" || at.sweep == "update") {
    expectNear(got.weights0, want.weights[0], 2e-6, at.name());
    expectNear(got.weights1, want.weights[1], 2e-6, at.name());
    expectNear(got.buffer0, want.buffer[0], 2e-6, at.name());
    expectNear(got.buffer1, want.buffer[1], 2e-6, at.name());
    expectNear(got.bias, want.bias, 2e-6, at.name());
    if (at.twoStates)
      expectNear(got.state, want.state, 2e-6, at.name());
    EXPECT_NEAR(got.regularization, want.regularization, 1e-5 * (1 + want.regularization)) << at.name();
  }
  EXPECT_NEAR(got.sum, want.sum, 1e-6 * (1 + std::abs(want.sum))) << at.name();
}
} // namespace

TEST(WideOutput, EqualsTheOracleOverSizesAndLoaders) {
  for (int64_t columns : {1, 3, 17, 300, 513, 1025, 2100}) // 1 to 16 lanes
    for (int64_t rows : {1, 5, 64, 200})
      for (Loader loader : {Loader::Dense, Loader::CsrBinary, Loader::CsrAnalog}) {
        Problem p({.rows = rows, .columns = columns, .loader = loader});
        expectRight(p, run(p, 2));
      }
}

TEST(WideOutput, EqualsTheOracleInBothLayoutsAndWithStates) {
  for (const char *layout : {"rows", "columns"})
    for (bool states : {false, true})
      for (int64_t columns : {17, 1025}) {
        Problem p({.rows = 64, .columns = columns, .layout = layout, .twoStates = states});
        expectRight(p, run(p, 2));
      }
}

TEST(WideOutput, ZerosIgnoredDropTheBackground) {
  for (Loader loader : {Loader::CsrBinary, Loader::CsrAnalog})
    for (int64_t columns : {3, 513}) {
      Problem p({.rows = 64, .columns = columns, .loader = loader, .ignoreZeros = true});
      expectRight(p, run(p, 2));
    }
}

TEST(WideOutput, ExamplesHaveRowsAndWeights) {
  for (const Form &form : {Form{true, false, 0}, Form{false, true, 0}, Form{true, true, -0.5f}})
    for (Loader loader : {Loader::Dense, Loader::CsrBinary, Loader::CsrAnalog})
      for (bool ignoreZeros : {false, true})
        for (int64_t columns : {3, 513}) {
          Problem p({.rows = 64, .columns = columns, .loader = loader, .ignoreZeros = ignoreZeros, .form = form});
          expectRight(p, run(p, 2));
        }
}

TEST(WideOutput, GradientsGoToBuffers) {
  for (const char *layout : {"rows", "columns"})
    for (const char *sweep : {"single", "update"})
      for (auto [first, second] : {std::pair{true, false}, {false, true}, {true, true}, {false, false}})
        for (bool accumulate : {false, true})
          for (int64_t columns : {17, 1025}) {
            Case at{.rows = 64, .columns = columns, .layout = layout, .sweep = sweep};
            at.buffered[0] = first;
            at.buffered[1] = second;
            at.accumulate = accumulate;
            at.scale = 0.25;
            Problem p(at);
            Outcome got = run(p, 2);
            expectRight(p, got);
            for (int threads : {1, 3})
              EXPECT_TRUE(got == run(p, threads)) << at.name();
          }
}

TEST(WideOutput, SourcesAddToOneBufferInTheirOrder) {
  for (const char *layout : {"rows", "columns"}) {
    Case at{.rows = 64, .columns = 1025, .layout = layout};
    at.buffered[0] = true;
    Problem p(at);
    auto rig = makeRig(p, 2);
    rig->step.sources = {rig->step.sources[0], rig->step.sources[0]};
    rig->step.sources[1].accumulate = true;
    rig->step.update = false;
    rig->step.biases.clear();
    rig->prepare(64);
    rig->launch(p.ids);
    std::vector<float> both = rig->readGradient("g0", "W0");
    EXPECT_EQ(rig->readParameter("W0"), p.w0);
    EXPECT_EQ(rig->readParameter("b"), p.bias);
    rig->step.sources[1].accumulate = false; // the second overwrites the first
    rig->prepare(64);
    rig->launch(p.ids);
    std::vector<double> twice;
    for (float g : rig->readGradient("g0", "W0"))
      twice.push_back(2 * static_cast<double>(g));
    expectNear(both, twice, 1e-6, layout);
  }
}

TEST(WideOutput, AMatrixMeetsItsTransposeInOneBuffer) {
  // z = x S + y S^T + x S: three sources of a square matrix, their gradients in one buffer.
  for (const char *layout : {"rows", "columns"})
    for (int64_t n : {17, 520}) {
      Problem p({.rows = 64, .columns = n});
      auto x = randomValues(64 * n, 1), y = randomValues(64 * n, 2), s = randomValues(n * n, 3, 0.1);
      std::vector<float> one;
      for (int threads : {1, 2, 3}) {
        auto rig = makeRig(p, threads);
        rig->buffer("x", x);
        rig->buffer("y", y);
        rig->parameter("S", n, n, layout, s);
        rig->gradientBuffer("g", "S", std::vector<float>(s.size(), 9));
        rig->buffer("delta", std::vector<float>(x.size()));
        rig->step.sources = {rig->source("x", "S"), rig->source("y", "S", "", true), rig->source("x", "S")};
        for (size_t i : {0u, 1u, 2u}) {
          rig->step.sources[i].weightGradient = "g";
          rig->step.sources[i].accumulate = i > 0;
          rig->step.sources[i].scale = 1.0 / 3;
        }
        rig->step.slots["background"].out.push_back(arg(Role::Element, "delta"));
        rig->step.slots["stored"].out.push_back(arg(Role::Element, "delta"));
        rig->step.slots["background"].function = "crossBackgroundTwice";
        rig->step.slots["stored"].function = "crossStoredTwice";
        rig->prepare(64);
        rig->launch(p.ids);
        std::vector<float> delta = rig->read("delta"), got = rig->readGradient("g", "S");
        one = threads == 1 ? got : one;
        EXPECT_EQ(one, got) << threads;
        std::vector<double> wanted(s.size());
        for (size_t r = 0; r < 64; ++r)
          for (size_t a = 0, size = static_cast<size_t>(n); a < size; ++a)
            for (size_t b = 0; b < size; ++b)
              wanted[a * size + b] -=
                  (2 * static_cast<double>(x[r * size + a]) * static_cast<double>(delta[r * size + b]) +
                   static_cast<double>(delta[r * size + a]) * static_cast<double>(y[r * size + b])) /
                  (3 * 64);
        expectNear(got, wanted, 3e-6, layout);
      }
    }
}

TEST(WideOutput, SweepsSayWhatTheyDo) {
  for (const char *sweep : {"forward", "update", "loss"}) {
    Problem p({.rows = 64, .columns = 513, .sweep = sweep});
    Outcome got = run(p, 2);
    expectRight(p, got);
    bool backprop = sweep == std::string("forward"), updates = sweep == std::string("update");
    EXPECT_EQ(got.gradient0 == std::vector<float>(p.x0.size(), 9), !backprop);
    EXPECT_EQ(got.weights0 == p.w0, !updates);
    EXPECT_EQ(got.bias == p.bias, !updates);
  }
}

TEST(WideOutput, ForwardThenUpdateEqualsSingleBitForBit) {
  Problem single({.rows = 200, .columns = 1025}), forward = single, update = single;
  forward.at.sweep = "forward";
  update.at.sweep = "update";
  Outcome one = run(single, 2), first = run(forward, 2), second = run(update, 2);
  EXPECT_EQ(one.gradient0, first.gradient0);
  EXPECT_EQ(one.gradient1, first.gradient1);
  EXPECT_EQ(one.sum, first.sum);
  EXPECT_EQ(one.weights0, second.weights0);
  EXPECT_EQ(one.weights1, second.weights1);
  EXPECT_EQ(one.bias, second.bias);
  EXPECT_EQ(one.regularization, second.regularization);
}

TEST(WideOutput, BitsDoNotDependOnThreads) {
  for (int64_t columns : {17, 300, 1025, 2100}) {
    Problem p({.rows = 200, .columns = columns, .twoStates = true, .form = {true, true, 0}});
    Outcome one = run(p, 1);
    for (int threads : {2, 3, 5})
      EXPECT_TRUE(one == run(p, threads)) << threads;
  }
}

TEST(WideOutput, EveryLevelOfTheMachineIsRight) {
  for (const char *level : plan::kCpuLevels)
    if (rt::cpu::machineRuns(level)) {
      Problem p({.rows = 64, .columns = 513});
      expectRight(p, run(p, 2, level));
    }
}

TEST(WideOutput, ColumnsBeyondTheStoredOnesAreZero) {
  Problem p({.rows = 20, .columns = 17, .loader = Loader::Dense});
  auto rig = makeRig(p, 2);
  // The same data with a shorter row: the target of the columns left out is zero.
  std::vector<float> narrow(static_cast<size_t>(Problem::kDataRows * 11));
  TestData &data = p.data;
  for (int64_t row = 0; row < Problem::kDataRows; ++row)
    for (int64_t column = 0; column < 11; ++column)
      narrow[static_cast<size_t>(row * 11 + column)] = static_cast<float>(data.value(Loader::Dense, row, column));
  rt::DataView &view = rig->memory.data["target"];
  view.values = narrow.data();
  view.storedColumns = 11;
  rig->prepare(20);
  Outcome got = outcomeOf(*rig, rig->launch(p.ids), false);
  std::vector<float> padded(static_cast<size_t>(Problem::kDataRows * 17));
  for (int64_t row = 0; row < Problem::kDataRows; ++row)
    std::copy_n(&narrow[static_cast<size_t>(row * 11)], 11, &padded[static_cast<size_t>(row * 17)]);
  auto whole = makeRig(p, 2);
  whole->memory.data["target"].values = padded.data();
  whole->prepare(20);
  EXPECT_TRUE(got == outcomeOf(*whole, whole->launch(p.ids), false));
}

TEST(WideOutput, SecondLaunchWithASmallerBatchIsRight) {
  Problem big({.rows = 64, .columns = 513}), small({.rows = 5, .columns = 513});
  auto rig = makeRig(small, 2);
  rig->prepare(64);
  Outcome got = outcomeOf(*rig, rig->launch(small.ids), false);
  expectRight(small, got);
  EXPECT_GT(rig->device->workspaceBytes(), 0);
}

TEST(WideOutput, AMissingSlotIsNamed) {
  Problem p({});
  auto rig = makeRig(p, 1);
  rig->step.slots.erase("stored");
  try {
    rig->prepare(5);
    FAIL();
  } catch (const UserError &error) {
    EXPECT_NE(std::string(error.what()).find("'stored'"), std::string::npos) << error.what();
  }
  rig->step.slots["stored"].function = "gone";
  try {
    rig->prepare(5);
    FAIL();
  } catch (const UserError &error) {
    EXPECT_NE(std::string(error.what()).find("'gone'"), std::string::npos) << error.what();
  }
}
} // namespace sn::test
