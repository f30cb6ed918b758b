// C is computed in blocks of 32 x 32: four tiles of sums, which stay in the tile registers while the depth is walked by 32. Both factors are
// packed first, as the instruction wants them: A's tile is 16 rows of 32 values along the depth, B's 16 pairs along the depth of 16 columns,
// a pair being one word. A factor whose memory runs along the depth gives A's form, one that runs across gives B's; the other form
// is the same words turned. For Bf16x3 each tile is followed by that of what rounding left over.
#include "runtime/hal/cpu/Amx.h"
#include <algorithm>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#pragma clang attribute push(__attribute__((target("arch=x86-64-v4,amx-tile,amx-bf16,avx512bf16"))), apply_to = function)
namespace sn::rt::cpu {
namespace {
constexpr int64_t kSide = 16, kStep = 32;           // rows or columns of a tile; its values along the depth
constexpr int64_t kBlockRows = 256, kDepth = 512;   // packed at a time
constexpr int64_t kTileWords = 16 * 16;             // a tile is 16 lines of 16 words, a word two BF16

/// A factor's lines (rows of A, columns of B) and where their values lie.
struct Lines {
  const float *at = nullptr;
  int64_t pitch = 0;
  bool across = false; // value k of line i: at[k * pitch + i], else at[i * pitch + k]
  Lines from(int64_t line, int64_t k) const {
    return {at + (across ? k * pitch + line : line * pitch + k), pitch, across};
  }
};

__mmask16 firstOf(int64_t n) { return static_cast<__mmask16>(n >= 16 ? 0xFFFF : n <= 0 ? 0 : (1u << n) - 1); }

/// The words of 32 values in `low` and `high` after `arrange`: rounded to the nearest BF16 and, in `rest`, what that
/// left over. Word w is (first[w], second[w]).
struct Words {
  __m512i rounded, rest;
};
template <bool Rest> Words pairs(__m512 first, __m512 second) {
  const __m512i weave = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18,
                                         2, 17, 1, 16, 0);
  Words words{};
  words.rounded = _mm512_permutexvar_epi16(weave, (__m512i)_mm512_cvtne2ps_pbh(second, first));
  if constexpr (Rest) {
    const __m512 a = _mm512_castsi512_ps(_mm512_slli_epi32(words.rounded, 16));
    const __m512 b = _mm512_castsi512_ps(_mm512_and_si512(words.rounded, _mm512_set1_epi32(static_cast<int>(0xFFFF0000u))));
    words.rest = _mm512_permutexvar_epi16(weave, (__m512i)_mm512_cvtne2ps_pbh(_mm512_sub_ps(second, b), _mm512_sub_ps(first, a)));
  }
  return words;
}
/// The words of 32 neighbouring values.
template <bool Rest> Words neighbours(__m512 low, __m512 high) {
  Words words{};
  words.rounded = (__m512i)_mm512_cvtne2ps_pbh(high, low);
  if constexpr (Rest) {
    const __m512i l = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(words.rounded));
    const __m512i h = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(words.rounded, 1));
    words.rest = (__m512i)_mm512_cvtne2ps_pbh(_mm512_sub_ps(high, _mm512_castsi512_ps(_mm512_slli_epi32(h, 16))),
                                              _mm512_sub_ps(low, _mm512_castsi512_ps(_mm512_slli_epi32(l, 16))));
  }
  return words;
}

/// Turns 16 lines of 16 words.
void turn(__m512i *line) {
  __m512i half[16];
  for (int i = 0; i < 16; i += 2) {
    half[i] = _mm512_unpacklo_epi32(line[i], line[i + 1]);
    half[i + 1] = _mm512_unpackhi_epi32(line[i], line[i + 1]);
  }
  for (int i = 0; i < 16; i += 4)
    for (int j = 0; j < 2; ++j) {
      line[i + 2 * j] = _mm512_unpacklo_epi64(half[i + j], half[i + j + 2]);
      line[i + 2 * j + 1] = _mm512_unpackhi_epi64(half[i + j], half[i + j + 2]);
    }
  // line[4 g + c] now holds, in each quarter q, column 4 q + c of lines 4 g to 4 g + 3.
  for (int c = 0; c < 4; ++c) {
    const __m512i a = _mm512_shuffle_i32x4(line[c], line[4 + c], 0x88), b = _mm512_shuffle_i32x4(line[c], line[4 + c], 0xDD);
    const __m512i d = _mm512_shuffle_i32x4(line[8 + c], line[12 + c], 0x88), e = _mm512_shuffle_i32x4(line[8 + c], line[12 + c], 0xDD);
    half[c] = _mm512_shuffle_i32x4(a, d, 0x88);
    half[8 + c] = _mm512_shuffle_i32x4(a, d, 0xDD);
    half[4 + c] = _mm512_shuffle_i32x4(b, e, 0x88);
    half[12 + c] = _mm512_shuffle_i32x4(b, e, 0xDD);
  }
  std::copy_n(half, 16, line);
}

