// The loop around a slot: lengths, tails, aliasing, sums; and what compileSlots refuses.
#include "compiler/Target/Cpu/Slots.h"
#include "test/unit/target/Loaded.h"
#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <random>

namespace sn::target {
namespace {
std::vector<float> random(size_t n, double low, double high, uint32_t seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> draw(low, high);
  std::vector<float> values(n);
  for (float &value : values)
    value = draw(engine);
  return values;
}

// Background of a sigmoid output with cross-entropy: z = a0 + a1; y; softplus(z).
const char *kBackground = R"(
  %one = arith.constant 1.0 : f32
  %zero = arith.constant 0.0 : f32
  %z = arith.addf %a0, %a1 : f32
  %n = arith.negf %z : f32
  %e = math.exp %n : f32
  %d = arith.addf %e, %one : f32
  %y = arith.divf %one, %d : f32
  %c = arith.cmpf ogt, %z, %zero : f32
  %m = arith.select %c, %z, %zero : f32
  %abs = math.absf %z : f32
  %neg = arith.negf %abs : f32
  %t = math.exp %neg : f32
  %l = math.log1p %t : f32
  %s = arith.addf %m, %l : f32
  return %y, %s : f32, f32)";
// max(0, a0) where 0.5 < a1 or a1 <= -0.5, else a2 * a3 with the scalar a3.
const char *kSelects = R"(
  %zero = arith.constant 0.0 : f32
  %half = arith.constant 0.5 : f32
  %minus = arith.constant -0.5 : f32
  %c = arith.cmpf ole, %a0, %zero : f32
  %relu = arith.select %c, %zero, %a0 : f32
  %above = arith.cmpf olt, %half, %a1 : f32
  %below = arith.cmpf ole, %a1, %minus : f32
  %either = arith.ori %above, %below : i1
  %product = arith.mulf %a2, %a3 : f32
  %r = arith.select %either, %relu, %product : f32
  return %r : f32)";
// An update with decay: inputs w g m v; scalars rate mu 1-mu mu1 1-mu1 correction lambda; outputs w m; sum lambda/2
// w^2.
const char *kUpdate = R"(
  %half = arith.constant 0.5 : f32
  %tiny = arith.constant 1.0e-8 : f32
  %decay = arith.mulf %a10, %a0 : f32
  %g = arith.subf %a1, %decay : f32
  %m0 = arith.mulf %a5, %a2 : f32
  %m1 = arith.mulf %a6, %g : f32
  %m = arith.addf %m0, %m1 : f32
  %gg = arith.mulf %g, %g : f32
  %v0 = arith.mulf %a7, %a3 : f32
  %v1 = arith.mulf %a8, %gg : f32
  %v = arith.addf %v0, %v1 : f32
  %vc = arith.mulf %v, %a9 : f32
  %root = math.sqrt %vc : f32
  %den = arith.addf %root, %tiny : f32
  %num = arith.mulf %a4, %m : f32
  %step = arith.divf %num, %den : f32
  %w = arith.addf %a0, %step : f32
  %hl = arith.mulf %a10, %half : f32
  %ww = arith.mulf %a0, %a0 : f32
  %r = arith.mulf %hl, %ww : f32
  return %w, %m, %r : f32, f32, f32)";

struct Case {
  std::string name, body;
  int inputs, scalars, outputs;
  bool sum;
  std::vector<float> values; // of the scalars
  /// in, scalars -> outputs, contribution
  std::function<std::vector<double>(const std::vector<double> &)> reference;
};

const std::vector<Case> &cases() {
  static const std::vector<Case> table = {
      {"background",
       kBackground,
       2,
       0,
       1,
       true,
       {},
       [](const std::vector<double> &a) -> std::vector<double> {
         double z = a[0] + a[1];
         return {1 / (1 + std::exp(-z)), std::max(z, 0.0) + std::log1p(std::exp(-std::fabs(z)))};
       }},
      {"selects",
       kSelects,
       3,
       1,
       1,
       false,
       {0.75f},
       [](const std::vector<double> &a) -> std::vector<double> {
         return {a[1] > 0.5 || a[1] <= -0.5 ? std::max(a[0], 0.0) : a[2] * a[3]};
       }},
      {"update",
       kUpdate,
       4,
       7,
       2,
       true,
       {0.01f, 0.9f, 0.1f, 0.999f, 0.001f, 1.5f, 0.02f},
       [](const std::vector<double> &a) -> std::vector<double> {
         double g = a[1] - a[10] * a[0], m = a[5] * a[2] + a[6] * g, v = a[7] * std::fabs(a[3]) + a[8] * g * g;
         return {a[0] + a[4] * m / (std::sqrt(v * a[9]) + 1e-8), m, a[10] / 2 * a[0] * a[0]};
       }},
      {"sum_only", "return %a0 : f32", 1, 0, 0, true, {}, [](const std::vector<double> &a) { return a; }},
      {"constant", "return %a0 : f32", 0, 1, 1, false, {2.5f}, [](const std::vector<double> &a) { return a; }},
  };
  return table;
}

