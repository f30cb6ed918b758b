// The rows of a wide matrix W under training steps that change all of them in one way and few of them besides:
//   W <- W A + S,  A [width, width] the same for every row, S zero but for the rows that a batch's targets store.
// A row is kept as it was when it was last touched, and the product P of all A since then stands for what it has
// missed: W[o] = V[o] P. Rows touched in one step share a P, a generation. Unlike one common factor U with V = W U^-1,
// no inverse is needed, so it does not matter how fast A shrinks a direction (docs/decisions/0016).
// Generations are digits: after kRadix steps those of single steps are merged into one of kRadix steps, and so on:
// merging multiplies the rows that are in it, and no others. After kPeriod steps everything is folded.
#pragma once
#include "kernels-templates/cpu/Context.h"
#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace sn::rt::cpu {
/// Rows of one generation that are multiplied together: [begin, end) of a list.
struct GenerationBlock {
  int generation = 0;
  int64_t begin = 0, end = 0;
};

class Generations {
public:
  static constexpr int64_t kRadix = 16, kPeriod = kRadix * kRadix * kRadix;
  static constexpr int kCount = 1 + 3 * static_cast<int>(kRadix); // the oldest rows', then three digits
  /// Rows of one product.
  static constexpr int64_t kBlock = 128;
  /// Fewer rows than these are multiplied one by one: a product of the library takes as long as eight of them.
  static constexpr int64_t kFew = 8;
  /// Generations that are multiplied together: the library packs the other factor once.
  static constexpr int kTogether = 4;

  /// `rows` is [outputs][inner]; `column`, if not null, one column more.
  Generations(float *rows, float *column, int64_t outputs, int64_t inner, bool hasColumn)
      : rows(rows), column(column), outputs(outputs), inner(inner), width(inner + hasColumn),
        stride(roundUp(width, 16)), numbers(static_cast<size_t>(width)) {
    std::iota(numbers.begin(), numbers.end(), 0);
  }

  int64_t outputsOf() const { return outputs; }
  int64_t innerOf() const { return inner; }
  int64_t widthOf() const { return width; }
  int64_t strideOf() const { return stride; }
  /// What open() allocates, and the list that fold() makes.
  int64_t bytes() const {
    return productFloats() * 4 + roundUp(outputs, kLine) + width * width * 8 + width * stride * 4 + outputs * 8;
  }
  /// Floats that a worker needs to work on a block, or on products.
  int64_t scratchFloats() const { return std::max(2 * kBlock, kTogether * width) * stride; }

  /// Whether the memory of the rows holds W itself.
  bool plain() const { return done == 0; }
  int64_t steps() const { return done; }

  /// Ready for a step: W^T W is known.
  void open(Context &context) {
    if (known)
      return;
    allocate();
    setIdentity(0);
    computeGram(context);
    known = true;
  }
  /// The rows were written from outside: they are W.
  void forget() {
    if (tags.bytes() > 0)
      std::fill_n(tag(), outputs, uint8_t(0));
    done = 0;
    known = false;
  }
  /// The rows become W. W^T W is then computed afresh when it is needed.
  void fold(Context &context) {
    if (!plain())
      merge(context, 0, kCount, 0);
    done = 0;
    known = false;
  }

  /// W^T W [width, width] in single precision, lines `stride` apart.
  const float *gram() const { return reinterpret_cast<const float *>(singles.data()); }
  /// W^T W += d + d^T, lines of d `stride` apart.
  void addToGram(const float *d) {
    double *exact = reinterpret_cast<double *>(doubles.data());
    for (int64_t i = 0; i < width; ++i)
      for (int64_t j = 0; j < width; ++j)
        exact[i * width + j] += static_cast<double>(d[i * stride + j]) + static_cast<double>(d[j * stride + i]);
    roundGram();
  }

