#include "runtime/exec/Recommender.h"
#include <algorithm>
#include <fmt/ranges.h>
#include <numeric>

namespace sn::rt {
namespace {
bool isOf(const plan::Step &step, const std::string &layer) {
  return std::find(step.layers.begin(), step.layers.end(), layer) != step.layers.end();
}

size_t chooseStep(const plan::Entry &entry, const std::string &layer) {
  std::vector<std::string> known;
  std::vector<size_t> steps;
  std::optional<size_t> named;
  for (size_t i = 0; i < entry.steps.size(); ++i) {
    const plan::Step &step = entry.steps[i];
    if (!givesLists(step))
      continue;
    steps.push_back(i);
    if (!layer.empty() && isOf(step, layer))
      named = i;
    known.insert(known.end(), step.layers.begin(), step.layers.end());
  }
  if (named)
    return *named;
  if (steps.empty())
    userError("the plan ranks no output");
  if (!layer.empty())
    userError("the plan ranks no output layer '{}'; it has {}", layer, fmt::join(known, ", "));
  if (steps.size() > 1)
    userError("the plan ranks several layers: --layer NAME chooses one of {}", fmt::join(known, ", "));
  return steps.front();
}
} // namespace

std::string rankedDataSet(const plan::Plan &plan, const plan::Step &ranked) {
  for (const plan::Entry &entry : plan.entries)
    for (const plan::Step &step : entry.steps)
      if (!step.target.empty() && std::any_of(ranked.layers.begin(), ranked.layers.end(),
                                              [&](const std::string &layer) { return isOf(step, layer); }))
        return step.target;
  for (const plan::Symbol &symbol : plan.symbols)
    if (symbol.name == ranked.columns.symbol)
      return symbol.dataset;
  return "";
}

Recommender::Recommender(Model &model, const Settings &settings, const Binding &data, const std::string &layer)
    : settings(settings), entry(model, "predict", data, std::min(settings.batch, data.rows), nullptr) {
  this->settings.batch = std::min(settings.batch, data.rows);
  position = chooseStep(entry.entry(), layer);
  width = model.extents(0).of(step().columns);
}

void Recommender::leaveOut(const DataSet *set) {
  exclude.reset();
  if (!set)
    return;
  if (set->rows != entry.data().rows)
    userError("'{}': the data set to leave out, '{}', has {} rows, but the data has {}", entry.data().path, set->name,
              set->rows, entry.data().rows);
  if (set->loader == Loader::Dense)
    userError("'{}': the data set to leave out, '{}', is dense; a sparse one is expected", entry.data().path,
              set->name);
  if (set->columns > width)
    userError("'{}': the data set to leave out, '{}', has {} columns, but the ranked layer has {}", entry.data().path,
              set->name, set->columns, width);
  exclude = entry.alsoReads(*set, width);
}

void Recommender::lists(const std::vector<int64_t> &rows, int64_t k, int32_t *columns, float *scores,
                        const std::vector<int64_t> &after) {
  int64_t count = static_cast<int64_t>(rows.size());
  for (int64_t done = 0; done < count; done += settings.batch) {
    int64_t now = std::min(settings.batch, count - done);
    Batch batch{now, rows.data() + done, settings.seed, 0};
    if (const int64_t more = done + now; more < count)
      entry.announce(rows.data() + more, std::min(settings.batch, count - more));
    else
      entry.announce(after.data(), std::min(settings.batch, static_cast<int64_t>(after.size())));
    TopK best{k, exclude ? &*exclude : nullptr, columns + done * k, scores + done * k};
    entry.run(batch, stepScalars(settings, 1, 1, 1, now), position, &best);
  }
}

ListSource Recommender::source() {
  return [this](int64_t first, int64_t count, int64_t k, int32_t *columns, float *scores) {
    std::vector<int64_t> rows(static_cast<size_t>(count));
    std::iota(rows.begin(), rows.end(), first);
    std::vector<int64_t> after(static_cast<size_t>(std::clamp<int64_t>(entry.data().rows - first - count, 0, block())));
    std::iota(after.begin(), after.end(), first + count);
    lists(rows, k, columns, scores, after);
  };
}
} // namespace sn::rt
