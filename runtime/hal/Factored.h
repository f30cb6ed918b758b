// Wide matrices that a device trains in factored form (docs/spec/plan.md, "Factored outputs"): while training is inside
// an epoch their memory holds other numbers than the weights, and this is the way to these.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

namespace sn::rt {
/// A matrix [in, out] stored output by output, and the bias of its layer, in the memory of the parameters.
struct FactoredShape {
  float *weights = nullptr, *bias = nullptr; // null: only to be measured
  int64_t outputs = 0, inner = 0;
  bool hasBias = false;
};

/// What goes on from step to step beside the memory of the parameters. Part of checkpoints inside an epoch.
struct FactoredState {
  int64_t steps = 0;                // since the memory held the weights
  std::vector<uint8_t> generations; // of each output
  std::vector<float> products;      // of each generation
  std::vector<double> gram;         // W^T W
};

/// Must not outlive its device. One thread at a time, and none while kernels run.
class FactoredMatrix {
public:
  virtual ~FactoredMatrix() = default;
  /// Whether the memory holds the weights.
  virtual bool plain() const = 0;
  /// The memory holds the weights from here on.
  virtual void fold() = 0;
  /// The memory was written from outside, and holds weights.
  virtual void forget() = 0;
  /// The weights of outputs first ... first + count - 1 without folding: `weights` [count, in] and `bias` [count];
  /// either may be null.
  virtual void read(int64_t first, int64_t count, float *weights, float *bias) const = 0;
  virtual FactoredState state() const = 0;
  /// Lengths that a state has.
  virtual FactoredState emptyState() const = 0;
  /// Takes up a state of these lengths; the memory holds what it held then. False for what no run can have left.
  [[nodiscard]] virtual bool restore(const FactoredState &state) = 0;
};

/// Implemented by devices that have the factored form of `wide_output`.
class FactorsOutputs {
public:
  virtual ~FactorsOutputs() = default;
  /// Takes no memory before the first step.
  virtual std::unique_ptr<FactoredMatrix> factor(const FactoredShape &shape) = 0;
};
} // namespace sn::rt
