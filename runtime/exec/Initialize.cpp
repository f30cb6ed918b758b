#include "runtime/exec/Initialize.h"
#include "runtime/plan/Philox.h"
#include <algorithm>
#include <stdexcept>

namespace sn::rt {
namespace {
using plan::RandomPoint;

/// Draws of columns 4 * block .. 4 * block + 3 of a row, which one block of random words serves.
using FourDraws = void (*)(const RandomPoint &at, uint64_t row, uint64_t block, double *four);

/// By name; a plan that verify() accepts has no other.
FourDraws drawsOf(const std::string &name) {
  if (name == "uniform")
    return [](const RandomPoint &at, uint64_t row, uint64_t block, double *four) {
      const plan::PhiloxBlock words = plan::randomBlock(at, row, block);
      for (size_t i = 0; i < 4; ++i)
        four[i] = double(plan::uniformFromWord(words[i]));
    };
  if (name == "normal")
    return [](const RandomPoint &at, uint64_t row, uint64_t block, double *four) {
      for (uint64_t i = 0; i < 4; ++i)
        four[i] = plan::normal(at, row, 4 * block + i);
    };
  if (name == "none")
    return [](const RandomPoint &, uint64_t, uint64_t, double *four) { std::fill_n(four, 4, 0.0); };
  throw std::logic_error("unknown draw '" + name + "'");
}

struct Values {
  FourDraws draws;
  RandomPoint at;
  double scale, shift;
  int64_t begin, end; // in memory
  float *to;

  void put(int64_t position, double draw) const { to[position - begin] = static_cast<float>(scale * draw + shift); }

  /// Memory [first, last) of [in][out].
  void fillRows(int64_t out, int64_t first, int64_t last) const {
    double four[4];
    for (int64_t k = first; k < last;) {
      const int64_t i = k / out, o = k - i * out, next = std::min({last, (i + 1) * out, i * out + (o / 4 + 1) * 4});
      draws(at, static_cast<uint64_t>(i), static_cast<uint64_t>(o / 4), four);
      for (int64_t position = k; position < next; ++position)
        put(position, four[(o + position - k) & 3]);
      k = next;
    }
  }
  /// Of [out][in], the four lines from 4 * block on, as far as they lie in [begin, end).
  void fillLines(int64_t in, int64_t block) const {
    double four[4];
    const int64_t firstLine = std::max(4 * block, begin / in), lastLine = std::min(4 * block + 3, (end - 1) / in);
    for (int64_t i = 0; i < in; ++i) {
      draws(at, static_cast<uint64_t>(i), static_cast<uint64_t>(block), four);
      for (int64_t o = firstLine; o <= lastLine; ++o)
        if (int64_t position = o * in + i; position >= begin && position < end)
          put(position, four[o & 3]);
    }
  }
};
} // namespace

void initialValues(const plan::Initializer &init, int64_t in, int64_t out, bool transposed, uint64_t seed,
                   int64_t begin, int64_t end, float *to, ThreadPool &workers) {
  if (begin >= end)
    return;
  auto fans = [&](std::string_view name) -> double {
    if (name == "nin")
      return static_cast<double>(in);
    if (name == "nout")
      return static_cast<double>(out);
    throw std::out_of_range("no symbol '" + std::string(name) + "' in an initializer");
  };
  const Values values{
      drawsOf(init.draw), {seed, init.stream, 0}, init.scale.evaluate(fans), init.shift.evaluate(fans), begin, end, to};
  constexpr int64_t kTask = 1 << 14; // about so many values each
  if (!transposed) {
    workers.parallelFor((end - begin + kTask - 1) / kTask, [&](int64_t task, int) {
      values.fillRows(out, begin + task * kTask, std::min(end, begin + (task + 1) * kTask));
    });
    return;
  }
  const int64_t first = begin / in / 4, blocks = (end - 1) / in / 4 + 1 - first,
                each = std::max<int64_t>(1, kTask / (4 * in));
  workers.parallelFor((blocks + each - 1) / each, [&](int64_t task, int) {
    for (int64_t block = task * each; block < std::min(blocks, (task + 1) * each); ++block)
      values.fillLines(in, first + block);
  });
}
} // namespace sn::rt
