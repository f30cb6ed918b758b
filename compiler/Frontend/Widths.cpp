// Widths of layers where they depend on each other: pooling layers (reference 1.7) and skips (1.8).
#include "compiler/Frontend/Readers.h"

namespace sn::frontend {
bool sameWidth(const Layer &a, const Layer &b) {
  return a.automatic == b.automatic && (a.automatic || a.units == b.units);
}

std::string widthOf(const Layer &layer) {
  if (layer.automatic)
    return fmt::format("the columns of data set {}", inQuotes(layer.dataSet));
  return fmt::format("{} unit{}", layer.units, layer.units == 1 ? "" : "s");
}

namespace {
class Widths {
public:
  Widths(Diagnostics &report, std::vector<LayerDraft> &drafts, Network &network)
      : report(report), drafts(drafts), network(network), known(drafts.size(), false) {}

  void fit() {
    for (int index : network.order) {
      size_t at = static_cast<size_t>(index);
      known[at] = drafts[at].unitsKnown && drafts[at].kindKnown && drafts[at].typeKnown;
      if (known[at] && network.layers[at].type == LayerType::Pooling)
        known[at] = derive(network.layers[at], drafts[at]);
      if (known[at])
        checkSkips(network.layers[at]);
      drafts[at].unitsKnown = known[at];
    }
    checkDataSets();
  }

private:
  Diagnostics &report;
  std::vector<LayerDraft> &drafts;
  Network &network;
  std::vector<bool> known; // of those before in forward order

  bool derive(Layer &layer, const LayerDraft &draft);
  bool sourcesFit(const Layer &layer);
  bool agrees(const Layer &derived, const Layer &layer, const LayerDraft &draft);
  void checkSkips(const Layer &layer);
  void checkDataSets();
};

// They are all known and of one width.
bool Widths::sourcesFit(const Layer &layer) {
  const Layer &first = network.layers[layer.sources[0]];
  for (size_t i = 0; i < layer.sources.size(); ++i) {
    if (!known[static_cast<size_t>(layer.sources[i])])
      return false;
    const Layer &source = network.layers[layer.sources[i]];
    if (sameWidth(source, first))
      continue;
    report.error(Rule::Pooling, layer.sourcesAt[i],
                 fmt::format("the sources of Pooling layer {} must be of one width: {} has {}, {} has {}",
                             inQuotes(layer.name), inQuotes(source.name), widthOf(source), inQuotes(first.name),
                             widthOf(first)),
                 {{layer.sourcesAt[0], fmt::format("{} is its first source", inQuotes(first.name))}});
    return false;
  }
  return true;
}

/// A number that the file gives as well must be the derived width. An Output's "auto" is checked when data is bound.
bool Widths::agrees(const Layer &derived, const Layer &layer, const LayerDraft &draft) {
  if (!draft.unitsGiven || layer.automatic || sameWidth(derived, layer))
    return true;
  report.error(Rule::Pooling, layer.unitsAt,
               fmt::format("the sources give Pooling layer {} {}, but it is to have {}", inQuotes(layer.name),
                           widthOf(derived), widthOf(layer)));
  return false;
}

bool Widths::derive(Layer &layer, const LayerDraft &draft) {
  bool all = draft.sourcesKnown && (!draft.namesSources || layer.sources.size() == draft.sources.size());
  if (!layer.pooling.record || !all || layer.sources.empty() || !sourcesFit(layer))
    return false;
  Layer derived = network.layers[layer.sources[0]];
  if (!layer.pooling.record->fold) {
    if (layer.sources.size() < 2) {
      report.error(Rule::Pooling, layer.pooling.at,
                   fmt::format("{} compares its first source with each further one, so it needs at least 2 sources",
                               layer.pooling.record->name),
                   {{layer.sourcesAt[0], "this is the only one"}});
      return false;
    }
    derived.automatic = false;
    derived.units = static_cast<int64_t>(layer.sources.size()) - 1;
  }
  if (!agrees(derived, layer, draft))
    return false;
  layer.automatic = derived.automatic;
  layer.units = derived.units;
  if (derived.automatic && layer.kind == LayerKind::Hidden) // an Output's is its targets'
    layer.dataSet = derived.dataSet;
  return true;
}

void Widths::checkSkips(const Layer &layer) {
  for (size_t i = 0; i < layer.skips.size(); ++i) {
    const Layer &from = network.layers[layer.skips[i]];
    if (known[static_cast<size_t>(layer.skips[i])] && !sameWidth(from, layer))
      report.error(Rule::Skips, layer.skipsAt[i],
                   fmt::format("a skip adds unit by unit, but {} has {} and {} has {}", inQuotes(from.name),
                               widthOf(from), inQuotes(layer.name), widthOf(layer)),
                   {{from.unitsAt, fmt::format("the width of {} is set here", inQuotes(from.name))}});
  }
}
/// A data set is read into as many columns by every Input. As targets it may be narrower than its layer.
void Widths::checkDataSets() {
  std::map<std::string, size_t> first; // layer that names a data set
  for (size_t i = 0; i < network.layers.size(); ++i) {
    const Layer &layer = network.layers[i];
    if (!known[i] || layer.kind != LayerKind::Input)
      continue;
    const Layer &other = network.layers[first.try_emplace(layer.dataSet, i).first->second];
    if (!sameWidth(layer, other))
      report.error(Rule::DataSets, layer.unitsAt,
                   fmt::format("Inputs of one data set are of one width, but {} has {} and {} has {}",
                               inQuotes(layer.name), widthOf(layer), inQuotes(other.name), widthOf(other)),
                   {{other.unitsAt, fmt::format("the width of {} is set here", inQuotes(other.name))}});
  }
}
} // namespace

void fitWidths(Diagnostics &report, std::vector<LayerDraft> &drafts, Network &network) {
  Widths(report, drafts, network).fit();
}
} // namespace sn::frontend
