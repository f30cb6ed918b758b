// Stochastic rounding of BF16 weights: what a place is rounded to, its statistics, the independence of its random
// numbers.
#include <functional>
// after the standard headers
#include "test/unit/cuda/PointwiseRig.h"
// last
#include "test/unit/cuda/Bf16Rig.h"

namespace sn::test {
namespace {
constexpr float kLargest = 0x1.fep127f; // finite, of BF16

float bitsAsFloat(uint32_t bits) { return __uint_as_float(bits); }

/// Stores as kernels do.
class Rounds {
public:
  explicit Rounds(Int places, unsigned stream = 3) : memory(static_cast<size_t>(places)) {
    frame.seed = 99;
    args.frame = &frame;
    trained.value = handle(memory);
    trained.stream = stream;
  }
  /// `value` at all places in this step.
  template <Rounding For = Rounding::Update> const Halves &store(float value, Int step) {
    frame.step = step;
    for (size_t i = 0; i < memory.size(); ++i)
      Bf16Weights::store<For>(args, trained, static_cast<Int>(i), value);
    return memory;
  }
  const Halves &store4(float value, Int step) {
    frame.step = step;
    for (size_t i = 0; i < memory.size(); i += 4)
      Bf16Weights::store4(args, trained, static_cast<Int>(i), make_float4(value, value, value, value));
    return memory;
  }
  float load(size_t i) const { return Bf16Weights::load(trained.value, static_cast<Int>(i)); }

