// Tensor-core products and asynchronous copies of the emulator, against plain loops.
#include "test/emulator/Launch.h"
#include <cmath>
#include <gtest/gtest.h>
#include <vector>
// after the standard headers
#include "test/emulator/cuda.h"
// after it
#include "kernels-templates/cuda/tensor_core.cuh"

namespace {
using sn::emulator::launch;

std::vector<float> numbers(size_t count, float step) {
  std::vector<float> result(count);
  for (size_t i = 0; i < count; ++i)
    result[i] = std::sin(step * static_cast<float>(i + 1)) * 3;
  return result;
}
float product(const std::vector<float> &a, const std::vector<float> &b, size_t inner, size_t row, size_t column) {
  double sum = 0;
  for (size_t k = 0; k < inner; ++k)
    sum += double(a[row * inner + k]) * b[k * 8 + column];
  return static_cast<float>(sum);
}

// Values that the formats hold, so that results are exact but for the order of additions.
void keep(std::vector<float> &values, unsigned dropped) {
  for (float &value : values)
    value = __uint_as_float(__float_as_uint(value) & ~((1u << dropped) - 1));
}

TEST(Tensor, Tf32ProductIsTheProductOfItsFragments) {
  std::vector<float> a = numbers(16 * 8, 0.7f), b = numbers(8 * 8, 1.3f), d(16 * 8, NAN);
  keep(a, 13);
  keep(b, 13);
  launch(1, 1, 32, 0, [&] {
    const unsigned group = threadIdx.x / 4, t = threadIdx.x % 4;
    const unsigned left[4] = {sn::cuda::tf32Bits(a[group * 8 + t]), sn::cuda::tf32Bits(a[(group + 8) * 8 + t]),
                              sn::cuda::tf32Bits(a[group * 8 + t + 4]), sn::cuda::tf32Bits(a[(group + 8) * 8 + t + 4])};
    const unsigned right[2] = {sn::cuda::tf32Bits(b[t * 8 + group]), sn::cuda::tf32Bits(b[(t + 4) * 8 + group])};
    float sums[4] = {1, 1, 1, 1};
    sn::cuda::mmaTf32(sums, left, right);
    for (unsigned i = 0; i < 4; ++i)
      d[(group + i / 2 * 8) * 8 + t * 2 + i % 2] = sums[i];
  });
  for (size_t row = 0; row < 16; ++row)
    for (size_t column = 0; column < 8; ++column)
      EXPECT_NEAR(d[row * 8 + column], product(a, b, 8, row, column) + 1, 1e-5) << row << " " << column;
}

TEST(Tensor, Bf16ProductIsTheProductOfItsFragments) {
  std::vector<float> a = numbers(16 * 16, 0.7f), b = numbers(16 * 8, 1.3f), d(16 * 8, NAN);
  keep(a, 16);
  keep(b, 16);
  launch(1, 1, 32, 0, [&] {
    const unsigned group = threadIdx.x / 4, t = threadIdx.x % 4;
    unsigned left[4], right[2];
    for (unsigned i = 0; i < 4; ++i) {
      const float *at = &a[(group + i % 2 * 8) * 16 + 2 * t + i / 2 * 8];
      left[i] = sn::cuda::bf16Pair(at[0], at[1]);
    }
    for (unsigned i = 0; i < 2; ++i)
      right[i] = sn::cuda::bf16Pair(b[(2 * t + i * 8) * 8 + group], b[(2 * t + 1 + i * 8) * 8 + group]);
    float sums[4] = {};
    sn::cuda::mmaBf16(sums, left, right);
    for (unsigned i = 0; i < 4; ++i)
      d[(group + i / 2 * 8) * 8 + t * 2 + i % 2] = sums[i];
  });
  for (size_t row = 0; row < 16; ++row)
    for (size_t column = 0; column < 8; ++column)
      EXPECT_NEAR(d[row * 8 + column], product(a, b, 16, row, column), 1e-5) << row << " " << column;
}

TEST(Tensor, RoundingIsThatOfThePtxConversions) {
  EXPECT_EQ(sn::cuda::tf32Bits(1 + 0x1p-11f), __float_as_uint(1 + 0x1p-10f)); // a tie, away from zero
  EXPECT_EQ(sn::cuda::tf32Bits(-1 - 0x1p-11f), __float_as_uint(-1 - 0x1p-10f));
  EXPECT_EQ(sn::cuda::tf32Bits(1 + 0x1p-12f), __float_as_uint(1));
  EXPECT_EQ(sn::cuda::tf32Bits(INFINITY), 0x7f800000u);
  EXPECT_TRUE(std::isnan(__uint_as_float(sn::cuda::tf32Bits(NAN))));
  EXPECT_EQ(sn::cuda::bf16Pair(1 + 0x1p-8f, 1 + 0x3p-8f), 0x3f82'3f80u); // ties, to even
  EXPECT_EQ(sn::cuda::bf16Pair(NAN, -INFINITY), 0xff80'7fffu);
}

TEST(Tensor, CopiesArriveWhenTheyAreWaitedFor) {
  alignas(16) float from[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  std::vector<float> early(32), first(32), second(32), partial(32);
  launch(1, 1, 32, 32 * 48, [&] {
    const unsigned t = threadIdx.x;
    float *shared = sn::cuda::dynamicShared<float>() + t * 12;
    sn::cuda::copyAsync<16>(shared, from);
    sn::cuda::commitCopies();
    sn::cuda::copyAsync<16>(shared + 4, from + 4);
    sn::cuda::copyAsync<8>(shared + 8, from + 4, 4);
    sn::cuda::commitCopies();
    early[t] = shared[0];
    sn::cuda::waitCopies<1>();
    first[t] = shared[0] + shared[3] + (shared[4] != shared[4] ? 100 : 0);
    sn::cuda::waitCopies<0>();
    second[t] = shared[4] + shared[7];
    partial[t] = shared[8] * 10 + shared[9];
  });
  for (size_t t = 0; t < 32; ++t) {
    EXPECT_TRUE(std::isnan(early[t]));
    EXPECT_EQ(first[t], 105);
    EXPECT_EQ(second[t], 13);
    EXPECT_EQ(partial[t], 50);
  }
}
} // namespace
