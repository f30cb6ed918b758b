// SharedWeights: reference section 1.9.
#include "compiler/Frontend/Readers.h"
#include <algorithm>

namespace sn::frontend {
namespace {
class Sharer {
public:
  Sharer(Diagnostics &report, LayerNames &names, std::vector<LayerDraft> &drafts, Network &network)
      : report(report), names(names), drafts(drafts), network(network) {}

  void share() {
    for (size_t i = 0; i < drafts.size(); ++i)
      for (const SharingDraft &draft : drafts[i].shared)
        resolve(network.layers[i], drafts[i], draft);
    for (size_t i = 0; i < drafts.size(); ++i) {
      for (const Sharing &sharing : network.layers[i].shared)
        check(network.layers[i], drafts[i], sharing);
      requireOwnWeights(network.layers[i], drafts[i]);
    }
  }

private:
  Diagnostics &report;
  LayerNames &names;
  std::vector<LayerDraft> &drafts;
  Network &network;

  std::string nameOf(int layer) const { return inQuotes(network.layers[layer].name); }
  bool hasPair(int from, int to) const {
    const std::vector<int> &sources = network.layers[to].sources;
    return std::find(sources.begin(), sources.end(), from) != sources.end();
  }
  void resolve(Layer &layer, const LayerDraft &draft, const SharingDraft &sharing);
  bool requireOwner(int from, int to, const SharingDraft &sharing);
  void check(const Layer &layer, const LayerDraft &draft, const Sharing &sharing);
  void requireOwnWeights(const Layer &layer, const LayerDraft &draft);
};

bool Sharer::requireOwner(int from, int to, const SharingDraft &sharing) {
  if (network.layers[to].type == LayerType::Pooling)
    report.error(Rule::Sharing, sharing.ownerTo.at,
                 fmt::format("Pooling layer {} has no weights to share", nameOf(to)));
  else if (!hasPair(from, to) && drafts[static_cast<size_t>(to)].sourcesKnown)
    report.error(Rule::Sharing, sharing.ownerFrom.at,
                 fmt::format("layer {} has no weights from {}, which is none of its sources", nameOf(to), nameOf(from)),
                 {names.declared(to)});
  return network.layers[to].type != LayerType::Pooling && hasPair(from, to);
}

void Sharer::resolve(Layer &layer, const LayerDraft &draft, const SharingDraft &sharing) {
  std::optional<int> source = names.find(Rule::Sharing, sharing.source);
  std::optional<int> from = names.find(Rule::Sharing, sharing.ownerFrom),
                     to = names.find(Rule::Sharing, sharing.ownerTo);
  auto place = source ? std::find(layer.sources.begin(), layer.sources.end(), *source) : layer.sources.end();
  bool known = place != layer.sources.end();
  if (source && !known && draft.sourcesKnown)
    report.error(Rule::Sharing, sharing.source.at,
                 fmt::format("{} is none of the sources of layer {}, so there are no weights between them",
                             nameOf(*source), inQuotes(layer.name)));
  if (!from || !to || !requireOwner(*from, *to, sharing) || !known)
    return;
  int index = static_cast<int>(place - layer.sources.begin());
  auto earlier = std::find_if(layer.shared.begin(), layer.shared.end(),
                              [&](const Sharing &other) { return other.source == index; });
  if (earlier != layer.shared.end())
    return report.error(Rule::Sharing, sharing.source.at,
                        fmt::format("the weights from {} are shared twice", nameOf(*source)),
                        {{earlier->at, "they are shared here first"}});
  layer.shared.push_back({index, *from, *to, sharing.transposed, sharing.at});
}

/// Needs all of them resolved: whether a pair owns its weights is not known before.
void Sharer::check(const Layer &layer, const LayerDraft &draft, const Sharing &sharing) {
  const Layer &owner = network.layers[sharing.ownerTo];
  int source = layer.sources[static_cast<size_t>(sharing.source)];
  if (&owner == &layer && source == sharing.ownerFrom)
    return report.error(Rule::Sharing, sharing.at,
                        fmt::format("the weights from {} to {} cannot be shared with themselves", nameOf(source),
                                    inQuotes(layer.name)));
  for (const Sharing &other : owner.shared)
    if (owner.sources[static_cast<size_t>(other.source)] == sharing.ownerFrom)
      return report.error(
          Rule::Sharing, sharing.at,
          fmt::format("the weights from {} to {} are shared themselves; name their owner, from {} to {}",
                      nameOf(sharing.ownerFrom), inQuotes(owner.name), nameOf(other.ownerFrom), nameOf(other.ownerTo)),
          {{other.at, "they are shared here"}});
  auto isKnown = [&](int index) { return drafts[static_cast<size_t>(index)].unitsKnown; };
  const Layer &from = network.layers[source], &ownerFrom = network.layers[sharing.ownerFrom];
  bool fits = sharing.transposed ? sameWidth(from, owner) && sameWidth(layer, ownerFrom)
                                 : sameWidth(from, ownerFrom) && sameWidth(layer, owner);
  if (fits || !draft.unitsKnown || !isKnown(source) || !isKnown(sharing.ownerFrom) || !isKnown(sharing.ownerTo))
    return;
  auto pair = [](const Layer &a, const Layer &b) { return fmt::format("{} by {}", widthOf(a), widthOf(b)); };
  report.error(Rule::Sharing, sharing.at,
               fmt::format("weights of {} are needed here{}, but those from {} to {} are {}", pair(from, layer),
                           sharing.transposed ? ", transposed" : "", inQuotes(ownerFrom.name), inQuotes(owner.name),
                           pair(ownerFrom, owner)),
               {names.declared(sharing.ownerTo)});
}

void Sharer::requireOwnWeights(const Layer &layer, const LayerDraft &draft) {
  if (draft.weightNormAt && !layer.sources.empty() && layer.shared.size() == layer.sources.size())
    report.error(Rule::Norms, *draft.weightNormAt,
                 fmt::format("'WeightNorm' has nothing to act on: all weights of layer {} belong to others; set it on "
                             "the layers that own them",
                             inQuotes(layer.name)),
                 {{layer.shared[0].at, "they are shared here"}});
}
} // namespace

std::vector<SharingDraft> readSharing(Diagnostics &report, const Value &value) {
  std::vector<SharingDraft> entries;
  std::span<const Value> values(value.items);
  if (value.form == kObject) // one entry without brackets
    values = std::span(&value, 1);
  if (values.empty())
    report.error(Rule::Sharing, value.at, "'SharedWeights' must hold at least one entry");
  for (const Value &one : values) {
    Object object(report, one, sharingKeys(), "an entry of 'SharedWeights'");
    object.check();
    SharingDraft entry{.transposed = object.boolean("Transposed", false), .at = one.at};
    bool complete = true;
    for (auto [key, place] : {std::pair("InputLayer", &entry.source),
                              {"SourceInputLayer", &entry.ownerFrom},
                              {"SourceOutputLayer", &entry.ownerTo}}) {
      const Member *member = object.find(key);
      complete &= member != nullptr;
      if (member)
        *place = {member->value.at, member->value.text};
      else if (!object.mentions(key))
        report.error(Rule::Sharing, one.at, fmt::format("an entry of 'SharedWeights' lacks its '{}'", key));
    }
    if (complete)
      entries.push_back(std::move(entry));
  }
  return entries;
}

void shareWeights(Diagnostics &report, LayerNames &names, std::vector<LayerDraft> &drafts, Network &network) {
  Sharer(report, names, drafts, network).share();
}
} // namespace sn::frontend
