// Trained networks as DSSTNE writes them, every attribute in its order and type.
#include "runtime/checkpoint/DsstneNetwork.h"
#include <algorithm>

namespace sn::rt {
namespace {
constexpr float kVersion = 0.9f; // of DSSTNE, whose format this is

uint32_t flag(bool on) { return on ? 1 : 0; }

void writeNetwork(nc::Writer &file, const DsstneNetwork &network) {
  auto real = [&](const char *name, double value) { file.attribute(name, static_cast<float>(value)); };
  real("version", kVersion);
  file.attribute("name", network.name);
  file.attribute("kind", static_cast<uint32_t>(network.kind));
  file.attribute("errorFunction", static_cast<uint32_t>(network.errorFunction));
  file.attribute("maxout_k", int32_t(2));
  real("decay", network.decay);
  real("LRN_k", 2);
  file.attribute("LRN_n", int32_t(5));
  real("LRN_alpha", 0.0001);
  real("LRN_beta", 0.75);
  file.attribute("bSparsenessPenalty", flag(network.sparsenessPenalty));
  real("sparsenessPenalty_p", network.sparsenessP);
  real("sparsenessPenalty_beta", network.sparsenessBeta);
  file.attribute("bDenoising", flag(network.denoising));
  real("denoising_p", network.denoisingP);
  real("deltaBoost_one", network.boostOne);
  real("deltaBoost_zero", network.boostZero);
  real("SMCE_oneScale", network.oneScale);
  real("SMCE_zeroScale", network.zeroScale);
  real("SMCE_oneTarget", network.oneTarget);
  real("SMCE_zeroTarget", network.zeroTarget);
  file.attribute("ShuffleIndices", flag(network.shuffleIndices));
  file.attribute("checkpoint_name", "checkpoint");
  file.attribute("checkpoint_interval", int32_t(0));
  file.attribute("checkpoint_epochs", static_cast<int32_t>(network.epochs));
  file.attribute("layers", static_cast<uint32_t>(network.layers.size()));
}

void writeLayer(nc::Writer &file, const DsstneLayer &layer, size_t number) {
  const std::string at = fmt::format("layer{}_", number);
  auto text = [&](const std::string &name, const std::string &value) { file.attribute(at + name, value); };
  auto whole = [&](const char *name, int64_t value) { file.attribute(at + name, static_cast<uint32_t>(value)); };
  auto real = [&](const char *name, double value) { file.attribute(at + name, static_cast<float>(value)); };
  text("name", layer.name);
  whole("kind", layer.kind);
  whole("type", layer.type);
  whole("poolingfunction", layer.pooling);
  text("dataSet", layer.dataSet);
  static constexpr const char *kExtents[] = {"Nx", "Ny", "Nz", "Nw"};
  for (size_t axis = 0; axis < 4; ++axis)
    whole(kExtents[axis], layer.extents[axis]);
  whole("dimensions", layer.dimensions);
  for (const char *name : {"kernelX", "kernelY", "kernelZ", "kernelStrideX", "kernelStrideY", "kernelStrideZ"})
    whole(name, 1);
  for (const char *name : {"kernelPaddingX", "kernelPaddingY", "kernelPaddingZ", "kernelDimensions"})
    whole(name, 0);
  real("pDropout", layer.pDropout);
  whole("weightInit", layer.weightInit);
  real("weightInitScale", layer.weightInitScale);
  real("biasInit", layer.biasInit);
  real("weightNorm", layer.weightNorm);
  real("deltaNorm", layer.deltaNorm);
  whole("activation", layer.activation);
  real("sparsenessPenalty_p", layer.sparsenessP);
  real("sparsenessPenalty_beta", layer.sparsenessBeta);
  real("RELUSlope", layer.reluSlope);
  real("ELUAlpha", layer.eluAlpha);
  real("SELULambda", layer.seluLambda);
  whole("attributes", layer.attributes);
  whole("sources", int64_t(layer.sources.size()));
  for (size_t i = 0; i < layer.sources.size(); ++i)
    text(fmt::format("source{}", i), layer.sources[i]);
  whole("skips", int64_t(layer.skips.size()));
  for (size_t i = 0; i < layer.skips.size(); ++i)
    text(fmt::format("skip{}", i), layer.skips[i]);
}

void writeWeight(nc::Writer &file, const DsstneNetwork &network, size_t number) {
  const DsstneWeight &weight = network.weights[number];
  const std::string at = fmt::format("weight{}_", number);
  auto unitsOf = [&](const std::string &layer) {
    return static_cast<uint64_t>(network.layers[size_t(network.find(layer))].units());
  };
  file.attribute(at + "inputLayer", weight.input);
  file.attribute(at + "outputLayer", weight.output);
  file.attribute(at + "width", unitsOf(weight.output));
  file.attribute(at + "height", unitsOf(weight.input));
  for (const char *name : {"length", "depth", "breadth"})
    file.attribute(at + name, uint64_t(1));
  file.attribute(at + "bShared", flag(weight.shared));
  file.attribute(at + "bLocked", flag(weight.locked));
  file.attribute(at + "norm", static_cast<float>(weight.norm));
  if (!weight.shared)
    return;
  file.attribute(at + "bTransposed", flag(weight.transposed));
  file.attribute(at + "sourceInputLayer", weight.sourceInput);
  file.attribute(at + "sourceOutputLayer", weight.sourceOutput);
}

/// The dimension along which a variable lies: "weight0_weights" -> "weight0_weightDim", "layer2_scaleBN" ->
/// "layer2_bnDim".
std::string dimensionOf(const std::string &variable) {
  const std::string prefix = variable.substr(0, variable.find('_') + 1), rest = variable.substr(prefix.size());
  return prefix + (rest == "weights" ? "weightDim" : rest == "bias" ? "biasDim" : "bnDim");
}
} // namespace

void writeDsstneNetwork(const std::string &path, bool force, const DsstneNetwork &network,
                        const CheckpointReader &weights) {
  AtomicFile target(path, force);
  nc::Writer file(target.temporary(), path);
  writeNetwork(file, network);
  for (size_t i = 0; i < network.layers.size(); ++i)
    writeLayer(file, network.layers[i], i);
  file.attribute("weights", static_cast<uint32_t>(network.weights.size()));
  for (size_t i = 0; i < network.weights.size(); ++i)
    writeWeight(file, network, i);
  std::string made;
  for (const DsstneParameter &parameter : parametersOf(network)) {
    const std::string dimension = dimensionOf(parameter.variable);
    if (dimension != made) // the four of batch normalisation share one
      file.dimension(made = dimension, parameter.spec.count());
    file.variable(parameter.variable, nc::Writer::Element::Float, dimension);
    weights.readParameter(parameter.spec, [&](const Tile &tile, const float *block) {
      file.write(parameter.variable, tile.row * parameter.spec.out + tile.column, tile.count(), block);
    });
  }
  file.close();
  target.finish();
  target.commit();
}
} // namespace sn::rt
