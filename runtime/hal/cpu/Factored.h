// The CPU's factored matrices: generations of rows (kernels-templates/cpu/Generations.h).
#pragma once
#include "kernels-templates/cpu/Generations.h"
#include "runtime/hal/Factored.h"

namespace sn::rt::cpu {
class CpuFactors final : public FactoredMatrix {
public:
  CpuFactors(Context &context, const FactoredShape &shape)
      : context(context), rows(shape.weights, shape.bias, shape.outputs, shape.inner, shape.hasBias) {}

  Generations &generations() { return rows; }
  bool plain() const override { return rows.plain(); }
  void fold() override;
  void forget() override { rows.forget(); }
  void read(int64_t first, int64_t count, float *weights, float *bias) const override;
  FactoredState state() const override;
  FactoredState emptyState() const override;
  bool restore(const FactoredState &state) override {
    return rows.restore(state.steps, state.generations.data(), state.products.data(), state.gram.data());
  }

private:
  Context &context;
  Generations rows;
};
} // namespace sn::rt::cpu