  int generationOf(int64_t output) const { return tag()[output]; }
  /// P of a generation, lines `stride` apart.
  float *product(int generation) { return reinterpret_cast<float *>(products.data()) + generation * width * stride; }
  const float *product(int generation) const { return const_cast<Generations *>(this)->product(generation); }
  /// Those that rows may be of.
  std::vector<int> living() const {
    std::vector<int> list{0};
    int64_t left = done;
    for (int first = 1; first < kCount; first += kRadix, left /= kRadix)
      for (int64_t i = 0; i < left % kRadix; ++i)
        list.push_back(first + static_cast<int>(i));
    return list;
  }
  /// The same in runs [first, end) of at most kTogether.
  std::vector<std::pair<int, int>> livingRuns() const {
    std::vector<std::pair<int, int>> runs;
    for (int generation : living())
      if (!runs.empty() && runs.back().second == generation && generation - runs.back().first < kTogether)
        ++runs.back().second;
      else
        runs.emplace_back(generation, generation + 1);
    return runs;
  }
  /// Of the rows that the step under way touches.
  int fresh() const { return 1 + static_cast<int>(done % kRadix); }

  /// lines[i] = V of row ids[i], lines `stride` apart.
  void gather(const int32_t *ids, int64_t count, float *lines) const {
    constexpr int64_t kAhead = 4;
    for (int64_t i = 0; i < count; ++i) {
      if (i + kAhead < count)
        for (int64_t at = 0; at < inner; at += 16)
          __builtin_prefetch(rows + ids[i + kAhead] * inner + at);
      std::copy_n(rows + ids[i] * inner, inner, lines + i * stride);
      if (width > inner)
        lines[i * stride + inner] = column[ids[i]];
    }
  }
  /// Rows ids[i] are now lines[i], of generation `generation`.
  void scatter(const int32_t *ids, int64_t count, const float *lines, int generation) {
    for (int64_t i = 0; i < count; ++i) {
      std::copy_n(lines + i * stride, inner, rows + ids[i] * inner);
      if (width > inner)
        column[ids[i]] = lines[i * stride + inner];
      tag()[ids[i]] = static_cast<uint8_t>(generation);
    }
  }
  /// out = W of rows of one generation, at most kBlock; `scratch` as large.
  void present(const Context &context, int generation, const int32_t *ids, int64_t count, float *scratch,
               float *out) const {
    gather(ids, count, scratch);
    if (count < kFew) {
      for (int64_t i = 0; i < count; ++i)
        context.ops->gatherRows(width, numbers.data(), scratch + i * stride, width, 0, product(generation), stride,
                                out + i * stride);
      return;
    }
    context.product('N', 'N', count, width, width, 1, scratch, stride, product(generation), stride, 0, out, stride);
  }
  /// P <- P (1 - factor c) of living generations, at most kTogether, that follow one another.
  void advance(const Contraction &multiply, const std::pair<int, int> &some, float factor, const float *c,
               float *scratch) {
    float *p = product(some.first);
    const int64_t lines = (some.second - some.first) * width;
    std::copy_n(p, lines * stride, scratch);
    multiply('N', 'N', lines, width, width, -factor, scratch, stride, c, stride, 1, p, stride);
  }
  /// The step is over; `fresh` rows have been scattered.
  void close(Context &context) {
    setIdentity(fresh());
    ++done;
    if (done % kPeriod == 0)
      fold(context);
    else if (done % (kRadix * kRadix) == 0)
      merge(context, 1, 1 + 2 * kRadix, 2 * kRadix + static_cast<int>(done / (kRadix * kRadix) % kRadix));
    else if (done % kRadix == 0)
      merge(context, 1, 1 + kRadix, kRadix + static_cast<int>(done / kRadix % kRadix));
  }

