// The steps of readNetwork, one file each.
#pragma once
#include "compiler/Frontend/Object.h"

namespace sn::frontend {
/// A layer before its sources are resolved.
struct LayerDraft {
  Layer layer;
  bool namesSources = false;       // else the previous layer
  std::vector<Diagnostic> sources; // name and where
};

/// The penalty of an object that may hold one; both 0 if it does not.
struct Penalty {
  double p = 0, beta = 0;
};
Penalty readPenalty(const Object &object);

/// What layers inherit from the network object.
struct NetworkDefaults {
  const Object *network = nullptr;
  Penalty penalty;
};
/// One layer object, the index-th of `count`.
LayerDraft readLayer(const SourceText &source, const Value &value, int index, int count,
                     const NetworkDefaults &defaults);

/// Optimizer, hyper-parameters, batch, epochs, seed and schedule; all defaults if `training` is null.
void readTraining(const SourceText &source, const Value *training, Network &network);

/// Resolves sources, rejects duplicate names, cycles and layers without effect, and fills in layers and order.
void connectLayers(const SourceText &source, std::vector<LayerDraft> drafts, Network &network);
} // namespace sn::frontend
