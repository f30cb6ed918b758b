// Accuracy of the elementary functions against double precision, over a sample of all floats, with and without flushed
// denormals.
#include "test/unit/target/Loaded.h"
#include <cfloat>
#include <cmath>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <pmmintrin.h>
#include <xmmintrin.h>

namespace sn::target {
namespace {
constexpr float kInf = INFINITY;

/// Workers of the runtime flush denormals; slots also run without.
class DenormalMode {
public:
  explicit DenormalMode(bool flush) : before(_mm_getcsr()) {
    _MM_SET_FLUSH_ZERO_MODE(flush ? _MM_FLUSH_ZERO_ON : _MM_FLUSH_ZERO_OFF);
    _MM_SET_DENORMALS_ZERO_MODE(flush ? _MM_DENORMALS_ZERO_ON : _MM_DENORMALS_ZERO_OFF);
  }
  ~DenormalMode() { _mm_setcsr(before); }

private:
  unsigned before;
};

/// Every 3001st normal float, of all exponents and both signs, and special values.
std::vector<float> sampleOfAllFloats() {
  std::vector<float> values = {0.f, -0.f,    1.f,      -1.f,    kInf,     -kInf,
                               NAN, FLT_MIN, -FLT_MIN, FLT_MAX, -FLT_MAX, FLT_EPSILON};
  for (uint64_t bits = 0; bits < (uint64_t(1) << 32); bits += 3001) {
    float value = std::bit_cast<float>(static_cast<uint32_t>(bits));
    if (std::isnormal(value))
      values.push_back(value);
  }
  return values;
}
/// `count` floats from low to high inclusive, evenly spaced.
std::vector<float> grid(double low, double high, int count) {
  std::vector<float> values;
  for (int i = 0; i < count; ++i)
    values.push_back(static_cast<float>(low + (high - low) * i / (count - 1)));
  return values;
}

/// |got - want| / |want|, where results below the normal range count as zero. Infinities and NaN agree or are
/// infinitely wrong.
double relativeError(float got, double want) {
  if (std::isnan(want) || std::isnan(got))
    return std::isnan(want) && std::isnan(got) ? 0 : kInf;
  if (std::fabs(want) > FLT_MAX)
    return std::signbit(want) == std::signbit(got) && std::fabs(got) >= FLT_MAX ? 0 : kInf;
  if (std::fabs(want) < FLT_MIN)
    return std::fabs(got) <= FLT_MIN ? 0 : kInf;
  return std::fabs((got - want) / want);
}
double absoluteError(float got, double want) {
  return std::isnan(want) && std::isnan(got) ? 0 : std::fabs(got - want) <= kInf ? std::fabs(got - want) : kInf;
}

struct Function {
  std::string name, body; // of %a0
  std::function<double(double)> reference;
  double bound;
  std::function<double(float, double)> error = relativeError;
};

const char *kSoftplus = R"(
  %zero = arith.constant 0.0 : f32
  %c = arith.cmpf ogt, %a0, %zero : f32
  %m = arith.select %c, %a0, %zero : f32
  %abs = math.absf %a0 : f32
  %neg = arith.negf %abs : f32
  %e = math.exp %neg : f32
  %l = math.log1p %e : f32
  %s = arith.addf %m, %l : f32
  return %s : f32)";
const char *kSigmoid = R"(
  %one = arith.constant 1.0 : f32
  %n = arith.negf %a0 : f32
  %e = math.exp %n : f32
  %d = arith.addf %one, %e : f32
  %y = arith.divf %one, %d : f32
  return %y : f32)";

double softplus(double z) { return std::max(z, 0.0) + std::log1p(std::exp(-std::fabs(z))); }
double sigmoid(double z) { return 1 / (1 + std::exp(-z)); }
std::string unary(const std::string &op) { return fmt::format("%r = math.{} %a0 : f32\nreturn %r : f32", op); }

const std::vector<Function> &functions() {
  static const std::vector<Function> table = {
      {"exp", unary("exp"), [](double x) { return std::exp(x); }, 9e-8},
      {"log", unary("log"), [](double x) { return std::log(x); }, 9e-8},
      {"log1p", unary("log1p"), [](double x) { return std::log1p(x); }, 1.2e-7},
      {"tanh", unary("tanh"), [](double x) { return std::tanh(x); }, 1.8e-7},
      {"softplus", kSoftplus, softplus, 1.5e-7},
      {"sigmoid", kSigmoid, sigmoid, 1e-7, absoluteError},
      {"cos", unary("cos"), [](double x) { return std::fabs(x) <= 0x1p26 ? std::cos(x) : NAN; }, 3.5e-8, absoluteError},
  };
  return table;
}

