#include "runtime/report/Graph.h"
#include "runtime/report/Text.h"
#include <algorithm>
#include <set>

namespace sn::report {
namespace {
constexpr double kBox = 48, kGap = 26, kColumn = 206, kBetween = 10, kTrack = 12, kHead = 30, kSide = 300, kItem = 14;
constexpr size_t kItems = 8;        // listed beside a box
constexpr size_t kLinesDrawn = 400; // buffers

struct Names {
  std::map<std::string, size_t> written; // by the first step that does
  std::set<std::string> parameters, datasets;
};

Names classify(const std::vector<GraphStep> &steps, const std::vector<DataSetSize> &datasets) {
  Names names;
  for (const DataSetSize &set : datasets)
    names.datasets.insert(set.name);
  for (const GraphStep &step : steps)
    if (!step.target.empty())
      names.datasets.insert(step.target);
  std::map<std::string, size_t> read;
  for (size_t i = 0; i < steps.size(); ++i) {
    for (const std::string &name : steps[i].reads)
      read.emplace(name, i);
    for (const std::string &name : steps[i].writes)
      names.written.emplace(name, i);
  }
  for (const auto &[name, first] : read) {
    auto writer = names.written.find(name);
    if ((writer == names.written.end() || first <= writer->second) && !names.datasets.contains(name))
      names.parameters.insert(name);
  }
  return names;
}

void addOnce(std::vector<std::string> &list, const std::string &name) {
  if (std::find(list.begin(), list.end(), name) == list.end())
    list.push_back(name);
}

PlanGraph::Node nodeOf(const GraphStep &step, const Names &names, bool afterLoss) {
  PlanGraph::Node node;
  for (const std::string &name : step.writes)
    if (names.parameters.contains(name))
      addOnce(node.updates, name);
  for (const std::string &name : step.reads)
    if (names.datasets.contains(name))
      addOnce(node.datasets, name);
    else if (names.parameters.contains(name) &&
             std::find(node.updates.begin(), node.updates.end(), name) == node.updates.end())
      addOnce(node.reads, name);
  if (!step.target.empty())
    addOnce(node.datasets, step.target);
  bool updates = !node.updates.empty();
  if (!step.target.empty() && step.sweep != "update" && step.sweep != "statistics")
    node.last = updates ? Phase::Update : step.sweep == "loss" ? Phase::Forward : Phase::Backward;
  else
    node.first = node.last = updates ? Phase::Update : afterLoss ? Phase::Backward : Phase::Forward;
  return node;
}

/// Vertical lines that overlap get different tracks, the lowest free one each.
void assignTracks(PlanGraph &graph) {
  std::vector<size_t> free; // by track: the row from which it is
  for (Passing &passing : graph.passings) {
    size_t track = 0;
    while (track < free.size() && free[track] > passing.writer)
      ++track;
    free.resize(std::max(free.size(), track + 1));
    free[track] = passing.readers.back();
    passing.track = track;
  }
  graph.tracks = free.size();
}

/// Where the picture's parts lie.
struct Places {
  Places(const PlanGraph &graph, size_t count) : channel(28 + kTrack * static_cast<double>(graph.tracks)) {
    double y = kHead + 10;
    for (size_t i = 0; i < count; ++i) {
      const PlanGraph::Node &node = graph.nodes[i];
      size_t items = std::min(kItems, node.reads.size() + node.updates.size() + node.datasets.size());
      tops.push_back(y);
      y += std::max(kBox + kGap, kItem * static_cast<double>(items) + 12);
    }
    height = y;
  }
  double left(Phase phase) const { return channel + (kColumn + kBetween) * static_cast<double>(phase); }
  double right(Phase phase) const { return left(phase) + kColumn; }
  double track(const Passing &passing) const { return channel - 20 - kTrack * static_cast<double>(passing.track); }
  double side() const { return right(Phase::Update) + 22; }
  double width() const { return side() + kSide; }

