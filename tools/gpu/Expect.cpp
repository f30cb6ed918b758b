// sn-gpu-expect FOLDER [NETWORK.json...]: networks, data, weights and what the oracle makes of them, in our file
// formats, for a machine that has none of the compiler. README.md says what lies where.
#include "runtime/exec/Session.h"
#include "runtime/plan/Error.h"
#include "test/support/Features.h"
#include "test/support/PrecisionCases.h"
#include "test/support/Program.h"
#include "test/support/RandomNetwork.h"
#include "test/support/Tolerance.h"
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace sn::test {
namespace {
constexpr uint64_t kPool = 600; // random networks to choose from
constexpr int64_t kSteps = 3;
constexpr int64_t kTimes = 2; // that each feature is met by a random network, if the pool has as many
/// Small enough for three steps of each network in a few hundred KiB.
const CaseLimits kLimits{.parameters = 12000, .widest = 400};

std::string textOf(const std::string &path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

void write(const std::filesystem::path &path, const std::string &text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file)
    throw std::runtime_error(path.string() + ": cannot be written");
}

/// The examples of a step as a data set of their own, in order.
Tables rowsOf(const Tables &all, const std::vector<int64_t> &ids) {
  Tables some;
  some.indexed = all.indexed;
  for (const auto &[name, table] : all) {
    reference::DataTable &to = some[name] = table;
    const int64_t columns = table.values.columns;
    to.values = reference::Tensor(static_cast<int64_t>(ids.size()), columns);
    to.stored.clear();
    to.weights.clear();
    for (size_t i = 0; i < ids.size(); ++i) {
      for (int64_t column = 0; column < columns; ++column) {
        to.values(static_cast<int64_t>(i), column) = table.values(ids[i], column);
        if (table.sparse)
          to.stored.push_back(table.stored[static_cast<size_t>(ids[i] * columns + column)]);
      }
      if (!table.weights.empty())
        to.weights.push_back(table.weights[static_cast<size_t>(ids[i])]);
    }
  }
  return some;
}

/// Weights beyond which nothing is learned about the next step.
bool isModerate(const reference::State &state) {
  for (const auto &[name, tensor] : state.parameters)
    if (!(largest(tensor) < 20))
      return false;
  return true;
}

/// One network on its way into the folder.
class Expectation {
public:
  explicit Expectation(const Case &made)
      : made(made), network(made.json, made.name), program(compile(network, "")), narrow(narrowOf(program.plan)) {
    for (int64_t step = 1; step <= kSteps; ++step)
      tables.push_back(rowsOf(made.tables, made.batches.at(static_cast<size_t>(step - 1))));
    states = {network.initialState(made.tables)};
    Random random(made.seed + 5000);
    network.shake(states[0], random, 0.02);
    states[0] = storable(states[0], narrow);
  }

  /// False if the weights run away: no case then.
  bool ask() {
    mlir::ModuleOp net = network.differentiated();
    for (int64_t step = 1; step <= kSteps; ++step) {
      steps.push_back(expect(net, tables[static_cast<size_t>(step - 1)], atEpochStart(states.back()), run(step), narrow));
      states.push_back(storable(steps.back().nominal.after, narrow));
      if (!isModerate(states.back()) || !std::isfinite(steps.back().nominal.loss))
        return false;
    }
    evaluated = reference::interpret(net, "evaluate", tables[0], states[0], run(1));
    predicted = reference::interpret(net, "predict", tables[0], states[0], run(1));
    if (coarsestRounding(net) > 0) {
      noisyEvaluated = noisyRuns(net, "evaluate", tables[0], states[0], run(1));
      noisyPredicted = noisyRuns(net, "predict", tables[0], states[0], run(1));
    }
    return true;
  }

  void writeTo(const std::filesystem::path &folder) {
    std::filesystem::create_directories(folder);
    write(folder / "net.json", made.json);
    for (int64_t step = 0; step <= kSteps; ++step) {
      const Tables &data = tables[static_cast<size_t>(std::max<int64_t>(step - 1, 0))];
      if (step > 0) {
        writeData(data, (folder / fmt::format("step{}.h5", step)).string());
        writeWeights(data, tolerances(step), step, (folder / fmt::format("tolerance{}.h5", step)).string());
      }
      writeWeights(data, states[static_cast<size_t>(step)], step,
                   (folder / fmt::format("state{}.h5", step)).string());
    }
    write(folder / "expected.json", expected().dump() + "\n");
  }

private:
  /// Under "Compatibility": "dsstne" the optimizer's states are zero again when an epoch begins, as each step's does.
  reference::State atEpochStart(reference::State state) const {
    if (network.spec().dsstne)
      for (auto &[name, tensors] : state.states)
        for (reference::Tensor &tensor : tensors)
          std::fill(tensor.values.begin(), tensor.values.end(), 0);
    return state;
  }
  /// From the files' states, which are BF16 for parameters that are stored so; the oracle's are not.
  reference::State tolerances(int64_t step) const {
    const Expected &at = steps[static_cast<size_t>(step - 1)];
    reference::State to = tolerancesOf(at);
    for (const std::string &name : narrow) {
      const reference::Tensor &exact = at.nominal.after.parameters.at(name),
                              &stored = states[static_cast<size_t>(step)].parameters.at(name);
      for (size_t i = 0; i < exact.values.size(); ++i)
        to.parameters.at(name).values[i] += std::abs(exact.values[i] - stored.values[i]);
    }
    return to;
  }
  static int64_t rowsIn(const Tables &data) { return data.begin()->second.values.rows; }

  /// Step i is the only one of epoch i, the last one: that is how `snrt train --resume` makes one step.
  reference::Run run(int64_t step) const {
    std::vector<int64_t> ids(static_cast<size_t>(rowsIn(tables[static_cast<size_t>(step - 1)])));
    for (size_t i = 0; i < ids.size(); ++i)
      ids[i] = static_cast<int64_t>(i);
    reference::Run run = network.run(ids, step, step, 1);
    const frontend::Network &spec = network.spec();
    const auto at = static_cast<double>(step);
    run.hyper["Alpha"] =
        spec.schedule.record->rate({spec.hyper.at("Alpha"), at, at, 1, at}, spec.schedule.params.data());
    return run;
  }

  static void writeData(const Tables &data, const std::string &path) {
    rt::DataFileWriter writer(path, true);
    for (const auto &[name, set] : bind(data).sets)
      writer.write(name, *set);
    writer.finish();
    writer.commit();
  }

  /// After `step` steps. Also takes tolerances, which are one for each value.
  void writeWeights(const Tables &data, const reference::State &state, int64_t step,
                    const std::string &path) {
    rt::Session session(program.archive, program.plan, backend().open(program, 1), 1);
    const rt::Binding binding = bind(data);
    rt::Settings settings = rt::settle(session.plan(), {});
    settings.batch = 0; // as large as the largest step, since whoever goes on from the file takes it
    for (const Tables &one : tables)
      settings.batch = std::max(settings.batch, rowsIn(one));
    settings.epochs = step + 1;
    settings.shuffle = false;
    rt::Model model(session.plan(), session.device(), rt::resolveSymbols(session.plan(), &binding, nullptr),
                    session.workers());
    model.allocateStates(*settings.optimizer);
    auto floats = [](const reference::Tensor &tensor) {
      return std::vector<float>(tensor.values.begin(), tensor.values.end());
    };
    for (const auto &[name, tensor] : state.parameters)
      model.setParameter(name, floats(tensor));
    for (const auto &[name, tensors] : state.states)
      for (size_t i = 0; i < tensors.size(); ++i)
        model.setState(name, i, floats(tensors[i]));
    rt::CheckpointHeader header = session.header(model, settings, {step, step, 0}, binding);
    header.network = made.json;
    session.save(model, header, path, true);
  }

  /// What the commands say, and how far it may be off (compareLoss, compareSum, compareLists).
  nlohmann::json expected() const {
    auto rows = [&](int64_t step) { return static_cast<double>(rowsIn(tables[static_cast<size_t>(step - 1)])); };
    auto sum = [](double value, double more, double rows) {
      return nlohmann::json{{"value", value / rows}, {"allowed", (1e-5 * std::abs(value) + more + 1e-6) / rows}};
    };
    nlohmann::json all = {{"name", made.name},
                          {"examples", rowsIn(tables[0])},
                          {"precision", nameOf(network.spec().precision)},
                          {"evaluate", sum(evaluated.loss, roundingOfEvaluation(), rows(1))},
                          {"training", nlohmann::json::array()},
                          {"scores", nlohmann::json::object()},
                          {"rounding", nlohmann::json::object()}, // of scores
                          {"features", featuresOf(network.spec(), made.tables)}};
    for (int64_t step = 1; step <= kSteps; ++step) {
      const Expected &at = steps[static_cast<size_t>(step - 1)];
      const double loss = at.nominal.loss;
      all["training"].push_back(sum(loss, std::abs(at.flipped.loss - loss) + roundingOfLoss(at), rows(step)));
    }
    for (const auto &[layer, scores] : predicted.scores) {
      nlohmann::json lines = nlohmann::json::array();
      for (int64_t row = 0; row < scores.rows; ++row)
        lines.push_back(std::vector<float>(scores.values.begin() + row * scores.columns,
                                           scores.values.begin() + (row + 1) * scores.columns));
      all["scores"][layer] = lines;
      double rounding = 0;
      for (const reference::Result &noisy : noisyPredicted)
        rounding = std::max(rounding, 4 * largestDifference(noisy.scores.at(layer), scores));
      all["rounding"][layer] = rounding;
    }
    return all;
  }

  double roundingOfEvaluation() const {
    double most = 0;
    for (const reference::Result &noisy : noisyEvaluated)
      most = std::max(most, 4 * std::abs(noisy.loss - evaluated.loss));
    return most;
  }

  const Case &made;
  Network network;
  const Program program;
  const std::set<std::string> narrow; // parameters in BF16
  std::vector<Tables> tables;           // of each step
  std::vector<reference::State> states; // before each step, and after the last
  std::vector<Expected> steps;
  reference::Result evaluated, predicted;
  std::vector<reference::Result> noisyEvaluated, noisyPredicted; // where products are less than fp32
};

/// A network of the user's on data whose automatic layers have `columns`.
Case caseOf(const std::string &path, Storage storage, int64_t columns, uint64_t seed) {
  constexpr int64_t kRows = 40;
  Random random(seed);
  Case made{seed, textOf(path), {}, {}};
  made.name = std::filesystem::path(path).stem().string();
  const frontend::Network network = frontend::readNetworkText(made.json, path);
  for (const frontend::Layer &layer : network.layers)
    if (!layer.dataSet.empty() && !made.tables.contains(layer.dataSet))
      addTable(made.tables, layer.dataSet, random,
               {.rows = kRows,
                .columns = layer.automatic ? columns : layer.units,
                .storage = storage,
                .unitInterval = network.loss.record->unitInterval});
  for (int64_t step = 0; step < kSteps; ++step) {
    std::vector<int64_t> batch;
    for (int64_t row = step; row < kRows; ++row)
      batch.push_back((row * 7 + step) % kRows);
    made.batches.push_back(batch);
  }
  return made;
}

class Folder {
public:
  Folder(std::string path, int64_t most) : path(std::move(path)), most(most) {}

  void addFile(const std::string &network, int64_t columns) {
    const Storage storage = kStorages[(kStorages.size() - 1 + static_cast<size_t>(count)) % kStorages.size()];
    if (!add(caseOf(network, storage, columns, static_cast<uint64_t>(count) + 1)))
      userError("{}: its weights run away within {} steps", network, kSteps);
  }

  /// Networks of each precision beside fp32; `each` of them at most.
  void addPrecisions(int64_t each) {
    for (const plan::Precision precision : kNarrowPrecisions) {
      std::vector<Case> cases = casesOfPrecision(precision);
      if (each >= 0 && static_cast<int64_t>(cases.size()) > each)
        cases.resize(static_cast<size_t>(each));
      for (Case &made : cases) {
        made.name = fmt::format("{}-{}", made.name, nameOf(precision));
        while (made.batches.size() < static_cast<size_t>(kSteps))
          made.batches.push_back(made.batches.front());
        if (!add(made))
          throw std::logic_error(fmt::format("{}: its weights run away", made.name));
      }
    }
  }

  /// Random networks until each of neededFeatures() has been met often enough, those with most that is new first.
  void addRandom() {
    std::map<uint64_t, std::set<std::string>> pool;
    for (uint64_t seed = 0; seed < kPool; ++seed) {
      const Case made = randomCase(seed, kLimits);
      const frontend::Network network = frontend::readNetworkText(made.json, "a random network");
      if (!network.loss.record || made.batches.size() < kSteps || made.adjust || !hasOutput(network) ||
          dividesByGradients(network))
        continue;
      pool[seed] = featuresOf(network, made.tables);
    }
    for (int64_t added = 0; most < 0 || added < most;) {
      if (pool.empty())
        break;
      const uint64_t best = richest(pool);
      if (gain(pool.at(best)) == 0)
        break;
      Case made = randomCase(best, kLimits);
      made.name = fmt::format("random-{}", best);
      added += add(made);
      pool.erase(best);
    }
    std::vector<std::string> missing;
    for (const std::string &feature : neededFeatures())
      if (timesMet(feature) == 0)
        missing.push_back(feature);
    if (most < 0 && !missing.empty())
      throw std::logic_error(fmt::format("no random network has: {}", fmt::join(missing, ", ")));
  }

private:
  int64_t timesMet(const std::string &feature) const {
    auto found = met.find(feature);
    return found == met.end() ? 0 : found->second;
  }
  /// States cleared every epoch, which here is every step: a rule that divides by one divides by the gradient's own
  /// size, and rounding decides where that is about zero.
  static bool dividesByGradients(const frontend::Network &network) {
    return network.dsstne && !network.optimizer.record->states.empty();
  }
  static bool hasOutput(const frontend::Network &network) {
    return std::any_of(network.layers.begin(), network.layers.end(),
                       [](const frontend::Layer &layer) { return layer.kind == frontend::LayerKind::Output; });
  }
  int64_t gain(const std::set<std::string> &features) const {
    int64_t fresh = 0;
    for (const std::string &feature : neededFeatures())
      fresh += features.contains(feature) && timesMet(feature) < kTimes;
    return fresh;
  }
  uint64_t richest(const std::map<uint64_t, std::set<std::string>> &pool) const {
    return std::max_element(pool.begin(), pool.end(),
                            [&](const auto &a, const auto &b) { return gain(a.second) < gain(b.second); })
        ->first;
  }

  bool add(const Case &made) {
    Expectation expectation(made);
    if (!expectation.ask())
      return false;
    expectation.writeTo(std::filesystem::path(path) / fmt::format("{:02}-{}", ++count, made.name));
    fmt::print("{}\n", made.name);
    const frontend::Network network = frontend::readNetworkText(made.json, made.name);
    for (const std::string &feature : featuresOf(network, made.tables))
      ++met[feature];
    return true;
  }

  const std::string path;
  const int64_t most; // random networks; -1: as many as it takes
  int64_t count = 0;
  std::map<std::string, int64_t> met; // features, and by how many networks
};
} // namespace
} // namespace sn::test

int main(int argc, char **argv) {
  CLI::App app("Writes networks, data, weights and what the double-precision oracle makes of them.");
  std::string folder;
  std::vector<std::string> networks;
  int64_t most = -1, columns = 200;
  app.add_option("folder", folder, "Folder to write, a folder in it for each network")->required();
  app.add_option("networks", networks, "Networks that are packed before the random ones");
  app.add_option("--random", most, "Random networks at most (default: until every record has been met)");
  app.add_option("--columns", columns, "Width of the automatic layers of the given networks (default 200)");
  CLI11_PARSE(app, argc, argv);
  try {
    sn::test::Folder to(folder, most);
    for (const std::string &network : networks)
      to.addFile(network, columns);
    to.addPrecisions(most < 0 ? -1 : std::min<int64_t>(1, most));
    to.addRandom();
  } catch (const sn::UserError &problem) {
    return fmt::print(stderr, "sn-gpu-expect: {}\n", problem.what()), 1;
  }
}
