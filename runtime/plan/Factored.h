// What the factored form of an output layer costs (docs/spec/plan.md, "Factored outputs"), and whether it is worth it.
#pragma once
#include "runtime/plan/Cost.h"

namespace sn::plan {
struct FactoredExtents {
  double outputs = 0, width = 0; // width: units of the source, and one for a bias
  double rows = 0, entries = 0;  // of a batch; stored in a row of the target
  double steps = 1000;           // of an epoch, at whose end the rows are brought up to date
};
/// Of a step: the mean over an epoch.
Cost factoredCost(const FactoredExtents &at);
/// Whether it takes clearly less than the dense form. Its products are smaller and run slower, so it must win by some.
bool factoringPays(const FactoredExtents &at);
} // namespace sn::plan
