#include "runtime/hal/cpu/Factored.h"
#include "runtime/hal/cpu/OneDnn.h"

namespace sn::rt::cpu {
void CpuFactors::fold() {
  makeProductsSingleThreaded();
  rows.fold(context);
}

void CpuFactors::read(int64_t first, int64_t count, float *weights, float *bias) const {
  makeProductsSingleThreaded();
  rows.read(context, first, count, weights, bias);
}

FactoredState CpuFactors::emptyState() const {
  FactoredState state;
  state.generations.resize(static_cast<size_t>(rows.outputsOf()));
  state.products.resize(static_cast<size_t>(rows.productFloats()));
  state.gram.resize(static_cast<size_t>(rows.gramDoubles()));
  return state;
}

FactoredState CpuFactors::state() const {
  FactoredState state = emptyState();
  state.steps = rows.steps();
  std::copy_n(rows.tagsBegin(), state.generations.size(), state.generations.data());
  std::copy_n(rows.productsBegin(), state.products.size(), state.products.data());
  std::copy_n(rows.gramBegin(), state.gram.size(), state.gram.data());
  return state;
}
} // namespace sn::rt::cpu
