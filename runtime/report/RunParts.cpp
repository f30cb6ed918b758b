#include "runtime/report/Graph.h"
#include "runtime/report/Page.h"
#include "runtime/report/Summary.h"
#include "runtime/report/Text.h"
#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

namespace sn::report {
namespace {
constexpr size_t kRowsOfSteps = 400, kRowsOfData = 100, kColumns = 10;

std::string cell(const std::string &text) { return "<td>" + escaped(text) + "</td>"; }

/// The share as a bar inside a table cell.
std::string bar(double share, double most, const char *color) {
  return fmt::format(
      "<td class=\"bar\"><svg viewBox=\"0 0 160 12\" width=\"160\" height=\"12\"><rect class=\"{}\" width=\"{:.1f}\" "
      "height=\"12\" rx=\"2\"/></svg></td>",
      color, most > 0 ? std::max(0.5, 160 * share / most) : 0.5);
}

std::string settings(const Run &run) {
  std::vector<std::pair<std::string, std::string>> list = {
      {"network", run.network},
      {"plan", run.plan},
      {"data", run.data},
      {"weights", run.weights},
      {"device", run.device},
      {"metrics", run.file},
      {"examples", std::isfinite(run.examples) ? whole(run.examples) : ""},
      {"parameters", std::isfinite(run.parameters) ? whole(run.parameters) : ""},
      {"estimated before", std::isfinite(run.estimate) ? duration(run.estimate) + " per epoch" : ""}};
  list.insert(list.end(), run.settings.begin(), run.settings.end());
  return facts(list);
}

std::string dataTable(const Run &run) {
  if (run.datasets.empty())
    return "";
  std::string to = "<div class=\"part\"><h3>Data sets</h3><table class=\"data\"><thead><tr><th>data "
                   "set</th><th>rows</th><th>columns</th><th>entries</th><th>filled</th></tr></thead><tbody>\n";
  for (size_t i = 0; i < std::min(kRowsOfData, run.datasets.size()); ++i) {
    const DataSetSize &set = run.datasets[i];
    double filled = set.entries / (set.rows * set.columns);
    put(to, "<tr>{}{}{}{}{}</tr>\n", cell(shortened(set.name, 60)), cell(whole(set.rows)), cell(whole(set.columns)),
        cell(whole(set.entries)), cell(std::isfinite(filled) ? general(100 * filled, 3) + " %" : "–"));
  }
  return to + "</tbody></table></div>\n";
}

std::string memoryTable(const Run &run) {
  double all = 0, most = 0;
  for (const auto &[name, size] : run.memory)
    if (name != "total")
      all += size, most = std::max(most, size);
  if (all <= 0)
    return "";
  if (auto total = run.memory.find("total"); total != run.memory.end())
    all = std::max(all, total->second);
  std::string to = "<div class=\"part\"><h3>Memory</h3><table "
                   "class=\"memory\"><thead><tr><th>what</th><th>size</th><th>share</th><th></"
                   "th></tr></thead><tbody>\n";
  auto row = [&](const std::string &name, const std::string &shown) {
    auto found = run.memory.find(name);
    if (found != run.memory.end())
      put(to, "<tr>{}{}{}{}</tr>\n", cell(shown), cell(bytes(found->second)), cell(percent(found->second / all)),
          bar(found->second, most, "c2"));
  };
  std::vector<std::pair<std::string, std::string>> known = {{"parameters", "parameters"},
                                                            {"states", "optimizer state"},
                                                            {"buffers", "buffers"},
                                                            {"workspace", "workspace"},
                                                            {"data", "data"},
                                                            {"program", "program"}};
  std::set<std::string> said = {"total"};
  for (const auto &[name, shown] : known)
    row(name, shown), said.insert(name);
  size_t others = 0;
  for (const auto &[name, size] : run.memory)
    if (said.insert(name).second && ++others <= kRowsOfData)
      row(name, shortened(name, 60));
  put(to, "</tbody><tfoot><tr><td>together</td>{}{}<td></td></tr></tfoot></table></div>\n", cell(bytes(all)),
      cell(percent(1)));
  return to;
}

std::string kernelTable(const Run &run) {
  std::vector<double> share = shares(run);
  if (share.empty())
    return "";
  double most = *std::max_element(share.begin(), share.end()), all = 0, launches = 0;
  std::string to =
      "<h3>Time per kernel</h3>\n<div class=\"scroll\"><table class=\"kernels\"><thead><tr><th>kernel</th><th "
      "class=\"l\">sweep</th><th class=\"l\">layer</th><th>launches</th><th>seconds</th><th>ms "
      "each</th><th>share</th><th></th></tr></thead><tbody>\n";
  for (size_t i = 0; i < run.profile.size(); ++i) {
    const StepTime &step = run.profile[i];
    all += step.seconds, launches += step.launches;
    if (i < kRowsOfSteps)
      put(to, "<tr>{}<td class=\"l\">{}</td><td class=\"l\">{}</td>{}{}{}{}{}</tr>\n", cell(step.kernel),
          escaped(step.sweep), escaped(shortened(step.label, 80)), cell(whole(step.launches)),
          cell(fmt::format("{:.3f}", step.seconds)),
          cell(step.launches > 0 ? fmt::format("{:.3f}", 1e3 * step.seconds / step.launches) : "–"),
          cell(percent(share[i])), bar(share[i], most, "c0"));
  }
  put(to,
      "</tbody><tfoot><tr><td>all of {}</td><td></td><td></td>{}{}<td></td>{}<td></td></tr></tfoot></table></div>\n",
      escaped(run.profiled.empty() ? "them" : run.profiled), cell(whole(launches)), cell(fmt::format("{:.3f}", all)),
      cell(percent(1)));
  if (run.trained > all)
    put(to, "<p class=\"note\">The run took {}; {} went to reading data, measuring, saving and starting.</p>\n",
        duration(run.trained), duration(run.trained - all));
  if (run.profile.size() > kRowsOfSteps)
    put(to, "<p class=\"note\">{} more steps are not listed.</p>\n", run.profile.size() - kRowsOfSteps);
  return to + [&] {
    std::vector<StepTime> kernels = byKernel(run);
    if (kernels.size() < 2 || kernels.size() == run.profile.size())
      return std::string();
    std::string sums = "<p class=\"note\">By kernel: ";
    for (size_t i = 0; i < std::min<size_t>(12, kernels.size()); ++i)
      put(sums, "{}{} {}", i ? ", " : "", escaped(shortened(kernels[i].kernel, 40)), percent(kernels[i].seconds / all));
    return sums + ".</p>\n";
  }();
}

std::string graphPart(const Run &run, const std::string &graphOf) {
  if (run.graph.empty())
    return "";
  std::string to = "<h3>The plan</h3>\n";
  if (!graphOf.empty())
    return to + "<p class=\"note\">The steps are those of " + escaped(graphOf) + ".</p>\n";
  std::vector<double> share = shares(run);
  bool same = std::equal(run.profile.begin(), run.profile.end(), run.graph.begin(), run.graph.end(),
                         [](const StepTime &a, const GraphStep &b) { return a.kernel == b.kernel; });
  if (!same)
    share.clear();
  put(to,
      "<p class=\"note\">What one training step runs, from top to bottom: {} kernels. A box that spans columns does "
      "the work "
      "of all of them at once. The lines are buffers, from the kernel that writes them to those that read "
      "them{}.</p>\n",
      run.graph.size(), share.empty() ? "" : "; the darker a box, the more of the time it takes");
  if (run.graph.size() > kStepsDrawn)
    put(to, "<p class=\"note\">Only the first {} are drawn.</p>\n", kStepsDrawn);
  return to + "<div class=\"scroll\">" + draw(run.graph, layOut(run.graph, run.datasets), share) + "</div>\n";
}

using Column = std::pair<std::string, std::function<std::string(const EpochPoint &)>>;

std::vector<Column> columnsOf(const Run &run) {
  std::vector<Column> columns = {{"epoch", [](const EpochPoint &p) { return whole(double(p.epoch)); }}};
  auto any = [&](double EpochPoint::*value) {
    return std::any_of(run.epochs.begin(), run.epochs.end(),
                       [&](const EpochPoint &p) { return std::isfinite(p.*value); });
  };
  auto add = [&](const char *name, double EpochPoint::*value, std::string (*shown)(double)) {
    if (any(value))
      columns.emplace_back(name, [=](const EpochPoint &p) { return shown(p.*value); });
  };
  auto six = [](double value) { return general(value, 6); };
  add("training", &EpochPoint::training, six);
  add("regularization", &EpochPoint::regularization, six);
  add("validation", &EpochPoint::validation, six);
  std::set<std::pair<size_t, std::string>> ranking; // recall@20 before recall@100
  std::set<std::string> reports;
  for (const EpochPoint &point : run.epochs) {
    for (const auto &[name, value] : point.ranking)
      ranking.insert({name.size(), name});
    for (const auto &[name, value] : point.reports)
      reports.insert(name);
  }
  auto find = [](const std::map<std::string, double> &map, const std::string &name) {
    auto found = map.find(name);
    return found == map.end() ? kMissing : found->second;
  };
  for (const auto &[length, name] : ranking)
    if (columns.size() < kColumns)
      columns.emplace_back(name, [=, name = name](const EpochPoint &p) {
        double value = find(p.ranking, name);
        return std::isfinite(value) ? fmt::format("{:.4f}", value) : "–";
      });
  for (const std::string &name : reports)
    if (columns.size() < kColumns)
      columns.emplace_back(name, [=](const EpochPoint &p) { return general(find(p.reports, name), 6); });
  add("learning rate", &EpochPoint::alpha, [](double value) { return general(value, 4); });
  add("time", &EpochPoint::seconds, duration);
  add("examples/s", &EpochPoint::rate, whole);
  return columns;
}

std::string epochTable(const Run &run, size_t rows) {
  if (run.epochs.empty())
    return "";
  std::vector<Column> columns = columnsOf(run);
  std::string to = "<h3>Epochs</h3>\n<div class=\"scroll\"><table class=\"epochs\"><thead><tr>";
  for (const auto &[name, value] : columns)
    put(to, "<th>{}</th>", escaped(shortened(name, 24)));
  to += "</tr></thead><tbody>\n";
  size_t count = run.epochs.size(), shown = std::min(count, std::max<size_t>(rows, 2));
  for (size_t i = 0; i < shown; ++i) {
    const EpochPoint &point = run.epochs[shown == count ? i : i * (count - 1) / (shown - 1)];
    to += "<tr>";
    for (const auto &[name, value] : columns)
      to += cell(value(point));
    to += "</tr>\n";
  }
  to += "</tbody></table></div>\n";
  if (shown < count)
    put(to, "<p class=\"note\">{} of {} epochs, evenly spaced.</p>\n", shown, whole(double(count)));
  return to;
}
} // namespace

std::string facts(const std::vector<std::pair<std::string, std::string>> &list) {
  std::string to = "<dl class=\"facts\">\n";
  for (const auto &[name, value] : list)
    if (!value.empty())
      put(to, "<div><dt>{}</dt><dd>{}</dd></div>\n", escaped(shortened(name, 40)), escaped(shortened(value, 160)));
  return to + "</dl>\n";
}

std::string runParts(const Run &run, size_t rows, const std::string &graphOf) {
  std::string to = settings(run);
  to += graphPart(run, graphOf);
  to += kernelTable(run);
  std::string memory = memoryTable(run), data = dataTable(run);
  if (!memory.empty() || !data.empty())
    put(to, "<div class=\"pair\">\n{}{}</div>\n", memory, data);
  return to + epochTable(run, rows);
}
} // namespace sn::report
