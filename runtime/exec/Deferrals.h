// The parameters of a model whose untouched rows are left for later while it is trained (runtime/plan/Untouched.h), and
// the points at which they catch up.
#pragma once
#include "runtime/exec/Binding.h"
#include "runtime/exec/Settings.h"
#include "runtime/hal/DeferredRows.h"
#include "runtime/plan/Untouched.h"

namespace sn::rt {
class Deferrals {
public:
  Deferrals(const plan::Optimizer &optimizer, const DeferralOps &ops, ThreadPool &pool);
  /// `values`: the parameter and its states.
  void add(const TensorSpec &spec, std::vector<float *> values);
  std::vector<std::string> names() const;
  bool has(const std::string &parameter) const { return rows.count(parameter) > 0; }
  DeferredRows *find(const std::string &parameter) { return &rows.at(parameter)->rows; }

  /// Around a step of training: from here to endStep() kernels leave untouched rows alone.
  void beginStep(const StepScalars &scalars);
  /// Settles every plan::kMostPutOff steps.
  void endStep();
  /// Rows have something to make up for.
  bool pending() const { return steps.count() > 0; }
  /// Brings all rows of all parameters up to date.
  void settle();
  /// Values have been changed from outside: sums over them are no longer right. Nothing may be pending.
  void forgetSums();

  DeferredHeader header() const;
  /// What was saved as it was. `spec`: of a parameter here.
  void save(CheckpointWriter &writer, const TensorSpec &spec) const;
  void load(const CheckpointReader &weights);
  /// Values first..., as rows of the parameter hold them, made up to date: value number `which`, [in][out].
  std::vector<float> upToDate(const TensorSpec &spec, size_t which,
                              const std::vector<std::vector<float>> &values) const;

private:
  struct One {
    TensorSpec spec;
    DeferredRows rows;
  };
  const plan::Optimizer &optimizer;
  const DeferralOps &ops;
  ThreadPool &pool;
  DeferredSteps steps;
  std::map<std::string, std::unique_ptr<One>> rows;
};

/// The parameters whose updates it pays to put off, on a device that can. `data` may hold outlines alone; `model` is
/// the cost model of a batch.
std::vector<std::string> parametersToDefer(const plan::Plan &plan, const Device &device, const Settings &settings,
                                           const Binding &data, const plan::CostModel &model);
/// The cost model of batches of the data as far as that needs: extents and density.
plan::CostModel batchModel(const Settings &settings, const Binding &data, const Extents &extents);
} // namespace sn::rt
