// Attributes to JSON.
#include "tools/convert/DsstneJson.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <charconv>

namespace sn::convert {
namespace {
using nlohmann::ordered_json;
using rt::DsstneLayer;
using rt::DsstneNetwork;

/// A number stored as a float, in the fewest digits that give the same float.
double shortest(double value) {
  const std::string text = fmt::format("{}", static_cast<float>(value));
  double result = value;
  std::from_chars(text.data(), text.data() + text.size(), result);
  return result;
}
bool differs(double value, double from) { return static_cast<float>(value) != static_cast<float>(from); }

class Describing {
public:
  Describing(const DsstneNetwork &network, const std::string &file) : network_(network), file_(file) {}

  ordered_json run() {
    const vocab::Loss &loss = recordOf(vocab::losses(), network_.errorFunction, "error function");
    ordered_json json{{"Version", 0.9},
                      {"Name", network_.name},
                      {"Kind", network_.kind == 1 ? "AutoEncoder" : "FeedForward"},
                      {"ErrorFunction", loss.name},
                      {"ShuffleIndices", network_.shuffleIndices}};
    if (!loss.object.empty())
      for (const vocab::Param &param : loss.params)
        json[std::string(loss.object)][std::string(param.key)] = shortest(lossParam(param.key));
    if (network_.sparsenessPenalty && any(DsstneLayer::Hidden, DsstneLayer::Sparse))
      json["SparsenessPenalty"] = penalty(network_.sparsenessP, network_.sparsenessBeta);
    if (network_.denoising && any(DsstneLayer::Input, DsstneLayer::Sparse))
      json["Denoising"] = {{"p", shortest(network_.denoisingP)}};
    const auto [one, zero] = boosted(loss);
    if (one && differs(network_.boostOne, 1))
      json["DeltaBoost"]["one"] = shortest(network_.boostOne);
    if (zero && differs(network_.boostZero, 1))
      json["DeltaBoost"]["zero"] = shortest(network_.boostZero);
    if (network_.decay > 0)
      json["Decay"] = shortest(network_.decay);
    json["Layers"] = ordered_json::array();
    for (const DsstneLayer &layer : network_.layers)
      json["Layers"].push_back(describe(layer));
    return json;
  }

private:
  template <typename Record>
  const Record &recordOf(std::span<const Record> table, int64_t number, const char *what,
                         const std::string &layer = "") const {
    for (const Record &record : table)
      if (record.dsstneNumber == number)
        return record;
    userError("{}: {} number {}{} is unknown, or of no use without images", file_, what, number,
              layer.empty() ? "" : fmt::format(" of the layer '{}'", layer));
  }

  // Our language refuses or warns of what has no effect; DSSTNE's attributes are always there.
  bool any(DsstneLayer::Kind kind, DsstneLayer::Attribute attribute) const {
    return std::any_of(network_.layers.begin(), network_.layers.end(),
                       [&](const DsstneLayer &layer) { return layer.kind == kind && layer.is(attribute); });
  }
  /// Whether DeltaBoost's two factors are used by any output (T-68).
  std::pair<bool, bool> boosted(const vocab::Loss &loss) const {
    bool one = false, zero = false;
    for (const DsstneLayer &layer : network_.layers) {
      if (layer.kind != DsstneLayer::Output || layer.type == DsstneLayer::Pooling)
        continue;
      const vocab::Activation &activation = recordOf(vocab::activations(), layer.activation, "activation", layer.name);
      const vocab::Boost boost = activation.row ? vocab::Boost::Never : loss.boost;
      one |= boost != vocab::Boost::Never;
      zero |= boost == vocab::Boost::Always || (boost == vocab::Boost::UnitInterval && activation.unitInterval);
    }
    return {one, zero};
  }

  double lossParam(std::string_view key) const {
    const std::pair<std::string_view, double> known[] = {{"oneTarget", network_.oneTarget},
                                                         {"zeroTarget", network_.zeroTarget},
                                                         {"oneScale", network_.oneScale},
                                                         {"zeroScale", network_.zeroScale}};
    return std::find_if(std::begin(known), std::end(known), [&](auto &each) { return each.first == key; })->second;
  }
  static ordered_json penalty(double p, double beta) { return {{"p", shortest(p)}, {"beta", shortest(beta)}}; }

