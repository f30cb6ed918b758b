// MmaTile against products in doubles, and the fragments it is made of against the formulas of the PTX manual.
#include "test/emulator/Launch.h"
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <set>
#include <vector>
// Device text comes after everything else.
#include "test/emulator/cuda.h"
//
#include "kernels-templates/cuda/mma_tile.cuh"

namespace sn::test::mma {
using namespace sn::cuda;
namespace {
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr int kSide = 64;

// ---- Fragments

struct Place {
  int row, column;
  friend auto operator<=>(const Place &, const Place &) = default;
};
/// Element `i` that lane `lane` holds of a fragment.
using Layout = Place (*)(int lane, int i);

// PTX ISA, 9.7.14.5.7 "Matrix Fragments for mma.m16n8k8", .tf32 (figures 72, 75, 77): the manual's cases as they stand,
// with groupID = %laneid >> 2 and threadID_in_group = %laneid % 4.
Place tf32A(int lane, int i) {
  const int groupID = lane >> 2, threadID_in_group = lane % 4;
  return {i == 0 || i == 2 ? groupID : groupID + 8, i == 0 || i == 1 ? threadID_in_group : threadID_in_group + 4};
}
Place tf32B(int lane, int i) {
  const int groupID = lane >> 2, threadID_in_group = lane % 4;
  return {i == 0 ? threadID_in_group : threadID_in_group + 4, groupID};
}
Place accumulator(int lane, int i) { // the same for both
  const int groupID = lane >> 2, threadID_in_group = lane % 4;
  return {i < 2 ? groupID : groupID + 8, threadID_in_group * 2 + (i & 0x1)};
}
// 9.7.14.5.8 "Matrix Fragments for mma.m16n8k16 with floating point type", .bf16 (figures 79, 81, 83). Two elements are
// in a register, "elements (low to high)".
Place bf16A(int lane, int i) {
  const int groupID = lane >> 2, threadID_in_group = lane % 4;
  return {(0 <= i && i < 2) || (4 <= i && i < 6) ? groupID : groupID + 8,
          i < 4 ? threadID_in_group * 2 + (i & 0x1) : threadID_in_group * 2 + (i & 0x1) + 8};
}
Place bf16B(int lane, int i) {
  const int groupID = lane >> 2, threadID_in_group = lane % 4;
  return {i < 2 ? threadID_in_group * 2 + (i & 0x1) : threadID_in_group * 2 + (i & 0x1) + 8, groupID};
}

void expectAllOnce(Layout layout, int elements, int rows, int columns) {
  std::set<Place> places;
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < elements; ++i) {
      const Place at = layout(lane, i);
      EXPECT_TRUE(at.row >= 0 && at.row < rows && at.column >= 0 && at.column < columns);
      EXPECT_TRUE(places.insert(at).second) << at.row << ", " << at.column << " twice";
    }
  EXPECT_EQ(places.size(), static_cast<size_t>(rows * columns));
}
TEST(CudaMmaTile, TablesHoldEveryElementOnce) {
  expectAllOnce(tf32A, 4, 16, 8);
  expectAllOnce(tf32B, 2, 8, 8);
  expectAllOnce(bf16A, 8, 16, 16);
  expectAllOnce(bf16B, 4, 16, 8);
  expectAllOnce(accumulator, 4, 16, 8);
}

unsigned bitsOf(float x) {
  unsigned bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

/// One mma whose fragments are made by the tables: small whole numbers, so that the product is exact in any order.
template <bool Bf16> void checkFragments() {
  constexpr int kInner = Bf16 ? 16 : 8;
  std::mt19937 random(3);
  float a[16][kInner], b[kInner][8], d[16][8];
  const auto draw = [&](auto &matrix) {
    for (auto &row : matrix)
      for (float &value : row)
        value = static_cast<float>(static_cast<int>(random() % 255) - 127);
  };
  draw(a), draw(b), draw(d);
  unsigned left[32][4] = {}, right[32][2] = {};
  float sums[32][4];
  for (int lane = 0; lane < 32; ++lane) {
    for (int i = 0; i < 4; ++i) {
      const Place at = accumulator(lane, i);
      sums[lane][i] = d[at.row][at.column];
    }
    for (int i = 0; i < (Bf16 ? 8 : 4); ++i) {
      const Place at = Bf16 ? bf16A(lane, i) : tf32A(lane, i);
      const unsigned bits = bitsOf(a[at.row][at.column]);
      left[lane][Bf16 ? i / 2 : i] |= Bf16 ? bits >> 16 << (i % 2 * 16) : bits;
    }
    for (int i = 0; i < (Bf16 ? 4 : 2); ++i) {
      const Place at = Bf16 ? bf16B(lane, i) : tf32B(lane, i);
      const unsigned bits = bitsOf(b[at.row][at.column]);
      right[lane][Bf16 ? i / 2 : i] |= Bf16 ? bits >> 16 << (i % 2 * 16) : bits;
    }
  }
  sn::emulator::launch(1, 1, 32, 0, [&] {
    if constexpr (Bf16)
      mmaBf16(sums[threadIdx.x], left[threadIdx.x], right[threadIdx.x]);
    else
      mmaTf32(sums[threadIdx.x], left[threadIdx.x], right[threadIdx.x]);
  });
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < 4; ++i) {
      const Place at = accumulator(lane, i);
      float expected = d[at.row][at.column];
      for (int k = 0; k < kInner; ++k)
        expected += a[at.row][k] * b[k][at.column];
      EXPECT_EQ(sums[lane][i], expected) << "lane " << lane << ", " << i;
    }
}
TEST(CudaMmaTile, FragmentsLieAsThePtxManualSays) {
  checkFragments<false>();
  checkFragments<true>();
}

// ---- Tiles

/// The nearest number of `bits` bits (the leading one too), by arithmetic rather than by bits. Ties to even, or away
/// from zero.
double nearest(double x, int bits, bool toEven) {
  int exponent;
  const double mantissa = std::ldexp(std::frexp(x, &exponent), bits);
  return std::ldexp(toEven ? std::nearbyint(mantissa) : std::round(mantissa), exponent - bits);
}
struct Factors {
  double high, low = 0;
};
template <Precision P> Factors roundedFactor(double x) {
  if (P == Precision::Tf32)
    return {nearest(x, 11, false)};
  const double high = nearest(x, 8, true);
  if (P == Precision::Bf16)
    return {high};
  return {high, nearest(x - high, 8, true)};
}
/// What rounding the factors may move a product by, relative to sum |a| |b| (mma_tile.cuh).
template <Precision P>
constexpr double kBound = P == Precision::Tf32   ? 0x1p-10
                          : P == Precision::Bf16 ? 0x1p-7
                                                 : 0x1p-15 * (1 + 0x1p-16);

/// A matrix [extent, depth] in memory of exactly its size; along depth a line ends in a NaN that nobody may use.
struct Matrix {
  std::vector<float> values;
  MatrixOperand operand;
  Matrix(int extent, int depth, bool alongDepth, unsigned seed) {
    const int lines = alongDepth ? extent : depth, width = (alongDepth ? depth : extent) + 1;
    values.assign(static_cast<size_t>(lines * width), kNaN);
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> draw(-1, 1);
    for (int line = 0; line < lines; ++line)
      for (int i = 0; i < width - 1; ++i)
        values[static_cast<size_t>(line * width + i)] = draw(random) * (i % 3 == 0 ? 0x1p-6f : 1);
    operand = {values.data(), width, extent, alongDepth};
  }
};
struct Cut {
  Int begin, end;
};

template <class TileType>
void tileKernel(MatrixOperand left, MatrixOperand right, const std::vector<Cut> &cuts, float *out, float *shown) {
  __shared__ typename TileType::Shared shared;
  TileType tile;
  tile.clear();
  for (const Cut &cut : cuts)
    tile.multiply(shared, left, right, cut.begin, cut.end);
  tile.forEach([&](int i, int j, float value) {
    float &to = out[i * kSide + j];
    to = std::isnan(to) ? value : std::numeric_limits<float>::infinity(); // twice is wrong
  });
  const float *values = tile.toShared(shared);
  for (int n = static_cast<int>(threadIdx.x); n < kSide * kSide; n += kThreads)
    shown[n] = values[n / kSide * TileType::kStride + n % kSide];
}
using Values = std::vector<float>;
template <class TileType> Values tileOf(MatrixOperand left, MatrixOperand right, const std::vector<Cut> &cuts) {
  Values out(kSide * kSide, kNaN), shown(kSide * kSide, kNaN);
  sn::emulator::launch(1, 1, kThreads, 0, [&] { tileKernel<TileType>(left, right, cuts, out.data(), shown.data()); });
  EXPECT_EQ(0, std::memcmp(out.data(), shown.data(), out.size() * sizeof(float))) << "forEach and toShared differ";
  return out;
}

template <Precision P>
void check(int rows, int columns, int inner, bool leftAlong, bool rightAlong, const std::vector<Cut> &cuts) {
  SCOPED_TRACE(testing::Message() << rows << " x " << columns << " over " << inner << ", along depth " << leftAlong
                                  << rightAlong << ", precision " << static_cast<int>(P));
  const Matrix left(rows, inner, leftAlong, 1), right(columns, inner, rightAlong, 2);
  const Values out = tileOf<MmaTile<P>>(left.operand, right.operand, cuts);
  // The emulator rounds once an instruction; no part is above the sum of all |a| |b| (1 + bound).
  const double roundings = inner / 8.0 + 3.0 * static_cast<double>(cuts.size() + 1);
  int shown = 0;
  for (int i = 0; i < kSide; ++i)
    for (int j = 0; j < kSide && shown < 4; ++j) {
      double exact = 0, rounded = 0, magnitude = 0;
      for (const Cut &cut : cuts)
        for (Int k = cut.begin; k < cut.end; ++k) {
          const double a = double(left.operand(i, k)), b = double(right.operand(j, k));
          const Factors x = roundedFactor<P>(a), y = roundedFactor<P>(b);
          exact += a * b;
          rounded += x.high * y.high + x.high * y.low + x.low * y.high;
          magnitude += std::fabs(a * b);
        }
      const double value = double(out[static_cast<size_t>(i * kSide + j)]);
      const double sums = 2 * roundings * 0x1p-24 * magnitude;
      const bool near = std::fabs(value - exact) <= kBound<P> * magnitude + sums;
      const bool same = std::fabs(value - rounded) <= sums;
      if (!near || !same) {
        ADD_FAILURE() << "(" << i << ", " << j << ") is " << value << ", not " << exact << " or, of rounded factors, "
                      << rounded << " (|a| |b|: " << magnitude << ")";
        ++shown;
      }
    }
}

template <Precision P> void checkExtents() {
  for (int inner : {1, 7, 8, 16, 17, 130})
    for (int orientation = 0; orientation < 4; ++orientation)
      check<P>(kSide, kSide, inner, orientation & 1, orientation & 2, {{0, inner}});
  for (int orientation = 0; orientation < 4; ++orientation) { // borders of the tile, of warps, of fragments
    check<P>(1, 63, 17, orientation & 1, orientation & 2, {{0, 17}});
    check<P>(33, 1, 33, orientation & 1, orientation & 2, {{0, 33}});
    check<P>(47, 18, 31, orientation & 1, orientation & 2, {{0, 31}});
  }
}
TEST(CudaMmaTile, Tf32Extents) { checkExtents<Precision::Tf32>(); }
TEST(CudaMmaTile, Bf16x3Extents) { checkExtents<Precision::Bf16x3>(); }
TEST(CudaMmaTile, Bf16Extents) { checkExtents<Precision::Bf16>(); }

template <Precision P> void checkCalls() {
  check<P>(64, 64, 100, true, false, {{0, 17}, {17, 17}, {17, 64}, {64, 100}}); // an empty one adds nothing
  check<P>(50, 40, 70, false, true, {{5, 70}, {3, 4}, {0, 33}});
  check<P>(9, 9, 40, true, true, {{7, 7}});
}
TEST(CudaMmaTile, CallsAddUp) {
  checkCalls<Precision::Tf32>();
  checkCalls<Precision::Bf16x3>();
  checkCalls<Precision::Bf16>();
}

/// The bound of one precision does not hold for the next coarser one: what the checks above tell apart.
TEST(CudaMmaTile, PrecisionsDiffer) {
  const Matrix left(kSide, 64, true, 5), right(kSide, 64, false, 6);
  const auto worst = [&](const Values &out) {
    double most = 0;
    for (int i = 0; i < kSide; ++i)
      for (int j = 0; j < kSide; ++j) {
        double exact = 0, magnitude = 0;
        for (int k = 0; k < 64; ++k) {
          exact += double(left.operand(i, k)) * double(right.operand(j, k));
          magnitude += std::fabs(double(left.operand(i, k)) * double(right.operand(j, k)));
        }
        most = std::max(most, std::fabs(double(out[static_cast<size_t>(i * kSide + j)]) - exact) / magnitude);
      }
    return most;
  };
  const auto of = [&](auto tile) { return worst(tileOf<decltype(tile)>(left.operand, right.operand, {{0, 64}})); };
  const double tf32 = of(MmaTile<Precision::Tf32>()), x3 = of(MmaTile<Precision::Bf16x3>()),
               bf16 = of(MmaTile<Precision::Bf16>());
  EXPECT_LT(8 * x3, tf32);
  EXPECT_LT(2 * tf32, bf16);
}

/// One factor each: ties and the ends of the range.
TEST(CudaMmaTile, Rounding) {
  const auto product = [](auto tile, float a, float b) {
    return tileOf<decltype(tile)>({&a, 1, 1, true}, {&b, 1, 1, true}, {{0, 1}})[0];
  };
  const MmaTile<Precision::Tf32> tf32{};
  const MmaTile<Precision::Bf16> bf16{};
  const MmaTile<Precision::Bf16x3> x3{};
  EXPECT_EQ(product(tf32, 1 + 0x1p-11f, 1), 1 + 0x1p-10f) << "ties away from zero";
  EXPECT_EQ(product(tf32, -1 - 0x1p-11f, 1), -1 - 0x1p-10f);
  EXPECT_EQ(product(bf16, 1 + 0x1p-8f, 1), 1) << "ties to even";
  EXPECT_EQ(product(bf16, 1, 1 + 3 * 0x1p-8f), 1 + 0x1p-6f);
  EXPECT_EQ(product(bf16, 1 + 0x1p-8f, 1 + 0x1p-8f), 1) << "nearly 2^-7 of the product";
  EXPECT_EQ(product(x3, 1 + 0x1p-8f, 1), 1 + 0x1p-8f);
  EXPECT_EQ(product(x3, 1, 1 + 0x1p-15f), 1 + 0x1p-15f);
  EXPECT_EQ(product(x3, 1 + 0x1p-8f, 1 + 0x1p-8f), 1 + 0x1p-7f) << "low low is left out";
  const float inf = std::numeric_limits<float>::infinity();
  for (float x : {inf, -inf}) {
    EXPECT_EQ(product(tf32, x, 2), x);
    EXPECT_EQ(product(bf16, 2, x), x);
    EXPECT_TRUE(std::isnan(product(x3, x, 2)));
    EXPECT_TRUE(std::isnan(product(x3, 2, x)));
  }
  const auto isNaN = [&](auto tile) {
    return std::isnan(product(tile, kNaN, 1)) && std::isnan(product(tile, 1, kNaN));
  };
  EXPECT_TRUE(isNaN(tf32) && isNaN(bf16) && isNaN(x3));
}

/// The same bits again, whatever the order in which threads begin.
TEST(CudaMmaTile, BitsRepeat) {
  const Matrix left(61, 130, true, 7), right(64, 130, false, 8);
  const auto repeats = [&](auto tile) {
    const std::vector<Cut> cuts = {{0, 50}, {50, 130}};
    const Values first = tileOf<decltype(tile)>(left.operand, right.operand, cuts);
    for (uint64_t order : {0, 1, 2}) {
      sn::emulator::setOrder(order);
      const Values again = tileOf<decltype(tile)>(left.operand, right.operand, cuts);
      EXPECT_EQ(0, std::memcmp(first.data(), again.data(), first.size() * sizeof(float))) << order;
    }
    sn::emulator::setOrder(0);
  };
  repeats(MmaTile<Precision::Tf32>());
  repeats(MmaTile<Precision::Bf16x3>());
  repeats(MmaTile<Precision::Bf16>());
}
} // namespace
} // namespace sn::test::mma
