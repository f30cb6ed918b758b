// Splitting the entries of a data set in two: what is trained on, and what is kept back to test with.
#pragma once
#include "runtime/data/DataSet.h"

namespace sn::rt {
struct HeldOut {
  DataSet kept, held; // same rows, columns and names
};
/// Moves `fraction` (above 0, below 1) of each row's entries to `held`, chosen by Philox from seed, row and column. A
/// row of n entries gives fraction * n, rounded up or down at random; one of two or more entries keeps at least one on
/// each side, one of a single entry keeps it. Of indexed data every example gets rows of its own. CSR data only:
/// UserError for dense data.
HeldOut holdOut(const DataSet &data, double fraction, uint64_t seed);
} // namespace sn::rt
