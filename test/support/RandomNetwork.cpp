#include "test/support/RandomNetwork.h"
#include "dialects/Vocabulary/Records.h"
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

namespace sn::test {
namespace {
using Json = nlohmann::ordered_json;
enum class Kind { Input, Hidden, Output };

/// Source `source` (an index of Layer::sources) uses the matrix of the pair (from, to).
struct Sharing {
  size_t source = 0, from = 0, to = 0;
  bool transposed = false;
};

struct Layer {
  Kind kind = Kind::Hidden;
  std::string name = {}, dataSet = {};
  int64_t units = 1;
  bool automatic = false;
  std::vector<size_t> sources = {}, skips = {};
  std::vector<Sharing> shared = {};
  const vocab::Activation *activation = nullptr;
  const vocab::Pooling *pooling = nullptr;
  size_t sameWidth = 0; // a layer of the same width: leads to the representative of all of them
  bool compares() const { return pooling && !pooling->fold; } // its width follows from the number of its sources
};

/// What SN_WITHOUT forbids.
std::set<std::string> forbidden() {
  std::set<std::string> words;
  const char *given = std::getenv("SN_WITHOUT");
  std::istringstream text(given ? given : "");
  for (std::string word; std::getline(text, word, ',');)
    words.insert(word);
  return words;
}

class Generator {
public:
  Generator(uint64_t seed, const CaseLimits &given) : seed(seed), limits(given), random(seed) {
    limits.without.merge(forbidden());
  }
  Case make();

private:
  bool draws(const char *feature, double probability) {
    bool drawn = random.chance(probability);
    return drawn && !limits.without.contains(feature);
  }
  void layers();
  void connect();
  void poolings();
  void skips();
  void shares();
  void share(size_t to, size_t source);
  size_t widthOf(size_t layer);
  void joinWidths(size_t a, size_t b) { net[widthOf(a)].sameWidth = widthOf(b); }
  void drawWidths();
  void widths();
  void tables(Case &made);
  void connectionKeys(Json &json, const Layer &layer);
  void poolingKeys(Json &json, const Layer &layer);
  void normKeys(Json &json, const Layer &layer);
  Json layerJson(const Layer &layer);
  Json weightInit(const Layer &layer);
  Json training();
  Json network();
  Json parameters(std::span<const vocab::Param> params);
  int64_t width();
  int64_t parameterCount() const;
  const vocab::Activation *outputActivation();
  bool boosts(const Layer &layer) const;

