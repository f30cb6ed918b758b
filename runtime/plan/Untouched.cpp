#include "runtime/plan/Untouched.h"
#include <algorithm>
#include <fmt/format.h>

namespace sn::plan {
namespace {
/// Below this a parameter with its states lives in the caches, and reading all of it costs next to nothing.
constexpr double kLeastBytes = double(4 << 20);
/// A row that is caught up, measured and updated costs about this many that are updated in passing.
constexpr double kTouchedCost = 4;

const Parameter *findParameter(const Plan &plan, const std::string &name) {
  auto found =
      std::find_if(plan.parameters.begin(), plan.parameters.end(), [&](const Parameter &p) { return p.name == name; });
  return found == plan.parameters.end() ? nullptr : &*found;
}

bool among(const std::vector<std::string> &names, const std::string &name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Why the optimizer's update of untouched rows is no product with a matrix; "" if it is one.
std::string notLinear(const Optimizer &optimizer, const HyperValues &hyper) {
  if (!optimizer.untouched)
    return fmt::format("the update of {} without a gradient is not linear in weight and state", optimizer.name);
  for (const std::string &name : optimizer.untouched->whenZero) {
    const auto value = hyper.find(name);
    if (value == hyper.end() || value->second != 0)
      return fmt::format("the update of {} without a gradient is linear only if {} is 0{}", optimizer.name, name,
                         name == "Lambda1" ? " (L1 decay is not linear)" : "");
  }
  return "";
}

/// Why a step of an entry that trains stands in the way; "" if it does not. Rows are caught up before they are
/// gathered, and nothing else may look at them.
std::string inTheWay(const Step &step, const Step &update, const std::string &parameter, const std::string &dataset) {
  if (&step == &update)
    return "";
  const bool named = std::any_of(step.sources.begin(), step.sources.end(),
                                 [&](const Source &source) { return source.weights == parameter; });
  if (!named && !among(parametersRead(step), parameter) && !among(parametersUpdated(step), parameter))
    return "";
  if (step.kernel == "limit_norm")
    return "norms are limited over all rows after every step";
  const bool gathers = step.kernel == "csr_gather" && step.sources.size() == 1 && !step.sources[0].transposed &&
                       step.sources[0].ref == dataset;
  return gathers ? "" : fmt::format("'{}' uses all of it", step.label);
}

std::string obstacle(const Plan &plan, const Step &update, const Source &source) {
  const Parameter *parameter = findParameter(plan, source.weights);
  if (!source.weightGradient.empty() || !update.update)
    return "its gradient is collected in a buffer and applied as a whole";
  if (!parameter || source.transposed || parameter->layout != "rows" || !parameter->decays)
    return "the weights of a feature do not lie side by side";
  for (const Entry &entry : plan.entries)
    for (const Step &step : entry.steps)
      if (entry.name == "train" || entry.name == "trial")
        if (std::string why = inTheWay(step, update, source.weights, source.ref); !why.empty())
          return why;
  return "";
}

UntouchedRows rowsOf(const Plan &plan, const Step &step, const Source &source, const Optimizer &optimizer,
                     const HyperValues &hyper) {
  UntouchedRows rows{source.weights, source.ref, UntouchedWay::Dense, ""};
  const bool updates = step.update && source.weightGradient.empty();
  const Parameter *parameter = findParameter(plan, source.weights);
  const bool side = parameter && (parameter->layout == "rows") != source.transposed;
  if (updates && side && keepsUntouched(optimizer, hyper)) {
    rows.way = UntouchedWay::Idle;
    rows.why = fmt::format("{} changes nothing without a gradient", optimizer.name);
    return rows;
  }
  rows.why = obstacle(plan, step, source);
  if (rows.why.empty())
    rows.why = notLinear(optimizer, hyper);
  if (!rows.why.empty())
    return rows;
  rows.way = UntouchedWay::Lazy;
  rows.why = fmt::format("the update of {} without a gradient is linear", optimizer.name);
  return rows;
}

/// Why putting off does not pay for this batch; "" if it does.
std::string notWorthIt(const Plan &plan, const UntouchedRows &rows, const CostModel &model, bool sparse) {
  const Parameter &weights = *findParameter(plan, rows.parameter);
  if (!sparse)
    return fmt::format("'{}' is dense: every row is touched", rows.dataset);
  const double in = model.extent(weights.in), bytes = in * model.extent(weights.out) * 4 * (1 + model.states);
  if (bytes < kLeastBytes)
    return "it is so small that reading all of it costs next to nothing";
  const double touched = touchedFeatures(in, model.extent({0, "B"}) * std::min(model.density(rows.dataset), in));
  if (touched * kTouchedCost > in)
    return fmt::format("a batch may touch {:.0f} of {:.0f} rows: too many for it to pay", touched, in);
  return "";
}
} // namespace

const char *nameOf(UntouchedWay way) {
  return way == UntouchedWay::Idle ? "idle" : way == UntouchedWay::Lazy ? "lazy" : "dense";
}

std::vector<UntouchedRows> untouchedRows(const Plan &plan, const Optimizer &optimizer, const HyperValues &hyper) {
  std::vector<UntouchedRows> all;
  if (const Entry *train = findEntry(plan, "train"))
    for (const Step &step : train->steps)
      if (step.kernel == "csc_update" && step.sources.size() == 1)
        all.push_back(rowsOf(plan, step, step.sources[0], optimizer, hyper));
  return all;
}

std::vector<UntouchedRows> untouchedRows(const Plan &plan, const Optimizer &optimizer, const HyperValues &hyper,
                                         const CostModel &model,
                                         const std::function<bool(const std::string &)> &sparse) {
  std::vector<UntouchedRows> all = untouchedRows(plan, optimizer, hyper);
  for (UntouchedRows &rows : all) {
    if (rows.way != UntouchedWay::Lazy)
      continue;
    if (std::string why = notWorthIt(plan, rows, model, sparse(rows.dataset)); !why.empty()) {
      rows.way = UntouchedWay::Dense;
      rows.why = std::move(why);
    }
  }
  return all;
}

int64_t deferralBytes(int64_t rows, int64_t size) {
  return rows * static_cast<int64_t>(sizeof(uint16_t)) +
         2 * (kMostPutOff + 1) * size * size * static_cast<int64_t>(sizeof(double));
}
} // namespace sn::plan