TEST(VectorMath, IsAccurateOnAllFloats) {
  std::string text;
  for (const Function &f : functions())
    text += slotText(f.name, 1, 0, 1, false, f.body);
  Loaded loaded(text);
  std::vector<float> arguments = sampleOfAllFloats();
  for (auto [low, high] : {std::pair(-30., 30.), std::pair(-1., 2.), std::pair(0.5, 1.5), std::pair(-1e-3, 1e-3)})
    for (float x : grid(low, high, 100001))
      arguments.push_back(x);
  for (const Function &f : functions()) {
    std::vector<double> want;
    for (float x : arguments)
      want.push_back(f.reference(x));
    for (bool flush : {false, true})
      for (const std::string &level : levelsHere()) {
        DenormalMode mode(flush);
        double sum = 0;
        std::vector<float> got = apply(loaded.slot(level, f.name), arguments.size(), {arguments}, 1, {}, sum)[0];
        size_t worst = 0;
        double error = 0;
        for (size_t i = 0; i < arguments.size(); ++i)
          if (double e = f.error(got[i], want[i]); e > error) {
            error = e;
            worst = i;
          }
        EXPECT_LE(error, f.bound) << f.name << "(" << arguments[worst] << ") on " << level << (flush ? ", flushed" : "")
                                  << ": " << got[worst] << " instead of " << want[worst];
      }
  }
}

TEST(VectorMath, PowFollowsC) {
  Loaded loaded(slotText("pow", 2, 0, 1, false, "%r = math.powf %a0, %a1 : f32\nreturn %r : f32"));
  std::vector<float> values = {0.f,        -0.f,        1.f,   -1.f,    kInf,     -kInf,  NAN,     2.f,
                               -2.f,       3.f,         -3.f,  0.5f,    -0.5f,    0.75f,  1.0001f, 0.9999f,
                               16777215.f, -16777217.f, 1e30f, FLT_MIN, -FLT_MIN, FLT_MAX};
  for (float x : grid(0.01, 20, 150))
    values.push_back(x);
  std::vector<float> bases, exponents;
  for (float a : values)
    for (float b : values) {
      bases.push_back(a);
      exponents.push_back(b);
    }
  for (const std::string &level : levelsHere()) {
    double sum = 0;
    std::vector<float> got = apply(loaded.slot(level, "pow"), bases.size(), {bases, exponents}, 1, {}, sum)[0];
    for (size_t i = 0; i < got.size(); ++i) {
      double want = std::pow(double(bases[i]), double(exponents[i]));
      EXPECT_LE(relativeError(got[i], want), 6.5e-8)
          << bases[i] << "^" << exponents[i] << " on " << level << ": " << got[i] << " instead of " << want;
      if (want == 0 && !std::isnan(got[i])) {
        EXPECT_EQ(std::signbit(got[i]), std::signbit(want)) << bases[i] << "^" << exponents[i] << " on " << level;
      }
    }
  }
}

// Only the approximations fuse multiplications with additions, and in the same places on both levels.
TEST(VectorMath, Level3And4AgreeBitForBit) {
  if (levelsHere().size() < 3)
    GTEST_SKIP() << "this machine has no AVX-512";
  std::string text;
  for (const Function &f : functions())
    text += slotText(f.name, 1, 0, 1, false, f.body);
  Loaded loaded(text);
  std::vector<float> arguments = sampleOfAllFloats();
  for (const Function &f : functions()) {
    double sum = 0;
    auto a = apply(loaded.slot("x86-64-v3", f.name), arguments.size(), {arguments}, 1, {}, sum)[0];
    auto b = apply(loaded.slot("x86-64-v4", f.name), arguments.size(), {arguments}, 1, {}, sum)[0];
    size_t different = 0;
    for (size_t i = 0; i < a.size(); ++i)
      different +=
          std::isnan(a[i]) ? !std::isnan(b[i]) : std::bit_cast<uint32_t>(a[i]) != std::bit_cast<uint32_t>(b[i]);
    EXPECT_EQ(different, 0u) << f.name;
  }
}
} // namespace
} // namespace sn::target
