// Trained tensors and the optimizer's slots.
#pragma once
#include "kernels-templates/cpu/Slot.h"

namespace sn::rt::cpu {
/// A parameter and its optimizer states, all of one shape.
struct Trained {
  float *value = nullptr;
  std::vector<float *> states;
};
struct BiasVector {
  Trained trained;
  int64_t size = 0;
};

/// The optimizer's slot for one kind of parameter; no function: nothing is updated.
class UpdateSlot {
public:
  sn_slot function = nullptr;
  std::vector<plan::Expr> scalars;

  explicit operator bool() const { return function != nullptr; }
  void begin(const Launch &launch) {
    for (size_t i = 0; function && i < scalars.size(); ++i)
      current[i] = static_cast<float>(scalars[i].evaluate(launch.scalar));
  }
  /// Updates n consecutive values from `offset` with the descent gradient (already scaled by -1/B); `sum` grows by the
  /// regularisation term.
  void apply(const Trained &trained, int64_t offset, int64_t n, const float *gradient, double *sum) const {
    std::array<const float *, kMaxOperands> in;
    std::array<float *, kMaxOperands> out;
    in[0] = out[0] = trained.value + offset;
    in[1] = gradient;
    for (size_t i = 0; i < trained.states.size(); ++i)
      in[i + 2] = out[i + 1] = trained.states[i] + offset;
    function(n, in.data(), out.data(), current.data(), sum);
  }

private:
  std::array<float, kMaxOperands> current{};
};

/// Where the descent gradient of a source's weights goes: to the optimizer at once, or into a buffer.
struct Descent {
  float *buffer = nullptr; // of the parameter's shape and layout; null: the optimizer
  bool accumulate = false; // into what the buffer holds, else over it
  double scale = 1;        // of the gradient: 1 / the number of layers that share the weights

  /// What -x^T delta is multiplied by, for a batch of `rows`.
  float factor(int64_t rows) const { return static_cast<float>(-scale / static_cast<double>(rows)); }
  /// The gradient of n consecutive values from `offset`, complete and scaled.
  void take(const UpdateSlot &update, const Trained &trained, int64_t offset, int64_t n, const float *gradient,
            const VectorOps &ops, double *sum) const {
    if (!buffer)
      update.apply(trained, offset, n, gradient, sum);
    else if (accumulate)
      ops.add(n, buffer + offset, gradient);
    else
      std::memcpy(buffer + offset, gradient, static_cast<size_t>(n) * sizeof(float));
  }
};
} // namespace sn::rt::cpu
