// One layer object: reference section 1.3 for fully connected layers.
#include "compiler/Frontend/Readers.h"
#include <algorithm>

namespace sn::frontend {
namespace {
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
    if (layer.kind != LayerKind::Input || !draft.kindKnown) {
      readSources();
      readActivation();
      readWeightInit();
    }
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

  std::string_view kindName() const { return layerKinds()[static_cast<size_t>(layer.kind)].name; }
  void readKind();
  void readName();
  void readDataSet();
  void readUnits();
  void readSources();
  void readActivation();
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
      layer.kind = static_cast<LayerKind>(*chosen);
      draft.kindWhy = {kind->at, fmt::format("this layer is {}", kindName())};
    } else {
      draft.kindKnown = false;
    }
  } else if (object.mentions("Kind")) {
    draft.kindKnown = false;
  }
  if (const Member *type = object.find("Type"))
    choose(report, layerTypes(), "layer Type", type->value);
  object.check(draft.kindKnown ? 1u << static_cast<unsigned>(layer.kind) : kAnywhere, {draft.kindWhy});
}

// Names become parts of parameter names and of paths inside HDF5 files.
bool LayerReader::requireUsableName(std::string_view key, const Value &name) {
  auto isControl = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  size_t before = report.errors();
  if (name.text.empty())
    report.error(name.at, fmt::format("'{}' must not be empty", key));
  else if (name.text.find('/') != std::string::npos || name.text.find("->") != std::string::npos || name.text == ".")
    report.error(
        name.at,
        fmt::format("'{}' must not contain '/' or '->': names become paths in the files of data and weights", key));
  else if (std::any_of(name.text.begin(), name.text.end(), isControl))
    report.error(name.at, fmt::format("'{}' must not contain control characters: names are printed and stored", key));
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
    report.error(object.at(),
                 fmt::format("{} layer {} needs a 'DataSet': the name of the data set {}", kindName(),
                             inQuotes(layer.name),
                             layer.kind == LayerKind::Input ? "it reads" : "that holds its targets"),
                 {draft.kindWhy});
}

void LayerReader::readUnits() {
  const Member *member = object.find("N");
  layer.unitsAt = member ? member->at : object.at();
  if (!member)
    return;
  const Value *units = &member->value;
  if (units->form == kArray) {
    if (units->items.size() > 1)
      return report.error(units->at, "an 'N' of several extents is not supported yet: image layers come later");
    if (units->items.empty())
      return report.error(units->at, "'N' must not be empty");
    units = &units->items[0];
    Key extent = *vocab::find(layerKeys(), "N");
    extent.forms = kInteger | kText;
    if (!checkValue(report, extent, *units))
      return;
  }
  layer.unitsAt = units->at;
  layer.automatic = units->form == kText;
  if (!layer.automatic)
    layer.units = static_cast<int64_t>(units->number);
  else if (!vocab::equalsIgnoringCase(units->text, "auto"))
    report.error(units->at, fmt::format("'N' must be a whole number or \"auto\", not {}", inQuotes(units->text)), {},
                 nearest({"auto"}, units->text).empty() ? "" : "auto");
  else if (layer.kind == LayerKind::Hidden && draft.kindKnown)
    report.error(units->at, "\"auto\" takes 'N' from a data set, which a Hidden layer does not have; give a number",
                 {draft.kindWhy});
}

void LayerReader::readSources() {
  const Member *member = object.find("Source");
  draft.namesSources = object.mentions("Source");
  if (!member) {
    draft.sourcesKnown = !draft.namesSources;
    return;
  }
  const Value &source = member->value;
  if (source.form == kText)
    draft.sources.push_back({source.at, source.text});
  for (const Value &item : source.items)
    if (item.form == kText) {
      draft.sources.push_back({item.at, item.text});
    } else {
      report.error(item.at, "'Source' must be a layer's name or an array of names");
      draft.sourcesKnown = false;
    }
  if (source.form == kArray && source.items.empty()) {
    report.error(source.at, "'Source' must name at least one layer");
    draft.sourcesKnown = false;
  }
}

// A record that could not be told stays null.
void LayerReader::readActivation() {
  const Member *member = object.find("Activation");
  layer.activation.at = member ? member->value.at : object.at();
  if (member)
    layer.activation.record = chooseRecord(report, vocab::activations(), "Activation", member->value);
  else if (!object.mentions("Activation"))
    layer.activation.record = vocab::find(vocab::activations(), vocab::kDefaultActivation);
  if (layer.activation.record)
    layer.activation.params = parameterValues(layer.activation.record->params, &object, defaults.network);
}

void LayerReader::readWeightInit() {
  layer.weightInit.at = object.at();
  layer.weightInit.record = vocab::find(vocab::initializers(), vocab::kDefaultInitializer);
  const Member *member = object.find("WeightInit");
  if (!member)
    return;
  Object init(report, member->value, weightInitKeys(), "'WeightInit'");
  init.check();
  layer.weightInit.at = init.at();
  if (const Member *scheme = init.find("Scheme")) {
    layer.weightInit.at = scheme->value.at;
    layer.weightInit.record = chooseRecord(report, vocab::initializers(), "Scheme", scheme->value);
  }
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
    report.error(member->at, "'SparsenessPenalty' acts on sparse layers only; add \"Sparse\": true to the layer",
                 notes);
  }
  if (!layer.sparse)
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

LayerDraft readLayer(Diagnostics &report, const Value &value, int index, int count, const NetworkDefaults &defaults) {
  return LayerReader(report, value, index, count, defaults).read();
}
} // namespace sn::frontend
