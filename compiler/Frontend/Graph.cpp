// Layers and their sources as a graph: reference section 1.8, with cycles and unknown names as errors (T-15).
#include "compiler/Frontend/Readers.h"
#include <algorithm>
#include <numeric>

namespace sn::frontend {
namespace {
class Graph {
public:
  Graph(Diagnostics &report, std::vector<LayerDraft> &drafts, Network &network)
      : report(report), drafts(drafts), network(network), names(report, drafts, network) {}

  void connect() {
    requireInput();
    for (size_t i = 0; i < drafts.size(); ++i)
      resolve(static_cast<int>(i));
    order();
    if (certain && names.certain)
      requireEffect();
    fitWidths(report, drafts, network);
    shareWeights(report, names, drafts, network);
  }

private:
  Diagnostics &report;
  std::vector<LayerDraft> &drafts;
  Network &network;
  LayerNames names;
  bool certain = true; // every edge and end that the file means is known

  void requireInput();
  void resolve(int index);
  void addEdge(int index, const Diagnostic &name, bool skip);
  std::vector<int> readBy(int index) const;
  void order();
  std::vector<int> waitingSources(const std::vector<bool> &cut, std::vector<int> &distance) const;
  std::vector<std::vector<int>> cycles(const std::vector<int> &waiting, const std::vector<bool> &cut) const;
  void reportCycle(std::vector<int> path);
  void requireEffect();
};

void Graph::requireInput() {
  if (std::any_of(drafts.begin(), drafts.end(), [](const LayerDraft &draft) { return !draft.kindKnown; })) {
    certain = false;
    return;
  }
  if (std::any_of(network.layers.begin(), network.layers.end(),
                  [](const Layer &layer) { return layer.kind == LayerKind::Input; }))
    return;
  report.error(Rule::Kinds, network.layers[0].at, "the network has no Input layer", {drafts.front().kindWhy});
  certain = false;
}

void Graph::addEdge(int index, const Diagnostic &name, bool skip) {
  Layer &layer = network.layers[index];
  Rule rule = skip ? Rule::Skips : Rule::Sources;
  std::optional<int> from = names.find(rule, name);
  if (!from) {
    (skip ? drafts[index].skipsKnown : drafts[index].sourcesKnown) = false;
    return;
  }
  std::vector<int> &edges = skip ? layer.skips : layer.sources;
  std::vector<Position> &places = skip ? layer.skipsAt : layer.sourcesAt;
  auto earlier = std::find(edges.begin(), edges.end(), *from);
  if (earlier != edges.end()) {
    report.error(rule, name.at,
                 fmt::format("{} is named twice among the {} of layer {}", inQuotes(name.message),
                             skip ? "skips" : "sources", inQuotes(layer.name)),
                 {{places[static_cast<size_t>(earlier - edges.begin())], "it is named here first"}});
    return;
  }
  edges.push_back(*from);
  places.push_back(name.at);
}

void Graph::resolve(int index) {
  Layer &layer = network.layers[index];
  const LayerDraft &draft = drafts[index];
  if (layer.kind == LayerKind::Input && draft.kindKnown)
    return;
  if (!draft.sourcesKnown || !draft.skipsKnown)
    certain = false;
  if (draft.namesSources) {
    for (const Diagnostic &name : draft.sources)
      addEdge(index, name, false);
  } else if (index > 0) {
    layer.sources = {index - 1};
    layer.sourcesAt = {layer.at};
  } else if (draft.kindKnown) {
    report.error(Rule::Sources, layer.at,
                 fmt::format("layer {} is the first and names no 'Source'", inQuotes(layer.name)), {draft.kindWhy});
    names.exempt[static_cast<size_t>(index)] = true;
  }
  for (const Diagnostic &name : draft.skips)
    addEdge(index, name, true);
}

/// Sources and skips: all that must be computed before.
std::vector<int> Graph::readBy(int index) const {
  std::vector<int> edges = network.layers[index].sources;
  edges.insert(edges.end(), network.layers[index].skips.begin(), network.layers[index].skips.end());
  return edges;
}

/// For each layer how many of its sources do not come to run, because they wait for each other. `cut` layers run
/// anyway. `distance` becomes the longest one from an Input.
std::vector<int> Graph::waitingSources(const std::vector<bool> &cut, std::vector<int> &distance) const {
  size_t count = network.layers.size();
  std::vector<std::vector<int>> readers(count);
  std::vector<int> waiting(count, 0), ready;
  distance.assign(count, 0);
  for (size_t i = 0; i < count; ++i) {
    std::vector<int> edges = readBy(static_cast<int>(i));
    for (int from : edges)
      readers[from].push_back(static_cast<int>(i));
    waiting[i] = cut[i] ? 0 : static_cast<int>(edges.size());
    if (waiting[i] == 0)
      ready.push_back(static_cast<int>(i));
  }
  for (size_t next = 0; next < ready.size(); ++next)
    for (int reader : readers[ready[next]]) {
      distance[reader] = std::max(distance[reader], distance[ready[next]] + 1);
      if (!cut[reader] && --waiting[reader] == 0)
        ready.push_back(reader);
    }
  return waiting;
}

/// Every layer left waiting has a source left waiting: going back from source to source closes a cycle. Those found
/// share no layer; each is in the order in which its layers feed each other.
std::vector<std::vector<int>> Graph::cycles(const std::vector<int> &waiting, const std::vector<bool> &cut) const {
  std::vector<std::vector<int>> found;
  std::vector<int> walk(waiting.size(), -1); // in which walk a layer was met
  for (int start = 0; start < static_cast<int>(waiting.size()); ++start) {
    std::vector<int> path;
    int at = start;
    while (waiting[at] > 0 && walk[at] < 0) {
      walk[at] = start;
      path.push_back(at);
      std::vector<int> edges = readBy(at);
      at = *std::find_if(edges.begin(), edges.end(), [&](int from) { return waiting[from] > 0 && !cut[from]; });
    }
    if (path.empty() || walk[at] != start)
      continue; // it led into a walk before
    path.erase(path.begin(), std::find(path.begin(), path.end(), at));
    std::reverse(path.begin(), path.end());
    std::rotate(path.begin(), std::min_element(path.begin(), path.end()), path.end());
    found.push_back(std::move(path));
  }
  return found;
}

void Graph::reportCycle(std::vector<int> path) {
  std::string text = fmt::format("layers feed each other in a cycle: {}", inQuotes(network.layers[path[0]].name));
  std::vector<Diagnostic> notes;
  Position first;
  for (size_t i = 0; i < path.size(); ++i) {
    const Layer &from = network.layers[path[i]], &to = network.layers[path[(i + 1) % path.size()]];
    if (i < kShown)
      text += fmt::format(" -> {}", i + 1 == kShown && path.size() > kShown ? "..." : inQuotes(to.name));
    std::vector<int> edges = readBy(path[(i + 1) % path.size()]);
    std::vector<Position> places = to.sourcesAt;
    places.insert(places.end(), to.skipsAt.begin(), to.skipsAt.end());
    Position place = places[static_cast<size_t>(std::find(edges.begin(), edges.end(), path[i]) - edges.begin())];
    if (i + 1 == path.size())
      first = place;
    else if (i < kShown)
      notes.push_back({place, fmt::format("layer {} reads {} here", inQuotes(to.name), inQuotes(from.name))});
  }
  report.error(Rule::Order, first, text, notes);
  certain = false; // one of its sources is wrong
}

// Cycles that remain once the layers of those found run anyway are cycles of their own.
void Graph::order() {
  size_t count = network.layers.size();
  std::vector<bool> cut(count, false);
  std::vector<int> distance;
  for (size_t rounds = 0; rounds < kShown; ++rounds) {
    std::vector<std::vector<int>> found = cycles(waitingSources(cut, distance), cut);
    if (found.empty())
      break;
    for (const std::vector<int> &path : found) {
      reportCycle(path);
      for (int layer : path)
        cut[layer] = true;
    }
  }
  network.order.resize(count);
  std::iota(network.order.begin(), network.order.end(), 0);
  std::sort(network.order.begin(), network.order.end(),
            [&](int a, int b) { return std::pair(distance[a], a) < std::pair(distance[b], b); });
}

// Without cycles every layer depends on an Input, since only Inputs have no sources; but it may lead nowhere. In a
// network without Outputs the layers that nobody reads are its results.
void Graph::requireEffect() {
  size_t count = network.layers.size();
  bool outputs = std::any_of(network.layers.begin(), network.layers.end(),
                             [](const Layer &layer) { return layer.kind == LayerKind::Output; });
  std::vector<bool> useful(count);
  std::vector<int> next;
  auto reach = [&](int index) {
    if (!useful[index])
      next.push_back(index);
    useful[index] = true;
  };
  for (size_t i = 0; i < count; ++i) {
    LayerKind kind = network.layers[i].kind;
    if (names.exempt[i] || kind == LayerKind::Output || (!outputs && kind == LayerKind::Hidden))
      reach(static_cast<int>(i));
  }
  while (!next.empty()) {
    int index = next.back();
    next.pop_back();
    for (int from : readBy(index))
      reach(from);
  }
  for (size_t i = 0; i < count; ++i)
    if (!useful[i])
      report.error(Rule::Order, network.layers[i].at,
                   fmt::format("layer {} has no effect: {}; name it as a 'Source' or remove it",
                               inQuotes(network.layers[i].name),
                               outputs ? "it leads to no Output layer" : "no layer reads it"));
}
} // namespace

void connectLayers(Diagnostics &report, std::vector<LayerDraft> &drafts, Network &network) {
  for (LayerDraft &draft : drafts)
    network.layers.push_back(std::move(draft.layer));
  Graph(report, drafts, network).connect();
}
} // namespace sn::frontend
