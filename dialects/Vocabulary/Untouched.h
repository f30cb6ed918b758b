// What an optimizer makes of a weight that a step does not touch.
#pragma once
#include "dialects/Vocabulary/Records.h"
#include <optional>
#include <vector>

namespace sn::vocab {
/// Without a gradient, (w, state0, ...) is multiplied by a matrix.
struct UntouchedUpdate {
  bool withDecay = false;   // holds for any Lambda; else for Lambda = 0 alone. Lambda1 = 0 either way
  std::vector<Term> matrix; // row-major, terms of the caller's builder or literals
};

/// Computed, not declared: the matrix if `update`, with L2 decay folded in, is linear in weight and states at g = 0
/// (for finite values and hyper-parameters), with elements that depend on the scalars alone; nothing else. `scalars`:
/// of the caller's builder, Lambda first, then those of the record.
std::optional<UntouchedUpdate> untouchedUpdate(const Optimizer &optimizer, const std::vector<Term> &scalars);
} // namespace sn::vocab
