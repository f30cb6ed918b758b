// What a training step does with the rows of a sparse input's matrix that its batch does not touch.
// docs/decisions/0015-lazy-updates.md says why.
#pragma once
#include "runtime/plan/Cost.h"
#include <optional>

namespace sn::plan {
using HyperValues = std::map<std::string, double, std::less<>>;

enum class UntouchedWay {
  Idle,  // they keep value and state: nothing is put off
  Lazy,  // their update is put off, and made up for by a product of matrices when they are read (Untouched::matrix)
  Dense, // they are updated in every step
};
const char *nameOf(UntouchedWay way);

struct UntouchedRows {
  std::string parameter, dataset;
  UntouchedWay way = UntouchedWay::Dense;
  std::string why;
};

/// Every parameter that a csc_update of the entry "train" adjusts, in the order of the steps: the way that the plan and
/// the hyper-parameters allow, whatever the data are.
std::vector<UntouchedRows> untouchedRows(const Plan &plan, const Optimizer &optimizer, const HyperValues &hyper);
/// The same for a batch: where laziness does not pay, Dense. `sparse` says of a data set whether it is stored so.
std::vector<UntouchedRows> untouchedRows(const Plan &plan, const Optimizer &optimizer, const HyperValues &hyper,
                                         const CostModel &model,
                                         const std::function<bool(const std::string &)> &sparse);

/// Steps after which the untouched rows catch up at the latest, counted from the last time that all had.
inline constexpr int64_t kMostPutOff = 1024;
/// Memory that putting off takes for a parameter of so many rows, with matrices of size x size.
int64_t deferralBytes(int64_t rows, int64_t size);
} // namespace sn::plan
