#include "test/support/RandomNetwork.h"
#include "dialects/Vocabulary/Records.h"
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

namespace sn::test {
namespace {
using Json = nlohmann::ordered_json;
enum class Kind { Input, Hidden, Output };

struct Layer {
  Kind kind = Kind::Hidden;
  std::string name = {}, dataSet = {};
  int64_t units = 1;
  bool automatic = false;
  std::vector<size_t> sources = {};
  const vocab::Activation *activation = nullptr;
};

class Generator {
public:
  Generator(uint64_t seed, const CaseLimits &limits) : seed(seed), limits(limits), random(seed) {}
  Case make();

private:
  void layers();
  void connect();
  void widths();
  void tables(Case &made);
  Json layerJson(const Layer &layer);
  Json weightInit(const Layer &layer);
  Json training();
  Json network();
  Json parameters(std::span<const vocab::Param> params);
  int64_t width();
  int64_t parameterCount() const;
  const vocab::Activation *outputActivation();

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
    if (activation.unitInterval || !loss->unitInterval)
      fitting.push_back(&activation);
  return random.pick(fitting);
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

int64_t Generator::parameterCount() const {
  int64_t count = 0;
  for (const Layer &layer : net)
    for (size_t from : layer.sources)
      count += net[from].units * layer.units;
  return count;
}

/// Layers of one data set have its columns for width; a layer of fixed width may be wider than its data.
void Generator::widths() {
  for (Layer &layer : net)
    layer.units = width();
  while (parameterCount() > limits.parameters) {
    auto widest =
        std::max_element(net.begin(), net.end(), [](const Layer &a, const Layer &b) { return a.units < b.units; });
    widest->units = widest->units * 2 / 3;
  }
  std::map<std::string, const Layer *> first;
  for (Layer &layer : net) {
    if (layer.dataSet.empty())
      continue;
    auto [known, isNew] = first.try_emplace(layer.dataSet, &layer);
    if (!isNew) {
      layer.units = known->second->units;
      layer.automatic = known->second->automatic;
      continue;
    }
    layer.automatic = random.chance(0.6);
    columns[layer.dataSet] = layer.automatic || random.chance(0.8) ? layer.units : random.integer(1, layer.units);
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
  for (const auto &[name, width] : columns)
    made.tables[name] = randomTable(random, {.rows = rows,
                                             .columns = width,
                                             .storage = random.pick(kStorages),
                                             .unitInterval = loss->unitInterval && targets.count(name) > 0});
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

Json Generator::layerJson(const Layer &layer) {
  static const char *kinds[] = {"Input", "Hidden", "Output"};
  Json json{{"Kind", kinds[static_cast<int>(layer.kind)]}, {"Name", layer.name}};
  if (layer.automatic)
    json["N"] = "auto";
  else
    json["N"] = layer.units;
  if (!layer.dataSet.empty())
    json["DataSet"] = layer.dataSet;
  if (random.chance(0.6))
    json["Sparse"] = true;
  if (layer.kind == Kind::Input) {
    if (random.chance(0.15))
      json["pDropout"] = random.real(0.05, 0.6);
    return json;
  }
  for (size_t from : layer.sources)
    json["Source"].push_back(net[from].name);
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
  const vocab::Schedule &schedule = random.pick(vocab::schedules());
  json["Schedule"] = parameters(schedule.params);
  json["Schedule"]["Kind"] = std::string(schedule.name);
  return json;
}

Json Generator::network() {
  Json json{{"Version", 0.9}, {"Name", "seed " + std::to_string(seed)}, {"ErrorFunction", std::string(loss->name)}};
  if (!loss->object.empty())
    json[std::string(loss->object)] = parameters(loss->params);
  if (random.chance(0.35))
    json["Denoising"] = {{"p", random.real(0.05, 0.6)}};
  std::vector<Json> layers;
  for (const Layer &layer : net)
    layers.push_back(layerJson(layer));
  if (random.chance(0.2)) // files may name later layers as sources
    random.shuffle(layers);
  json["Layers"] = layers;
  json["Training"] = training();
  return json;
}

Case Generator::make() {
  loss = &vocab::losses()[seed % vocab::losses().size()];
  layers();
  connect();
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