  /// Orders ids, ascending, by their rows' generation, ascending inside each; blocks of at most kBlock.
  void group(std::vector<int32_t> &ids, std::vector<GenerationBlock> &blocks) const {
    int64_t starts[kCount + 1] = {};
    for (int32_t id : ids)
      ++starts[generationOf(id) + 1];
    for (int g = 0; g < kCount; ++g)
      starts[g + 1] += starts[g];
    blocks.clear();
    for (int g = 0; g < kCount; ++g)
      for (int64_t begin = starts[g]; begin < starts[g + 1]; begin += kBlock)
        blocks.push_back({g, begin, std::min(begin + kBlock, starts[g + 1])});
    std::vector<int32_t> ordered(ids.size());
    for (int32_t id : ids)
      ordered[static_cast<size_t>(starts[generationOf(id)]++)] = id;
    ids = std::move(ordered);
  }

  /// W of rows first ... first + count - 1: `to` [count, inner] and `more` [count] (either may be null).
  void read(Context &context, int64_t first, int64_t count, float *to, float *more) const {
    std::vector<int32_t> ids(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; ++i)
      ids[static_cast<size_t>(i)] = static_cast<int32_t>(first + i);
    std::vector<GenerationBlock> blocks;
    group(ids, blocks);
    AlignedMemory scratch(context.pool.workers() * scratchFloats() * static_cast<int64_t>(sizeof(float)));
    context.pool.parallelFor(static_cast<int64_t>(blocks.size()), [&](int64_t task, int worker) {
      const GenerationBlock &block = blocks[static_cast<size_t>(task)];
      float *own = reinterpret_cast<float *>(scratch.data()) + worker * scratchFloats(), *w = own + kBlock * stride;
      present(context, block.generation, ids.data() + block.begin, block.end - block.begin, own, w);
      for (int64_t i = block.begin; i < block.end; ++i, w += stride) {
        if (to)
          std::copy_n(w, inner, to + (ids[static_cast<size_t>(i)] - first) * inner);
        if (more)
          more[ids[static_cast<size_t>(i)] - first] = w[inner];
      }
    });
  }

  // What a checkpoint holds beside the rows. Arrays of these lengths; restore() takes them back.
  int64_t productFloats() const { return kCount * width * stride; }
  const uint8_t *tagsBegin() const { return tag(); }
  const float *productsBegin() const { return product(0); }
  const double *gramBegin() const { return reinterpret_cast<const double *>(doubles.data()); }
  int64_t gramDoubles() const { return width * width; }
  /// False for rows of generations that there cannot be after so many steps.
  bool restore(int64_t steps, const uint8_t *generations, const float *allProducts, const double *gram) {
    if (steps < 1 || steps >= kPeriod)
      return false;
    allocate();
    done = steps;
    bool alive[256] = {};
    for (int generation : living())
      alive[generation] = true;
    if (!std::all_of(generations, generations + outputs, [&](uint8_t g) { return alive[g]; }))
      return forget(), false;
    std::copy_n(generations, outputs, tag());
    std::copy_n(allProducts, productFloats(), product(0));
    std::copy_n(gram, gramDoubles(), reinterpret_cast<double *>(doubles.data()));
    roundGram();
    known = true;
    return true;
  }

private:
  static constexpr int64_t kLine = 16; // tags looked at together

  uint8_t *tag() const { return reinterpret_cast<uint8_t *>(tags.data()); }
  void allocate() {
    products.reserveExactly(productFloats() * static_cast<int64_t>(sizeof(float)));
    tags.reserveExactly(roundUp(outputs, kLine));
    doubles.reserveExactly(width * width * static_cast<int64_t>(sizeof(double)));
    singles.reserveExactly(width * stride * static_cast<int64_t>(sizeof(float)));
  }
  void setIdentity(int generation) {
    float *p = product(generation);
    std::fill_n(p, width * stride, 0.0f);
    for (int64_t i = 0; i < width; ++i)
      p[i * stride + i] = 1;
  }
  void roundGram() {
    const double *exact = reinterpret_cast<const double *>(doubles.data());
    float *rounded = reinterpret_cast<float *>(singles.data());
    for (int64_t i = 0; i < width; ++i)
      for (int64_t j = 0; j < width; ++j)
        rounded[i * stride + j] = static_cast<float>(exact[i * width + j]);
  }

