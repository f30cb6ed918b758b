#include "runtime/report/Curves.h"
#include "runtime/report/Text.h"
#include <algorithm>
#include <set>

namespace sn::report {
namespace {
constexpr size_t kMarks = 120; // checkpoints shown

Chart named(const std::string &id, const std::string &title, const std::string &unit) {
  Chart chart;
  chart.id = id, chart.title = title, chart.unit = unit;
  return chart;
}

template <typename Value> std::vector<Point> ofEpochs(const Run &run, Value value) {
  std::vector<Point> points;
  for (const EpochPoint &point : run.epochs)
    points.push_back({static_cast<double>(point.epoch), value(point)});
  if (std::none_of(points.begin(), points.end(), [](const Point &point) { return point.y == point.y; }))
    points.clear();
  return points;
}
std::vector<Point> ofBatches(const Run &run, double BatchPoint::*value) {
  std::vector<Point> points;
  for (const BatchPoint &point : run.batches)
    if (point.*value == point.*value) // a missing one is no gap: rates lack the first of each epoch
      points.push_back({point.at, point.*value});
  return points;
}

/// Series of several runs are told apart by colour, those of a single run by what they are.
class Overlay {
public:
  Overlay(Chart &chart, const std::vector<const Run *> &runs, const std::vector<std::string> &names)
      : chart(chart), runs(runs), names(names) {}
  /// One curve for each run. `what` names it; "" = not in the legend. `kind` counts the chart's kinds of curves.
  template <typename Points> void add(const std::string &what, int kind, bool thin, bool dots, Points points) {
    for (size_t i = 0; i < runs.size(); ++i) {
      Series series;
      series.points = points(*runs[i]);
      if (series.points.empty())
        continue;
      bool one = runs.size() == 1;
      series.name = what.empty() ? "" : one ? what : names[i] + ", " + what;
      series.legend = one ? what : kind == 0 && !thin ? names[i] : "";
      series.color = one ? static_cast<size_t>(kind) : i;
      series.dash = one ? 0 : std::min(kind, 2);
      series.thin = thin;
      series.dots = dots;
      chart.series.push_back(std::move(series));
      if (!one && !what.empty() && (chart.kinds.empty() || chart.kinds.back().first != what))
        chart.kinds.emplace_back(what, std::min(kind, 2));
    }
  }

private:
  Chart &chart;
  const std::vector<const Run *> &runs;
  const std::vector<std::string> &names;
};

void addMarks(Chart &chart, const std::vector<const Run *> &runs, const std::vector<std::string> &names) {
  for (size_t i = 0; i < runs.size(); ++i) {
    std::string of = runs.size() == 1 ? "" : " (" + names[i] + ")";
    for (size_t j = runs[i]->resumed.size() - std::min(kMarks, runs[i]->resumed.size()); j < runs[i]->resumed.size();
         ++j)
      chart.marks.push_back(
          {runs[i]->resumed[j].at, fmt::format("resumed from step {}{}", runs[i]->resumed[j].step, of), true});
    const std::vector<CheckpointPoint> &saved = runs[i]->checkpoints;
    size_t shown = std::min(saved.size(), kMarks / runs.size());
    for (size_t j = 0; j < shown; ++j) {
      const CheckpointPoint &point = saved[shown > 1 ? j * (saved.size() - 1) / (shown - 1) : saved.size() - 1];
      chart.marks.push_back({point.at, fmt::format("checkpoint at step {}{}", point.step, of)});
    }
  }
}

Chart losses(const std::vector<const Run *> &runs, const std::vector<std::string> &names) {
  Chart chart = named("loss", "Loss", "mean loss per example");
  chart.wide = true;
  Overlay overlay(chart, runs, names);
  bool one = runs.size() == 1;
  overlay.add(one ? "training, within the epoch" : "", 0, true, false,
              [](const Run &run) { return ofBatches(run, &BatchPoint::training); });
  overlay.add(one ? "training, mean of the epoch" : "training", 0, false, true,
              [](const Run &run) { return ofEpochs(run, [](const EpochPoint &point) { return point.training; }); });
  overlay.add("validation", 1, false, true,
              [](const Run &run) { return ofEpochs(run, [](const EpochPoint &point) { return point.validation; }); });
  addMarks(chart, runs, names);
  return chart;
}

/// "recall@20" is of the family "recall".
std::vector<Chart> rankings(const std::vector<const Run *> &runs, const std::vector<std::string> &names) {
  constexpr size_t kFamilies = 8, kMembers = 8;
  std::map<std::string, std::set<std::pair<size_t, std::string>>> families; // measures, short names first
  for (const Run *run : runs)
    for (const EpochPoint &point : run->epochs)
      for (const auto &[name, value] : point.ranking)
        families[name.substr(0, name.find('@'))].insert({name.size(), name});
  std::vector<Chart> charts;
  for (const auto &[family, members] : families) {
    if (charts.size() == kFamilies)
      break;
    Chart chart = named("ranking-" + fmt::to_string(charts.size()), family, "mean over rows");
    chart.linear = true;
    chart.floor = 0, chart.ceiling = 1;
    Overlay overlay(chart, runs, names);
    int kind = 0;
    for (const auto &[length, name] : members)
      if (kind < static_cast<int>(kMembers))
        overlay.add(name, kind++, false, true, [name = name](const Run &run) {
          return ofEpochs(run, [&](const EpochPoint &point) {
            auto found = point.ranking.find(name);
            return found == point.ranking.end() ? kMissing : found->second;
          });
        });
    if (chart.kinds.size() == 1)
      chart.kinds.clear(); // the title says it
    charts.push_back(std::move(chart));
  }
  return charts;
}

Chart rates(const std::vector<const Run *> &runs, const std::vector<std::string> &names) {
  Chart chart = named("throughput", "Throughput", "examples per second");
  chart.fromZero = true;
  Overlay overlay(chart, runs, names);
  bool one = runs.size() == 1;
  overlay.add(one ? "within the epoch" : "", 0, true, false,
              [](const Run &run) { return ofBatches(run, &BatchPoint::rate); });
  overlay.add(one ? "mean of the epoch" : "examples per second", 0, false, true,
              [](const Run &run) { return ofEpochs(run, [](const EpochPoint &point) { return point.rate; }); });
  chart.kinds.clear();
  return chart;
}

Chart learningRate(const std::vector<const Run *> &runs, const std::vector<std::string> &names) {
  Chart chart = named("alpha", "Learning rate", "alpha");
  Overlay(chart, runs, names).add("learning rate", 0, false, false, [](const Run &run) {
    std::vector<Point> points = ofBatches(run, &BatchPoint::alpha);
    return points.empty() ? ofEpochs(run, [](const EpochPoint &point) { return point.alpha; }) : points;
  });
  chart.kinds.clear();
  return chart;
}
} // namespace

std::vector<Chart> charts(const std::vector<const Run *> &runs, const std::vector<std::string> &names) {
  std::vector<Chart> all = {losses(runs, names)};
  for (Chart &chart : rankings(runs, names))
    all.push_back(std::move(chart));
  all.push_back(learningRate(runs, names));
  all.push_back(rates(runs, names));
  return all;
}
} // namespace sn::report
