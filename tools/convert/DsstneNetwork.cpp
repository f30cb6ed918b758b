// Our language to attributes.
#include "runtime/plan/Error.h"
#include "tools/convert/DsstneJson.h"
#include <algorithm>

namespace sn::convert {
namespace {
using rt::DsstneLayer;
using rt::DsstneNetwork;
/// The identity's number among activations: what a pooling layer's must be in DSSTNE (T-13).
constexpr int64_t kIdentity = 3;

/// What readNetwork does not keep, since nothing depends on it: the network's Kind, and how N is split into extents.
struct Written {
  bool autoEncoder = false;
  std::map<size_t, std::vector<int64_t>> extents; // by layer
};

const nlohmann::json *member(const nlohmann::json &object, std::string_view key) {
  if (object.is_object())
    for (const auto &[name, value] : object.items())
      if (vocab::equalsIgnoringCase(name, key))
        return &value;
  return nullptr;
}

Written writtenIn(const std::string &text) {
  Written written;
  const nlohmann::json json =
      nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false, /*ignore_comments=*/true);
  if (const auto *kind = member(json, "Kind"); kind && kind->is_string())
    written.autoEncoder = vocab::equalsIgnoringCase(kind->get_ref<const std::string &>(), "AutoEncoder");
  const auto *layers = member(json, "Layers");
  for (size_t i = 0; layers && layers->is_array() && i < layers->size(); ++i)
    if (const auto *units = member((*layers)[i], "N"); units && units->is_array())
      for (const auto &extent : *units)
        if (extent.is_number())
          written.extents[i].push_back(extent.get<int64_t>());
  return written;
}

class Translating {
public:
  Translating(const frontend::Network &network, const std::map<std::string, int64_t> &widths, const std::string &file)
      : network_(network), widths_(widths), file_(file), written_(writtenIn(network.text)) {}

  DsstneNetwork run() {
    out_.name = network_.name;
    out_.kind = written_.autoEncoder ? 1 : 0;
    out_.errorFunction = numberOf(*network_.loss.record, "the error function");
    lossParams();
    if (network_.schedule.record)
      for (size_t i = 0; i < network_.schedule.params.size(); ++i)
        if (network_.schedule.record->params[i].key == "Decay")
          out_.decay = network_.schedule.params[i];
    out_.denoising = network_.denoisingP > 0;
    out_.denoisingP = network_.denoisingP;
    out_.boostOne = network_.boostOne;
    out_.boostZero = network_.boostZero;
    out_.shuffleIndices = network_.shuffleIndices;
    for (size_t i = 0; i < network_.layers.size(); ++i)
      out_.layers.push_back(layer(i));
    // DSSTNE applies a layer's penalty only where the network has one, and reads the network's back for every layer
    // (T-28): the first one found serves for both.
    for (const DsstneLayer &layer : out_.layers)
      if (layer.sparsenessBeta > 0 && !out_.sparsenessPenalty)
        out_.sparsenessPenalty = true, out_.sparsenessP = layer.sparsenessP, out_.sparsenessBeta = layer.sparsenessBeta;
    // There, a sparse hidden layer without a penalty takes the network's; here, Sparse alone means nothing.
    for (DsstneLayer &layer : out_.layers)
      if (out_.sparsenessPenalty && layer.kind == DsstneLayer::Hidden && layer.sparsenessBeta <= 0)
        layer.attributes &= ~uint32_t(DsstneLayer::Sparse);
    for (const frontend::Layer &each : network_.layers)
      weights(each);
    return std::move(out_);
  }

private:
  template <typename Record> int64_t numberOf(const Record &record, const std::string &what) const {
    if (record.dsstneNumber < 0)
      userError("{}: {} is {}, which has no number in DSSTNE's files", file_, what, record.name);
    return record.dsstneNumber;
  }

  void lossParams() {
    for (size_t i = 0; i < network_.loss.params.size(); ++i)
      for (auto [key, into] : {std::pair<std::string_view, double *>{"oneTarget", &out_.oneTarget},
                               {"zeroTarget", &out_.zeroTarget},
                               {"oneScale", &out_.oneScale},
                               {"zeroScale", &out_.zeroScale}})
        if (network_.loss.record->params[i].key == key)
          *into = network_.loss.params[i];
  }

  int64_t unitsOf(const frontend::Layer &layer) const {
    if (!layer.automatic)
      return layer.units;
    auto found = widths_.find(layer.dataSet);
    if (found == widths_.end())
      userError("{}: the layer '{}' is as wide as the data set '{}', and the weights do not say how wide that is",
                file_, layer.name, layer.dataSet);
    return found->second;
  }

