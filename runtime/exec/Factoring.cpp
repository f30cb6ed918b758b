#include "runtime/exec/Factoring.h"
#include "runtime/plan/Factored.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace sn::rt {
namespace {
/// Why an optimizer with these hyper-parameters does not let steps be factored, or "".
std::string refusedBy(const plan::Optimizer *optimizer, const std::map<std::string, double, std::less<>> &hyper) {
  if (!optimizer || !optimizer->plain)
    return fmt::format("{} does more than add the gradient", optimizer ? optimizer->name : "the optimizer");
  for (const std::string &name : optimizer->plain->whenZero) {
    const auto value = hyper.find(name);
    if (value == hyper.end() || value->second != 0)
      return fmt::format("{} is {:g}, and weights that decay change in every step", name,
                         value == hyper.end() ? 0 : value->second);
  }
  return "";
}

std::string refusedBy(const DataView &target) {
  if (target.loader == Loader::Dense)
    return "the target is dense";
  return target.ignoreZeros ? "the target's zeros are ignored" : "";
}

FactoringAnswer decide(const plan::Plan &plan, const plan::Step &step, const FactoringQuestion &question) {
  FactoringAnswer answer{&step, false, {}};
  const DataView target = question.data(step.target);
  answer.why = question.device ? refusedBy(question.optimizer, question.hyper) : "this device has the dense form alone";
  if (answer.why.empty())
    answer.why = refusedBy(target);
  if (!answer.why.empty())
    return answer;
  const FactoredShape shape = shapeOf(plan, step, question.extents);
  const double rows = static_cast<double>(std::max<int64_t>(1, target.rows));
  plan::FactoredExtents at;
  at.outputs = static_cast<double>(shape.outputs);
  at.width = static_cast<double>(shape.inner + shape.hasBias);
  at.rows = static_cast<double>(std::max<int64_t>(1, question.extents.maxRows));
  at.entries = static_cast<double>(target.entries) / rows;
  at.steps = std::ceil(rows / at.rows);
  answer.factored = step.factored->always || plan::factoringPays(at);
  answer.why = fmt::format("{} outputs, {} units, {:.3g} entries in a row of the target", shape.outputs, shape.inner,
                           at.entries);
  answer.why += !answer.factored        ? ": it would not pay"
                : step.factored->always ? ", as asked for"
                                        : "; outputs that no example of a batch has are not touched";
  return answer;
}
} // namespace

bool factorsOutputs(const Device &device) { return dynamic_cast<const FactorsOutputs *>(&device) != nullptr; }

FactoredShape shapeOf(const plan::Plan &plan, const plan::Step &step, const Extents &extents) {
  const std::string &name = step.sources.front().weights;
  const auto weights = std::find_if(plan.parameters.begin(), plan.parameters.end(),
                                    [&](const plan::Parameter &p) { return p.name == name; });
  return {nullptr, nullptr, extents.of(weights->out), extents.of(weights->in), !step.biases.empty()};
}

std::vector<FactoringAnswer> decideFactoring(const plan::Plan &plan, const FactoringQuestion &question) {
  std::vector<FactoringAnswer> answers;
  if (const plan::Entry *entry = plan::findEntry(plan, "train"); entry && !question.hyper.empty())
    for (const plan::Step &step : entry->steps)
      if (step.factored)
        answers.push_back(decide(plan, step, question));
  return answers;
}
} // namespace sn::rt