  uint64_t seed;
  CaseLimits limits;
  Random random;
  std::vector<Layer> net;
  const vocab::Loss *loss = nullptr;
  int64_t batch = 1;
  std::map<std::string, int64_t> columns; // of each data set
};

int64_t Generator::width() {
  double kind = random.real(0, 1);
  int64_t units = kind < 0.7    ? random.integer(1, 24)
                  : kind < 0.92 ? random.integer(25, 130)
                  : kind < 0.98 ? random.integer(131, 600)
                                : random.integer(601, 2000);
  return std::min(units, limits.widest);
}

const vocab::Activation *Generator::outputActivation() {
  std::vector<const vocab::Activation *> fitting;
  for (const vocab::Activation &activation : vocab::activations())
    if ((activation.unitInterval || !loss->unitInterval) && (loss->rowWise || !activation.row))
      fitting.push_back(&activation);
  return random.pick(fitting);
}

/// Whether the loss takes a boost of this output's deltas.
bool Generator::boosts(const Layer &layer) const {
  return layer.kind == Kind::Output && !layer.pooling && !layer.activation->row &&
         (loss->boost == vocab::Boost::Always ||
          (loss->boost == vocab::Boost::UnitInterval && layer.activation->unitInterval));
}

void Generator::layers() {
  double several = random.real(0, 1);
  int64_t inputs = several < 0.65 ? 1 : several < 0.9 ? 2 : 3, trained = random.integer(1, 5);
  several = random.real(0, 1);
  int64_t outputs = std::min<int64_t>(trained, several < 0.65 ? 1 : several < 0.9 ? 2 : 3);
  std::vector<Kind> kinds(static_cast<size_t>(trained - 1), Kind::Hidden);
  std::fill_n(kinds.begin(), outputs - 1, Kind::Output);
  random.shuffle(kinds);
  kinds.push_back(Kind::Output);
  for (int64_t i = 0; i < inputs; ++i)
    net.push_back({.kind = Kind::Input, .name = "in" + std::to_string(i), .dataSet = "x" + std::to_string(i)});
  for (Kind kind : kinds) {
    std::string number = std::to_string(net.size());
    Layer layer{.kind = kind, .name = (kind == Kind::Hidden ? "hidden" : "out") + number};
    layer.activation = kind == Kind::Hidden ? &random.pick(vocab::activations()) : outputActivation();
    if (kind == Kind::Output)
      layer.dataSet =
          random.chance(0.25) ? random.pick(std::vector(net.begin(), net.begin() + inputs)).dataSet : "t" + number;
    net.push_back(layer);
  }
}

/// Every layer reads one to three earlier ones, and every layer is read until an output is reached.
void Generator::connect() {
  for (size_t i = 0; i < net.size(); ++i) {
    if (net[i].kind == Kind::Input)
      continue;
    int64_t count = random.chance(0.6) ? 1 : random.integer(2, 3);
    for (int64_t source = 0; source < count; ++source) {
      size_t from = random.chance(0.6) ? i - 1 : static_cast<size_t>(random.integer(0, static_cast<int64_t>(i) - 1));
      if (net[from].kind == Kind::Output && random.chance(0.6))
        from = static_cast<size_t>(random.integer(0, static_cast<int64_t>(from)));
      if (!std::count(net[i].sources.begin(), net[i].sources.end(), from))
        net[i].sources.push_back(from);
    }
  }
  for (size_t from = 0; from < net.size(); ++from) {
    bool read = net[from].kind == Kind::Output;
    for (const Layer &layer : net)
      read = read || std::count(layer.sources.begin(), layer.sources.end(), from);
    if (read)
      continue;
    size_t to =
        static_cast<size_t>(random.integer(static_cast<int64_t>(from) + 1, static_cast<int64_t>(net.size()) - 1));
    while (net[to].kind == Kind::Input)
      ++to;
    net[to].sources.push_back(from);
  }
}

/// Some layers become poolings; their sources, of one width, are no poolings whose width is given by their sources.
void Generator::poolings() {
  for (size_t i = 0; i < net.size() && !vocab::poolings().empty(); ++i) {
    if (net[i].kind == Kind::Input || (net[i].kind == Kind::Output && loss->unitInterval) || !draws("pooling", 0.15))
      continue;
    if (std::any_of(net[i].sources.begin(), net[i].sources.end(), [&](size_t from) { return net[from].compares(); }))
      continue;
    for (size_t from = i; from-- > 0 && net[i].sources.size() < 2;)
      if (!net[from].compares() && !std::count(net[i].sources.begin(), net[i].sources.end(), from))
        net[i].sources.push_back(from);
    if (net[i].sources.size() < 2)
      continue;
    net[i].pooling = &random.pick(vocab::poolings());
    if (net[i].kind == Kind::Output)
      net[i].dataSet = "t" + std::to_string(i);
    for (size_t from : net[i].sources)
      joinWidths(from, net[i].sources[0]);
    if (!net[i].compares())
      joinWidths(i, net[i].sources[0]);
  }
}

void Generator::skips() {
  if (!draws("skip", 0.35))
    return;
  for (size_t i = 1; i < net.size(); ++i)
    for (int64_t tries = random.chance(0.5) ? random.integer(1, 2) : 0; tries > 0; --tries) {
      size_t from = static_cast<size_t>(random.integer(0, static_cast<int64_t>(i) - 1));
      if (net[i].kind == Kind::Input || net[i].compares() || net[from].compares() ||
          std::count(net[i].skips.begin(), net[i].skips.end(), from))
        continue;
      net[i].skips.push_back(from);
      joinWidths(i, from);
    }
}

/// Source `source` of layer `to` borrows the matrix of a pair that does not itself borrow.
void Generator::share(size_t to, size_t source) {
  auto borrows = [&](size_t layer, size_t at) {
    return std::any_of(net[layer].shared.begin(), net[layer].shared.end(),
                       [&](const Sharing &sharing) { return sharing.source == at; });
  };
  auto owns = [&](size_t layer, size_t at) {
    for (const Layer &user : net)
      for (const Sharing &sharing : user.shared)
        if (sharing.to == layer && sharing.from == net[layer].sources[at])
          return true;
    return false;
  };
  if (owns(to, source) || net[net[to].sources[source]].compares())
    return;
  std::vector<Sharing> owners;
  for (size_t layer = 0; layer < net.size(); ++layer)
    for (size_t at = 0; at < net[layer].sources.size(); ++at) {
      size_t from = net[layer].sources[at];
      if (!net[layer].pooling && !net[from].compares() && !borrows(layer, at) && !(layer == to && at == source))
        owners.push_back({source, from, layer, false});
    }
  if (owners.empty())
    return;
  Sharing sharing = random.pick(owners);
  sharing.transposed = random.chance(0.5);
  joinWidths(net[to].sources[source], sharing.transposed ? sharing.to : sharing.from);
  joinWidths(to, sharing.transposed ? sharing.from : sharing.to);
  net[to].shared.push_back(sharing);
}

void Generator::shares() {
  if (!draws("share", 0.3))
    return;
  for (size_t to = 0; to < net.size(); ++to)
    for (size_t source = 0; source < net[to].sources.size(); ++source)
      if (!net[to].pooling && random.chance(0.5))
        share(to, source);
}

int64_t Generator::parameterCount() const {
  int64_t count = 0;
  for (const Layer &layer : net)
    for (size_t from : layer.sources)
      count += net[from].units * layer.units;
  return count;
}

size_t Generator::widthOf(size_t layer) {
  while (net[layer].sameWidth != layer)
    layer = net[layer].sameWidth;
  return layer;
}

void Generator::drawWidths() {
  std::vector<int64_t> units(net.size());
  for (int64_t &width : units)
    width = this->width();
  auto spread = [&] {
    for (size_t i = 0; i < net.size(); ++i)
      net[i].units = net[i].compares() ? static_cast<int64_t>(net[i].sources.size()) - 1 : units[widthOf(i)];
  };
  spread();
  while (parameterCount() > limits.parameters) {
    int64_t &widest = *std::max_element(units.begin(), units.end());
    widest = widest * 2 / 3;
    spread();
  }
}

/// Layers of one data set have its columns for width; a layer of fixed width may be wider than its data. Of layers that
/// must have one width none is automatic, unless all of them are by one data set.
void Generator::widths() {
  std::map<std::string, size_t> first;
  for (size_t i = 0; i < net.size(); ++i)
    if (!net[i].dataSet.empty())
      joinWidths(i, first.try_emplace(net[i].dataSet, i).first->second);
  drawWidths();
  for (const auto &[dataSet, known] : first) {
    bool automatic = random.chance(0.6), narrower = random.chance(0.2);
    for (size_t i = 0; i < net.size(); ++i)
      automatic = automatic && !net[known].compares() && (widthOf(i) != widthOf(known) || net[i].dataSet == dataSet);
    for (Layer &layer : net)
      layer.automatic = layer.dataSet == dataSet ? automatic : layer.automatic;
    columns[dataSet] = automatic || !narrower ? net[known].units : random.integer(1, net[known].units);
  }
}

void Generator::tables(Case &made) {
  batch = random.chance(0.2) ? 1 : random.integer(2, limits.largestBatch);
  if (random.chance(0.05))
    batch = random.integer(130, 200);
  int64_t rows = batch + random.integer(1, batch + 8);
  std::set<std::string> targets;
  for (const Layer &layer : net)
    if (layer.kind == Kind::Output)
      targets.insert(layer.dataSet);
  for (const auto &[name, width] : columns) {
    TableShape shape{.rows = rows,
                     .columns = width,
                     .storage = random.pick(kStorages),
                     .unitInterval = loss->unitInterval && targets.count(name) > 0};
    shape.weighted = draws("weighted", 0.15);
    shape.indexed = draws("indexed", 0.2);
    shape.ignoreZeros = draws("ignored zeros", 0.15);
    shape.image = draws("offset", 0.15);
    addTable(made.tables, name, random, shape);
  }
  for (int step = 0; step < 3; ++step) {
    std::vector<int64_t> order(static_cast<size_t>(rows));
    for (int64_t row = 0; row < rows; ++row)
      order[static_cast<size_t>(row)] = row;
    random.shuffle(order);
    order.resize(static_cast<size_t>(step < 2 ? batch : random.integer(1, batch)));
    made.batches.push_back(order);
  }
}

/// Values near the defaults, sometimes an end of the accepted range.
Json Generator::parameters(std::span<const vocab::Param> params) {
  Json object = Json::object();
  for (const vocab::Param &param : params) {
    if (random.chance(0.3))
      continue;
    double value = param.byDefault * random.real(0.7, 1.2);
    if (param.low > -1e29 && param.high < 1e29 && random.chance(0.2))
      value = random.chance(0.5) ? param.low : param.high;
    object[std::string(param.key)] = std::clamp(value, param.low, param.high);
  }
  return object;
}

/// Any scheme, scaled so that pre-activations stay moderate.
Json Generator::weightInit(const Layer &layer) {
  const vocab::Initializer &record = random.pick(vocab::initializers());
  double in = 0, out = static_cast<double>(layer.units);
  for (size_t from : layer.sources)
    in = std::max(in, static_cast<double>(net[from].units));
  double spread = std::abs(record.scale({in, out, 1})) + std::abs(record.shift({in, out, 1}));
  // Equal weights add up; drawn ones partly cancel.
  double scale = random.real(0.5, 2) / (record.draw == "none" ? in : std::sqrt(in)) / spread;
  return {{"Scheme", std::string(record.name)}, {"Scale", scale}, {"Bias", random.real(-1, 1)}};
}

void Generator::connectionKeys(Json &json, const Layer &layer) {
  for (size_t from : layer.sources)
    json["Source"].push_back(net[from].name);
  for (size_t from : layer.skips)
    json["Skip"].push_back(net[from].name);
  if (layer.skips.size() == 1 && random.chance(0.5))
    json["Skip"] = net[layer.skips[0]].name;
  for (const Sharing &sharing : layer.shared) {
    Json entry{{"InputLayer", net[layer.sources[sharing.source]].name},
               {"SourceInputLayer", net[sharing.from].name},
               {"SourceOutputLayer", net[sharing.to].name}};
    if (sharing.transposed || random.chance(0.5))
      entry["Transposed"] = sharing.transposed;
    json["SharedWeights"].push_back(entry);
  }
}

void Generator::poolingKeys(Json &json, const Layer &layer) {
  json["Type"] = "Pooling";
  json["Function"] = std::string(layer.pooling->name);
  connectionKeys(json, layer);
  json.erase("N"); // derived
}

void Generator::normKeys(Json &json, const Layer &layer) {
  if (layer.kind == Kind::Hidden && draws("batch normalization", 0.15))
    json["BatchNormalization"] = true;
  if (draws("delta norm", 0.12))
    json["DeltaNorm"] = std::exp(random.real(std::log(0.03), std::log(3)));
  bool owns = layer.shared.size() < layer.sources.size();
  if (owns && draws("weight norm", 0.15))
    json["WeightNorm"] = std::exp(random.real(std::log(0.2), std::log(3)));
}

Json Generator::layerJson(const Layer &layer) {
  static const char *kinds[] = {"Input", "Hidden", "Output"};
  Json json{{"Kind", kinds[static_cast<int>(layer.kind)]}, {"Name", layer.name}};
  if (layer.automatic)
    json["N"] = "auto";
  else
    json["N"] = layer.units;
  if (!layer.dataSet.empty())
    json["DataSet"] = layer.dataSet;
  if (layer.pooling) {
    poolingKeys(json, layer);
    return json;
  }
  if (random.chance(0.6))
    json["Sparse"] = true;
  if (layer.kind == Kind::Input) {
    if (random.chance(0.15))
      json["pDropout"] = random.real(0.05, 0.6);
    return json;
  }
  connectionKeys(json, layer);
  normKeys(json, layer);
  json["Activation"] = std::string(layer.activation->name);
  for (const vocab::Param &param : layer.activation->params)
    if (param.layerKey)
      json.update(parameters(std::span(&param, 1)));
  json["WeightInit"] = weightInit(layer);
  // Outputs scaled by a mask leave the unit interval.
  if (random.chance(layer.kind == Kind::Hidden ? 0.25 : loss->unitInterval ? 0 : 0.15))
    json["pDropout"] = random.real(0.05, 0.6);
  if (layer.kind == Kind::Hidden && json.contains("Sparse") && layer.activation->unitInterval && random.chance(0.3))
    json["SparsenessPenalty"] = {{"p", random.real(0.05, 0.5)}, {"beta", random.real(0.1, 2)}};
  return json;
}

Json Generator::training() {
  const vocab::Optimizer &optimizer = vocab::optimizers()[seed / vocab::losses().size() % vocab::optimizers().size()];
  Json json{{"Optimizer", std::string(optimizer.name)},
            {"Alpha", std::exp(random.real(std::log(0.002), std::log(0.1)))},
            {"Lambda", random.chance(0.5) ? 0 : random.real(1e-4, 1e-2)},
            {"Lambda1", random.chance(0.6) ? 0 : random.real(1e-4, 1e-2)},
            {"Batch", batch},
            {"Epochs", random.integer(1, 9)},
            {"Seed", random.integer(0, 1000000)}};
  if (random.chance(0.6))
    json["Mu"] = random.real(0.3, 0.95);
  if (random.chance(0.6))
    json["Mu1"] = random.real(0.9, 0.999);
  if (random.chance(0.1)) // the network's Decay or no schedule at all
    return json;
  const vocab::Schedule &schedule = random.pick(vocab::schedules());
  json["Schedule"] = parameters(schedule.params);
  json["Schedule"]["Kind"] = std::string(schedule.name);
  return json;
}

Json Generator::network() {
  Json json{{"Version", 0.9}, {"Name", "seed " + std::to_string(seed)}, {"ErrorFunction", std::string(loss->name)}};
  if (!loss->object.empty())
    json[std::string(loss->object)] = parameters(loss->params);
  if (bool fits = std::any_of(net.begin(), net.end(), [&](const Layer &layer) { return boosts(layer); });
      draws("boost", 0.3) && fits)
    json["DeltaBoost"] = {{"one", random.real(0.5, 3)}, {"zero", random.real(0.2, 1.5)}};
  if (draws("compatibility", 0.15))
    json["Compatibility"] = "dsstne";
  if (random.chance(0.35))
    json["Denoising"] = {{"p", random.real(0.05, 0.6)}};
  std::vector<Json> layers;
  for (const Layer &layer : net)
    layers.push_back(layerJson(layer));
  if (random.chance(0.2)) // files may name later layers as sources
    random.shuffle(layers);
  json["Layers"] = layers;
  json["Training"] = training();
  if (!json["Training"].contains("Schedule") && random.chance(0.5))
    json["Decay"] = random.real(0.001, 0.5);
  return json;
}

Case Generator::make() {
  loss = &vocab::losses()[seed % vocab::losses().size()];
  layers();
  for (size_t i = 0; i < net.size(); ++i)
    net[i].sameWidth = i;
  connect();
  poolings();
  skips();
  shares();
  widths();
  Case made;
  made.seed = seed;
  tables(made);
  made.json = network().dump(2);
  return made;
}
} // namespace

Case randomCase(uint64_t seed, const CaseLimits &limits) { return Generator(seed, limits).make(); }
} // namespace sn::test
