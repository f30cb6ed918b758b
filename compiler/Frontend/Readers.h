// The steps of readNetwork, one file each. None throws for a mistake of the user's: they report it and go on, and mark
// what they could not read as unknown, so that no other message follows from it.
#pragma once
#include "compiler/Frontend/Object.h"

namespace sn::frontend {
/// A layer before its sources are resolved, and what is known of it.
struct LayerDraft {
  Layer layer;
  bool kindKnown = true, nameKnown = true, sourcesKnown = true;
  Position nameAt;                 // the name's value, or the layer if it has none
  Diagnostic kindWhy;              // where the kind is set, or that it follows from the position
  Position dropoutAt;              // of 'pDropout', if given
  bool namesSources = false;       // else the previous layer
  std::vector<Diagnostic> sources; // name and where
};

/// The penalty of an object that may hold one; both 0 if it does not.
struct Penalty {
  double p = 0, beta = 0;
};
Penalty readPenalty(Object &object);

/// What layers inherit from the network object.
struct NetworkDefaults {
  Object *network = nullptr;
  Penalty penalty;
};
/// One layer object, the index-th of `count`.
LayerDraft readLayer(Diagnostics &report, const Value &value, int index, int count, const NetworkDefaults &defaults);

/// Optimizer, hyper-parameters, batch, epochs, seed and schedule; all defaults if `training` is null.
void readTraining(Diagnostics &report, const Value *training, Network &network);

/// Resolves sources, rejects duplicate names, cycles and layers without effect, and fills in layers and order. The
/// drafts' layers move to the network.
void connectLayers(Diagnostics &report, std::vector<LayerDraft> &drafts, Network &network);
} // namespace sn::frontend
