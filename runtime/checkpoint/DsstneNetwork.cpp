#include "runtime/checkpoint/DsstneNetwork.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

namespace sn::rt {
namespace {
constexpr int64_t kMostUnits = std::numeric_limits<int32_t>::max();
constexpr int64_t kMostParts = 1 << 16; // layers, sources, weights
constexpr int64_t kMostNumber = std::numeric_limits<uint32_t>::max();

std::string prefixed(const char *what, int64_t number) { return fmt::format("{}{}_", what, number); }

/// Names of a list: `<prefix>sources` of them, each `<prefix>source<j>`.
std::vector<std::string> namesOf(const nc::Reader &file, const std::string &prefix, const std::string &what) {
  std::vector<std::string> names;
  for (int64_t i = 0, count = file.integer(prefix + what + "s", 0, kMostParts); i < count; ++i)
    names.push_back(file.text(fmt::format("{}{}{}", prefix, what, i)));
  return names;
}

DsstneLayer readLayer(const nc::Reader &file, int64_t number, const DsstneNetwork &network) {
  const std::string at = prefixed("layer", number);
  DsstneLayer layer;
  layer.name = file.text(at + "name");
  layer.dataSet = file.text(at + "dataSet");
  layer.kind = file.integer(at + "kind", 0, DsstneLayer::Target);
  layer.type = file.integer(at + "type", 0, DsstneLayer::Pooling);
  if (layer.type == DsstneLayer::Convolutional)
    userError("{}: the layer '{}' is Convolutional; networks with convolutions cannot be read yet", file.path(),
              layer.name);
  if (layer.kind == DsstneLayer::Target)
    userError("{}: the layer '{}' is of Kind Target, which never had an effect in DSSTNE", file.path(), layer.name);
  layer.activation = file.integer(at + "activation", 0, kMostNumber);
  layer.weightInit = file.integer(at + "weightInit", 0, kMostNumber);
  if (layer.type == DsstneLayer::Pooling)
    layer.pooling = file.integer(at + "poolingfunction", 0, kMostNumber);
  int64_t units = 1;
  for (int axis = 0; axis < 4; ++axis) {
    static constexpr const char *kExtents[] = {"Nx", "Ny", "Nz", "Nw"};
    layer.extents[axis] = file.integer(at + kExtents[axis], 1, kMostUnits);
    if (__builtin_mul_overflow(units, layer.extents[axis], &units) || units > kMostUnits)
      userError("{}: the layer '{}' has more than {} units", file.path(), layer.name, kMostUnits);
  }
  layer.dimensions = file.integer(at + "dimensions", 0, 4);
  layer.pDropout = file.real(at + "pDropout");
  layer.weightInitScale = file.real(at + "weightInitScale");
  layer.biasInit = file.real(at + "biasInit");
  layer.weightNorm = file.real(at + "weightNorm");
  layer.deltaNorm = file.real(at + "deltaNorm");
  // Files from before version 0.85 lack these; DSSTNE refuses them, its defaults serve.
  layer.reluSlope = file.real(at + "RELUSlope", layer.reluSlope);
  layer.eluAlpha = file.real(at + "ELUAlpha", layer.eluAlpha);
  layer.seluLambda = file.real(at + "SELULambda", layer.seluLambda);
  layer.sparsenessP = file.real(at + "sparsenessPenalty_p", network.sparsenessP); // T-28
  layer.sparsenessBeta = file.real(at + "sparsenessPenalty_beta", network.sparsenessBeta);
  layer.attributes = static_cast<uint32_t>(file.integer(at + "attributes", 0, kMostNumber));
  layer.sources = namesOf(file, at, "source");
  layer.skips = namesOf(file, at, "skip");
  return layer;
}

DsstneWeight readWeight(const nc::Reader &file, int64_t number) {
  const std::string at = prefixed("weight", number);
  DsstneWeight weight;
  weight.input = file.text(at + "inputLayer");
  weight.output = file.text(at + "outputLayer");
  weight.shared = file.integer(at + "bShared", 0, kMostNumber) != 0;
  weight.locked = file.integer(at + "bLocked", 0, kMostNumber, 0) != 0;
  weight.norm = file.real(at + "norm", 0);
  if (weight.shared) {
    weight.transposed = file.integer(at + "bTransposed", 0, kMostNumber) != 0;
    weight.sourceInput = file.text(at + "sourceInputLayer");
    weight.sourceOutput = file.text(at + "sourceOutputLayer");
  }
  return weight;
}

/// Every name leads somewhere, and nothing stands there twice.
void check(const std::string &path, const DsstneNetwork &network) {
  for (size_t i = 0; i < network.layers.size(); ++i) {
    const DsstneLayer &layer = network.layers[i];
    if (network.find(layer.name) != int64_t(i))
      userError("{}: has two layers named '{}'", path, layer.name);
    for (const auto *names : {&layer.sources, &layer.skips})
      for (const std::string &name : *names)
        if (network.find(name) < 0)
          userError("{}: the layer '{}' has the source '{}', but there is no such layer", path, layer.name, name);
  }
  auto owns = [&](const DsstneWeight &weight) {
    return std::any_of(network.weights.begin(), network.weights.end(), [&](const DsstneWeight &other) {
      return !other.shared && other.input == weight.sourceInput && other.output == weight.sourceOutput;
    });
  };
  for (size_t i = 0; i < network.weights.size(); ++i) {
    const DsstneWeight &weight = network.weights[i];
    if (network.find(weight.input) < 0 || network.find(weight.output) < 0)
      userError("{}: weight {} leads from '{}' to '{}', but there are no such layers", path, i, weight.input,
                weight.output);
    for (size_t j = 0; j < i; ++j)
      if (network.weights[j].input == weight.input && network.weights[j].output == weight.output)
        userError("{}: has two weights from '{}' to '{}'", path, weight.input, weight.output);
    if (weight.shared && !owns(weight))
      userError("{}: the weight from '{}' to '{}' shares that from '{}' to '{}', which has no matrix of its own", path,
                weight.input, weight.output, weight.sourceInput, weight.sourceOutput);
  }
}
} // namespace

int64_t DsstneNetwork::find(const std::string &layer) const {
  auto found = std::find_if(layers.begin(), layers.end(), [&](const DsstneLayer &each) { return each.name == layer; });
  return found == layers.end() ? -1 : found - layers.begin();
}

bool holdsDsstneNetwork(const h5::File &file) {
  return file.hasAttribute("/", "layers") && file.hasAttribute("/", "weights") && file.hasAttribute("/", "version");
}
bool holdsDsstneNetwork(const nc::Reader &file) {
  return file.has("layers") && file.has("weights") && file.has("version");
}

bool isDsstneNetwork(const std::string &path) {
  std::error_code none;
  if (!std::filesystem::is_regular_file(path, none))
    return false;
  if (nc::isClassic(path))
    return holdsDsstneNetwork(*nc::openClassic(path));
  return h5::isHdf5(path) && holdsDsstneNetwork(h5::File::open(path));
}

DsstneNetwork readDsstneNetwork(const nc::Reader &file) {
  DsstneNetwork network;
  file.real("version"); // must be there; whatever it says
  network.name = file.text("name");
  network.kind = file.integer("kind", 0, kMostNumber);
  network.errorFunction = file.integer("errorFunction", 0, kMostNumber);
  network.decay = file.real("decay", 0);
  network.sparsenessPenalty = file.integer("bSparsenessPenalty", 0, kMostNumber) != 0;
  network.sparsenessP = file.real("sparsenessPenalty_p");
  network.sparsenessBeta = file.real("sparsenessPenalty_beta");
  network.denoising = file.integer("bDenoising", 0, kMostNumber) != 0;
  network.denoisingP = file.real("denoising_p");
  network.boostOne = file.real("deltaBoost_one");
  network.boostZero = file.real("deltaBoost_zero");
  network.oneScale = file.real("SMCE_oneScale");
  network.zeroScale = file.real("SMCE_zeroScale");
  network.oneTarget = file.real("SMCE_oneTarget");
  network.zeroTarget = file.real("SMCE_zeroTarget");
  network.shuffleIndices = file.integer("ShuffleIndices", 0, kMostNumber) != 0;
  network.epochs = file.integer("checkpoint_epochs", 0, kMostUnits, 0);
  const int64_t layers = file.integer("layers", 1, kMostParts), weights = file.integer("weights", 0, kMostParts);
  for (int64_t i = 0; i < layers; ++i)
    network.layers.push_back(readLayer(file, i, network));
  for (int64_t i = 0; i < weights; ++i)
    network.weights.push_back(readWeight(file, i));
  check(file.path(), network);
  return network;
}

std::vector<DsstneParameter> parametersOf(const DsstneNetwork &network) {
  std::vector<DsstneParameter> parameters;
  auto unitsOf = [&](const std::string &layer) { return network.layers[size_t(network.find(layer))].units(); };
  for (size_t i = 0; i < network.weights.size(); ++i) {
    const DsstneWeight &weight = network.weights[i];
    const std::string pair = weight.input + "->" + weight.output, at = prefixed("weight", int64_t(i));
    if (!weight.shared)
      parameters.push_back(
          {{.name = pair + "/weights", .in = unitsOf(weight.input), .out = unitsOf(weight.output)}, at + "weights"});
    parameters.push_back({{.name = pair + "/bias", .out = unitsOf(weight.output), .vector = true}, at + "bias"});
  }
  for (size_t i = 0; i < network.layers.size(); ++i) {
    const DsstneLayer &layer = network.layers[i];
    if (!layer.is(DsstneLayer::BatchNormalization))
      continue;
    const std::string at = prefixed("layer", int64_t(i));
    for (auto [ours, theirs] : {std::pair("scale", "scaleBN"),
                                {"shift", "biasBN"},
                                {"running_mean", "runningMeanBN"},
                                {"running_variance", "runningVarianceBN"}})
      parameters.push_back(
          {{.name = fmt::format("{}/{}", layer.name, ours), .out = layer.units(), .vector = true}, at + theirs});
  }
  return parameters;
}
} // namespace sn::rt