std::string textOfCases() {
  std::string text;
  for (const Case &c : cases())
    text += slotText(c.name, c.inputs, c.scalars, c.outputs + c.sum, c.sum, c.body);
  return text;
}
const Loaded &loadedCases() {
  static const Loaded loaded(textOfCases());
  return loaded;
}
std::vector<std::vector<float>> inputsOf(const Case &c, size_t n) {
  std::vector<std::vector<float>> in;
  for (int i = 0; i < c.inputs; ++i)
    in.push_back(random(n, i == 3 ? 0 : -3, 3, 17 * i + 1)); // the fourth input is a second moment
  return in;
}

TEST(Slots, MatchDoublePrecisionForEveryLength) {
  for (const std::string &level : levelsHere())
    for (const Case &c : cases())
      for (int64_t n : {0, 1, 15, 16, 17, 1000}) {
        // Odd addresses of floats, and sentinels around the outputs.
        auto in = inputsOf(c, n + 1);
        std::vector<std::vector<float>> out(c.outputs, std::vector<float>(n + 2, -77.f));
        std::vector<const float *> inSpans;
        std::vector<float *> outSpans;
        for (auto &span : in)
          inSpans.push_back(span.data() + 1);
        for (auto &span : out)
          outSpans.push_back(span.data() + 1);
        double sum = 3, wantSum = 3;
        loadedCases().slot(level, c.name)(n, inSpans.data(), outSpans.data(), c.values.data(), &sum);
        for (int64_t i = 0; i < n; ++i) {
          std::vector<double> arguments;
          for (auto &span : in)
            arguments.push_back(span[i + 1]);
          arguments.insert(arguments.end(), c.values.begin(), c.values.end());
          std::vector<double> want = c.reference(arguments);
          for (int k = 0; k < c.outputs; ++k)
            ASSERT_NEAR(out[k][i + 1], want[k], 1e-6 * std::max(1.0, std::fabs(want[k])))
                << c.name << " output " << k << " element " << i << " of " << n << " on " << level;
          wantSum += c.sum ? want.back() : 0;
        }
        EXPECT_NEAR(sum, wantSum, 2e-7 * std::max(1.0, std::fabs(wantSum))) << c.name << " n " << n << " on " << level;
        for (auto &span : out) {
          EXPECT_EQ(span.front(), -77.f) << c.name << " wrote before its span";
          EXPECT_EQ(span.back(), -77.f) << c.name << " wrote past its span";
        }
      }
}

TEST(Slots, AnElementsValueDoesNotDependOnItsPlace) {
  for (const std::string &level : levelsHere())
    for (const Case &c : cases()) {
      const int64_t n = 70;
      auto in = inputsOf(c, n);
      double sum = 0, ignored = 0;
      auto whole = apply(loadedCases().slot(level, c.name), n, in, c.outputs, c.values, sum);
      for (int64_t i = 0; i < n; ++i) {
        std::vector<std::vector<float>> one;
        for (auto &span : in)
          one.push_back({span[i]});
        auto single = apply(loadedCases().slot(level, c.name), 1, one, c.outputs, c.values, ignored);
        for (int k = 0; k < c.outputs; ++k)
          EXPECT_EQ(whole[k][i], single[k][0]) << c.name << " element " << i << " on " << level;
      }
    }
}

