#include "runtime/exec/Initialize.h"
#include "runtime/plan/Philox.h"
#include <algorithm>
#include <stdexcept>

namespace sn::rt {
namespace {
using plan::RandomPoint;

/// Draws by name; a plan that verify() accepts has no other.
double (*drawOf(const std::string &name))(const RandomPoint &, uint64_t, uint64_t) {
  if (name == "uniform")
    return [](const RandomPoint &at, uint64_t row, uint64_t column) { return double(plan::uniform(at, row, column)); };
  if (name == "normal")
    return [](const RandomPoint &at, uint64_t row, uint64_t column) { return plan::normal(at, row, column); };
  if (name == "none")
    return [](const RandomPoint &, uint64_t, uint64_t) { return 0.0; };
  throw std::logic_error("unknown draw '" + name + "'");
}
} // namespace

void initialValues(const plan::Initializer &init, int64_t in, int64_t out, bool transposed, uint64_t seed,
                   int64_t begin, int64_t end, float *to, ThreadPool &workers) {
  auto fans = [&](std::string_view name) -> double {
    if (name == "nin")
      return static_cast<double>(in);
    if (name == "nout")
      return static_cast<double>(out);
    throw std::out_of_range("no symbol '" + std::string(name) + "' in an initializer");
  };
  double scale = init.scale.evaluate(fans), shift = init.shift.evaluate(fans);
  auto draw = drawOf(init.draw);
  RandomPoint at{seed, init.stream, 0};
  int64_t inner = transposed ? in : out;
  constexpr int64_t kBlock = 1 << 14;
  workers.parallelFor((end - begin + kBlock - 1) / kBlock, [&](int64_t block, int) {
    int64_t last = std::min(end, begin + (block + 1) * kBlock);
    for (int64_t k = begin + block * kBlock; k < last; ++k) {
      int64_t outer = k / inner, rest = k - outer * inner;
      int64_t i = transposed ? rest : outer, o = transposed ? outer : rest;
      to[k - begin] = static_cast<float>(scale * draw(at, static_cast<uint64_t>(i), static_cast<uint64_t>(o)) + shift);
    }
  });
}
} // namespace sn::rt
