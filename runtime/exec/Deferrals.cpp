#include "runtime/exec/Deferrals.h"
#include <algorithm>

namespace sn::rt {
Deferrals::Deferrals(const plan::Optimizer &optimizer, const DeferralOps &ops, ThreadPool &pool)
    : optimizer(optimizer), ops(ops), pool(pool), steps(1 + static_cast<int>(optimizer.states.size())) {}

void Deferrals::add(const TensorSpec &spec, std::vector<float *> values) {
  rows[spec.name] = std::make_unique<One>(spec, DeferredRows(std::move(values), spec.in, spec.out, steps, ops));
}

std::vector<std::string> Deferrals::names() const {
  std::vector<std::string> result;
  for (const auto &[name, one] : rows)
    result.push_back(name);
  return result;
}

void Deferrals::beginStep(const StepScalars &scalars) {
  // As kernels get them: rounded to floats.
  std::map<std::string, double, std::less<>> values;
  for (const plan::NamedExpr &scalar : optimizer.scalars)
    values[scalar.name] = static_cast<double>(
        static_cast<float>(scalar.value.evaluate([&scalars](std::string_view name) { return scalars(name); })));
  std::vector<double> matrix;
  for (const plan::Expr &element : optimizer.untouched->matrix)
    matrix.push_back(element.evaluate([&values](std::string_view name) { return values.find(name)->second; }));
  steps.lambda = scalars("Lambda");
  const bool unsummed =
      std::any_of(rows.begin(), rows.end(), [](const auto &one) { return one.second->rows.gram.empty(); });
  if (steps.lambda != 0 && unsummed) {
    settle();
    for (auto &[name, one] : rows)
      one->rows.sumAll(pool);
  }
  steps.step = std::move(matrix);
}

void Deferrals::endStep() {
  steps.add(steps.step.data());
  steps.step.clear();
  if (steps.count() >= plan::kMostPutOff)
    settle();
}

void Deferrals::settle() {
  if (!pending())
    return;
  steps.step.clear();
  for (auto &[name, one] : rows)
    one->rows.settle(pool);
  steps.reset();
  for (auto &[name, one] : rows)
    one->rows.begin();
  forgetSums();
}

void Deferrals::forgetSums() {
  for (auto &[name, one] : rows)
    one->rows.gram.clear();
}

DeferredHeader Deferrals::header() const { return {names(), optimizer.states, steps.all()}; }

void Deferrals::save(CheckpointWriter &writer, const TensorSpec &spec) const {
  const DeferredRows &own = rows.at(spec.name)->rows;
  writer.writeDeferredRows(
      spec, [&own](int64_t row) { return own.age(row); }, own.gram);
}

void Deferrals::load(const CheckpointReader &weights) {
  steps.setAll(weights.deferred()->products);
  constexpr int64_t kBlock = 1 << 16;
  std::vector<int32_t> ages;
  for (auto &[name, one] : rows) {
    for (int64_t first = 0; first < one->rows.rows(); first += kBlock) {
      ages.resize(static_cast<size_t>(std::min(kBlock, one->rows.rows() - first)));
      weights.readAges(name, first, static_cast<int64_t>(ages.size()), ages.data());
      for (size_t i = 0; i < ages.size(); ++i)
        one->rows.setAge(first + static_cast<int64_t>(i), ages[i]);
    }
    one->rows.gram = weights.readGram(name);
  }
}

std::vector<float> Deferrals::upToDate(const TensorSpec &spec, size_t which,
                                       const std::vector<std::vector<float>> &values) const {
  const DeferredRows &own = rows.at(spec.name)->rows;
  const size_t size = values.size(), units = static_cast<size_t>(spec.out);
  std::vector<float> result(values[which].size());
  for (size_t row = 0; row < static_cast<size_t>(spec.in); ++row) {
    const double *matrix = steps.after(own.age(static_cast<int64_t>(row)));
    for (size_t i = row * units; i < (row + 1) * units; ++i) {
      double sum = 0;
      for (size_t k = 0; k < size; ++k)
        sum += matrix[which * size + k] * static_cast<double>(values[k][i]);
      result[i] = static_cast<float>(sum);
    }
  }
  return result;
}

plan::CostModel batchModel(const Settings &settings, const Binding &data, const Extents &extents) {
  plan::CostModel model;
  const double batch = static_cast<double>(std::min(settings.batch, std::max<int64_t>(1, data.rows)));
  model.extent = [extents, batch](const plan::Dim &dim) {
    return dim.symbol == "B" ? batch : static_cast<double>(extents.of(dim));
  };
  model.density = [&data](const std::string &name) {
    const DataSet &set = *data.sets.find(name)->second;
    return static_cast<double>(set.entries()) / static_cast<double>(std::max<int64_t>(1, set.storedRows()));
  };
  if (settings.optimizer)
    model.states = static_cast<int>(settings.optimizer->states.size());
  return model;
}

std::vector<std::string> parametersToDefer(const plan::Plan &plan, const Device &device, const Settings &settings,
                                           const Binding &data, const plan::CostModel &model) {
  std::vector<std::string> names;
  if (!settings.optimizer || !device.deferralOps() || settings.untouched == plan::UntouchedWay::Dense)
    return names;
  auto sparse = [&data](const std::string &name) { return data.sets.find(name)->second->loader != Loader::Dense; };
  const std::vector<plan::UntouchedRows> all =
      settings.untouched == plan::UntouchedWay::Lazy
          ? plan::untouchedRows(plan, *settings.optimizer, settings.hyper)
          : plan::untouchedRows(plan, *settings.optimizer, settings.hyper, model, sparse);
  for (const plan::UntouchedRows &rows : all)
    if (rows.way == plan::UntouchedWay::Lazy && sparse(rows.dataset))
      names.push_back(rows.parameter);
  return names;
}
} // namespace sn::rt
