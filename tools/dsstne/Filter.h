// Filters of predictions (reference 4.5): factors of scores for samples and features.
#pragma once
#include "runtime/data/DataSet.h"
#include <map>

namespace sn::dsstne {
/// What a filter file says of each sample: columns that are left out, and factors of the others. A factor of 0, a
/// missing one, and one above 10 leave a feature out: the sample's own text as its filter removes what it has seen
/// (T-40).
struct Filter {
  rt::DataSet removed;                             // a binary data set, one row for each sample
  std::vector<std::map<int32_t, float>> factors;   // by sample; empty where there are none
  int64_t unknownSamples = 0, unknownFeatures = 0; // lines and entries that are ignored
};
/// Samples and features go by the names given. A later line of a sample replaces an earlier one; blank lines count for
/// nothing. `path` may be a folder.
Filter readFilter(const std::string &path, const rt::Names &samples, const rt::Names &features);
} // namespace sn::dsstne
