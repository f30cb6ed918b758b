// limit_norm: columns of E [inner, outer] whose Euclidean norm is above a limit are scaled down to it. Squares are
// summed in double precision, by lanes of the inner extent where the matrix lies [inner][outer].
#pragma once
#include "kernels-templates/cpu/Products.h"
#include <cmath>

namespace sn::rt::cpu {
class LimitNorm {
public:
  Weights weights;
  double limit = 0;

  void layout(Carver &carver, int64_t, const Context &context) {
    lanes = 1;
    while (lanes < context.lanes && weights.inner / (2 * lanes) >= kInnerPerLane)
      lanes *= 2;
    const bool stored = !inLines() && lanes > 1;
    squares = carver.take<double>(stored ? lanes * weights.outer : 0);
    factors = carver.take<float>(stored ? weights.outer : 0);
  }

  void run(Context &context, Launch &) {
    if (inLines())
      limitLines(context);
    else if (lanes == 1)
      limitTiles(context);
    else
      limitByLanes(context);
  }

private:
  static constexpr int64_t kInnerPerLane = 1024, kBlock = 1 << 16;

  /// Whether a column lies in one piece.
  bool inLines() const { return weights.outerFirst || weights.outer == 1; }
  float *at(int64_t k, int64_t c) const { return weights.trained.value + weights.offset(k, c); }
  /// What a column is multiplied by; 1 also where its norm is no number.
  float factorOf(double sumOfSquares) const {
    const double norm = std::sqrt(sumOfSquares);
    return norm > limit ? static_cast<float>(limit / norm) : 1.0f;
  }
  /// Blocks of whole lines that together cover `count` lines of `width` values.
  static int64_t linesPerBlock(int64_t width) { return std::max<int64_t>(1, kBlock / std::max<int64_t>(1, width)); }

  /// [outer][inner].
  void limitLines(Context &context) {
    const int64_t lines = linesPerBlock(weights.inner);
    context.pool.parallelFor((weights.outer + lines - 1) / lines, [&](int64_t block, int) {
      for (int64_t c = block * lines; c < std::min(weights.outer, (block + 1) * lines); ++c) {
        const float factor = factorOf(context.ops->sumSquares(weights.inner, at(0, c)));
        if (factor != 1)
          context.ops->scale(weights.inner, factor, at(0, c));
      }
    });
  }

  /// [inner][outer], few lines: a tile of columns after another, without memory of their sums.
  void limitTiles(Context &context) {
    const Tiles tiles(weights.outer);
    context.pool.parallelFor(tiles.count, [&](int64_t index, int) {
      const plan::Range tile = tiles[index];
      alignas(kCacheLine) std::array<double, plan::kTile> sum;
      alignas(kCacheLine) std::array<float, plan::kTile> factor;
      std::fill_n(sum.data(), tile.size(), 0.0);
      for (int64_t k = 0; k < weights.inner; ++k)
        context.ops->addSquares(tile.size(), at(k, tile.begin), sum.data());
      bool any = false;
      for (size_t i = 0; i < static_cast<size_t>(tile.size()); ++i) {
        factor[i] = factorOf(sum[i]);
        any = any || factor[i] != 1;
      }
      for (int64_t k = 0; any && k < weights.inner; ++k)
        context.ops->multiply(tile.size(), factor.data(), at(k, tile.begin));
    });
  }

  /// [inner][outer], many lines: the lanes' sums, then the factors, then blocks of lines.
  void limitByLanes(Context &context) {
    const Tiles tiles(weights.outer);
    context.pool.parallelFor(lanes * tiles.count, [&](int64_t task, int) {
      const int lane = static_cast<int>(task / tiles.count);
      const plan::Range tile = tiles[task % tiles.count], inner = plan::laneRange(weights.inner, lane, lanes);
      double *sum = squares + lane * weights.outer + tile.begin;
      std::fill_n(sum, tile.size(), 0.0);
      for (int64_t k = inner.begin; k < inner.end; ++k)
        context.ops->addSquares(tile.size(), at(k, tile.begin), sum);
    });
    bool any = false;
    for (int64_t c = 0; c < weights.outer; ++c) {
      plan::combineLanes(
          lanes, [&](int into, int from) { squares[into * weights.outer + c] += squares[from * weights.outer + c]; });
      factors[c] = factorOf(squares[c]);
      any = any || factors[c] != 1;
    }
    const int64_t lines = linesPerBlock(weights.outer), blocks = (weights.inner + lines - 1) / lines;
    context.pool.parallelFor(any ? blocks : 0, [&](int64_t block, int) {
      for (int64_t k = block * lines; k < std::min(weights.inner, (block + 1) * lines); ++k)
        context.ops->multiply(weights.outer, factors, at(k, 0));
    });
  }

  int lanes = 1;
  double *squares = nullptr;
  float *factors = nullptr;
};
} // namespace sn::rt::cpu