  Frame frame;
  StepArgs args;
  Trained trained;
  Halves memory;
};

/// Over many places and steps: one of the two neighbours each time, up as often as keeps the mean, within four standard
/// deviations of a fair draw.
TEST(Rounding, KeepsTheMean) {
  constexpr Int kPlaces = 4096, kSteps = 50;
  constexpr double kCount = kPlaces * kSteps;
  for (double share : {0.5, 0.25, 0.99, 0.01, 1.0 / 65536})
    for (float low : {1.0f, -3.0f, 0x1.02p-100f, 1e30f, 0x1p-126f, bitsAsFloat(0x00010000) /* denormal */, 0.0f}) {
      const float lower = rt::cuda::floatOf(rt::cuda::bf16Of(low));
      const auto above = static_cast<uint16_t>(rt::cuda::bf16Of(low) + 1);
      const float upper = rt::cuda::floatOf(above);
      // Exact in floats: the two are 2^16 floats apart.
      const float value = bitsAsFloat(__float_as_uint(lower) + static_cast<uint32_t>(std::lround(share * 65536)));
      Rounds rounds(kPlaces);
      double up = 0;
      for (Int step = 1; step <= kSteps; ++step) {
        rounds.store(value, step);
        for (size_t i = 0; i < rounds.memory.size(); ++i) {
          const float stored = rounds.load(i);
          ASSERT_TRUE(stored == lower || stored == upper) << stored << " for " << value;
          up += stored == upper;
        }
      }
      const double p = std::lround(share * 65536) / 65536.0;
      EXPECT_NEAR(up, kCount * p, 4 * std::sqrt(kCount * p * (1 - p))) << value;
    }
}

/// What is lost to the nearest neighbour adds up here: 4,096 steps of 2^-12.
TEST(Rounding, SmallUpdatesAddUp) {
  constexpr Int kPlaces = 512;
  Rounds rounds(kPlaces);
  rounds.store(1, 0);
  for (Int step = 1; step <= 4096; ++step) {
    rounds.frame.step = step;
    for (Int i = 0; i < kPlaces; ++i)
      Bf16Weights::store(rounds.args, rounds.trained, i, Bf16Weights::load(rounds.trained.value, i) + 0x1p-12f);
  }
  double sum = 0;
  for (size_t i = 0; i < rounds.memory.size(); ++i)
    sum += rounds.load(i);
  // The variance of a step is p (1 - p) of a neighbour's squared distance, 2^-7 below 2 and 2^-6 above.
  const double most = 4096 * 0x1p-6 * 0x1p-12;
  EXPECT_NEAR(sum / kPlaces, 2, 4 * std::sqrt(most / kPlaces));
}

TEST(Rounding, WhatBf16HoldsStays) {
  Rounds rounds(64);
  for (uint32_t upper = 0; upper < 65536; upper += 7) {
    const float value = rt::cuda::floatOf(static_cast<uint16_t>(upper));
    rounds.store(value, upper);
    for (uint16_t stored : rounds.memory) {
      if (std::isnan(value))
        ASSERT_TRUE(std::isnan(rt::cuda::floatOf(stored)));
      else
        ASSERT_EQ(stored, upper);
    }
  }
}
TEST(Rounding, NothingFiniteBecomesInfiniteAndNoNumberStaysNone) {
  Rounds rounds(4096);
  for (float value : {std::numeric_limits<float>::max(), -std::numeric_limits<float>::max(), bitsAsFloat(0x7f7f0001)}) {
    rounds.store(value, 1);
    for (size_t i = 0; i < rounds.memory.size(); ++i)
      ASSERT_EQ(rounds.load(i), std::copysign(kLargest, value));
  }
  for (float value : {INFINITY, -INFINITY}) {
    rounds.store(value, 2);
    for (size_t i = 0; i < rounds.memory.size(); ++i)
      ASSERT_EQ(rounds.load(i), value);
  }
  for (uint32_t bits : {0x7fc00000u, 0x7f800001u, 0xff800001u, 0x7fffffffu, 0xffffffffu}) { // also those of low bits
    rounds.store(bitsAsFloat(bits), 3);
    for (size_t i = 0; i < rounds.memory.size(); ++i)
      ASSERT_TRUE(std::isnan(rounds.load(i))) << bits;
  }
  rounds.store(-0.0f, 4);
  EXPECT_TRUE(std::signbit(rounds.load(0)));
  rounds.store(bitsAsFloat(0x80000001u), 5); // the denormal next to -0
  for (size_t i = 0; i < rounds.memory.size(); ++i)
    ASSERT_TRUE(std::signbit(rounds.load(i)));
}
TEST(Rounding, FourAtOnceAreTheSameBits) {
  Rounds one(1024), four(1024);
  for (float value : {0.1f, -7.3f, 3.4e38f})
    EXPECT_EQ(one.store(value, 12), four.store4(value, 12));
}
TEST(Rounding, LoadsOfFour) {
  Random random(2);
  Halves memory = narrowed(randomFloats(random, 64));
  for (Int i = 0; i < 64; i += 4) {
    const float4 four = Bf16Weights::load4(handle(memory), i);
    const float each[] = {four.x, four.y, four.z, four.w};
    for (Int n = 0; n < 4; ++n) {
      EXPECT_EQ(each[n], Bf16Weights::load(handle(memory), i + n));
      EXPECT_EQ(each[n], rt::cuda::floatOf(memory[static_cast<size_t>(i + n)]));
    }
  }
}

/// +1 where a place goes up, -1 where it goes down, half of them each.
std::vector<int> signsOf(const Halves &stored, uint16_t below) {
  std::vector<int> signs;
  for (uint16_t value : stored)
    signs.push_back(value == below ? -1 : 1);
  return signs;
}
/// The mean of a product of fair signs that know nothing of each other is 0 with a standard deviation of 1/sqrt(n).
void expectIndependent(const std::vector<int> &a, const std::vector<int> &b, size_t shift, const char *what) {
  double sum = 0;
  const size_t count = a.size() - shift;
  for (size_t i = 0; i < count; ++i)
    sum += a[i] * b[i + shift];
  EXPECT_LT(std::fabs(sum), 4 * std::sqrt(static_cast<double>(count))) << what << ", shift " << shift;
}
TEST(Rounding, PlacesStepsStreamsAndPurposesAreIndependent) {
  constexpr Int kPlaces = 1 << 16;
  const float half = bitsAsFloat(0x3f808000u); // half-way between 1 and the next
  const uint16_t below = rt::cuda::bf16Of(1.0f);
  Rounds rounds(kPlaces), other(kPlaces, 4);
  const std::vector<int> first = signsOf(rounds.store(half, 1), below);
  for (size_t shift : {1, 2, 3, 4, 5, 8, 32, 256}) // neighbours of a block of random numbers, and others
    expectIndependent(first, first, shift, "places");
  expectIndependent(first, signsOf(rounds.store(half, 2), below), 0, "steps");
  expectIndependent(first, signsOf(rounds.store<Rounding::Scaling>(half, 1), below), 0, "purposes");
  expectIndependent(first, signsOf(other.store(half, 1), below), 0, "streams");
  rounds.frame.seed = 100;
  expectIndependent(first, signsOf(rounds.store(half, 1), below), 0, "seeds");
  rounds.frame.seed = 99;
  EXPECT_EQ(first, signsOf(rounds.store(half, 1), below)); // the same again
}
} // namespace
} // namespace sn::test
