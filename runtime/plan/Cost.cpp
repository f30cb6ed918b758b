#include "runtime/plan/Cost.h"
#include "runtime/plan/Factored.h"
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
    add(source.weightGradient);
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

/// A map whose results are vectors runs one row.
double rowsOf(const Step &step, const CostModel &model) {
  auto body = step.kernel == "map" ? step.slots.find("body") : step.slots.end();
  bool vectors = body != step.slots.end() && !body->second.out.empty() && body->second.out[0].role == Role::Column;
  return vectors ? 1 : model.extent({0, "B"});
}

/// Products over the weights: the contraction itself, the source gradient, the weight gradient.
double productsOf(const Step &step, const Source &source) {
  if (step.sweep == "single")
    return 2 + !source.gradient.empty();
  if (step.sweep == "forward")
    return 1 + !source.gradient.empty();
  return step.sweep == "update" ? 2 : 1;
}
} // namespace

double touchedFeatures(double in, double entries) {
  return in > 1 ? -in * std::expm1(entries * std::log1p(-1 / in)) : in;
}

namespace {
/// What a source costs besides the buffers it names.
void addSource(Cost &cost, const Plan &plan, const Step &step, const Source &source, const CostModel &model,
               bool trains) {
  const bool putOff = trains && model.putOff.count(source.weights) > 0;
  const double rows = model.extent({0, "B"});
  if (source.weights.empty()) { // expand
    cost.bytes += rows * std::min(model.density(source.ref), model.extent(step.columns)) * 2 * kFloat;
    return;
  }
  const Parameter &weights = parameterNamed(plan, source.weights);
  double in = model.extent(weights.in), out = model.extent(weights.out);
  const bool limits = step.kernel == "limit_norm", applies = step.kernel == "update";
  const bool updates = applies || (step.update && source.weightGradient.empty());
  double touched = in * out;
  if (!limits && !applies) {
    if (source.transposed)
      std::swap(in, out);
    double perRow = source.data ? std::min(model.density(source.ref), in) : in;
    cost.flops += 2 * rows * perRow * out * productsOf(step, source);
    if (step.kernel == "csr_gather" || (updates && source.data && (model.onlyTouched || putOff)))
      touched = touchedFeatures(in, rows * perRow) * out;
    if (source.data)
      cost.bytes += rows * perRow * 2 * kFloat;
  }
  cost.flops += limits ? 3 * touched : 0; // squares, their sum, the factor
  const bool gradientOnly = !source.weightGradient.empty() && step.sweep.empty() && !applies; // reads no weights
  if (!gradientOnly) {
    // What was put off is made up for where rows are gathered.
    const bool writes = updates || limits || (step.kernel == "csr_gather" && putOff);
    cost.bytes += touched * (elementBytes(weights, model) * (writes ? 2 : 1) +
                             (writes && !limits ? kFloat * 2 * model.states : 0));
  }
  if (updates)
    cost.elements += touched;
}

} // namespace

Cost costOf(const Plan &plan, const Entry &entry, const Step &step, const CostModel &model) {
  Cost cost;
  if (step.factored && model.factored && model.factored(step)) {
    const double inner = model.extent(parameterNamed(plan, step.sources.front().weights).in);
    return factoredCost({model.extent(step.columns), inner + static_cast<double>(step.biases.size()),
                         model.extent({0, "B"}), model.density(step.target), model.steps});
  }
  if (!step.slots.empty())
    cost.elements += rowsOf(step, model) * model.extent(step.columns);
  for (const Source &source : step.sources)
    addSource(cost, plan, step, source, model, entry.name == "train" || entry.name == "trial");
  std::set<std::string> names = buffersOf(step);
  for (const Buffer &buffer : entry.buffers)
    if (names.count(buffer.name))
      cost.bytes += kFloat * elements(buffer.dims, model);
  return cost;
}

double elementBytes(const Parameter &parameter, const CostModel &model) {
  return model.asStored && parameter.storage == Precision::Bf16 ? kFloat / 2 : kFloat;
}

double parameterBytes(const Plan &plan, const CostModel &model) {
  double bytes = 0;
  for (const Parameter &parameter : plan.parameters)
    bytes += elementBytes(parameter, model) * model.extent(parameter.in) * model.extent(parameter.out);
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

bool keepsUntouched(const Optimizer &optimizer, const std::map<std::string, double, std::less<>> &hyper) {
  const auto &idle = optimizer.idleWhenZero;
  return idle && std::all_of(idle->begin(), idle->end(), [&](const std::string &name) {
           auto value = hyper.find(name);
           return value != hyper.end() && value->second == 0;
         });
}

double secondsOf(const Cost &cost, const Speed &speed) {
  // A slot's few dozen vector instructions an element, in units of the product's; docs/decisions/0008.
  constexpr double kFlopsOfElement = 160;
  return (cost.flops + kFlopsOfElement * cost.elements) / speed.flops + cost.bytes / speed.bytes;
}
} // namespace sn::plan
