// One layer object: reference section 1.3 for layers that are no images.
#include "compiler/Frontend/Readers.h"
#include "dialects/Vocabulary/Dependence.h"
#include <algorithm>

namespace sn::frontend {
namespace {
constexpr int kPoolingKind = 3; // of layerKinds()
constexpr size_t kMostExtents = 4;

/// The activation that changes nothing, which stands on layers that have none.
const vocab::Activation *identity() {
  auto changesNothing = [](const vocab::Activation &activation) {
    auto keeps = [&](double x) { return activation.forward({x}) == x; };
    return !activation.row && activation.params.empty() && keeps(-2.5) && keeps(0.75) && keeps(3);
  };
  std::span<const vocab::Activation> table = vocab::activations();
  return &*std::find_if(table.begin(), table.end(), changesNothing);
}

class LayerReader {
public:
  LayerReader(Diagnostics &report, const Value &value, int index, int count, const NetworkDefaults &defaults)
      : report(report), value(value), object(report, value, layerKeys(), "a layer"), index(index), count(count),
        defaults(defaults) {}

  LayerDraft read() {
    readKind();
    layer.at = object.at();
    readName();
    if (value.form != kObject) // reported; nothing is known of it
      draft.kindKnown = draft.nameKnown = draft.sourcesKnown = false;
    layer.sparse = object.boolean("Sparse", false);
    layer.pDropout = object.number("pDropout", 0);
    if (const Member *dropout = object.find("pDropout"))
      draft.dropoutAt = dropout->at;
    readDataSet();
    readUnits();
    if (layer.kind != LayerKind::Input || !draft.kindKnown)
      readTrained();
    if (layer.kind == LayerKind::Hidden && draft.kindKnown)
      readSparseness();
    return std::move(draft);
  }

private:
  Diagnostics &report;
  const Value &value;
  Object object;
  int index, count;
  const NetworkDefaults &defaults;
  LayerDraft draft;
  Layer &layer = draft.layer;
  Diagnostic typeWhy; // where the type is set, or what it follows from