/// One tile (and, with Rest, its rest behind it): `lines` of at most 16, `depth` of at most 32; 0 beyond them. `pairsAlong`:
/// B's form, words of line i in column i, else A's, words of line i in line i.
template <bool Rest> void packTile(const Lines &x, int64_t lines, int64_t depth, bool pairsAlong, int32_t *out) {
  __m512i rounded[16], rest[16];
  if (x.across) {
    const __mmask16 mask = firstOf(lines);
    for (int64_t p = 0; p < 16; ++p) {
      const __m512 first = 2 * p < depth ? _mm512_maskz_loadu_ps(mask, x.at + 2 * p * x.pitch) : _mm512_setzero_ps();
      const __m512 second = 2 * p + 1 < depth ? _mm512_maskz_loadu_ps(mask, x.at + (2 * p + 1) * x.pitch) : _mm512_setzero_ps();
      const Words words = pairs<Rest>(first, second);
      rounded[p] = words.rounded;
      rest[p] = words.rest;
    }
  } else {
    const __mmask16 low = firstOf(depth), high = firstOf(depth - 16);
    for (int64_t i = 0; i < 16; ++i) {
      const float *at = x.at + i * x.pitch;
      const Words words = i < lines ? neighbours<Rest>(_mm512_maskz_loadu_ps(low, at), _mm512_maskz_loadu_ps(high, at + 16)) : Words{};
      rounded[i] = words.rounded;
      rest[i] = words.rest;
    }
  }
  if (x.across != pairsAlong) {
    turn(rounded);
    if (Rest)
      turn(rest);
  }
  for (int64_t i = 0; i < 16; ++i) {
    _mm512_store_si512(out + i * 16, rounded[i]);
    if (Rest)
      _mm512_store_si512(out + kTileWords + i * 16, rest[i]);
  }
}

/// Two tiles for each step of the depth: of lines 0 to 15 and 16 to 31.
template <bool Rest> void packPanel(const Lines &x, int64_t lines, int64_t depth, bool pairsAlong, int32_t *out) {
  constexpr int64_t words = (Rest ? 2 : 1) * kTileWords;
  for (int64_t k = 0; k < depth; k += kStep)
    for (int64_t half = 0; half < 2; ++half, out += words)
      packTile<Rest>(x.from(half * kSide, k), std::max<int64_t>(0, lines - half * kSide), std::min(kStep, depth - k), pairsAlong, out);
}

