// One layer object: reference section 1.3 for fully connected layers.
#include "compiler/Frontend/Readers.h"

namespace sn::frontend {
namespace {
class LayerReader {
public:
  LayerReader(const SourceText &source, const Value &value, int index, int count, const NetworkDefaults &defaults)
      : source(source), object(source, value, layerKeys(), "a layer"), index(index), count(count), defaults(defaults) {}

  LayerDraft read() {
    readKind();
    layer.at = object.at();
    readName();
    layer.sparse = object.boolean("Sparse", false);
    layer.pDropout = object.number("pDropout", 0);
    readDataSet();
    readUnits();
    if (layer.kind != LayerKind::Input) {
      readSources();
      readActivation();
      readWeightInit();
    }
    if (layer.kind == LayerKind::Hidden)
      readSparseness();
    return std::move(draft);
  }

private:
  const SourceText &source;
  Object object;
  int index, count;
  const NetworkDefaults &defaults;
  LayerDraft draft;
  Layer &layer = draft.layer;

  std::string_view kindName() const { return layerKinds()[static_cast<size_t>(layer.kind)].name; }
  void readKind();
  void readName();
  void readDataSet();
  void readUnits();
  void readSources();
  void readActivation();
  void readWeightInit();
  void readSparseness();
  void requireUsableName(std::string_view key, const Value &name) const;
};

// Kind decides which keys are legal, so it comes before the check of the others.
void LayerReader::readKind() {
  layer.kind = index == 0 ? LayerKind::Input : index == count - 1 ? LayerKind::Output : LayerKind::Hidden;
  Diagnostic why{object.at(), fmt::format("this layer is {} by its position", kindName())};
  if (const Member *kind = object.find("Kind")) {
    checkValue(source, *vocab::find(layerKeys(), "Kind"), kind->value);
    layer.kind = static_cast<LayerKind>(choose(source, layerKinds(), "layer Kind", kind->value));
    why = {kind->at, fmt::format("this layer is {}", kindName())};
  }
  if (const Member *type = object.find("Type")) {
    checkValue(source, *vocab::find(layerKeys(), "Type"), type->value);
    choose(source, layerTypes(), "layer Type", type->value);
  }
  object.check(1u << static_cast<unsigned>(layer.kind), {why});
}

// Names become parts of parameter names and of paths inside HDF5 files.
void LayerReader::requireUsableName(std::string_view key, const Value &name) const {
  if (name.text.empty())
    fail(source, name.at, fmt::format("'{}' must not be empty", key));
  if (name.text.find('/') != std::string::npos || name.text.find("->") != std::string::npos || name.text == ".")
    fail(source, name.at,
         fmt::format("'{}' must not contain '/' or '->': names become paths in the files of data and weights", key));
}

void LayerReader::readName() {
  layer.name = fmt::format("{}{}", kindName(), index);
  if (const Member *name = object.find("Name")) {
    requireUsableName("Name", name->value);
    layer.name = name->value.text;
  }
}

void LayerReader::readDataSet() {
  if (layer.kind == LayerKind::Hidden)
    return;
  const Member *dataSet = object.find("DataSet");
  if (!dataSet)
    fail(source, object.at(),
         fmt::format("{} layer '{}' needs a 'DataSet': the name of the data set {}", kindName(), layer.name,
                     layer.kind == LayerKind::Input ? "it reads" : "that holds its targets"));
  requireUsableName("DataSet", dataSet->value);
  layer.dataSet = dataSet->value.text;
}

void LayerReader::readUnits() {
  const Member *member = object.find("N");
  layer.unitsAt = member ? member->at : object.at();
  if (!member)
    return;
  const Value *units = &member->value;
  if (units->form == kArray) {
    if (units->items.size() > 1)
      fail(source, units->at, "an 'N' of several extents is not supported yet: image layers come later");
    if (units->items.empty())
      fail(source, units->at, "'N' must not be empty");
    units = &units->items[0];
    Key extent = *vocab::find(layerKeys(), "N");
    extent.forms = kInteger | kText;
    checkValue(source, extent, *units);
  }
  layer.unitsAt = units->at;
  if (units->form != kText) {
    layer.units = static_cast<int64_t>(units->number);
    return;
  }
  if (!vocab::equalsIgnoringCase(units->text, "auto"))
    fail(source, units->at, fmt::format("'N' must be a whole number or \"auto\", not \"{}\"", units->text));
  if (layer.kind == LayerKind::Hidden)
    fail(source, units->at, "\"auto\" takes 'N' from a data set, which a Hidden layer does not have; give a number");
  layer.automatic = true;
}

void LayerReader::readSources() {
  const Member *member = object.find("Source");
  if (!member)
    return;
  draft.namesSources = true;
  const Value &value = member->value;
  if (value.form == kText)
    draft.sources.push_back({value.at, value.text});
  for (const Value &item : value.items) {
    if (item.form != kText)
      fail(source, item.at, "'Source' must be a layer's name or an array of names");
    draft.sources.push_back({item.at, item.text});
  }
  if (draft.sources.empty())
    fail(source, value.at, "'Source' must name at least one layer");
}

void LayerReader::readActivation() {
  const Member *member = object.find("Activation");
  layer.activation.at = member ? member->value.at : object.at();
  layer.activation.record = member ? chooseRecord(source, vocab::activations(), "Activation", member->value)
                                   : vocab::find(vocab::activations(), vocab::kDefaultActivation);
  layer.activation.params = parameterValues(layer.activation.record->params, &object, defaults.network);
}

void LayerReader::readWeightInit() {
  layer.weightInit.at = object.at();
  layer.weightInit.record = vocab::find(vocab::initializers(), vocab::kDefaultInitializer);
  const Member *member = object.find("WeightInit");
  if (!member)
    return;
  Object init(source, member->value, weightInitKeys(), "'WeightInit'");
  init.check();
  layer.weightInit.at = init.at();
  if (const Member *scheme = init.find("Scheme")) {
    layer.weightInit.at = scheme->value.at;
    layer.weightInit.record = chooseRecord(source, vocab::initializers(), "Scheme", scheme->value);
  }
  layer.initScale = init.number("Scale", 1);
  layer.initBias = init.number("Bias", 0);
}

// A layer's own values win where they are above 0 (reference 1.16), also without a network penalty (T-28).
void LayerReader::readSparseness() {
  Penalty own = readPenalty(object);
  if (const Member *member = object.find("SparsenessPenalty"); member && !layer.sparse)
    fail(source, member->at, "'SparsenessPenalty' acts on sparse layers only; add \"Sparse\": true to the layer");
  if (!layer.sparse)
    return;
  layer.sparsenessP = own.p > 0 ? own.p : defaults.penalty.p;
  layer.sparsenessBeta = own.beta > 0 ? own.beta : defaults.penalty.beta;
}
} // namespace

Penalty readPenalty(const Object &object) {
  const Member *member = object.find("SparsenessPenalty");
  if (!member)
    return {};
  Object penalty(object.text(), member->value, penaltyKeys(), "'SparsenessPenalty'");
  penalty.check();
  return {penalty.number("p", 0), penalty.number("beta", 0)};
}

LayerDraft readLayer(const SourceText &source, const Value &value, int index, int count,
                     const NetworkDefaults &defaults) {
  return LayerReader(source, value, index, count, defaults).read();
}
} // namespace sn::frontend
