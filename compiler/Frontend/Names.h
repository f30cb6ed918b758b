// Layers by their names.
#pragma once
#include "compiler/Frontend/Diagnostics.h"
#include <map>
#include <optional>

namespace sn::frontend {
struct LayerDraft;

/// The names of a network's layers. Duplicates and unknown names are reported.
class LayerNames {
public:
  /// Reports duplicates. All three outlive this; the layers are the network's by now.
  LayerNames(Diagnostics &report, const std::vector<LayerDraft> &drafts, const Network &network);

  /// The layer that `name` means; null, and reported under `rule`, if there is none.
  std::optional<int> find(Rule rule, const Diagnostic &name);
  /// "layer 'x' is declared here"
  Diagnostic declared(int index) const;

  /// Every name that the file means is known, or guessed well: a slip of the hand is taken for the name it comes near
  /// to, but only to find layers without effect.
  bool certain = true;
  /// Layers to which another message has been given: they need not have an effect.
  std::vector<bool> exempt;

private:
  Diagnostics &report;
  const std::vector<LayerDraft> &drafts;
  const Network &network;
  std::map<std::string, int, std::less<>> byName;
  std::vector<std::string_view> names; // those known
};
} // namespace sn::frontend
