// Resolves the names of a plan step: memory, shapes, tables, what its kernel is instantiated with.
#pragma once
#include "runtime/hal/cuda/Launches.h"
#include "runtime/plan/StepLayout.h"
#include <functional>
#include <optional>

namespace sn::rt::cuda {
/// A step with its operands. Tables of `args` (sources, biases, corruption), its workspace and what changes from run to
/// run are left to who launches it.
struct BoundStep {
  plan::Step step;
  StepArgs args;
  std::vector<Source> sources;
  std::vector<Bias> biases;
  std::vector<sn::cuda::Corruption> corruption;
  std::vector<plan::Expr> hypers; // plan::StepLayout::hypers
  Loader loader = Loader::CsrBinary;
  std::string loaderName = "NoData", optimizer;      // template arguments; "" = updates nothing
  const Variant *variant = &sn::cuda::kPlainVariant; // of the products of the kernel that runs it
  bool vectors = false;                              // a map of vectors
  bool deltaBuffer = false;                          // plan::Plan::allowDeltaBuffer
  plan::Precision storage = plan::Precision::Fp32;   // of the weights of its sources
  std::optional<LibraryUse> library;                 // gemm: if the library computes its products
  /// csc_update with an optimizer: hyper-parameters that, if all are zero, let untouched features keep value and state.
  std::optional<std::vector<std::string>> idleWhenZero;

  /// Its kernel computes products by this variant, which the number of lanes goes by.
  void setVariant(const Variant &chosen);
  /// How it is launched; `k` for wide_topk.
  Launches launches(int64_t k) const;
};

/// The view as kernels see it.
sn::cuda::DataView deviceView(const DataView &view);

/// Lives while steps are prepared. Everything throws UserError, naming step and name, for what a damaged plan leaves
/// unresolved.
class Binder {
public:
  /// The most stored entries that so many examples can have.
  using MostEntries = std::function<int64_t(const DataView &view, int64_t rows)>;
  Binder(const plan::Plan &plan, const plan::Optimizer *optimizer, const Memory &memory, const Extents &extents,
         MostEntries mostEntries)
      : plan(plan), optimizer(optimizer), memory(memory), extents(extents), mostEntries(std::move(mostEntries)) {}

  BoundStep bind(const plan::Step &step) const;

private:
  float *buffer(const plan::Step &step, const std::string &name) const;
  float *bufferOrNull(const plan::Step &step, const std::string &name) const {
    return name.empty() ? nullptr : buffer(step, name);
  }
  const DataView &data(const plan::Step &step, const std::string &name) const;
  const plan::Parameter &parameter(const plan::Step &step, const std::string &name) const;
  Trained trained(const plan::Step &step, const std::string &name) const;
  Source source(const plan::Step &step, const plan::Source &source) const;
  void bindOperands(BoundStep &bound) const;
  void bindData(BoundStep &bound) const;

  const plan::Plan &plan;
  const plan::Optimizer *optimizer;
  const Memory &memory;
  const Extents &extents;
  MostEntries mostEntries;
};
} // namespace sn::rt::cuda