  /// Rows of the generations [from, end), ascending.
  std::vector<int32_t> rowsOf(int from, int end) const {
    std::vector<int32_t> ids;
    const uint8_t *all = tag();
    const uint8_t least = static_cast<uint8_t>(from), many = static_cast<uint8_t>(end - from);
    for (int64_t line = 0; line < outputs; line += kLine) {
      uint8_t any = 0; // tags behind the last row are never read by those who use the list
      for (int64_t i = 0; i < kLine; ++i)
        any |= static_cast<uint8_t>(all[line + i] - least) < many;
      for (int64_t i = 0; any && i < std::min(kLine, outputs - line); ++i)
        if (static_cast<uint8_t>(all[line + i] - least) < many)
          ids.push_back(static_cast<int32_t>(line + i));
    }
    return ids;
  }
  /// Rows of the generations [from, end) are brought up to now and become generation `to`.
  void merge(Context &context, int from, int end, int to) {
    std::vector<int32_t> ids = rowsOf(from, end);
    std::vector<GenerationBlock> blocks;
    group(ids, blocks);
    AlignedMemory scratch(context.pool.workers() * scratchFloats() * static_cast<int64_t>(sizeof(float)));
    context.pool.parallelFor(static_cast<int64_t>(blocks.size()), [&](int64_t task, int worker) {
      const GenerationBlock &block = blocks[static_cast<size_t>(task)];
      float *own = reinterpret_cast<float *>(scratch.data()) + worker * scratchFloats(), *w = own + kBlock * stride;
      const int32_t *some = ids.data() + block.begin;
      present(context, block.generation, some, block.end - block.begin, own, w);
      scatter(some, block.end - block.begin, w, to);
    });
    setIdentity(to);
  }

  /// W^T W of the rows, which are W: lanes of tiles, each tile's product in single precision, their sums in double.
  void computeGram(Context &context) {
    const int lanes = plan::wideLanes(outputs, context.lanes);
    const int64_t size = width * width, workers = context.pool.workers(), tile = plan::kTile * stride;
    std::vector<double> sums(static_cast<size_t>(lanes * size));
    AlignedMemory scratch(workers * (tile + width * stride) * static_cast<int64_t>(sizeof(float)));
    context.pool.parallelFor(lanes, [&](int64_t lane, int worker) {
      float *lines = reinterpret_cast<float *>(scratch.data()) + worker * (tile + width * stride), *part = lines + tile;
      double *sum = sums.data() + lane * size;
      const plan::Range range = plan::laneRange(outputs, static_cast<int>(lane), lanes);
      for (int64_t first = range.begin; first < range.end; first += plan::kTile) {
        const int64_t count = std::min(plan::kTile, range.end - first);
        for (int64_t i = 0; i < count; ++i) {
          std::copy_n(rows + (first + i) * inner, inner, lines + i * stride);
          if (width > inner)
            lines[i * stride + inner] = column[first + i];
        }
        context.product('T', 'N', width, width, count, 1, lines, stride, lines, stride, 0, part, stride);
        for (int64_t i = 0; i < width; ++i)
          for (int64_t j = 0; j < width; ++j)
            sum[i * width + j] += static_cast<double>(part[i * stride + j]);
      }
    });
    plan::combineLanes(lanes, [&](int into, int from) {
      for (int64_t i = 0; i < size; ++i)
        sums[static_cast<size_t>(into * size + i)] += sums[static_cast<size_t>(from * size + i)];
    });
    std::copy_n(sums.data(), size, reinterpret_cast<double *>(doubles.data()));
    roundGram();
  }

  float *rows, *column;
  int64_t outputs, inner, width, stride;
  std::vector<int32_t> numbers; // 0 ... width - 1
  int64_t done = 0;             // steps since the rows were W
  bool known = false;           // W^T W
  AlignedMemory products, tags, doubles, singles;
};
} // namespace sn::rt::cpu
