#include "tools/dsstne/Filter.h"
#include "tools/dsstne/Text.h"

namespace sn::dsstne {
namespace {
constexpr float kLargestFactor = 10;
bool removes(float factor) { return factor == 0 || factor > kLargestFactor; }
} // namespace

Filter readFilter(const std::string &path, const rt::Names &samples, const rt::Names &features) {
  rt::Entries entries;
  entries.rows = {rt::NameIndex(samples), true, {}};
  entries.columns = {rt::NameIndex(features), true, {}};
  entries.keepValues = true;
  readSamples(filesOf(path), entries);
  Filter filter;
  filter.unknownSamples = entries.rows.unknown.size();
  filter.unknownFeatures = entries.columns.unknown.size();
  rt::Tidied tidied;
  const rt::DataSet all = entries.takeDataSet(true, rt::Duplicates::Last, tidied);
  rt::DataSet &removed = filter.removed;
  removed.name = "filter";
  removed.rows = all.rows;
  removed.columns = all.columns;
  removed.indptr = {0};
  filter.factors.resize(static_cast<size_t>(all.rows));
  for (int64_t row = 0; row < all.rows; ++row) {
    for (int64_t j = all.indptr[row]; j < all.indptr[row + 1]; ++j)
      if (removes(all.values[j]))
        removed.indices.push_back(all.indices[j]);
      else if (all.values[j] != 1)
        filter.factors[row][all.indices[j]] = all.values[j];
    removed.indptr.push_back(static_cast<int64_t>(removed.indices.size()));
  }
  return filter;
}
} // namespace sn::dsstne
