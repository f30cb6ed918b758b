#include "runtime/hal/Landing.h"
#include <algorithm>
#include <functional>
#include <numeric>
#include <stdexcept>

namespace sn::rt {
int64_t mostEntries(const DataView &view, int64_t rows) {
  rows = std::min(rows, view.rows);
  if (!view.indptr) {
    const int64_t average = view.rows > 0 ? (view.entries * rows + view.rows - 1) / view.rows : 0;
    return average + average / 4;
  }
  std::vector<int64_t> lengths(static_cast<size_t>(view.rows));
  for (int64_t example = 0; example < view.rows; ++example) {
    const int64_t row = view.storedRow(example);
    lengths[static_cast<size_t>(example)] = view.indptr[row + 1] - view.indptr[row];
  }
  const auto border = lengths.begin() + rows;
  if (border != lengths.end())
    std::nth_element(lengths.begin(), border, lengths.end(), std::greater<>());
  return std::accumulate(lengths.begin(), border, int64_t(0));
}

LandingLayout::LandingLayout(const DataView &streamed, int64_t maxRows)
    : rows(std::min(maxRows, streamed.rows)), columns(streamed.storedColumns), loader(streamed.loader),
      examples(streamed.rows) {
  const bool dense = loader == Loader::Dense;
  entries = dense ? rows * columns : mostEntries(streamed, rows);
  places = dense ? rows : rows + 1;
}

int64_t LandingLayout::halvesBytes() const {
  return indptrCount() * static_cast<int64_t>(sizeof(int64_t)) +
         indicesCount() * static_cast<int64_t>(sizeof(int32_t)) + valuesCount() * static_cast<int64_t>(sizeof(float));
}

int64_t fillHalf(const DataView &streamed, const LandingLayout &layout, const LandingArrays &to, int half,
                 const int64_t *examples, int64_t count) {
  if (count > layout.rows)
    throw std::logic_error("more examples than a landing has room for");
  std::vector<int64_t> rows(static_cast<size_t>(count)), lengths(static_cast<size_t>(count));
  std::transform(examples, examples + count, rows.begin(), [&](int64_t one) { return streamed.storedRow(one); });
  const int64_t first = layout.firstEntry(half);
  float *values = layout.loader == Loader::CsrBinary ? nullptr : to.values + first;
  if (layout.loader == Loader::Dense) {
    streamed.source->read(rows.data(), count, nullptr, values, nullptr);
    return count * layout.columns;
  }
  int64_t most = 0;
  for (int64_t row : rows)
    most += streamed.indptr[row + 1] - streamed.indptr[row];
  if (most > layout.entries)
    throw std::logic_error("a batch has more entries than its examples can have: an example stands in it twice");
  streamed.source->read(rows.data(), count, to.indices + first, values, lengths.data());
  int64_t *indptr = to.indptr + layout.firstPlace(half);
  indptr[0] = first;
  std::partial_sum(lengths.begin(), lengths.end(), indptr + 1);
  for (int64_t i = 1; i <= count; ++i)
    indptr[i] += first;
  return indptr[count] - first;
}

namespace {
/// In the host's memory: kernels read what fetch() writes.
class HostLanding final : public Landing {
public:
  HostLanding(const DataView &streamed, int64_t maxRows)
      : streamed(streamed), layout(streamed, maxRows), indptr(size_t(layout.indptrCount())),
        indices(size_t(layout.indicesCount())), values(size_t(layout.valuesCount())), index(size_t(streamed.rows)),
        landed(streamed) {
    landed.source = nullptr;
    landed.indptr = layout.loader == Loader::Dense ? nullptr : indptr.data();
    landed.indices = layout.loader == Loader::Dense ? nullptr : indices.data();
    landed.values = layout.loader == Loader::CsrBinary ? nullptr : values.data();
    landed.index = index.data();
  }
  const DataView &view() const override { return landed; }
  void fetch(int half, const int64_t *ids, int64_t count) override {
    examples[half].assign(ids, ids + count);
    fillHalf(streamed, layout, {indptr.data(), indices.data(), values.data()}, half, ids, count);
  }
  void use(int half) override {
    int64_t place = layout.firstPlace(half);
    for (int64_t example : examples[half])
      index[static_cast<size_t>(example)] = static_cast<int32_t>(place++);
  }

private:
  const DataView streamed;
  const LandingLayout layout;
  std::vector<int64_t> indptr;
  std::vector<int32_t> indices;
  std::vector<float> values;
  std::vector<int32_t> index;
  std::vector<int64_t> examples[2];
  DataView landed;
};
} // namespace

std::unique_ptr<Landing> Device::land(const DataView &streamed, int64_t maxRows) {
  return std::make_unique<HostLanding>(streamed, maxRows);
}
} // namespace sn::rt
