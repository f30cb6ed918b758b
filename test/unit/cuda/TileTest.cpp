// Tiles of every kind against products in doubles, and FfmaTile against its sums term by term.
#include "kernels-templates/cuda/Variants.h"
#include "test/emulator/Launch.h"
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <vector>
// Device text comes after everything else.
#include "test/emulator/cuda.h"
//
#include "kernels-templates/cuda/mma_tile.cuh"
#include "kernels-templates/cuda/wgmma_tile.cuh"

namespace sn::test::tiles {
using namespace sn::cuda;
namespace {
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

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
/// How a tile rounds its factors, and what that may move a product by, relative to sum |a| |b| (mma_tile.cuh).
template <class T> struct Rounding;
template <int Side> struct Rounding<FfmaTile<Side>> {
  static constexpr bool kFused = true; // each term alone, in the order of the depth
  static constexpr double kBound = 0;
  static Factors of(double x) { return {x}; }
};
template <int Side> struct Rounding<MmaTile<Precision::Tf32, Side>> {
  static constexpr bool kFused = false;
  static constexpr double kBound = 0x1p-10;
  static Factors of(double x) { return {nearest(x, 11, false)}; }
};
template <int Side> struct Rounding<MmaTile<Precision::Bf16, Side>> {
  static constexpr bool kFused = false;
  static constexpr double kBound = 0x1p-7;
  static Factors of(double x) { return {nearest(x, 8, true)}; }
};
template <int Side> struct Rounding<MmaTile<Precision::Bf16x3, Side>> {
  static constexpr bool kFused = false;
  static constexpr double kBound = 0x1p-15 * (1 + 0x1p-16);
  static Factors of(double x) {
    const double high = nearest(x, 8, true);
    return {high, nearest(x - high, 8, true)};
  }
};
template <Precision P> struct Rounding<WgmmaTile<P>> : Rounding<MmaTile<P, 128>> {};

/// How a matrix lies in memory: lines of odd length; lines of whole fours from an address that is a multiple of 16
/// bytes, or from the element after it.
enum class Layout { Odd, Fours, Shifted };
constexpr Layout kLayouts[] = {Layout::Odd, Layout::Fours, Layout::Shifted};

/// A matrix [extent, depth] in memory that ends with its last value; a line goes on in NaN that nobody may use.
template <class Weights> class Matrix {
public:
  WeightsOperand<Weights> operand;
  Matrix(int extent, int depth, bool alongDepth, Layout layout, unsigned seed) {
    const int lines = alongDepth ? extent : depth, length = alongDepth ? depth : extent;
    const int stride = layout == Layout::Odd ? length / 2 * 2 + 3 : (length + 3) / 4 * 4;
    const int first = layout == Layout::Shifted ? 1 : 0, count = first + (lines - 1) * stride + length;
    bytes.resize(static_cast<size_t>(count * Weights::kBytes));
    for (int i = 0; i < count; ++i)
      set(i, kNaN);
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> draw(-1, 1);
    std::vector<float> values(static_cast<size_t>(extent * depth)); // the same in every layout
    for (float &value : values)
      value = draw(random) * (random() % 3 == 0 ? 0x1p-6f : 1);
    for (int i = 0; i < extent; ++i)
      for (int k = 0; k < depth; ++k)
        set(first + (alongDepth ? i * stride + k : k * stride + i), values[static_cast<size_t>(i * depth + k)]);
    const auto *base = reinterpret_cast<const float *>(bytes.data());
    operand = {WeightsOperand<Weights>::advanced(base, first), stride, extent, alongDepth};
    EXPECT_EQ(reinterpret_cast<uintptr_t>(base) % 16, 0u);
    EXPECT_EQ(operand.aligned(4), layout == Layout::Fours);
    EXPECT_EQ(operand.aligned(5), layout == Layout::Fours && !alongDepth);
  }

private:
  void set(int i, float value) {
    unsigned bits;
    std::memcpy(&bits, &value, sizeof bits);
    const unsigned short half = static_cast<unsigned short>(bits >> 16);
    if (Weights::kBytes == 4)
      std::memcpy(bytes.data() + i * 4, &bits, 4);
    else
      std::memcpy(bytes.data() + i * 2, &half, 2);
  }
  std::vector<char> bytes;
};
/// An operand that is no memory.
template <class Operand> struct Functor {
  Operand operand;
  bool alongDepth = operand.alongDepth;
  float operator()(int i, Int k) const { return operand(i, k); }
};

struct Cut {
  Int begin, end;
};
using Values = std::vector<float>;

template <class T, class Left, class Right>
void tileKernel(const Left &left, const Right &right, const std::vector<Cut> &cuts, float *out, float *shown) {
  auto &shared = *dynamicShared<typename T::Shared>();
  T tile;
  tile.clear();
  for (const Cut &cut : cuts)
    tile.multiply(shared, left, right, cut.begin, cut.end);
  tile.forEach([&](int i, int j, float value) {
    float &to = out[i * T::kSide + j];
    to = std::isnan(to) ? value : std::numeric_limits<float>::infinity(); // twice is wrong
  });
  tile.inShared(shared, [&](int first, int rows, const float *values) {
    for (int n = static_cast<int>(threadIdx.x); n < rows * T::kSide; n += kThreads)
      shown[first * T::kSide + n] = values[n / T::kSide * T::kStride + n % T::kSide];
  });
}
template <class T, class Left, class Right>
Values tileOf(const Left &left, const Right &right, const std::vector<Cut> &cuts) {
  Values out(T::kSide * T::kSide, kNaN), shown(T::kSide * T::kSide, kNaN);
  sn::emulator::launch(1, 1, kThreads, sizeof(typename T::Shared),
                       [&] { tileKernel<T>(left, right, cuts, out.data(), shown.data()); });
  EXPECT_EQ(0, std::memcmp(out.data(), shown.data(), out.size() * sizeof(float))) << "forEach and inShared differ";
  return out;
}

template <class T, class Left, class Right>
void expectProduct(const Values &out, const Left &left, const Right &right, const std::vector<Cut> &cuts) {
  using R = Rounding<T>;
  Int depth = 0;
  for (const Cut &cut : cuts)
    depth += cut.end - cut.begin;
  // The emulator rounds once an instruction; no part is above the sum of all |a| |b| (1 + bound).
  const double roundings = static_cast<double>(depth) / 8.0 + 3.0 * static_cast<double>(cuts.size() + 1);
  int shown = 0;
  for (int i = 0; i < T::kSide; ++i)
    for (int j = 0; j < T::kSide && shown < 4; ++j) {
      const float value = out[static_cast<size_t>(i * T::kSide + j)];
      double exact = 0, rounded = 0, magnitude = 0;
      float fused = 0;
      if (i < left.extent && j < right.extent)
        for (const Cut &cut : cuts)
          for (Int k = cut.begin; k < cut.end; ++k) {
            const float a = left(i, k), b = right(j, k);
            const Factors x = R::of(double(a)), y = R::of(double(b));
            exact += double(a) * double(b);
            rounded += x.high * y.high + x.high * y.low + x.low * y.high;
            magnitude += std::fabs(double(a) * double(b));
            fused = std::fma(a, b, fused);
          }
      const double sums = 2 * roundings * 0x1p-24 * magnitude;
      const bool near = std::fabs(double(value) - exact) <= R::kBound * magnitude + sums;
      const bool same = std::fabs(double(value) - rounded) <= sums;
      if (R::kFused ? value != fused : !near || !same) {
        ADD_FAILURE() << "(" << i << ", " << j << ") is " << value << ", not " << exact << " or, of rounded factors, "
                      << rounded << ", or, term by term, " << fused << " (|a| |b|: " << magnitude << ")";
        ++shown;
      }
    }
}

/// The product in every layout: the same bits, which are right.
template <class T, class Weights = Fp32Weights>
void check(int rows, int columns, int inner, bool leftAlong, bool rightAlong, const std::vector<Cut> &cuts) {
  SCOPED_TRACE(testing::Message() << rows << " x " << columns << " over " << inner << ", along depth " << leftAlong
                                  << rightAlong << ", side " << T::kSide);
  Values expected;
  const auto compare = [&](const Values &actual, const char *what) {
    EXPECT_EQ(0, std::memcmp(expected.data(), actual.data(), expected.size() * sizeof(float))) << what;
  };
  for (Layout layout : kLayouts) {
    const Matrix<Fp32Weights> left(rows, inner, leftAlong, layout, 1);
    const Matrix<Weights> right(columns, inner, rightAlong, layout, 2);
    const Values out = tileOf<T>(left.operand, right.operand, cuts);
    if (layout == Layout::Odd) {
      expected = out;
      expectProduct<T>(out, left.operand, right.operand, cuts);
      using LeftOperand = Functor<MatrixOperand>;
      using RightOperand = Functor<WeightsOperand<Weights>>;
      compare(tileOf<T>(LeftOperand{left.operand}, RightOperand{right.operand}, cuts), "functors");
    } else {
      compare(out, layout == Layout::Fours ? "lines of whole fours" : "lines of whole fours, shifted");
    }
  }
}

template <class T> class CudaTile : public testing::Test {};
using Tiles = testing::Types<FfmaTile<64>, FfmaTile<128>, MmaTile<Precision::Tf32>, MmaTile<Precision::Tf32, 128>,
                             MmaTile<Precision::Bf16x3>, MmaTile<Precision::Bf16x3, 128>, MmaTile<Precision::Bf16>,
                             MmaTile<Precision::Bf16, 128>, WgmmaTile<Precision::Tf32>, WgmmaTile<Precision::Bf16x3>,
                             WgmmaTile<Precision::Bf16>>;
TYPED_TEST_SUITE(CudaTile, Tiles);

TYPED_TEST(CudaTile, Extents) {
  constexpr int kSide = TypeParam::kSide;
  for (int orientation = 0; orientation < 4; ++orientation) {
    const bool left = orientation & 1, right = orientation & 2;
    // Less than a slice, one and a little, several.
    for (int inner : kSide == 64 ? std::vector<int>{1, 7, 17, 66} : std::vector<int>{7, 50})
      check<TypeParam>(kSide, kSide, inner, left, right, {{0, inner}});
    // Borders of the tile, of warps, of fragments, of fours.
    check<TypeParam>(1, kSide - 1, 17, left, right, {{0, 17}});
    check<TypeParam>(kSide / 2 + 1, 1, 33, left, right, {{0, 33}});
    check<TypeParam>(kSide - 17, 18, 31, left, right, {{0, 31}});
    check<TypeParam>(kSide + 1, kSide + 70, 32, left, right, {{0, 32}}); // the tile is a part
  }
}
TYPED_TEST(CudaTile, WeightsInBf16) {
  constexpr int kSide = TypeParam::kSide;
  for (int orientation = 0; orientation < 4; ++orientation) {
    const bool left = orientation & 1, right = orientation & 2;
    check<TypeParam, Bf16Weights>(kSide, kSide, 48, left, right, {{0, 48}});
    check<TypeParam, Bf16Weights>(kSide - 1, kSide - 3, 37, left, right, {{0, 20}, {20, 37}});
  }
}
TYPED_TEST(CudaTile, CallsAddUp) {
  check<TypeParam>(64, 64, 100, true, false, {{0, 17}, {17, 17}, {17, 64}, {64, 100}}); // an empty one adds nothing
  check<TypeParam>(50, 40, 70, false, true, {{5, 70}, {3, 4}, {0, 33}});
  check<TypeParam>(9, 9, 40, true, true, {{7, 7}});
}
/// The same bits again, whatever the order in which threads begin.
TYPED_TEST(CudaTile, BitsRepeat) {
  const Matrix<Fp32Weights> left(61, 130, true, Layout::Fours, 7), right(64, 130, false, Layout::Odd, 8);
  const std::vector<Cut> cuts = {{0, 50}, {50, 130}};
  const Values first = tileOf<TypeParam>(left.operand, right.operand, cuts);
  for (uint64_t order : {0, 1, 2}) {
    sn::emulator::setOrder(order);
    const Values again = tileOf<TypeParam>(left.operand, right.operand, cuts);
    EXPECT_EQ(0, std::memcmp(first.data(), again.data(), first.size() * sizeof(float))) << order;
  }
  sn::emulator::setOrder(0);
}

template <class T> void checkRow(std::string_view name, plan::Precision precision) {
  const Variant *row = variantNamed(name);
  ASSERT_NE(row, nullptr) << name;
  EXPECT_EQ(row->sharedBytes, static_cast<int>(sizeof(typename T::Shared))) << name;
  EXPECT_EQ(row->side, T::kSide) << name;
  EXPECT_EQ(row->precision, precision) << name;
}
/// What the runtime knows of tiles (manifest.inc). That the types are those is a test of unit-nvrtc.
TEST(CudaTileRows, SayWhatTilesTake) {
  checkRow<FfmaTile<64>>("ffma_64", plan::Precision::Fp32);
  checkRow<FfmaTile<128>>("ffma_128", plan::Precision::Fp32);
  checkRow<MmaTile<Precision::Tf32>>("mma_tf32_64", plan::Precision::Tf32);
  checkRow<MmaTile<Precision::Tf32, 128>>("mma_tf32_128", plan::Precision::Tf32);
  checkRow<MmaTile<Precision::Bf16x3>>("mma_bf16x3_64", plan::Precision::Bf16x3);
  checkRow<MmaTile<Precision::Bf16x3, 128>>("mma_bf16x3_128", plan::Precision::Bf16x3);
  checkRow<MmaTile<Precision::Bf16>>("mma_bf16_64", plan::Precision::Bf16);
  checkRow<MmaTile<Precision::Bf16, 128>>("mma_bf16_128", plan::Precision::Bf16);
  checkRow<WgmmaTile<Precision::Tf32>>("wgmma_tf32_128", plan::Precision::Tf32);
  checkRow<WgmmaTile<Precision::Bf16x3>>("wgmma_bf16x3_128", plan::Precision::Bf16x3);
  checkRow<WgmmaTile<Precision::Bf16>>("wgmma_bf16_128", plan::Precision::Bf16);
}

/// The bound of one precision does not hold for the next coarser one: what the checks above tell apart.
TEST(CudaTilePrecisions, Differ) {
  const Matrix<Fp32Weights> left(64, 64, true, Layout::Fours, 5), right(64, 64, false, Layout::Fours, 6);
  const auto worst = [&](auto tile) {
    using T = decltype(tile);
    const Values out = tileOf<T>(left.operand, right.operand, {{0, 64}});
    double most = 0;
    for (int i = 0; i < 64; ++i)
      for (int j = 0; j < 64; ++j) {
        double exact = 0, magnitude = 0;
        for (int k = 0; k < 64; ++k) {
          exact += double(left.operand(i, k)) * double(right.operand(j, k));
          magnitude += std::fabs(double(left.operand(i, k)) * double(right.operand(j, k)));
        }
        most = std::max(most, std::fabs(double(out[static_cast<size_t>(i * T::kSide + j)]) - exact) / magnitude);
      }
    return most;
  };
  const double fp32 = worst(FfmaTile<128>()), x3 = worst(MmaTile<Precision::Bf16x3, 128>()),
               tf32 = worst(MmaTile<Precision::Tf32, 128>()), bf16 = worst(MmaTile<Precision::Bf16, 128>());
  EXPECT_LT(8 * fp32, x3);
  EXPECT_LT(8 * x3, tf32);
  EXPECT_LT(2 * tf32, bf16);
}

/// One factor each: ties and the ends of the range.
template <template <Precision> class TileOf> void checkRounding() {
  const auto product = [](auto tile, float a, float b) {
    return tileOf<decltype(tile)>(MatrixOperand{&a, 1, 1, true}, MatrixOperand{&b, 1, 1, true}, {{0, 1}})[0];
  };
  const TileOf<Precision::Tf32> tf32{};
  const TileOf<Precision::Bf16> bf16{};
  const TileOf<Precision::Bf16x3> x3{};
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
template <Precision P> using Mma64 = MmaTile<P, 64>;
template <Precision P> using Mma128 = MmaTile<P, 128>;
TEST(CudaTilePrecisions, Rounding) {
  checkRounding<Mma64>();
  checkRounding<Mma128>();
  checkRounding<WgmmaTile>();
}
} // namespace
} // namespace sn::test::tiles