  ordered_json describe(const DsstneLayer &layer) const {
    static constexpr const char *kKinds[] = {"Input", "Hidden", "Output"};
    const bool pooling = layer.type == DsstneLayer::Pooling, input = layer.kind == DsstneLayer::Input;
    ordered_json json{{"Name", layer.name}, {"Kind", kKinds[layer.kind]}};
    if (pooling) {
      json["Type"] = "Pooling";
      json["Function"] = recordOf(vocab::poolings(), layer.pooling, "pooling function", layer.name).name;
    } else {
      json["N"] = extents(layer);
    }
    if (!layer.dataSet.empty() && layer.kind != DsstneLayer::Hidden)
      json["DataSet"] = layer.dataSet;
    if (layer.is(DsstneLayer::Sparse))
      json["Sparse"] = true;
    if (differs(layer.pDropout, 0))
      json["pDropout"] = shortest(layer.pDropout);
    if (input)
      return json;
    json["Source"] = layer.sources;
    if (!layer.skips.empty())
      json["Skip"] = layer.skips;
    if (!pooling)
      trained(layer, json);
    return json;
  }

  static ordered_json extents(const DsstneLayer &layer) {
    if (layer.dimensions <= 1)
      return layer.units();
    ordered_json list = ordered_json::array();
    for (int64_t axis = 0; axis < layer.dimensions; ++axis)
      list.push_back(layer.extents[axis]);
    return list;
  }

  void trained(const DsstneLayer &layer, ordered_json &json) const {
    const vocab::Activation &activation = recordOf(vocab::activations(), layer.activation, "activation", layer.name);
    json["Activation"] = activation.name;
    for (const vocab::Param &param : activation.params)
      for (auto [key, value] : {std::pair<std::string_view, double>{"RELUSlope", layer.reluSlope},
                                {"ELUAlpha", layer.eluAlpha},
                                {"SELULambda", layer.seluLambda}})
        if (param.key == key)
          json[std::string(key)] = shortest(value);
    const bool owner =
        std::any_of(network_.weights.begin(), network_.weights.end(),
                    [&](const rt::DsstneWeight &weight) { return !weight.shared && weight.output == layer.name; });
    if (owner) {
      const vocab::Initializer &init =
          recordOf(vocab::initializers(), layer.weightInit, "weight initialisation", layer.name);
      json["WeightInit"] = {{"Scheme", init.name}, {"Scale", shortest(layer.weightInitScale)}};
    }
    json["WeightInit"]["Bias"] = shortest(layer.biasInit);
    if (layer.is(DsstneLayer::BatchNormalization))
      json["BatchNormalization"] = true;
    if (owner && differs(layer.weightNorm, 0))
      json["WeightNorm"] = shortest(layer.weightNorm);
    if (differs(layer.deltaNorm, 0))
      json["DeltaNorm"] = shortest(layer.deltaNorm);
    const bool own =
        differs(layer.sparsenessP, network_.sparsenessP) || differs(layer.sparsenessBeta, network_.sparsenessBeta);
    // A layer without a penalty of its own takes the network's.
    if (layer.kind == DsstneLayer::Hidden && own && layer.sparsenessBeta > 0)
      json["SparsenessPenalty"] = penalty(layer.sparsenessP, layer.sparsenessBeta);
    for (const rt::DsstneWeight &weight : network_.weights)
      if (weight.shared && weight.output == layer.name)
        json["SharedWeights"].push_back({{"InputLayer", weight.input},
                                         {"SourceInputLayer", weight.sourceInput},
                                         {"SourceOutputLayer", weight.sourceOutput},
                                         {"Transposed", weight.transposed}});
  }

  const DsstneNetwork &network_;
  const std::string &file_;
};
} // namespace

std::string networkJson(const DsstneNetwork &network, const std::string &file) {
  return Describing(network, file).run().dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string importNetwork(const std::string &source, const std::string &output, bool force,
                          const std::map<std::string, std::shared_ptr<const rt::Names>> &columnNames) {
  rt::refuseOverwriting(output, {source});
  const std::unique_ptr<rt::nc::Reader> file = rt::nc::Reader::open(source);
  const DsstneNetwork network = rt::readDsstneNetwork(*file);
  const rt::CheckpointReader reader(source); // checks the lengths, and knows the widths
  rt::CheckpointWriter writer(output, force);
  rt::CheckpointHeader header = reader.header();
  header.network = networkJson(network, source);
  header.columnNames = columnNames;
  header.epoch = network.epochs; // T-65
  writer.writeHeader(header);
  // Tiles of whole rows, or of a part of one: they lie in the file as they are.
  for (const rt::DsstneParameter &parameter : rt::parametersOf(network)) {
    file->requireStored(parameter.variable);
    writer.writeParameter(parameter.spec, [&](const rt::Tile &tile, float *block) {
      file->read(parameter.variable, tile.row * parameter.spec.out + tile.column, tile.count(), block);
    });
  }
  writer.commit();
  return header.network;
}
} // namespace sn::convert