TEST(Slots, AnOutputMayBeAnInputsMemory) {
  const Case &c = cases()[2];
  for (const std::string &level : levelsHere())
    for (int64_t n : {5, 16, 100}) {
      auto in = inputsOf(c, n);
      double sum = 0, aliasedSum = 0;
      auto want = apply(loadedCases().slot(level, c.name), n, in, 2, c.values, sum);
      const float *spans[] = {in[0].data(), in[1].data(), in[2].data(), in[3].data()};
      float *outSpans[] = {in[0].data(), in[2].data()}; // w and m in place
      loadedCases().slot(level, c.name)(n, spans, outSpans, c.values.data(), &aliasedSum);
      EXPECT_EQ(in[0], want[0]) << n << " on " << level;
      EXPECT_EQ(in[2], want[1]) << n << " on " << level;
      EXPECT_EQ(aliasedSum, sum);
    }
}

TEST(Slots, TheSumHasSixteenLanesAndAFixedTree) {
  const int64_t n = 1003;
  std::vector<float> x = random(n, -1e6, 1e6, 5);
  double lanes[16] = {};
  for (int64_t i = 0; i < n; ++i)
    lanes[i % 16] += x[i];
  for (int distance = 8; distance > 0; distance /= 2)
    for (int i = 0; i < distance; ++i)
      lanes[i] += lanes[i + distance];
  for (const std::string &level : levelsHere()) {
    double sum = 0.25;
    apply(loadedCases().slot(level, "sum_only"), n, {x}, 0, {}, sum);
    EXPECT_EQ(sum, 0.25 + lanes[0]) << level;
  }
}

TEST(Slots, LanesPastTheEndAddNothing) {
  Loaded loaded(slotText("reciprocal", 1, 0, 1, true,
                         "%one = arith.constant 1.0 : f32\n%r = arith.divf %one, %a0 : f32\nreturn %r : f32"));
  for (const std::string &level : levelsHere()) {
    double sum = 0;
    apply(loaded.slot(level, "reciprocal"), 3, {{1, 2, 4}}, 0, {}, sum);
    EXPECT_EQ(sum, 1.75) << level;
  }
}

TEST(Slots, LlvmTextIsVectorCodeOfTheLevel) {
  Parsed parsed(textOfCases());
  auto text = emitLlvmText(*parsed.module, "x86-64-v4");
  ASSERT_TRUE(bool(text));
  EXPECT_NE(text->find("define void @background(i64"), std::string::npos);
  EXPECT_NE(text->find("fdiv <16 x float>"), std::string::npos);
  EXPECT_NE(text->find("\"prefer-vector-width\"=\"512\""), std::string::npos);
  EXPECT_NE(text->find("\"target-cpu\"=\"x86-64-v4\""), std::string::npos);
}

std::string refusal(const std::string &text) {
  Parsed parsed(text);
  auto compiled = compileSlots(*parsed.module);
  return compiled ? "compiled" : llvm::toString(compiled.takeError());
}

TEST(Slots, RefusesWhatIsNoSlot) {
  EXPECT_EQ(refusal(slotText("s", 1, 0, 1, false, "%r = math.sin %a0 : f32\nreturn %r : f32")),
            "slot 's': the CPU target has no math.sin");
  EXPECT_EQ(refusal("func.func @s(%a: f32) -> f32 { return %a : f32 }"),
            "slot 's': slot.inputs and slot.scalars are missing");
  EXPECT_EQ(refusal("func.func @s(%a: f32) -> f32 attributes {slot.inputs = 2, slot.scalars = 0} { return %a : f32 }"),
            "slot 's': slot.inputs and slot.scalars do not add up to the number of arguments");
  EXPECT_EQ(refusal("func.func @s(%a: f32) attributes {slot.inputs = 1, slot.scalars = 0, slot.sum} { return }"),
            "slot 's': slot.sum without a result to add up");
  EXPECT_EQ(refusal("func.func @s(%a: f64) -> f64 attributes {slot.inputs = 1, slot.scalars = 0} { return %a : f64 }"),
            "slot 's': arguments and results are f32");
  EXPECT_EQ(refusal("func.func private @s(f32) -> f32 attributes {slot.inputs = 1, slot.scalars = 0}"),
            "slot 's': the body is one block");
  Parsed parsed(textOfCases());
  auto text = emitLlvmText(*parsed.module, "x86-64-v9");
  ASSERT_FALSE(bool(text));
  EXPECT_EQ(llvm::toString(text.takeError()), "'x86-64-v9' is no instruction set level of the CPU target");
}
} // namespace
} // namespace sn::target
