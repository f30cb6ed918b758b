// The fragments that MmaTile is made of against the formulas of the PTX manual, and how it meets shared memory.
#include "test/emulator/Launch.h"
#include <cstring>
#include <gtest/gtest.h>
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

// ---- Banks of shared memory

/// The accesses of a block, by instruction, each the place of a pair of words (8 bytes) for each thread.
using Accesses = std::vector<std::vector<int>>;

/// Half a warp meets each bank of 4 bytes once, or all of it at one address. (16 lanes of 8 bytes are one access.)
void expectBanksMetOnce(const Accesses &accesses, const char *what) {
  ASSERT_FALSE(accesses.empty());
  for (const std::vector<int> &places : accesses)
    for (int first = 0; first < kThreads; first += 16) {
      std::set<int> different(places.begin() + first, places.begin() + first + 16);
      std::set<int> pairsOfBanks;
      for (int place : different)
        EXPECT_TRUE(pairsOfBanks.insert(place % 16).second) << what << ": thread " << first << " and the 15 after it";
    }
}
template <class T> void checkBanks() {
  using Slice = typename T::Slice;
  Accesses loads(T::kRows * 2 + T::kColumns), along, across;
  along.resize(Slice::kGroups);
  across.resize(Slice::kLines);
  for (Accesses *of : {&loads, &along, &across})
    for (std::vector<int> &places : *of)
      places.resize(kThreads);
  sn::emulator::launch(1, 1, kThreads, 0, [&] {
    const size_t thread = threadIdx.x;
    const int group = lane() / 4, t = lane() % 4;
    for (int n = 0; n < T::kRows * 2; ++n)
      loads[size_t(n)][thread] = T::placeOf(T::firstRow() + n * 8 + group, t);
    for (int n = 0; n < T::kColumns; ++n)
      loads[size_t(T::kRows * 2 + n)][thread] = T::placeOf(T::firstColumn() + n * 8 + group, t);
    for (int n = 0; n < Slice::kGroups; ++n)
      along[size_t(n)][thread] = T::placeOf(Slice::alongLine(n), Slice::alongFour(n) % 4);
    for (int n = 0; n < Slice::kLines; ++n) {
      const int line = Slice::kLines == 4 ? Slice::acrossLine(0) + (n + Slice::turn()) % 4 : Slice::acrossLine(n);
      across[size_t(n)][thread] = T::placeOf(line, Slice::acrossPair() % 4);
    }
  });
  expectBanksMetOnce(loads, "fragments");
  expectBanksMetOnce(along, "slices along their depth");
  expectBanksMetOnce(across, "slices across their depth");
}
TEST(CudaMmaTile, BanksAreMetOnce) {
  checkBanks<MmaTile<Precision::Tf32>>();
  checkBanks<MmaTile<Precision::Bf16x3>>();
  checkBanks<MmaTile<Precision::Bf16>>();
  checkBanks<MmaTile<Precision::Tf32, 128>>();
  checkBanks<MmaTile<Precision::Bf16x3, 128>>();
  checkBanks<MmaTile<Precision::Bf16, 128>>();
}
} // namespace
} // namespace sn::test::mma
