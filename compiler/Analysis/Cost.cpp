#include "compiler/Analysis/Cost.h"
#include <algorithm>
#include <set>

namespace sn {
namespace {
constexpr double kFloat = 4;

double elements(const std::vector<plan::Dim> &dims, const CostModel &model) {
  double count = 1;
  for (const plan::Dim &dim : dims)
    count *= model.extent(dim);
  return count;
}

const plan::Parameter &parameterNamed(const plan::Plan &plan, const std::string &name) {
  return *std::find_if(plan.parameters.begin(), plan.parameters.end(),
                       [&](const plan::Parameter &p) { return p.name == name; });
}

/// Buffers a step touches, each counted once.
std::set<std::string> buffersOf(const plan::Step &step) {
  std::set<std::string> names;
  auto add = [&](const std::string &name) {
    if (!name.empty())
      names.insert(name);
  };
  for (const plan::Source &source : step.sources) {
    if (!source.data)
      add(source.ref);
    add(source.gradient);
  }
  add(step.delta);
  for (const auto &[name, slot] : step.slots)
    for (const auto *list : {&slot.in, &slot.out, &slot.scalars})
      for (const plan::SlotArg &arg : *list)
        if (arg.role == plan::Role::Element || arg.role == plan::Role::Row || arg.role == plan::Role::Column)
          add(arg.ref);
  for (const std::string &row : step.rows)
    add(row);
  return names;
}

/// Products over the weights: the contraction itself, the source gradient, the weight gradient.
double productsOf(const plan::Step &step, const plan::Source &source) {
  if (step.sweep == "single")
    return 2 + !source.gradient.empty();
  if (step.sweep == "forward")
    return 1 + !source.gradient.empty();
  return step.sweep == "update" ? 2 : 1;
}
} // namespace

Cost costOf(const plan::Plan &plan, const plan::Entry &entry, const plan::Step &step, int states,
            const CostModel &model) {
  Cost cost;
  double rows = model.extent({0, "B"});
  for (const plan::Source &source : step.sources) {
    const plan::Parameter &weights = parameterNamed(plan, source.weights);
    double in = model.extent(weights.in), out = model.extent(weights.out);
    double perRow = source.data ? std::min(model.density(source.ref), in) : source.transposed ? out : in;
    double width = source.transposed ? in : out;
    cost.flops += 2 * rows * perRow * width * productsOf(step, source);
    bool gathers = step.kernel == "csr_gather";
    double touched = gathers ? std::min(rows * perRow, in) * out : in * out;
    cost.bytes += kFloat * touched * (step.update ? 2 + 2.0 * states : 1);
    if (source.data)
      cost.bytes += rows * perRow * 2 * kFloat;
  }
  std::set<std::string> names = buffersOf(step);
  for (const plan::Buffer &buffer : entry.buffers)
    if (names.count(buffer.name))
      cost.bytes += kFloat * elements(buffer.dims, model);
  return cost;
}

double parameterBytes(const plan::Plan &plan, const CostModel &model) {
  double bytes = 0;
  for (const plan::Parameter &parameter : plan.parameters)
    bytes += kFloat * model.extent(parameter.in) * model.extent(parameter.out);
  return bytes;
}

double peakBufferBytes(const plan::Entry &entry, const CostModel &model) {
  double peak = 0;
  for (size_t step = 0; step < entry.steps.size(); ++step) {
    double live = 0;
    for (const plan::Buffer &buffer : entry.buffers)
      if (buffer.first <= static_cast<int64_t>(step) && static_cast<int64_t>(step) <= buffer.last)
        live += kFloat * elements(buffer.dims, model);
    peak = std::max(peak, live);
  }
  return peak;
}
} // namespace sn
