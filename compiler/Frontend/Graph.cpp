// Layers and their sources as a graph: reference section 1.8, with cycles and unknown names as errors (T-15).
#include "compiler/Frontend/Readers.h"
#include <algorithm>
#include <numeric>

namespace sn::frontend {
namespace {
class Graph {
public:
  Graph(const SourceText &source, std::vector<LayerDraft> drafts, Network &network)
      : source(source), drafts(std::move(drafts)), network(network) {}

  void connect() {
    for (LayerDraft &draft : drafts)
      network.layers.push_back(std::move(draft.layer));
    indexNames();
    requireEnds();
    for (size_t i = 0; i < drafts.size(); ++i)
      resolve(static_cast<int>(i));
    order();
    requireEffect();
  }

private:
  const SourceText &source;
  std::vector<LayerDraft> drafts;
  Network &network;
  std::map<std::string, int, std::less<>> byName;

  Diagnostic declared(int index) const {
    return {network.layers[index].at, fmt::format("layer '{}' is declared here", network.layers[index].name)};
  }
  void indexNames();
  void requireEnds() const;
  void resolve(int index);
  int sourceNamed(const Diagnostic &name) const;
  void order();
  [[noreturn]] void reportCycle(const std::vector<int> &distance) const;
  void requireEffect() const;
};

void Graph::indexNames() {
  for (int i = 0; i < static_cast<int>(network.layers.size()); ++i) {
    auto [known, isNew] = byName.emplace(network.layers[i].name, i);
    if (!isNew)
      fail(source, network.layers[i].at, fmt::format("a second layer is named '{}'", network.layers[i].name),
           {declared(known->second)});
  }
}

void Graph::requireEnds() const {
  for (LayerKind kind : {LayerKind::Input, LayerKind::Output})
    if (std::none_of(network.layers.begin(), network.layers.end(),
                     [&](const Layer &layer) { return layer.kind == kind; }))
      fail(source, network.layers[0].at,
           fmt::format("the network has no {} layer", kind == LayerKind::Input ? "Input" : "Output"));
}

int Graph::sourceNamed(const Diagnostic &name) const {
  if (auto found = byName.find(name.message); found != byName.end())
    return found->second;
  std::vector<Choice> choices;
  for (const Layer &layer : network.layers)
    choices.push_back({.name = layer.name});
  std::string_view nearest = vocab::nearest(std::span<const Choice>(choices), name.message);
  std::string message = fmt::format("no layer is named '{}'", name.message);
  if (vocab::equalsIgnoringCase(nearest, name.message))
    message += "; layer names are case-sensitive";
  fail(source, name.at, message + didYouMean(nearest));
}

void Graph::resolve(int index) {
  Layer &layer = network.layers[index];
  if (layer.kind == LayerKind::Input)
    return;
  if (!drafts[index].namesSources) {
    if (index == 0)
      fail(source, layer.at, fmt::format("layer '{}' is the first and names no 'Source'", layer.name));
    layer.sources = {index - 1};
    layer.sourcesAt = {layer.at};
    return;
  }
  for (const Diagnostic &name : drafts[index].sources) {
    int from = sourceNamed(name);
    if (std::count(layer.sources.begin(), layer.sources.end(), from))
      fail(source, name.at,
           fmt::format("'{}' is named twice among the sources of layer '{}'", name.message, layer.name));
    layer.sources.push_back(from);
    layer.sourcesAt.push_back(name.at);
  }
}

void Graph::order() {
  size_t count = network.layers.size();
  std::vector<std::vector<int>> readers(count);
  std::vector<int> distance(count, 0), waiting(count, 0), ready;
  for (size_t i = 0; i < count; ++i) {
    for (int from : network.layers[i].sources)
      readers[from].push_back(static_cast<int>(i));
    waiting[i] = static_cast<int>(network.layers[i].sources.size());
    if (waiting[i] == 0)
      ready.push_back(static_cast<int>(i));
  }
  for (size_t next = 0; next < ready.size(); ++next)
    for (int reader : readers[ready[next]]) {
      distance[reader] = std::max(distance[reader], distance[ready[next]] + 1);
      if (--waiting[reader] == 0)
        ready.push_back(reader);
    }
  if (ready.size() < count)
    reportCycle(waiting);
  network.order.resize(count);
  std::iota(network.order.begin(), network.order.end(), 0);
  std::sort(network.order.begin(), network.order.end(),
            [&](int a, int b) { return std::pair(distance[a], a) < std::pair(distance[b], b); });
}

// Every layer left waiting has a source left waiting: going back from source to source must close a cycle.
void Graph::reportCycle(const std::vector<int> &waiting) const {
  int at =
      static_cast<int>(std::find_if(waiting.begin(), waiting.end(), [](int n) { return n > 0; }) - waiting.begin());
  std::vector<int> path;
  while (!std::count(path.begin(), path.end(), at)) {
    path.push_back(at);
    const std::vector<int> &sources = network.layers[at].sources;
    at = *std::find_if(sources.begin(), sources.end(), [&](int from) { return waiting[from] > 0; });
  }
  path.erase(path.begin(), std::find(path.begin(), path.end(), at));
  std::reverse(path.begin(), path.end());
  std::rotate(path.begin(), std::min_element(path.begin(), path.end()), path.end());
  std::string text = fmt::format("layers feed each other in a cycle: '{}'", network.layers[path[0]].name);
  std::vector<Diagnostic> notes;
  for (size_t i = 0; i < path.size(); ++i) {
    text += fmt::format(" -> '{}'", network.layers[path[(i + 1) % path.size()]].name);
    if (i > 0)
      notes.push_back(declared(path[i]));
  }
  const Layer &first = network.layers[path[0]];
  size_t edge = std::find(first.sources.begin(), first.sources.end(), path.back()) - first.sources.begin();
  fail(source, first.sourcesAt[edge], text, notes);
}

// Without cycles every layer depends on an Input, since only Inputs have no sources; but it may lead nowhere.
void Graph::requireEffect() const {
  std::vector<bool> useful(network.layers.size());
  for (auto index = network.order.rbegin(); index != network.order.rend(); ++index) {
    const Layer &layer = network.layers[*index];
    if (layer.kind == LayerKind::Output)
      useful[*index] = true;
    if (useful[*index])
      for (int from : layer.sources)
        useful[from] = true;
  }
  for (size_t i = 0; i < useful.size(); ++i)
    if (!useful[i])
      fail(source, network.layers[i].at,
           fmt::format("layer '{}' has no effect: it leads to no Output layer; name it as a 'Source' or remove it",
                       network.layers[i].name));
}
} // namespace

void connectLayers(const SourceText &source, std::vector<LayerDraft> drafts, Network &network) {
  Graph(source, std::move(drafts), network).connect();
}
} // namespace sn::frontend
