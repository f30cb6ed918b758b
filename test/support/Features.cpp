#include "test/support/Features.h"
#include "dialects/Vocabulary/Records.h"

namespace sn::test {
namespace {
void addLayer(std::set<std::string> &features, const frontend::Network &network, const frontend::Layer &layer) {
  using frontend::LayerKind;
  auto of = [&](int index) -> const frontend::Layer & { return network.layers[static_cast<size_t>(index)]; };
  std::string kind = layer.kind == LayerKind::Hidden ? "hidden " : "output ";
  auto add = [&](bool present, const std::string &feature) {
    if (present)
      features.insert(feature);
  };
  add(layer.pDropout > 0, layer.kind == LayerKind::Input ? "dropout of an input" : kind + "dropout");
  if (layer.kind == LayerKind::Input)
    return;
  add(layer.sources.size() > 1, "several sources");
  add(layer.sources.size() > 2, "three or more sources");
  add(layer.sparsenessBeta > 0, "sparseness penalty");
  add(!layer.skips.empty(), kind + "skip");
  add(layer.deltaNorm > 0, kind + "delta norm");
  add(layer.weightNorm > 0, "weight norm");
  add(layer.batchNormalization, "batch normalization");
  for (int source : layer.sources)
    add(of(source).kind == LayerKind::Output, "output that feeds a layer");
  for (int source : layer.sources)
    add(of(source).kind == LayerKind::Input && layer.weightNorm > 0, "weight norm of an input");
  for (int skip : layer.skips)
    add(of(skip).kind == LayerKind::Input, "skip of an input");
  for (const frontend::Sharing &sharing : layer.shared)
    features.insert(sharing.transposed ? "transposed sharing" : "sharing");
  if (layer.type == frontend::LayerType::Pooling) {
    features.insert("pooling " + std::string(layer.pooling.record->name));
    features.insert(kind + "pooling");
    return;
  }
  features.insert(kind + std::string(layer.activation.record->name));
  features.insert("initializer " + std::string(layer.weightInit.record->name));
}

void addData(std::set<std::string> &features, const Tables &tables) {
  for (const auto &[name, table] : tables) {
    features.insert(!table.sparse ? "dense data" : table.binary ? "binary data" : "analog data");
    if (tables.indexed.contains(name))
      features.insert("indexed data");
    if (!table.weights.empty())
      features.insert(table.sparse ? "weighted sparse data" : "weighted dense data");
    if (table.ignoreZeros)
      features.insert("ignored zeros");
    if (table.inputOffset != 0)
      features.insert("input offset");
  }
}
} // namespace

std::set<std::string> featuresOf(const frontend::Network &network, const Tables &tables) {
  std::set<std::string> features{"loss " + std::string(network.loss.record->name),
                                 "optimizer " + std::string(network.optimizer.record->name),
                                 "schedule " + std::string(network.schedule.record->name)};
  int outputs = 0, inputs = 0;
  for (const frontend::Layer &layer : network.layers) {
    inputs += layer.kind == frontend::LayerKind::Input;
    outputs += layer.kind == frontend::LayerKind::Output;
    addLayer(features, network, layer);
  }
  if (outputs > 1)
    features.insert("several outputs");
  if (inputs > 1)
    features.insert("several inputs");
  if (network.denoisingP > 0)
    features.insert("denoising");
  if (network.boostOne != 1 || network.boostZero != 1)
    features.insert("boost");
  if (network.dsstne)
    features.insert("compatibility");
  for (const char *decay : {"Lambda", "Lambda1"})
    if (network.hyper.at(decay) > 0)
      features.insert(decay);
  addData(features, tables);
  return features;
}

std::vector<std::string> neededFeatures() {
  std::vector<std::string> needed{"several sources",
                                  "several inputs",
                                  "several outputs",
                                  "output that feeds a layer",
                                  "sparseness penalty",
                                  "denoising",
                                  "dense data",
                                  "binary data",
                                  "analog data",
                                  "dropout of an input",
                                  "hidden dropout",
                                  "Lambda",
                                  "Lambda1",
                                  "output dropout",
                                  "three or more sources",
                                  "hidden skip",
                                  "output skip",
                                  "skip of an input",
                                  "sharing",
                                  "transposed sharing",
                                  "hidden pooling",
                                  "output pooling",
                                  "hidden delta norm",
                                  "output delta norm",
                                  "weight norm",
                                  "weight norm of an input",
                                  "batch normalization",
                                  "boost",
                                  "compatibility",
                                  "indexed data",
                                  "weighted sparse data",
                                  "weighted dense data",
                                  "ignored zeros",
                                  "input offset"};
  auto add = [&](const std::string &kind, const auto &records) {
    for (const auto &record : records)
      needed.push_back(kind + " " + std::string(record.name));
  };
  add("hidden", vocab::activations());
  add("output", vocab::activations());
  add("loss", vocab::losses());
  add("optimizer", vocab::optimizers());
  add("initializer", vocab::initializers());
  add("schedule", vocab::schedules());
  add("pooling", vocab::poolings());
  return needed;
}
} // namespace sn::test