  std::string_view kindName() const { return layerKinds()[static_cast<size_t>(layer.kind)].name; }
  void readKind();
  void readType();
  void readName();
  void readDataSet();
  void readUnits();
  void readExtents(const Value &units);
  void readTrained();
  void readNames(std::string_view key, std::vector<Diagnostic> &layers, bool &known);
  void readActivation();
  void requireUsedParameters();
  void readPooling();
  void readWeightInit();
  void readSparseness();
  bool requireUsableName(std::string_view key, const Value &name);
};

// Kind decides which keys are legal, so it comes before the check of the others.
void LayerReader::readKind() {
  layer.kind = index == 0 ? LayerKind::Input : index == count - 1 ? LayerKind::Output : LayerKind::Hidden;
  draft.kindWhy = {object.at(), fmt::format("this layer is {} by its position", kindName())};
  if (const Member *kind = object.find("Kind")) {
    if (auto chosen = choose(report, layerKinds(), "layer Kind", kind->value)) {
      bool pooling = *chosen == kPoolingKind;
      layer.kind = pooling ? LayerKind::Hidden : static_cast<LayerKind>(*chosen);
      layer.type = pooling ? LayerType::Pooling : LayerType::FullyConnected;
      draft.kindWhy = {kind->at, fmt::format("this layer is {}{}", kindName(), pooling ? ", of Type Pooling" : "")};
    } else {
      draft.kindKnown = false;
    }
  } else if (object.mentions("Kind")) {
    draft.kindKnown = false;
  }
  readType();
  object.check({.on = draft.kindKnown ? 1u << static_cast<unsigned>(layer.kind) : kAnywhere,
                .types = draft.typeKnown ? 1u << static_cast<unsigned>(layer.type) : kAnyType,
                .kindWhy = draft.kindWhy,
                .typeWhy = typeWhy});
}

void LayerReader::readType() {
  const Member *type = object.find("Type");
  bool byKind = layer.type == LayerType::Pooling;
  typeWhy = byKind ? draft.kindWhy : Diagnostic{object.at(), "no 'Type' is given, so it is FullyConnected"};
  draft.typeKnown = type || (draft.kindKnown && !object.mentions("Type")); // the Kind may have been Pooling
  if (!type)
    return;
  std::optional<int> chosen = choose(report, layerTypes(), "layer Type", type->value);
  draft.typeKnown = chosen.has_value();
  if (!chosen)
    return;
  auto given = static_cast<LayerType>(*chosen);
  if (byKind && given != layer.type)
    report.error(Rule::Kinds, type->value.at,
                 fmt::format("the Kind makes this a layer of Type Pooling, not {}", inQuotes(type->value.text)),
                 {draft.kindWhy});
  else if (given == LayerType::Pooling && layer.kind == LayerKind::Input && draft.kindKnown)
    report.error(Rule::Kinds, type->value.at, "an Input layer reads data; it cannot be of Type Pooling",
                 {draft.kindWhy});
  else
    typeWhy = {type->at, fmt::format("this layer is {}", layerTypes()[static_cast<size_t>(given)].name)};
  draft.typeKnown = given == LayerType::FullyConnected ? !byKind : layer.kind != LayerKind::Input;
  layer.type = byKind ? layer.type : given;
}

// Names become parts of parameter names and of paths inside HDF5 files.
bool LayerReader::requireUsableName(std::string_view key, const Value &name) {
  auto isControl = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  size_t before = report.errors();
  if (name.text.empty())
    report.error(Rule::Names, name.at, fmt::format("'{}' must not be empty", key));
  else if (name.text.find('/') != std::string::npos || name.text.find("->") != std::string::npos || name.text == ".")
    report.error(
        Rule::Names, name.at,
        fmt::format("'{}' must not contain '/' or '->': names become paths in the files of data and weights", key));
  else if (std::any_of(name.text.begin(), name.text.end(), isControl))
    report.error(Rule::Names, name.at,
                 fmt::format("'{}' must not contain control characters: names are printed and stored", key));
  return report.errors() == before;
}

void LayerReader::readName() {
  layer.name = fmt::format("{}{}", kindName(), index);
  draft.nameAt = object.at();
  if (const Member *name = object.find("Name"); name && requireUsableName("Name", name->value)) {
    layer.name = name->value.text;
    draft.nameAt = name->value.at;
  } else {
    draft.nameKnown = draft.kindKnown && !object.mentions("Name"); // an automatic name contains the kind
  }
}

void LayerReader::readDataSet() {
  if (layer.kind == LayerKind::Hidden || !draft.kindKnown)
    return;
  const Member *dataSet = object.find("DataSet");
  if (dataSet && requireUsableName("DataSet", dataSet->value))
    layer.dataSet = dataSet->value.text;
  if (!object.mentions("DataSet"))
    report.error(Rule::DataSets, object.at(),
                 fmt::format("{} layer {} needs a 'DataSet': the name of the data set {}", kindName(),
                             inQuotes(layer.name),
                             layer.kind == LayerKind::Input ? "it reads" : "that holds its targets"),
                 {draft.kindWhy});
}

void LayerReader::readUnits() {
  const Member *member = object.find("N");
  layer.unitsAt = member ? member->value.at : object.at();
  draft.unitsGiven = member;
  draft.unitsKnown = member || !object.mentions("N");
  if (!member)
    return;
  const Value &units = member->value;
  if (units.form == kArray)
    return readExtents(units);
  layer.automatic = units.form == kText;
  if (!layer.automatic) {
    layer.units = static_cast<int64_t>(units.number);
    return;
  }
  draft.unitsKnown =
      vocab::equalsIgnoringCase(units.text, "auto") && (layer.kind != LayerKind::Hidden || !draft.kindKnown);
  if (!vocab::equalsIgnoringCase(units.text, "auto"))
    report.error(Rule::Units, units.at,
                 fmt::format("'N' must be a whole number or \"auto\", not {}", inQuotes(units.text)), {},
                 nearest({"auto"}, units.text).empty() ? "" : "auto");
  else if (!draft.unitsKnown)
    report.error(Rule::Units, units.at,
                 "\"auto\" takes 'N' from a data set, which a Hidden layer does not have; give a number",
                 {draft.kindWhy});
}

/// The units of several extents are counted through, the first extent fastest.
void LayerReader::readExtents(const Value &units) {
  draft.unitsKnown = false;
  if (units.items.empty())
    return report.error(Rule::Units, units.at, "'N' must not be empty");
  if (units.items.size() > kMostExtents)
    return report.error(Rule::Units, units.at, fmt::format("'N' has at most {} extents", kMostExtents));
  Key extent = *vocab::find(layerKeys(), "N");
  extent.forms = kInteger;
  double product = 1;
  bool sound = true;
  for (const Value &item : units.items) {
    sound &= checkValue(report, extent, item);
    product *= item.number;
  }
  if (sound && !extent.range.contains(product)) {
    report.error(Rule::Units, units.at,
                 fmt::format("the extents of 'N' make {} units; there are at most {}", product, extent.range.high));
    sound = false;
  }
  draft.unitsKnown = sound;
  if (sound)
    layer.units = static_cast<int64_t>(product);
}

/// What Hidden and Output layers have: keys that have no place here have been reported and count as absent.
void LayerReader::readTrained() {
  draft.namesSources = object.mentions("Source");
  readNames("Source", draft.sources, draft.sourcesKnown);
  readNames("Skip", draft.skips, draft.skipsKnown);
  readWeightInit();
  layer.batchNormalization = object.boolean("BatchNormalization", false);
  layer.weightNorm = object.number("WeightNorm", 0);
  layer.deltaNorm = object.number("DeltaNorm", 0);
  layer.precision = readPrecision(object);
  if (layer.weightNorm > 0)
    draft.weightNormAt = object.find("WeightNorm")->at;
  if (const Member *shared = object.find("SharedWeights"))
    draft.shared = readSharing(report, shared->value);
  if (layer.type == LayerType::Pooling)
    return readPooling();
  readActivation();
  requireUsedParameters();
}

void LayerReader::readNames(std::string_view key, std::vector<Diagnostic> &layers, bool &known) {
  const Member *member = object.find(key);
  if (!member) {
    known = known && !object.mentions(key);
    return;
  }
  const Value &names = member->value;
  if (names.form == kText)
    layers.push_back({names.at, names.text});
  Rule rule = key == "Skip" ? Rule::Skips : Rule::Sources;
  for (const Value &item : names.items)
    if (item.form == kText) {
      layers.push_back({item.at, item.text});
    } else {
      report.error(rule, item.at, fmt::format("'{}' must be a layer's name or an array of names", key));
      known = false;
    }
  if (names.form == kArray && names.items.empty()) {
    report.error(rule, names.at, fmt::format("'{}' must name at least one layer", key));
    known = false;
  }
}

// A record that could not be told stays null.
void LayerReader::readActivation() {
  const Member *member = object.find("Activation");
  layer.activation.at = member ? member->value.at : object.at();
  if (member)
    layer.activation.record = chooseRecord(report, vocab::activations(), "Activation", member->value);
  else if (draft.typeKnown && !object.mentions("Activation"))
    layer.activation.record = vocab::find(vocab::activations(), vocab::kDefaultActivation);
  if (layer.activation.record)
    layer.activation.params = parameterValues(layer.activation.record->params, &object, defaults.network);
  if (!layer.activation.record)
    return;
  for (const vocab::Param &param : layer.activation.record->params) {
    bool given = (param.layerKey && object.mentions(param.key)) || defaults.network->mentions(param.key);
    if (!given && !param.caution.empty())
      draft.cautions.push_back({layer.activation.at, fmt::format("'{}' is not given: {}", param.key, param.caution)});
  }
}

/// A parameter of another activation would have no effect here.
void LayerReader::requireUsedParameters() {
  if (!layer.activation.record)
    return;
  std::vector<std::string_view> reported;
  for (const vocab::Activation &activation : vocab::activations())
    for (const vocab::Param &param : activation.params) {
      const Member *member = param.layerKey ? object.find(param.key) : nullptr;
      auto isIt = [&](const vocab::Param &own) { return own.key == param.key; };
      const std::vector<vocab::Param> &own = layer.activation.record->params;
      if (!member || std::any_of(own.begin(), own.end(), isIt) ||
          std::find(reported.begin(), reported.end(), param.key) != reported.end())
        continue;
      reported.push_back(param.key);
      report.error(
          Rule::ActivationParameters, member->at,
          fmt::format("'{}' has no effect: {} has no such parameter", member->key, layer.activation.record->name),
          {{layer.activation.at,
            object.find("Activation") ? "the activation is chosen here" : "no 'Activation' is given on this layer"}});
    }
}

// A pooling layer has neither weights nor an activation (T-13).
void LayerReader::readPooling() {
  layer.activation = {identity(), {}, object.at()};
  if (const Member *activation = object.find("Activation")) {
    layer.activation.at = activation->value.at;
    const vocab::Activation *given = chooseRecord(report, vocab::activations(), "Activation", activation->value);
    if (given && given != identity())
      report.error(Rule::Pooling, activation->value.at,
                   fmt::format("a Pooling layer has no activation, so it is {}, not {}", identity()->name, given->name),
                   {typeWhy});
  }
  if (const Member *sparse = object.find("Sparse"); sparse && layer.sparse && layer.kind == LayerKind::Hidden)
    report.error(Rule::Pooling, sparse->at, "a Pooling layer has no sparseness penalty", {typeWhy});
  const Member *function = object.find("Function");
  layer.pooling.at = function ? function->value.at : object.at();
  if (function) {
    layer.pooling.record = chooseRecord(report, vocab::poolings(), "Function", function->value, imageFunctions());
  } else if (!object.mentions("Function")) {
    std::vector<std::string_view> known;
    for (const vocab::Pooling &pooling : vocab::poolings())
      known.push_back(pooling.name);
    report.error(Rule::Pooling, object.at(),
                 fmt::format("a Pooling layer needs a 'Function'; there are {}", listed(known)), {typeWhy});
  }
}

void LayerReader::readWeightInit() {
  layer.weightInit.at = object.at();
  layer.weightInit.record = vocab::find(vocab::initializers(), vocab::kDefaultInitializer);
  const Member *member = object.find("WeightInit");
  if (!member)
    return;
  Object init(report, member->value, weightInitKeys(), "'WeightInit'");
  init.check();
  for (std::string_view key : {"Scheme", "Scale"})
    if (const Member *given = init.find(key))
      draft.drawsGiven.push_back({given->at, std::string(key)});
  layer.weightInit.at = init.at();
  if (const Member *scheme = init.find("Scheme")) {
    layer.weightInit.at = scheme->value.at;
    layer.weightInit.record = chooseRecord(report, vocab::initializers(), "Scheme", scheme->value);
  }
  if (const Member *scale = init.find("Scale");
      scale && layer.weightInit.record && !readsScale(*layer.weightInit.record))
    report.warning(Rule::NoEffect, scale->at,
                   fmt::format("'Scale' has no effect: the scheme {} does not read it", layer.weightInit.record->name));
  layer.initScale = init.number("Scale", 1);
  layer.initBias = init.number("Bias", 0);
}

// A layer's own values win where they are above 0 (reference 1.16), also without a network penalty (T-28).
void LayerReader::readSparseness() {
  Penalty own = readPenalty(object);
  const Member *member = object.find("SparsenessPenalty"), *sparse = object.find("Sparse");
  if (member && !layer.sparse && (sparse || !object.mentions("Sparse"))) {
    std::vector<Diagnostic> notes;
    if (sparse)
      notes.push_back({sparse->at, "the layer is not sparse because of this"});
    report.error(Rule::Sparseness, member->at,
                 "'SparsenessPenalty' acts on sparse layers only; add \"Sparse\": true to the layer", notes);
  }
  if (!layer.sparse || layer.type == LayerType::Pooling)
    return;
  layer.sparsenessP = own.p > 0 ? own.p : defaults.penalty.p;
  layer.sparsenessBeta = own.beta > 0 ? own.beta : defaults.penalty.beta;
}
} // namespace

Penalty readPenalty(Object &object) {
  const Member *member = object.find("SparsenessPenalty");
  if (!member)
    return {};
  Object penalty(object.diagnostics(), member->value, penaltyKeys(), "'SparsenessPenalty'");
  penalty.check();
  return {penalty.number("p", 0), penalty.number("beta", 0)};
}

std::optional<plan::Precision> readPrecision(Object &object) {
  const Member *member = object.find("Precision");
  std::optional<int> chosen =
      member ? choose(object.diagnostics(), precisions(), "Precision", member->value) : std::nullopt;
  return chosen ? std::optional(static_cast<plan::Precision>(*chosen)) : std::nullopt;
}

LayerDraft readLayer(Diagnostics &report, const Value &value, int index, int count, const NetworkDefaults &defaults) {
  return LayerReader(report, value, index, count, defaults).read();
}
} // namespace sn::frontend
