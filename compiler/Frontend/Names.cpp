#include "compiler/Frontend/Names.h"
#include "compiler/Frontend/Readers.h"
#include <algorithm>

namespace sn::frontend {
namespace {
constexpr size_t kNamesListed = 8; // in a message about an unknown one
} // namespace

LayerNames::LayerNames(Diagnostics &report, const std::vector<LayerDraft> &drafts, const Network &network)
    : exempt(drafts.size()), report(report), drafts(drafts), network(network) {
  for (size_t i = 0; i < drafts.size(); ++i) {
    if (!drafts[i].nameKnown) {
      exempt[i] = true;
      continue;
    }
    auto [known, isNew] = byName.emplace(network.layers[i].name, static_cast<int>(i));
    if (isNew)
      continue;
    report.error(Rule::Names, drafts[i].nameAt,
                 fmt::format("a second layer is named {}", inQuotes(network.layers[i].name)),
                 {declared(known->second)});
    exempt[i] = exempt[static_cast<size_t>(known->second)] = true; // a source of this name may mean either
  }
  for (const auto &[name, index] : byName)
    names.push_back(name);
}

Diagnostic LayerNames::declared(int index) const {
  return {drafts[index].nameAt, fmt::format("layer {} is declared here", inQuotes(network.layers[index].name))};
}

std::optional<int> LayerNames::find(Rule rule, const Diagnostic &name) {
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
    exempt[static_cast<size_t>(index)] = true;
    notes.push_back(declared(index));
    message += vocab::equalsIgnoringCase(near, name.message) ? "; layer names are case-sensitive" : "";
  } else {
    certain = false;
    if (names.size() <= kNamesListed)
      message += fmt::format("; there {} {}", names.size() == 1 ? "is" : "are", listed(names));
  }
  report.error(rule, name.at, message + didYouMean(near), notes, std::string(near));
  return std::nullopt;
}
} // namespace sn::frontend
