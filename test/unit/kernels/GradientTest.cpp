// Gradient buffers of csc_update and gemm_update, the fused gradient's scale, and the steps on whole parameters: update
// and limit_norm.
#include "test/unit/kernels/Rig.h"

namespace sn::test {
namespace {
constexpr float kStart = 0.75f; // what the buffers hold before

/// x [rows, inner], a buffer or a data set, and delta [rows, outer]; W [inner, outer], or its transpose.
struct Case {
  int64_t rows = 5, inner = 300, outer = 33;
  std::string layout = "rows";
  bool transposed = false, accumulate = false;
  std::optional<Loader> loader = {}; // none: a buffer
  Form form = {};
  double scale = 1;
  bool buffered = true; // else fused: SGD
  std::string name() const {
    return fmt::format("rows {} inner {} outer {} layout {} transposed {} add {} loader {} {} scale {} buffered {}",
                       rows, inner, outer, layout, transposed, accumulate, loader ? static_cast<int>(*loader) : -1,
                       nameOf(form), scale, buffered);
  }
};
struct Problem {
  static constexpr int64_t kExamples = 50;
  Case at;
  TestData data;
  std::vector<int64_t> ids;
  std::vector<float> x, delta, weights;

  explicit Problem(const Case &at)
      : at(at), data(kExamples, at.inner, at.inner < 10 ? 0.5 : 0.1, 11, at.form), ids(someRows(at.rows, kExamples)),
        x(randomValues(at.rows * at.inner, 12)), delta(randomValues(at.rows * at.outer, 13)),
        weights(randomValues(at.inner * at.outer, 14)) {}
  double input(int64_t r, int64_t k) const {
    return at.loader ? data.input(*at.loader, ids[static_cast<size_t>(r)], k)
                     : static_cast<double>(x[static_cast<size_t>(r * at.inner + k)]);
  }
  /// By the parameter's [in][out]: what the buffer holds afterwards, or the weights after SGD.
  std::vector<double> oracle() const {
    std::vector<double> result(weights.size());
    for (int64_t k = 0; k < at.inner; ++k)
      for (int64_t c = 0; c < at.outer; ++c) {
        double g = 0;
        for (int64_t r = 0; r < at.rows; ++r)
          g += input(r, k) * static_cast<double>(delta[static_cast<size_t>(r * at.outer + c)]);
        g *= -at.scale / static_cast<double>(at.rows);
        const size_t place = static_cast<size_t>(at.transposed ? c * at.inner + k : k * at.outer + c);
        const double w = static_cast<double>(weights[place]);
        const double start = at.accumulate ? static_cast<double>(kStart) : 0;
        result[place] = at.buffered ? g + start : w + 0.1 * (g - 0.01 * w);
      }
    return result;
  }
};

std::vector<float> run(const Problem &p, int threads) {
  const Case &at = p.at;
  Rig rig(threads);
  rig.buffer("x", p.x);
  rig.buffer("delta", p.delta);
  if (at.loader)
    rig.memory.data["x"] = p.data.view(*at.loader);
  rig.parameter("W", at.transposed ? at.outer : at.inner, at.transposed ? at.inner : at.outer, at.layout, p.weights);
  rig.gradientBuffer("g", "W", std::vector<float>(p.weights.size(), kStart));
  plan::Source source = rig.source("x", "W", "", at.transposed);
  source.data = at.loader.has_value();
  source.weightGradient = at.buffered ? "g" : "";
  source.accumulate = at.accumulate;
  source.scale = at.scale;
  rig.step.kernel = at.loader ? "csc_update" : "gemm_update";
  rig.step.sources = {source};
  rig.step.delta = "delta";
  rig.step.columns.value = at.outer;
  rig.step.update = !at.buffered;
  rig.prepare(at.rows);
  rt::Launch launch = rig.launch(p.ids);
  if (at.buffered) {
    EXPECT_EQ(rig.readParameter("W"), p.weights) << at.name();
    EXPECT_EQ(launch.regularization, 0) << at.name();
  }
  return at.buffered ? rig.readGradient("g", "W") : rig.readParameter("W");
}
void expectRight(const Case &at) {
  Problem p(at);
  std::vector<float> got = run(p, 2);
  expectNear(got, p.oracle(), 3e-6, at.name());
  for (int threads : {1, 3})
    EXPECT_EQ(got, run(p, threads)) << at.name();
}
} // namespace

TEST(Gradients, OfBuffersGoToABufferOrScaledToTheOptimizer) {
  for (const char *layout : {"rows", "columns"})
    for (bool transposed : {false, true})
      for (auto [buffered, accumulate] : {std::pair{true, false}, {true, true}, {false, false}})
        for (int64_t rows : {1, 200}) {
          Case at{.rows = rows, .layout = layout, .transposed = transposed, .accumulate = accumulate};
          at.scale = rows == 1 ? 1 : 1.0 / 3;
          at.buffered = buffered;
          expectRight(at);
        }
}

TEST(Gradients, OfDataGoToABufferOrScaledToTheOptimizer) {
  for (const char *layout : {"rows", "columns"})
    for (bool transposed : {false, true})
      for (auto [buffered, accumulate] : {std::pair{true, false}, {true, true}, {false, false}})
        for (Loader loader : {Loader::Dense, Loader::CsrBinary, Loader::CsrAnalog})
          for (const Form &form : {kForms[0], kForms[4]}) {
            Case at{.rows = 70, .layout = layout, .transposed = transposed, .accumulate = accumulate};
            at.loader = loader;
            at.form = form;
            at.scale = 1.0 / 3;
            at.buffered = buffered;
            expectRight(at);
          }
}

namespace {
struct UpdateOutcome {
  std::vector<float> weights, state;
  double regularization;
  bool operator==(const UpdateOutcome &) const = default;
};
UpdateOutcome update(int64_t in, int64_t out, const std::string &layout, bool decays, int states, int threads) {
  Rig rig(threads);
  rig.parameter("W", in, out, layout, randomValues(in * out, 1), states, 0.25f);
  rig.plan.parameters[0].decays = decays;
  rig.gradientBuffer("g", "W", randomValues(in * out, 2));
  rig.step.kernel = "update";
  rig.step.sources = {rig.source("", "W")};
  rig.step.sources[0].weightGradient = "g";
  rig.step.update = true;
  if (states) {
    rig.optimizer.weights = rig.optimizer.bias = "twoStates";
    rig.optimizer.states = {"m", "v"};
  }
  rig.prepare(10);
  const double regularization = rig.launch({0, 1, 2}).regularization;
  return {rig.readParameter("W"), states ? rig.readParameter("W", 1) : std::vector<float>(), regularization};
}
} // namespace

TEST(Update, AppliesTheBufferToTheWholeParameter) {
  for (auto [in, out] : {std::pair<int64_t, int64_t>{1, 1}, {1, 17}, {300, 33}, {513, 150}})
    for (const char *layout : {"rows", "columns"})
      for (bool decays : {false, true}) {
        std::vector<double> wanted;
        double regularization = 0;
        auto w = randomValues(in * out, 1), g = randomValues(in * out, 2);
        for (size_t i = 0; i < w.size(); ++i) {
          const double value = static_cast<double>(w[i]), lambda = decays ? 0.01 : 0;
          wanted.push_back(value + 0.1 * (static_cast<double>(g[i]) - lambda * value));
          regularization += 0.5 * lambda * value * value;
        }
        UpdateOutcome got = update(in, out, layout, decays, 0, 2);
        expectNear(got.weights, wanted, 1e-6, layout);
        EXPECT_NEAR(got.regularization, regularization, 1e-6 * (1 + regularization));
      }
}

TEST(Update, MovesStatesAndBitsDoNotDependOnThreads) {
  UpdateOutcome one = update(513, 150, "columns", true, 2, 1);
  auto w = randomValues(513 * 150, 1), g = randomValues(513 * 150, 2);
  std::vector<double> weights, state;
  for (size_t i = 0; i < w.size(); ++i) {
    const double gradient = static_cast<double>(g[i]), m = 0.9 * 0.25 + gradient, v = 0.125 + gradient * gradient;
    weights.push_back(static_cast<double>(w[i]) + 0.1 * m / (1 + v));
    state.push_back(v);
  }
  expectNear(one.weights, weights, 1e-6, "weights");
  expectNear(one.state, state, 1e-6, "state");
  for (int threads : {2, 3})
    EXPECT_TRUE(one == update(513, 150, "columns", true, 2, threads)) << threads;
  UpdateOutcome decayed = update(513, 150, "rows", true, 0, 1);
  EXPECT_GT(decayed.regularization, 0);
  for (int threads : {2, 3})
    EXPECT_TRUE(decayed == update(513, 150, "rows", true, 0, threads)) << threads;
}

namespace {
std::vector<float> limited(int64_t in, int64_t out, const std::string &layout, const std::vector<float> &w,
                           double limit, bool transposed, int threads) {
  Rig rig(threads);
  rig.parameter("W", in, out, layout, w);
  rig.step.kernel = "limit_norm";
  rig.step.sources = {rig.source("", "W", "", transposed)};
  rig.step.limit = limit;
  rig.prepare(10);
  rig.launch({0, 1});
  return rig.readParameter("W");
}
} // namespace

TEST(LimitNorm, ScalesColumnsAboveTheLimit) {
  for (auto [in, out] :
       {std::pair<int64_t, int64_t>{1, 1}, {3, 17}, {300, 33}, {7, 1200}, {5000, 3}, {5000, 1}, {17000, 20}})
    for (const char *layout : {"rows", "columns"})
      for (bool transposed : {false, true}) {
        auto w = randomValues(in * out, 1);
        const int64_t columns = transposed ? in : out, length = transposed ? out : in;
        auto at = [&](int64_t k, int64_t c) { return static_cast<size_t>(transposed ? c * out + k : k * out + c); };
        for (int64_t c = 0; c < columns; c += 3) // a third of them short
          for (int64_t k = 0; k < length; ++k)
            w[at(k, c)] *= 0.1f;
        const double limit = 0.3 * std::sqrt(static_cast<double>(length));
        std::vector<double> wanted = widened(w);
        int64_t scaled = 0;
        for (int64_t c = 0; c < columns; ++c) {
          double squares = 0;
          for (int64_t k = 0; k < length; ++k)
            squares += wanted[at(k, c)] * wanted[at(k, c)];
          if (std::sqrt(squares) <= limit)
            continue;
          ++scaled;
          for (int64_t k = 0; k < length; ++k)
            wanted[at(k, c)] *= limit / std::sqrt(squares);
        }
        std::vector<float> got = limited(in, out, layout, w, limit, transposed, 2);
        std::string what = fmt::format("in {} out {} layout {} transposed {}", in, out, layout, transposed);
        expectNear(got, wanted, 1e-6, what);
        EXPECT_TRUE(columns < 10 || (scaled > 0 && scaled < columns)) << what;
        for (int64_t c = 0; c < columns; c += 3)
          EXPECT_EQ(got[at(0, c)], w[at(0, c)]) << what << ": short columns keep their bits";
        for (int threads : {1, 3})
          EXPECT_EQ(got, limited(in, out, layout, w, limit, transposed, threads)) << what;
      }
}

TEST(LimitNorm, NumbersThatAreNoneStayAsTheyAre) {
  std::vector<float> w = {NAN, 3, 1, 4};
  std::vector<float> got = limited(2, 2, "rows", w, 1, false, 1);
  EXPECT_TRUE(std::isnan(got[0]));
  EXPECT_EQ(got[2], 1);
  EXPECT_FLOAT_EQ(got[1], 0.6f);
  EXPECT_FLOAT_EQ(got[3], 0.8f);
}
} // namespace sn::test