  double channel, height = 0;
  std::vector<double> tops;
};

void columns(std::string &to, const Places &places) {
  const char *const names[] = {"forward", "backward", "update"};
  for (Phase phase : {Phase::Forward, Phase::Backward, Phase::Update}) {
    put(to, "<rect class=\"phase\" x=\"{:.0f}\" y=\"4\" width=\"{:.0f}\" height=\"{:.0f}\" rx=\"6\"/>",
        places.left(phase) - 3, kColumn + 6, places.height - 4);
    put(to, "<text class=\"phasename\" text-anchor=\"middle\" x=\"{:.0f}\" y=\"22\">{}</text>\n",
        (places.left(phase) + places.right(phase)) / 2, names[static_cast<size_t>(phase)]);
  }
  put(to, "<text class=\"phasename\" x=\"{:.0f}\" y=\"22\">data sets and parameters</text>\n", places.side());
}

void box(std::string &to, const GraphStep &step, const PlanGraph::Node &node, size_t row, const Places &places,
         double share, double most) {
  double x = places.left(node.first), width = places.right(node.last) - x, y = places.tops[row];
  bool timed = share >= 0;
  size_t bold = static_cast<size_t>((width - 20) / 7.3),
         fits = static_cast<size_t>((width - 24 - (timed ? 54 : 0)) / 6.3);
  std::string name = step.kernel + (step.sweep.empty() ? "" : " · " + step.sweep);
  put(to, "<g class=\"step\" id=\"step{}\"><title>{}. {}: {}{}</title>", row, row, escaped(shortened(name, 200)),
      escaped(shortened(step.label, 400)), timed ? ", " + percent(share) + " of the time" : "");
  put(to, "<rect class=\"box\" x=\"{:.0f}\" y=\"{:.0f}\" width=\"{:.0f}\" height=\"{:.0f}\" rx=\"5\"/>", x, y, width,
      kBox);
  if (timed)
    put(to,
        "<rect class=\"heat\" x=\"{:.0f}\" y=\"{:.0f}\" width=\"{:.0f}\" height=\"{:.0f}\" rx=\"5\" "
        "fill-opacity=\"{:.2f}\"/>",
        x, y, width, kBox, most > 0 ? 0.5 * share / most : 0);
  put(to, "<text class=\"kernel\" x=\"{:.0f}\" y=\"{:.0f}\">{}</text>", x + 12, y + 20, escaped(shortened(name, bold)));
  put(to, "<text class=\"label\" x=\"{:.0f}\" y=\"{:.0f}\">{}</text>", x + 12, y + 37,
      escaped(shortened(step.label, fits)));
  if (timed)
    put(to, "<text class=\"share\" text-anchor=\"end\" x=\"{:.0f}\" y=\"{:.0f}\">{}</text>", x + width - 10, y + 37,
        percent(share));
  to += "</g>\n";
}

/// The data sets and parameters of a step, listed beside its row.
void side(std::string &to, const PlanGraph::Node &node, size_t row, const Places &places) {
  double x = places.side(), y = places.tops[row] + 10;
  size_t shown = 0, all = node.datasets.size() + node.updates.size() + node.reads.size();
  if (all > 0)
    put(to, "<path class=\"leader\" d=\"M{:.0f} {:.0f}H{:.0f}\"/>", places.right(node.last) + 2, y - 4, x - 6);
  auto item = [&](const char *kind, const std::string &name, const char *what) {
    if (++shown > kItems)
      return;
    if (shown == kItems && all > kItems) {
      put(to, "<text class=\"item\" x=\"{:.0f}\" y=\"{:.0f}\">and {} more</text>", x + 14, y, all - kItems + 1);
      return;
    }
    put(to, "<rect class=\"{}\" x=\"{:.0f}\" y=\"{:.1f}\" width=\"8\" height=\"8\" rx=\"{}\"/>", kind, x, y - 8,
        kind[0] == 'd' ? 4 : 1);
    put(to, "<text class=\"item\" x=\"{:.0f}\" y=\"{:.0f}\">{}{}</text>", x + 14, y, escaped(shortened(name, 40)),
        what);
    y += kItem;
  };
  for (const std::string &name : node.datasets)
    item("dataset", name, "");
  for (const std::string &name : node.reads)
    item("parameter", name, "");
  for (const std::string &name : node.updates)
    item("updated", name, ", updated");
  to += "\n";
}

/// A buffer: out of its writer, down its track, into its readers.
void line(std::string &to, const Passing &passing, size_t index, const PlanGraph &graph, const Places &places,
          std::vector<int> &ins, std::vector<int> &outs) {
  size_t rows = places.tops.size();
  double x = places.track(passing), last = 0;
  double from = places.tops[passing.writer] + kBox - 7 - 7 * std::min(2, outs[passing.writer]++);
  std::string path = fmt::format("M{:.0f} {:.0f}H{:.0f}", places.left(graph.nodes[passing.writer].first), from, x);
  std::string heads;
  for (size_t reader : passing.readers) {
    if (reader >= rows)
      continue;
    double y = places.tops[reader] + 8 + 7 * std::min(2, ins[reader]++), to_ = places.left(graph.nodes[reader].first);
    put(path, "M{:.0f} {:.0f}H{:.0f}", x, y, to_ - 6);
    put(heads, "<path d=\"M{:.0f} {:.0f}l-7 -3.5v7z\"/><circle cx=\"{:.0f}\" cy=\"{:.0f}\" r=\"2.2\"/>", to_ - 1, y, x,
        y);
    last = std::max(last, y);
  }
  if (last > 0)
    put(to, "<g class=\"buffer c{}\"><title>{}</title><path class=\"wire\" d=\"{}M{:.0f} {:.0f}V{:.0f}\"/>{}</g>\n",
        index % 8, escaped(shortened(passing.name, 200)), path, x, from, last, heads);
}

/// The names of what a step hands on, below its box.
void outputs(std::string &to, const PlanGraph &graph, size_t row, const Places &places) {
  std::string names;
  for (size_t i = 0; i < std::min(graph.passings.size(), kLinesDrawn); ++i)
    if (graph.passings[i].writer == row)
      put(names, "{}<tspan class=\"c{}\">{}</tspan>", names.empty() ? "" : ", ", i % 8,
          escaped(shortened(graph.passings[i].name, 34)));
  const PlanGraph::Node &node = graph.nodes[row];
  if (!names.empty())
    put(to, "<text class=\"output\" x=\"{:.0f}\" y=\"{:.0f}\">{}</text>\n", places.left(node.first) + 2,
        places.tops[row] + kBox + 13, names);
}
} // namespace

PlanGraph layOut(const std::vector<GraphStep> &steps, const std::vector<DataSetSize> &datasets) {
  Names names = classify(steps, datasets);
  PlanGraph graph;
  std::map<std::string, size_t> writer, passing; // by name: the last step that wrote it; its place in passings
  std::vector<bool> afterLoss(steps.size());
  for (size_t i = 0; i < steps.size(); ++i) {
    const GraphStep &step = steps[i];
    for (const std::string &name : std::set<std::string>(step.reads.begin(), step.reads.end())) {
      auto from = writer.find(name);
      if (from == writer.end())
        continue;
      if (afterLoss[from->second] || (!steps[from->second].target.empty() && steps[from->second].sweep != "statistics"))
        afterLoss[i] = true;
      auto [known, fresh] = passing.emplace(name, graph.passings.size());
      if (fresh)
        graph.passings.push_back({name, from->second});
      graph.passings[known->second].readers.push_back(i);
    }
    for (const std::string &name : step.writes) {
      writer[name] = i;
      passing.erase(name);
    }
    graph.nodes.push_back(nodeOf(step, names, afterLoss[i]));
  }
  std::stable_sort(graph.passings.begin(), graph.passings.end(),
                   [](const Passing &a, const Passing &b) { return a.writer < b.writer; });
  assignTracks(graph);
  return graph;
}

std::string draw(const std::vector<GraphStep> &steps, const PlanGraph &graph, const std::vector<double> &shares) {
  size_t count = std::min(steps.size(), kStepsDrawn);
  Places places(graph, count);
  double most = shares.empty() ? 0 : *std::max_element(shares.begin(), shares.end());
  std::string to;
  put(to, "<svg class=\"plan\" viewBox=\"0 0 {0:.0f} {1:.0f}\" role=\"img\" style=\"max-width:{0:.0f}px\">",
      places.width(), places.height + 4);
  put(to, "<title>The steps of the plan in their order</title>\n");
  columns(to, places);
  std::vector<int> ins(steps.size()), outs(steps.size());
  for (size_t i = 0; i < std::min(graph.passings.size(), kLinesDrawn); ++i)
    if (graph.passings[i].writer < count)
      line(to, graph.passings[i], i, graph, places, ins, outs);
  for (size_t i = 0; i < count; ++i) {
    box(to, steps[i], graph.nodes[i], i, places, i < shares.size() ? shares[i] : -1, most);
    outputs(to, graph, i, places);
    side(to, graph.nodes[i], i, places);
  }
  return to + "</svg>\n";
}
} // namespace sn::report
