// Gradients of the training step against differences of its loss (reference 5.6, mended as T-45 asks).
#pragma once
#include "runtime/exec/Model.h"

namespace sn::rt {
/// One value of one parameter. Gradients are descent gradients as updates use them: -dE/dw / (batch * users of the
/// matrix), E the loss summed over the batch.
struct GradientSample {
  std::string parameter;
  int64_t in = 0, out = 0;
  double analytic = 0, numeric = 0;
  std::pair<double, double> slopes; // of the differences to either side, the lower one first
  double tolerance = 0;             // 2 % of the larger one, and what float32 sums can tell
  bool agrees() const;
};
struct GradientReport {
  std::vector<GradientSample> samples;
  int64_t failures = 0;
  double loss = 0; // of the batch
};

/// Compares `each` values of every trained parameter, half of them those with the largest gradients, half drawn, on the
/// first batch of the data. The training step itself gives the loss, so masks of dropout and denoising and the
/// statistics of batch normalisation are the same throughout. What changes deltas but not the loss (SparsenessPenalty,
/// DeltaBoost, DeltaNorm) and WeightNorm must not be in the plan. The model's values stay as they are. UserError for a
/// plan without an optimizer that has no states.
GradientReport checkGradients(Model &model, const Settings &settings, const Binding &data, int64_t each);
} // namespace sn::rt
