#include "runtime/plan/Cost.h"
#include <algorithm>
#include <cmath>
#include <set>

namespace sn::plan {
namespace {
constexpr double kFloat = 4;

double elements(const std::vector<Dim> &dims, const CostModel &model) {
  double count = 1;
  for (const Dim &dim : dims)
    count *= model.extent(dim);
  return count;
}

const Parameter &parameterNamed(const Plan &plan, const std::string &name) {
  return *std::find_if(plan.parameters.begin(), plan.parameters.end(),
                       [&](const Parameter &p) { return p.name == name; });
}

/// Buffers a step touches, each counted once.
std::set<std::string> buffersOf(const Step &step) {
  std::set<std::string> names;
  auto add = [&](const std::string &name) {
    if (!name.empty())
      names.insert(name);
  };
  for (const Source &source : step.sources) {
    if (!source.data)
      add(source.ref);
    add(source.gradient);
  }
  add(step.delta);
  for (const auto &[name, slot] : step.slots)
    for (const auto *list : {&slot.in, &slot.out, &slot.scalars})
      for (const SlotArg &arg : *list)
        if (arg.role == Role::Element || arg.role == Role::Row || arg.role == Role::Column)
          add(arg.ref);
  for (const std::string &row : step.rows)
    add(row);
  return names;
}

/// Products over the weights: the contraction itself, the source gradient, the weight gradient.
double productsOf(const Step &step, const Source &source) {
  if (step.sweep == "single")
    return 2 + !source.gradient.empty();
  if (step.sweep == "forward")
    return 1 + !source.gradient.empty();
  return step.sweep == "update" ? 2 : 1;
}

/// Of `in` features, those that `entries` entries are expected to touch if all are equally likely.
double touchedFeatures(double in, double entries) {
  return in > 1 ? -in * std::expm1(entries * std::log1p(-1 / in)) : in;
}
} // namespace

Cost costOf(const Plan &plan, const Entry &entry, const Step &step, const CostModel &model) {
  Cost cost;
  const double rows = model.extent({0, "B"}), columns = model.extent(step.columns);
  if (!step.slots.empty())
    cost.elements += rows * columns;
  for (const Source &source : step.sources) {
    const Parameter &weights = parameterNamed(plan, source.weights);
    double in = model.extent(weights.in), out = model.extent(weights.out);
    double perRow = source.data ? std::min(model.density(source.ref), in) : source.transposed ? out : in;
    double width = source.transposed ? in : out;
    cost.flops += 2 * rows * perRow * width * productsOf(step, source);
    const bool gathers = step.kernel == "csr_gather", lazy = step.update && source.data && model.onlyTouched;
    double touched = (gathers || lazy ? touchedFeatures(in, rows * perRow) : in) * out;
    cost.bytes += kFloat * touched * (step.update ? 2 + 2.0 * model.states : 1);
    if (step.update)
      cost.elements += touched;
    if (source.data)
      cost.bytes += rows * perRow * 2 * kFloat;
  }
  std::set<std::string> names = buffersOf(step);
  for (const Buffer &buffer : entry.buffers)
    if (names.count(buffer.name))
      cost.bytes += kFloat * elements(buffer.dims, model);
  return cost;
}

double parameterBytes(const Plan &plan, const CostModel &model) {
  double bytes = 0;
  for (const Parameter &parameter : plan.parameters)
    bytes += kFloat * model.extent(parameter.in) * model.extent(parameter.out);
  return bytes;
}

double peakBufferBytes(const Entry &entry, const CostModel &model) {
  double peak = 0;
  for (size_t step = 0; step < entry.steps.size(); ++step) {
    double live = 0;
    for (const Buffer &buffer : entry.buffers)
      if (buffer.first <= static_cast<int64_t>(step) && static_cast<int64_t>(step) <= buffer.last)
        live += kFloat * elements(buffer.dims, model);
    peak = std::max(peak, live);
  }
  return peak;
}

double secondsOf(const Cost &cost, const Speed &speed) {
  // A slot's few dozen vector instructions an element, in units of the product's; docs/decisions/0008.
  constexpr double kFlopsOfElement = 160;
  return (cost.flops + kFlopsOfElement * cost.elements) / speed.flops + cost.bytes / speed.bytes;
}
} // namespace sn::plan
