#include "runtime/data/HoldOut.h"
#include "runtime/plan/Error.h"
#include "runtime/plan/Philox.h"
#include <algorithm>

namespace sn::rt {
namespace {
// Seeds of a data set have streams of their own; these two are this file's.
constexpr uint32_t kRankStream = 0x484F, kRoundingStream = 0x4850;

DataSet emptyLike(const DataSet &data) {
  DataSet out;
  out.loader = data.loader;
  out.rows = data.rows;
  out.columns = data.columns;
  out.rowNames = data.rowNames;
  out.columnNames = data.columnNames;
  out.weights = data.weights;
  out.ignoreZeros = data.ignoreZeros;
  out.stored = data.stored;
  out.scale = data.scale;
  out.extents = data.extents;
  out.indptr = {0};
  return out;
}
} // namespace

HeldOut holdOut(const DataSet &data, double fraction, uint64_t seed) {
  if (data.loader == Loader::Dense)
    userError("data set {}: entries can be held out of sparse data only", data.name);
  if (!(fraction > 0 && fraction < 1))
    userError("--hold-out {}: should be above 0 and below 1", fraction);
  HeldOut out{emptyLike(data), emptyLike(data)};
  std::vector<std::pair<uint32_t, int32_t>> ranked;
  std::vector<bool> held;
  for (int64_t row = 0; row < data.rows; ++row) {
    int64_t begin = data.indptr[data.storedRow(row)], count = data.indptr[data.storedRow(row) + 1] - begin, taken = 0;
    if (count >= 2) {
      float rounding = plan::uniform({seed, kRoundingStream, 0}, uint64_t(row), 0);
      taken = std::clamp<int64_t>(int64_t(fraction * double(count) + double(rounding)), 1, count - 1);
    }
    ranked.clear();
    for (int64_t i = 0; i < count; ++i)
      ranked.emplace_back(plan::randomWord({seed, kRankStream, 0}, uint64_t(row), uint64_t(data.indices[begin + i])),
                          int32_t(i));
    std::nth_element(ranked.begin(), ranked.begin() + taken, ranked.end());
    held.assign(count, false);
    for (int64_t i = 0; i < taken; ++i)
      held[ranked[i].second] = true;
    for (int64_t i = 0; i < count; ++i) {
      DataSet &side = held[i] ? out.held : out.kept;
      side.indices.push_back(data.indices[begin + i]);
      if (data.loader == Loader::CsrAnalog)
        side.values.push_back(data.values[begin + i]);
    }
    out.kept.indptr.push_back(int64_t(out.kept.indices.size()));
    out.held.indptr.push_back(int64_t(out.held.indices.size()));
  }
  return out;
}
} // namespace sn::rt