  DsstneLayer layer(size_t index) const {
    const frontend::Layer &from = network_.layers[index];
    DsstneLayer to;
    to.name = from.name;
    to.dataSet = from.dataSet;
    to.kind = static_cast<int64_t>(from.kind);
    to.extents[0] = unitsOf(from);
    if (auto split = written_.extents.find(index); split != written_.extents.end() && split->second.size() > 1) {
      std::copy(split->second.begin(), split->second.end(), to.extents);
      to.dimensions = int64_t(split->second.size());
    }
    to.pDropout = from.pDropout;
    to.weightNorm = from.weightNorm;
    to.deltaNorm = from.deltaNorm;
    to.sparsenessP = from.sparsenessP;
    to.sparsenessBeta = from.sparsenessBeta;
    to.attributes |= from.sparse ? DsstneLayer::Sparse : 0;
    const bool corrupted = from.kind == frontend::LayerKind::Input && from.sparse && network_.denoisingP > 0;
    to.attributes |= corrupted ? DsstneLayer::Denoising : 0;
    to.attributes |= from.batchNormalization ? DsstneLayer::BatchNormalization : 0;
    for (int source : from.sources)
      to.sources.push_back(network_.layers[size_t(source)].name);
    for (int skip : from.skips)
      to.skips.push_back(network_.layers[size_t(skip)].name);
    if (from.type == frontend::LayerType::Pooling) {
      to.type = DsstneLayer::Pooling;
      to.activation = kIdentity;
      to.pooling = numberOf(*from.pooling.record, fmt::format("the pooling function of the layer '{}'", from.name));
    } else if (from.kind != frontend::LayerKind::Input) {
      trained(from, to);
    }
    return to;
  }

  void trained(const frontend::Layer &from, DsstneLayer &to) const {
    const vocab::Activation &activation = *from.activation.record;
    to.activation = numberOf(activation, fmt::format("the activation of the layer '{}'", from.name));
    for (size_t i = 0; i < from.activation.params.size(); ++i)
      for (auto [key, into] : {std::pair<std::string_view, double *>{"RELUSlope", &to.reluSlope},
                               {"ELUAlpha", &to.eluAlpha},
                               {"SELULambda", &to.seluLambda}})
        if (activation.params[i].key == key)
          *into = from.activation.params[i];
    to.weightInit = numberOf(*from.weightInit.record, fmt::format("the WeightInit of the layer '{}'", from.name));
    to.weightInitScale = from.initScale;
    to.biasInit = from.initBias;
  }

  /// DSSTNE's order: layer by layer, source by source (reference 1.8).
  void weights(const frontend::Layer &layer) {
    if (layer.type == frontend::LayerType::Pooling)
      return;
    for (size_t i = 0; i < layer.sources.size(); ++i) {
      rt::DsstneWeight weight;
      weight.input = network_.layers[size_t(layer.sources[i])].name;
      weight.output = layer.name;
      weight.norm = layer.weightNorm;
      for (const frontend::Sharing &sharing : layer.shared)
        if (sharing.source == int(i)) {
          weight.shared = true;
          weight.transposed = sharing.transposed;
          weight.sourceInput = network_.layers[size_t(sharing.ownerFrom)].name;
          weight.sourceOutput = network_.layers[size_t(sharing.ownerTo)].name;
        }
      out_.weights.push_back(std::move(weight));
    }
  }

  const frontend::Network &network_;
  const std::map<std::string, int64_t> &widths_;
  const std::string &file_;
  const Written written_;
  DsstneNetwork out_;
};
} // namespace

DsstneNetwork dsstneNetwork(const frontend::Network &network, const std::map<std::string, int64_t> &widths,
                            const std::string &file) {
  return Translating(network, widths, file).run();
}

namespace {
/// Widths of the data sets of "auto" layers. The plan gives one symbol to widths that shared weights make equal, so
/// where a data set has none the layer's own parameters tell.
std::map<std::string, int64_t> widthsOf(const frontend::Network &network, const rt::CheckpointReader &reader) {
  std::map<std::string, int64_t> widths = reader.header().symbols;
  auto extent = [&](const std::string &parameter, bool out) -> int64_t {
    for (const rt::TensorSpec &spec : reader.parameters())
      if (spec.name == parameter)
        return out ? spec.out : spec.in;
    return 0;
  };
  for (const frontend::Layer &layer : network.layers) {
    if (!layer.automatic || widths.contains(layer.dataSet))
      continue;
    int64_t units = 0;
    for (int source : layer.sources)
      units = std::max(units, extent(network.layers[size_t(source)].name + "->" + layer.name + "/bias", true));
    for (const frontend::Layer &reads : network.layers)
      units = std::max(units, extent(layer.name + "->" + reads.name + "/weights", false));
    if (units > 0)
      widths[layer.dataSet] = units;
  }
  return widths;
}
} // namespace

void exportWeights(const std::string &weights, const std::string &output, bool force) {
  rt::refuseOverwriting(output, {weights});
  const rt::CheckpointReader reader(weights);
  const rt::CheckpointHeader &header = reader.header();
  if (header.network.empty())
    userError("{}: holds no network, only parameters; a trained network of DSSTNE's needs both", weights);
  const frontend::Network network = frontend::readNetworkText(header.network, weights + ": snc/network");
  DsstneNetwork translated = dsstneNetwork(network, widthsOf(network, reader), weights);
  translated.epochs = header.epoch;
  rt::writeDsstneNetwork(output, force, translated, reader);
}
} // namespace sn::convert
