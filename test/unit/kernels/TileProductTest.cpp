// Products on the CPU's tile units: their error bounds, every layout and border, what they leave alone, bits.
#include "runtime/hal/cpu/Amx.h"
#include "test/unit/kernels/Rig.h"

namespace sn::test {
namespace {
using plan::Precision;

struct Shape {
  int64_t m, n, k;
};
/// Blocks of 32, their borders, a single value, more than what is packed at a time in each direction.
const std::vector<Shape> kShapes = {{1, 1, 1}, {32, 32, 32}, {33, 31, 34}, {16, 48, 15}, {5, 3, 700}, {300, 40, 65}, {64, 96, 1025}};

/// C = alpha op(A) op(B) + beta C with lines that are longer than what is used of them; C has a border that must stay.
struct Multiplied {
  std::vector<float> a, b, before, c;
  int64_t lda, ldb, ldc;
  char transA, transB;

  Multiplied(const Shape &s, char transA, char transB, Precision precision, float alpha, float beta)
      : lda((transA == 'T' ? s.m : s.k) + 3), ldb((transB == 'T' ? s.k : s.n) + 1), ldc(s.n + 5), transA(transA), transB(transB) {
    a = randomValues((transA == 'T' ? s.k : s.m) * lda, 1);
    b = randomValues((transB == 'T' ? s.n : s.k) * ldb, 2);
    c = before = randomValues((s.m + 1) * ldc, 3);
    rt::cpu::tileProduct(precision)(transA, transB, s.m, s.n, s.k, alpha, a.data(), lda, b.data(), ldb, beta, c.data(), ldc);
  }
  double left(int64_t i, int64_t k) const { return static_cast<double>(a[static_cast<size_t>(transA == 'T' ? k * lda + i : i * lda + k)]); }
  double right(int64_t k, int64_t j) const { return static_cast<double>(b[static_cast<size_t>(transB == 'T' ? j * ldb + k : k * ldb + j)]); }
};

class TileProduct : public ::testing::TestWithParam<Precision> {
protected:
  void SetUp() override {
    if (!rt::cpu::hasTileUnits())
      GTEST_SKIP() << "this machine has no AMX";
  }
};
INSTANTIATE_TEST_SUITE_P(Of, TileProduct, ::testing::Values(Precision::Tf32, Precision::Bf16x3, Precision::Bf16),
                         [](const auto &info) { return std::string(plan::nameOf(info.param)); });

TEST_P(TileProduct, StaysWithinItsBoundAndItsBorders) {
  const double unit = GetParam() == Precision::Bf16 ? plan::unitRoundoff(Precision::Bf16) : plan::unitRoundoff(Precision::Bf16x3);
  for (const Shape &s : kShapes)
    for (char transA : {'N', 'T'})
      for (char transB : {'N', 'T'})
        for (auto [alpha, beta] : {std::pair{1.0f, 0.0f}, {1.0f, 1.0f}, {-0.75f, 0.5f}}) {
          const Multiplied made(s, transA, transB, GetParam(), alpha, beta);
          for (int64_t i = 0; i <= s.m; ++i)
            for (int64_t j = 0; j < made.ldc; ++j) {
              const auto place = static_cast<size_t>(i * made.ldc + j);
              if (i == s.m || j >= s.n) {
                ASSERT_EQ(made.c[place], made.before[place]) << "beyond C at " << i << ", " << j;
                continue;
              }
              double sum = 0, all = 0;
              for (int64_t k = 0; k < s.k; ++k) {
                sum += made.left(i, k) * made.right(k, j);
                all += std::abs(made.left(i, k) * made.right(k, j));
              }
              const double kept = static_cast<double>(beta) * static_cast<double>(made.before[place]);
              ASSERT_NEAR(static_cast<double>(made.c[place]), static_cast<double>(alpha) * sum + kept,
                          2.1 * unit * all + 1e-6 * (all + std::abs(kept)))
                  << s.m << " x " << s.n << " x " << s.k << " " << transA << transB << " at " << i << ", " << j;
            }
        }
}

/// It rounds: where factors are no BF16, single-precision sums are nearer than a product in BF16 can be.
TEST_P(TileProduct, RoundsNoLessThanItSays) {
  const Shape s{64, 64, 64};
  const Multiplied made(s, 'N', 'N', GetParam(), 1, 0);
  double worst = 0;
  for (int64_t i = 0; i < s.m; ++i)
    for (int64_t j = 0; j < s.n; ++j) {
      double sum = 0, all = 0;
      for (int64_t k = 0; k < s.k; ++k) {
        sum += made.left(i, k) * made.right(k, j);
        all += std::abs(made.left(i, k) * made.right(k, j));
      }
      worst = std::max(worst, std::abs(static_cast<double>(made.c[static_cast<size_t>(i * made.ldc + j)]) - sum) / all);
    }
  if (GetParam() == Precision::Bf16)
    EXPECT_GT(worst, 1e-4);
  else
    EXPECT_LT(worst, 3e-5);
}

/// Whoever cuts rows and columns otherwise, or stores a factor the other way, gets the same bits.
TEST_P(TileProduct, BitsDependOnTheSumAlone) {
  const Shape s{70, 75, 600};
  const auto a = randomValues(s.m * s.k, 1), b = randomValues(s.k * s.n, 2);
  std::vector<float> turnedA(a.size()), turnedB(b.size());
  for (int64_t i = 0; i < s.m; ++i)
    for (int64_t k = 0; k < s.k; ++k)
      turnedA[static_cast<size_t>(k * s.m + i)] = a[static_cast<size_t>(i * s.k + k)];
  for (int64_t k = 0; k < s.k; ++k)
    for (int64_t j = 0; j < s.n; ++j)
      turnedB[static_cast<size_t>(j * s.k + k)] = b[static_cast<size_t>(k * s.n + j)];
  const rt::cpu::Contraction product = rt::cpu::tileProduct(GetParam());
  std::vector<float> whole(static_cast<size_t>(s.m * s.n)), turned(whole), pieces(whole);
  product('N', 'N', s.m, s.n, s.k, 1, a.data(), s.k, b.data(), s.n, 0, whole.data(), s.n);
  product('T', 'T', s.m, s.n, s.k, 1, turnedA.data(), s.m, turnedB.data(), s.k, 0, turned.data(), s.n);
  for (int64_t top : {0, 19})
    for (int64_t left : {0, 41}) {
      const int64_t rows = top ? s.m - top : 19, columns = left ? s.n - left : 41;
      product('N', 'N', rows, columns, s.k, 1, a.data() + top * s.k, s.k, b.data() + left, s.n, 0, pieces.data() + top * s.n + left, s.n);
    }
  EXPECT_EQ(std::memcmp(whole.data(), turned.data(), whole.size() * sizeof(float)), 0);
  EXPECT_EQ(std::memcmp(whole.data(), pieces.data(), whole.size() * sizeof(float)), 0);
}

TEST_P(TileProduct, EmptyExtents) {
  const rt::cpu::Contraction product = rt::cpu::tileProduct(GetParam());
  std::vector<float> c{1, 2};
  product('N', 'N', 0, 2, 3, 1, nullptr, 3, nullptr, 2, 0, c.data(), 2);
  EXPECT_EQ(c, (std::vector<float>{1, 2}));
  product('N', 'N', 1, 2, 0, 1, nullptr, 3, nullptr, 2, 0, c.data(), 2);
  EXPECT_EQ(c, (std::vector<float>{0, 0}));
}
} // namespace
} // namespace sn::test
