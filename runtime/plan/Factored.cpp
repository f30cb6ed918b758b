#include "runtime/plan/Factored.h"
#include <algorithm>
#include <cmath>

namespace sn::plan {
namespace {
constexpr double kFloat = 4;
/// Products of the generations that a step multiplies, on the average of three digits of 16 (docs/decisions/0016).
constexpr double kGenerations = 1 + 3 * 7.5;
/// A touched row is brought up to date when it is touched and twice when generations are merged, and then updated.
constexpr double kRowProducts = 4;
/// Over the batch: H Q, C, F, K, H'^T Y Y^T H'.
constexpr double kBatchProducts = 5;
constexpr double kAdvantage = 4;
/// What a step costs beside its products: five rounds of small tasks, lists of entries.
constexpr double kSmallWork = 3e7;
} // namespace

Cost factoredCost(const FactoredExtents &at) {
  const double stored = at.rows * at.entries;
  const double touched = at.outputs > 1 ? -at.outputs * std::expm1(stored * std::log1p(-1 / at.outputs)) : at.outputs;
  const double square = 2 * at.width * at.width;
  // Once in an epoch all rows are multiplied, and W^T W is formed.
  const double all = 2 * at.outputs / std::max(1.0, at.steps);
  Cost cost;
  cost.flops =
      square * (kBatchProducts * at.rows + kRowProducts * touched + (kGenerations + 2) * at.width + all) + kSmallWork;
  cost.bytes = kFloat * at.width * (2 * kRowProducts * touched + 6 * at.rows + 2 * kGenerations * at.width + 1.5 * all);
  return cost;
}

bool factoringPays(const FactoredExtents &at) {
  const double dense = 6 * at.outputs * at.width * at.rows;
  return kAdvantage * factoredCost(at).flops < dense;
}
} // namespace sn::plan
