// The steps of readNetwork, one file each. None throws for a mistake of the user's: they report it and go on, and mark
// what they could not read as unknown, so that no other message follows from it.
#pragma once
#include "compiler/Frontend/Names.h"
#include "compiler/Frontend/Object.h"

namespace sn::frontend {
/// An entry of SharedWeights before its names are resolved.
struct SharingDraft {
  Diagnostic source, ownerFrom, ownerTo; // names and where
  bool transposed = false;
  Position at;
};

/// A layer before its sources are resolved, and what is known of it.
struct LayerDraft {
  Layer layer;
  bool kindKnown = true, typeKnown = true, nameKnown = true, sourcesKnown = true, skipsKnown = true;
  bool unitsGiven = false, unitsKnown = true;
  Position nameAt;                 // the name's value, or the layer if it has none
  Diagnostic kindWhy;              // where the kind is set, or that it follows from the position
  Position dropoutAt;              // of 'pDropout', if given
  bool namesSources = false;       // else the previous layer
  std::vector<Diagnostic> sources; // name and where
  std::vector<Diagnostic> skips;
  std::vector<SharingDraft> shared;
  std::vector<Diagnostic> drawsGiven;   // keys of WeightInit that only matter to weights that are drawn
  std::optional<Position> weightNormAt; // of a 'WeightNorm' above 0
  std::vector<Diagnostic> cautions;     // defaults in force that surprise
};

/// The penalty of an object that may hold one; both 0 if it does not.
struct Penalty {
  double p = 0, beta = 0;
};
Penalty readPenalty(Object &object);
/// The key "Precision" of the network or of a layer; nothing if it is absent or no precision.
std::optional<plan::Precision> readPrecision(Object &object);

/// What layers inherit from the network object.
struct NetworkDefaults {
  Object *network = nullptr;
  Penalty penalty;
};
/// One layer object, the index-th of `count`.
LayerDraft readLayer(Diagnostics &report, const Value &value, int index, int count, const NetworkDefaults &defaults);

/// The entries of a SharedWeights value of the right form.
std::vector<SharingDraft> readSharing(Diagnostics &report, const Value &value);

/// Optimizer, hyper-parameters, batch, epochs, seed and schedule; all defaults if `training` is null. `decay` is the
/// network's key of that name, or null.
void readTraining(Diagnostics &report, const Value *training, const Member *decay, Network &network);

/// Resolves sources and skips, rejects duplicate names, cycles and layers without effect, and fills in layers and
/// order. The drafts' layers move to the network; then come widths and shared weights.
void connectLayers(Diagnostics &report, std::vector<LayerDraft> &drafts, Network &network);
/// Derives the width of Pooling layers in forward order, and demands that skips and sources fit in width. What is not
/// known for sure becomes unitsKnown = false.
void fitWidths(Diagnostics &report, std::vector<LayerDraft> &drafts, Network &network);
/// Resolves SharedWeights: pairs that exist, own their weights and fit in width.
void shareWeights(Diagnostics &report, LayerNames &names, std::vector<LayerDraft> &drafts, Network &network);

/// Whether both layers have the same number of units: the same number, or columns of a data set, which may be
/// another's: those that must agree get one extent (Conversion/Import), which a data set is checked against when it is
/// bound.
bool sameWidth(const Layer &a, const Layer &b);
/// "3 units", or "the columns of data set 'x'".
std::string widthOf(const Layer &layer);

/// What holds between the loss, the Output layers and DeltaBoost. `object` is the network's.
void checkLoss(Diagnostics &report, Object &object, const std::vector<LayerDraft> &drafts, const Network &network);
/// Legal, but not what the user will have meant: only for networks without an error. `penalty` is the network object's.
void warn(Diagnostics &report, Object &object, const Penalty &penalty, const std::vector<LayerDraft> &drafts,
          const Network &network);
} // namespace sn::frontend