struct Block {
  float *c;
  int64_t stride, rows, columns;
  float alpha, beta;
};
void storeSums(float *c, int64_t stride) {
  const int64_t bytes = stride * 4;
  _tile_stored(0, c, bytes);
  _tile_stored(1, c + kSide, bytes);
  _tile_stored(2, c + kSide * stride, bytes);
  _tile_stored(3, c + kSide * stride + kSide, bytes);
}
void addProducts() {
  _tile_dpbf16ps(0, 4, 6);
  _tile_dpbf16ps(1, 4, 7);
  _tile_dpbf16ps(2, 5, 6);
  _tile_dpbf16ps(3, 5, 7);
}
template <bool Rest> void walkDepth(int64_t steps, const int32_t *a, const int32_t *b) {
  constexpr int64_t tile = (Rest ? 2 : 1) * kTileWords;
  for (int64_t step = 0; step < steps; ++step, a += 2 * tile, b += 2 * tile) {
    _tile_loadd(4, a, 64);
    _tile_loadd(5, a + tile, 64);
    if constexpr (Rest) { // the small ones first
      _tile_loadd(6, b + kTileWords, 64);
      _tile_loadd(7, b + tile + kTileWords, 64);
      addProducts();
    }
    _tile_loadd(6, b, 64);
    _tile_loadd(7, b + tile, 64);
    addProducts();
    if constexpr (Rest) {
      _tile_loadd(4, a + kTileWords, 64);
      _tile_loadd(5, a + tile + kTileWords, 64);
      addProducts();
    }
  }
}
/// c = alpha sums + beta c for what of the block exists.
void scaleInto(const float *sums, const Block &to) {
  const __m512 alpha = _mm512_set1_ps(to.alpha), beta = _mm512_set1_ps(to.beta);
  for (int64_t r = 0; r < to.rows; ++r)
    for (int64_t i = 0; i < to.columns; i += 16) {
      const __mmask16 mask = firstOf(to.columns - i);
      float *at = to.c + r * to.stride + i;
      __m512 value = _mm512_mul_ps(alpha, _mm512_load_ps(sums + r * kStep + i));
      if (to.beta != 0)
        value = _mm512_add_ps(value, _mm512_mul_ps(beta, _mm512_maskz_loadu_ps(mask, at)));
      _mm512_mask_storeu_ps(at, mask, value);
    }
}
/// One block of 32 x 32 from its packed factors. Sums always begin at 0 and meet C by one addition, so that a block at the border and one inside
/// round alike.
template <bool Rest> void multiplyBlock(int64_t steps, const int32_t *a, const int32_t *b, const Block &to) {
  alignas(64) float sums[kStep * kStep];
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  walkDepth<Rest>(steps, a, b);
  if (to.alpha == 1 && to.beta == 0 && to.rows == kStep && to.columns == kStep) {
    storeSums(to.c, to.stride);
    return;
  }
  storeSums(sums, kStep);
  scaleInto(sums, to);
}

template <bool Rest>
void multiplySlice(int64_t m, int64_t n, int64_t depth, const Lines &a, const Lines &b, const Block &whole) {
  constexpr int64_t word = Rest ? 2 : 1, panel = kDepth / kStep * 2 * word * kTileWords;
  alignas(64) static thread_local int32_t packedA[kBlockRows / kStep * panel];
  alignas(64) static thread_local int32_t packedB[panel];
  const int64_t steps = (depth + kStep - 1) / kStep;
  for (int64_t top = 0; top < m; top += kBlockRows) {
    const int64_t rows = std::min(kBlockRows, m - top);
    for (int64_t r = 0; r < rows; r += kStep)
      packPanel<Rest>(a.from(top + r, 0), std::min(kStep, rows - r), depth, false, packedA + r / kStep * panel);
    for (int64_t left = 0; left < n; left += kStep) {
      packPanel<Rest>(b.from(left, 0), std::min(kStep, n - left), depth, true, packedB);
      for (int64_t r = 0; r < rows; r += kStep)
        multiplyBlock<Rest>(steps, packedA + r / kStep * panel, packedB,
                            {whole.c + (top + r) * whole.stride + left, whole.stride, std::min(kStep, rows - r), std::min(kStep, n - left),
                             whole.alpha, whole.beta});
    }
  }
}

/// All tiles whole: what lies beyond an extent is zero in the packed factors.
struct alignas(64) TileShapes {
  uint8_t palette = 1, startRow = 0, reserved[14] = {};
  uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

template <bool Rest>
int multiply(char transA, char transB, int64_t m, int64_t n, int64_t k, float alpha, const float *a, int64_t lda, const float *b, int64_t ldb,
             float beta, float *c, int64_t ldc) {
  static const TileShapes shapes;
  _tile_loadconfig(&shapes);
  const Lines left{a, lda, transA == 'T'}, right{b, ldb, transB == 'N'};
  for (int64_t begin = 0; begin < k; begin += kDepth)
    multiplySlice<Rest>(m, n, std::min(kDepth, k - begin), left.from(0, begin), right.from(0, begin),
                        {c, ldc, m, n, alpha, begin == 0 ? beta : 1.0f});
  _tile_release();
  return 0;
}
} // namespace

bool hasTileUnits() {
  static const bool granted = [] {
    constexpr long kRequest = 0x1023, kTileData = 18; // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
    return __builtin_cpu_supports("amx-tile") && __builtin_cpu_supports("amx-bf16") && __builtin_cpu_supports("avx512bf16") &&
           __builtin_cpu_supports("x86-64-v4") && syscall(SYS_arch_prctl, kRequest, kTileData) == 0;
  }();
  return granted;
}

Contraction tileProduct(plan::Precision precision) {
  return {precision == plan::Precision::Bf16 ? multiply<false> : multiply<true>};
}
} // namespace sn::rt::cpu
#pragma clang attribute pop
