// Layers and their sources as a graph: reference section 1.8, with cycles and unknown names as errors (T-15).
#include "compiler/Frontend/Readers.h"
#include <algorithm>
#include <numeric>

namespace sn::frontend {
namespace {
constexpr size_t kNamesListed = 8; // in a message about an unknown one

class Graph {
public:
  Graph(Diagnostics &report, std::vector<LayerDraft> &drafts, Network &network)
      : report(report), drafts(drafts), network(network) {}

  void connect() {
    for (LayerDraft &draft : drafts)
      network.layers.push_back(std::move(draft.layer));
    exempt.resize(network.layers.size());
    indexNames();
    requireEnds();
    for (size_t i = 0; i < drafts.size(); ++i)
      resolve(static_cast<int>(i));
    order();
    if (certain)
      requireEffect();
  }

private:
  Diagnostics &report;
  std::vector<LayerDraft> &drafts;
  Network &network;
  std::map<std::string, int, std::less<>> byName;
  std::vector<std::string_view> names; // those known
  bool certain = true;                 // every edge and end that the file means is known, or guessed well
  std::vector<bool> exempt;            // layers to which another message has been given: they need not have an effect

  Diagnostic declared(int index) const {
    return {drafts[index].nameAt, fmt::format("layer {} is declared here", inQuotes(network.layers[index].name))};
  }
  void indexNames();
  void requireEnds();
  void resolve(int index);
  std::optional<int> sourceNamed(const Diagnostic &name);
  void addSource(int index, const Diagnostic &name);
  void order();
  std::vector<int> waitingSources(const std::vector<bool> &cut, std::vector<int> &distance) const;
  std::vector<std::vector<int>> cycles(const std::vector<int> &waiting, const std::vector<bool> &cut) const;
  void reportCycle(std::vector<int> path);
  void requireEffect();
};

void Graph::indexNames() {
  for (int i = 0; i < static_cast<int>(network.layers.size()); ++i) {
    if (!drafts[i].nameKnown) {
      exempt[i] = true;
      continue;
    }
    auto [known, isNew] = byName.emplace(network.layers[i].name, i);
    if (isNew)
      continue;
    report.error(drafts[i].nameAt, fmt::format("a second layer is named {}", inQuotes(network.layers[i].name)),
                 {declared(known->second)});
    exempt[i] = exempt[known->second] = true; // a source of this name may mean either
  }
  for (const auto &[name, index] : byName)
    names.push_back(name);
}

void Graph::requireEnds() {
  if (std::any_of(drafts.begin(), drafts.end(), [](const LayerDraft &draft) { return !draft.kindKnown; })) {
    certain = false;
    return;
  }
  for (LayerKind kind : {LayerKind::Input, LayerKind::Output})
    if (std::none_of(network.layers.begin(), network.layers.end(),
                     [&](const Layer &layer) { return layer.kind == kind; })) {
      const LayerDraft &end = kind == LayerKind::Input ? drafts.front() : drafts.back();
      report.error(network.layers[0].at,
                   fmt::format("the network has no {} layer", kind == LayerKind::Input ? "Input" : "Output"),
                   {end.kindWhy});
      certain = false;
    }
}

// A slip of the hand is taken for the name it comes near to, but only to find layers without effect.
std::optional<int> Graph::sourceNamed(const Diagnostic &name) {
  if (auto found = byName.find(name.message); found != byName.end())
    return found->second;
  if (std::any_of(drafts.begin(), drafts.end(), [](const LayerDraft &draft) { return !draft.nameKnown; })) {
    certain = false; // it may be the name that could not be read
    return std::nullopt;
  }
  std::string_view near = nearest(names, name.message);
  std::vector<Diagnostic> notes;
  std::string message = fmt::format("no layer is named {}", inQuotes(name.message));
  if (!near.empty()) {
    int index = byName.find(near)->second;
    exempt[index] = true;
    notes.push_back(declared(index));
    message += vocab::equalsIgnoringCase(near, name.message) ? "; layer names are case-sensitive" : "";
  } else {
    certain = false;
    if (names.size() <= kNamesListed)
      message += fmt::format("; there {} {}", names.size() == 1 ? "is" : "are", listed(names));
  }
  report.error(name.at, message + didYouMean(near), notes, std::string(near));
  return std::nullopt;
}

void Graph::addSource(int index, const Diagnostic &name) {
  Layer &layer = network.layers[index];
  std::optional<int> from = sourceNamed(name);
  if (!from)
    return;
  auto earlier = std::find(layer.sources.begin(), layer.sources.end(), *from);
  if (earlier != layer.sources.end()) {
    report.error(
        name.at,
        fmt::format("{} is named twice among the sources of layer {}", inQuotes(name.message), inQuotes(layer.name)),
        {{layer.sourcesAt[static_cast<size_t>(earlier - layer.sources.begin())], "it is named here first"}});
    return;
  }
  layer.sources.push_back(*from);
  layer.sourcesAt.push_back(name.at);
}

void Graph::resolve(int index) {
  Layer &layer = network.layers[index];
  if (layer.kind == LayerKind::Input && drafts[index].kindKnown)
    return;
  if (!drafts[index].sourcesKnown)
    certain = false;
  if (drafts[index].namesSources) {
    for (const Diagnostic &name : drafts[index].sources)
      addSource(index, name);
  } else if (index > 0) {
    layer.sources = {index - 1};
    layer.sourcesAt = {layer.at};
  } else if (drafts[index].kindKnown) {
    report.error(layer.at, fmt::format("layer {} is the first and names no 'Source'", inQuotes(layer.name)),
                 {drafts[index].kindWhy});
    exempt[index] = true;
  }
}

/// For each layer how many of its sources do not come to run, because they wait for each other. `cut` layers run
/// anyway. `distance` becomes the longest one from an Input.
std::vector<int> Graph::waitingSources(const std::vector<bool> &cut, std::vector<int> &distance) const {
  size_t count = network.layers.size();
  std::vector<std::vector<int>> readers(count);
  std::vector<int> waiting(count, 0), ready;
  distance.assign(count, 0);
  for (size_t i = 0; i < count; ++i) {
    for (int from : network.layers[i].sources)
      readers[from].push_back(static_cast<int>(i));
    waiting[i] = cut[i] ? 0 : static_cast<int>(network.layers[i].sources.size());
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
      const std::vector<int> &sources = network.layers[at].sources;
      at = *std::find_if(sources.begin(), sources.end(), [&](int from) { return waiting[from] > 0 && !cut[from]; });
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
    size_t edge = static_cast<size_t>(std::find(to.sources.begin(), to.sources.end(), path[i]) - to.sources.begin());
    if (i + 1 == path.size())
      first = to.sourcesAt[edge];
    else if (i < kShown)
      notes.push_back(
          {to.sourcesAt[edge], fmt::format("layer {} reads {} here", inQuotes(to.name), inQuotes(from.name))});
  }
  report.error(first, text, notes);
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

// Without cycles every layer depends on an Input, since only Inputs have no sources; but it may lead nowhere.
void Graph::requireEffect() {
  size_t count = network.layers.size();
  std::vector<bool> useful(count);
  std::vector<int> next;
  auto reach = [&](int index) {
    if (!useful[index])
      next.push_back(index);
    useful[index] = true;
  };
  for (size_t i = 0; i < count; ++i)
    if (exempt[i] || network.layers[i].kind == LayerKind::Output)
      reach(static_cast<int>(i));
  while (!next.empty()) {
    int index = next.back();
    next.pop_back();
    for (int from : network.layers[index].sources)
      reach(from);
  }
  for (size_t i = 0; i < count; ++i)
    if (!useful[i])
      report.error(
          network.layers[i].at,
          fmt::format("layer {} has no effect: it leads to no Output layer; name it as a 'Source' or remove it",
                      inQuotes(network.layers[i].name)));
}
} // namespace

void connectLayers(Diagnostics &report, std::vector<LayerDraft> &drafts, Network &network) {
  Graph(report, drafts, network).connect();
}
} // namespace sn::frontend
