#include "tools/snrt/TrainingRun.h"
#include "runtime/exec/DiskRoom.h"
#include "runtime/exec/SameNetwork.h"
#include "runtime/hal/Remarks.h"
#include "tools/snrt/Output.h"
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fmt/ranges.h>

namespace sn::snrt {
namespace {
constexpr int64_t kLinesPerEpoch = 50; // of kind `batches`

/// The weights file to write; what stands there may be replaced with --force, or if it is what is resumed.
std::string checkedOutput(const TrainOptions &options) {
  if (!options.resume.empty() && (options.out.empty() || options.out == options.resume))
    return options.resume;
  std::string out = options.out.empty() ? weightsPathFor(options.plan) : options.out;
  refuseExisting(out, options.force);
  rt::refuseOverwriting(out, {options.plan, options.data, options.validation, options.heldOut.truth});
  return out;
}

rt::Settings trainingSettings(const plan::Plan &plan, const rt::Overrides &overrides) {
  rt::Settings settings = rt::settle(plan, overrides);
  if (!settings.optimizer)
    userError("the plan has no optimizer, so it cannot be trained");
  return settings;
}

std::string metricsPathFor(const std::string &weights) {
  return (std::filesystem::path(weights).parent_path() / "metrics.jsonl").string();
}
std::string fileName(const std::string &path) { return std::filesystem::path(path).filename().string(); }

/// To go on takes the same network; to start from weights takes its parameters, and the loss, denoising and the like
/// may be others.
std::optional<rt::CheckpointReader> openWeights(const TrainOptions &options, const rt::Session &session) {
  if (!plan::findEntry(session.plan(), "train"))
    userError("'{}': nothing to train: the network '{}' has no Output layer; snrt predict uses it with weights of a "
              "network that has its layers",
              options.plan, session.plan().network);
  const std::string &wish = options.resume.empty() ? options.from : options.resume,
                    &path = wish.empty() ? session.plan().training.weights : wish;
  if (path.empty())
    return std::nullopt;
  if (wish.empty() && !std::filesystem::exists(path))
    userError("'{}': the network's WeightsData is '{}', and there is no such file; --from names another one",
              options.plan, path);
  rt::CheckpointReader reader(path);
  if (wish.empty())
    fmt::print(stderr, "snrt: training starts with the weights of '{}' (the network's WeightsData)\n", path);
  const std::string &network = reader.header().network;
  if (!options.resume.empty())
    rt::requireSameNetwork(options.plan, session.network(), path, network);
  else if (std::string found = rt::networkDifference(options.plan, session.network(), path, network); !found.empty())
    fmt::print(stderr, "snrt: {}; its parameters are taken as they are\n", found);
  return reader;
}

/// What is loaded to measure by.
std::vector<HeldData> heldData(const TrainOptions &options) {
  if (options.heldOut.truth.empty())
    return {};
  std::vector<HeldData> held = {{options.heldOut.truth, {"output", "input"}}};
  if (!options.heldOut.exclude.empty())
    held.push_back({options.data, {options.heldOut.exclude}});
  return held;
}

/// As a shell takes it for one word.
std::string quoted(const std::string &word) {
  bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) || std::string_view("_./+:,=@%-").find(c) != std::string_view::npos;
  });
  if (plain)
    return word;
  std::string text = "'";
  for (char c : word)
    text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}
} // namespace

TrainingRun::TrainingRun(const TrainOptions &options)
    : options(options),
      cadence(options.checkpointEvery.empty() ? rt::Cadence{}
                                              : rt::parseCadence(options.checkpointEvery, "--checkpoint-every")),
      out(checkedOutput(options)), replace(options.force || out == options.resume), lock(out), interrupt(lock.file()),
      file(rt::DataFile::open(options.data)), session(options.plan, options.run.device),
      weights(openWeights(options, session)), begin(makeStart()), settings(begin.settings),
      forecast(forecastTraining(session, settings, file, weights ? weights->path() : "", options.validation,
                                heldData(options), options.run)),
      data(rt::bindData(session.plan(), rt::dataSetsOf(session.entry("train")), file,
                        rt::parseAliases(options.run.bind))),
      model(session.plan(), session.device(),
            rt::resolveSymbols(session.plan(), &data, weights ? &weights->header() : nullptr), session.workers()),
      metrics(metricsPathFor(out), options.run.json) {
  timeSteps(session, options.run);
  printNotes(data);
  sayReading(data, settings, forecast);
  model.allocateStates(*settings.optimizer);
  model.factor(settings, data);
  rt::requireDiskRoom(out, rt::checkpointBytes(model, session.header(model, settings, {}, data)), cadence.any());
  if (weights)
    loadWeights();
  else
    model.initialize(settings.seed);
  prepareMeasures();
  for (const std::string &note : begin.notes)
    fmt::print(stderr, "snrt: {}\n", note);
}

rt::Start TrainingRun::makeStart() {
  if (!options.resume.empty())
    return rt::resumeFrom(session.plan(), *weights, options.overrides);
  return {trainingSettings(session.plan(), options.overrides), {}, {}, {}};
}

void TrainingRun::loadWeights() {
  rt::checkColumnNames(data, weights->header());
  if (!options.resume.empty())
    rt::checkExamples(*weights, data, begin);
  model.load(*weights, !options.resume.empty());
  weights.reset(); // a file that stays open would keep its place on the disk when it is replaced
}

/// The arena is one for all entries, so it is as large as any needs before the first is prepared.
void TrainingRun::prepareMeasures() {
  int64_t floats = rt::Trainer::bufferCount(session.plan(), model.extents(std::min(settings.batch, data.rows)));
  if (!options.validation.empty()) {
    bindValidation();
    rt::Extents extents = model.extents(std::min(settings.batch, validationData.rows));
    floats = std::max(floats, rt::EntryRun::bufferCount(session.entry("evaluate"), extents));
  }
  if (!options.heldOut.truth.empty())
    floats = std::max(floats, rt::HeldOut::bufferCount(model, settings, data.rows));
  model.arena(floats);
  if (!options.validation.empty())
    validation.emplace(model, "evaluate", validationData, std::min(settings.batch, validationData.rows), nullptr);
  if (options.heldOut.truth.empty())
    return;
  rt::HeldOutWish wish = options.heldOut;
  wish.layer = rankedLayer(session.plan(), wish.layer);
  heldOut.emplace(model, settings, file, rt::parseAliases(options.run.bind), wish);
}

void TrainingRun::bindValidation() {
  rt::DataFile held = rt::DataFile::open(options.validation);
  held.stream(file.streaming());
  validationData =
      rt::bindData(session.plan(), rt::dataSetsOf(session.entry("evaluate")), held, rt::parseAliases(options.run.bind));
  for (const auto &[name, set] : validationData.sets)
    if (auto own = data.sets.find(name); own != data.sets.end())
      rt::checkColumnNames(*set, options.validation, own->second->columnNames.get());
}

double TrainingRun::secondsSinceStart() const { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// What the device says of how it runs the plan, and which steps are factored.
std::vector<std::string> TrainingRun::remarks() {
  const auto *device = dynamic_cast<const rt::Remarks *>(&session.device());
  std::vector<std::string> lines = device ? device->remarks() : std::vector<std::string>();
  for (const rt::FactoringAnswer &answer : model.factor(settings, data))
    lines.push_back(answer.text());
  return lines;
}

void TrainingRun::announce(rt::Trainer &trainer) {
  if (!options.run.json)
    fmt::print("{}: {} examples, {} parameters, {}, batch {}, {} epochs, seed {}\n", session.plan().network, data.rows,
               model.parameterBytes() / static_cast<int64_t>(sizeof(float)), settings.optimizer->name, settings.batch,
               settings.epochs, settings.seed);
  if (!options.run.json)
    for (const std::string &line : remarks())
      fmt::print("{}\n", line);
  if (!options.resume.empty() && !options.run.json)
    fmt::print("resumed after step {}: epoch {}, example {}\n", begin.position.step, begin.position.epoch + 1,
               begin.position.example);
  metrics.write(runRecord(trainer));
}

nlohmann::json TrainingRun::runRecord(rt::Trainer &trainer) {
  nlohmann::json line = {{"kind", "run"},
                         {"version", 1},
                         {"network", session.plan().network},
                         {"plan", fileName(options.plan)},
                         {"data", fileName(options.data)},
                         {"weights", fileName(out)},
                         {"device", session.device().description()},
                         {"settings", rt::recordOf(settings)},
                         {"examples", data.rows},
                         {"parameters", model.parameterBytes() / static_cast<int64_t>(sizeof(float))},
                         {"datasets", rt::recordOf(data)},
                         {"memory", forecast.needs},
                         {"data_way", forecast.way},
                         {"estimate", {{"seconds_per_epoch", forecast.seconds}}},
                         {"graph", rt::graphOf(trainer.run().entry())}};
  if (const std::vector<std::string> said = remarks(); !said.empty())
    line["remarks"] = said;
  if (!options.resume.empty())
    line["resumed"] = rt::recordOf(begin.position);
  return line;
}

rt::Trainer::OnBatch TrainingRun::watcher(rt::Trainer &trainer, Progress &progress) {
  int64_t every = (trainer.stepsPerEpoch() + kLinesPerEpoch - 1) / kLinesPerEpoch;
  return [this, &trainer, &progress, every, loss = 0.0, rows = int64_t(0)](const rt::BatchReport &batch) mutable {
    const rt::Position &at = trainer.position();
    progress.update(at.example);
    lastAlpha = batch.alpha;
    if (batch.diverging)
      sayBraked(at, batch, progress);
    loss += batch.loss;
    rows += batch.rows;
    if (trainer.sums().steps % every == 0 || at.example == data.rows) {
      metrics.write({{"kind", "batches"},
                     {"epoch", at.epoch + 1},
                     {"step", at.step},
                     {"examples", at.example},
                     {"training", loss / static_cast<double>(rows)},
                     {"alpha", batch.alpha},
                     {"seconds", secondsSinceStart()}});
      loss = 0;
      rows = 0;
    }
    if (cadence.seconds > 0 && std::chrono::duration<double>(Clock::now() - lastSave).count() >= cadence.seconds)
      checkpoint(trainer);
    return interrupt.signal() == 0;
  };
}

void TrainingRun::sayBraked(const rt::Position &at, const rt::BatchReport &batch, Progress &progress) {
  progress.clear();
  fmt::print(stderr,
             "snrt: step {}: the loss of the batch, {:g}, is more than twice its moving average, {:g}: no update, then "
             "24 steps at a tenth of the learning rate (divergence brake of \"Compatibility\": \"dsstne\")\n",
             at.step, batch.loss, *batch.diverging);
  metrics.write({{"kind", "brake"},
                 {"epoch", at.epoch + 1},
                 {"step", at.step},
                 {"loss", batch.loss},
                 {"average", *batch.diverging}});
}

std::optional<nlohmann::json> TrainingRun::measure(const rt::Position &at) {
  nlohmann::json measured = nlohmann::json::object();
  if ((validation && !measureValidation(at, measured)) || (heldOut && !measureHeldOut(measured)))
    return std::nullopt;
  return measured;
}

bool TrainingRun::measureHeldOut(nlohmann::json &measured) {
  std::optional<rt::RankingReport> report = heldOut->measure([this] { return interrupt.signal() != 0; });
  if (report && report->users > 0)
    measured["ranking"] = rt::recordOf(*report);
  return report.has_value();
}

bool TrainingRun::measureValidation(const rt::Position &at, nlohmann::json &measured) {
  try {
    std::optional<double> loss = rt::averageLoss(*validation, settings, at, [this] { return interrupt.signal() != 0; });
    if (!loss)
      return false;
    measured["validation"] = *loss;
  } catch (const UserError &problem) { // infinite on this data: no reason to lose the training
    fmt::print(stderr, "snrt: {}\n", problem.what());
    measured["validation"] = nullptr;
  }
  return true;
}

void TrainingRun::reportEpoch(const rt::EpochReport &report, const nlohmann::json &measured) {
  nlohmann::json line = rt::recordOf(report);
  line["weights"] = fileName(out);
  line.update(measured);
  metrics.write(line);
  if (options.run.json)
    return;
  if (options.onEpoch)
    return options.onEpoch(report);
  std::string more;
  if (measured.contains("validation") && measured["validation"].is_number())
    more = fmt::format(", validation {:.6f}", measured["validation"].get<double>());
  std::string found;
  if (measured.contains("ranking"))
    for (int64_t k : options.heldOut.at)
      for (const char *measure : {"recall", "ndcg", "precision"})
        if (std::string name = fmt::format("{}@{}", measure, k); measured["ranking"].contains(name))
          found += fmt::format(", {} {:.4f}", name, measured["ranking"][name].get<double>());
  fmt::print(
      "epoch {}: average error {:.6f} (training {:.6f}, regularization {:.6f}{}){}, {:.2f} s, {:.0f} examples/s\n",
      report.epoch, report.training + report.regularization, report.training, report.regularization, more, found,
      report.seconds, report.examplesPerSecond);
  std::fflush(stdout);
}

bool TrainingRun::trainEpoch(rt::Trainer &trainer) {
  {
    Progress progress(fmt::format("epoch {}/{}", trainer.position().epoch + 1, settings.epochs), data.rows, "examples",
                      options.run.json);
    if (!trainer.runEpoch(watcher(trainer, progress)))
      return false;
  }
  // Until it has been measured the epoch is not closed: a checkpoint then leaves its report to the resumed run.
  const rt::Position &at = trainer.position();
  std::optional<nlohmann::json> measured = measure({at.step, at.epoch + 1, 0});
  if (!measured)
    return false;
  rt::EpochReport report = trainer.closeEpoch();
  reportEpoch(report, *measured);
  if (cadence.epochs > 0 && report.epoch % cadence.epochs == 0 && report.epoch < settings.epochs)
    checkpoint(trainer);
  return interrupt.signal() == 0;
}

void TrainingRun::save(rt::Trainer &trainer) {
  const rt::Position &at = trainer.position();
  if (saved == at)
    return;
  Clock::time_point before = Clock::now();
  session.save(model, session.header(model, settings, at, data, trainer.sums()), out, replace);
  replace = true;
  saved = at;
  lastSave = Clock::now();
  nlohmann::json line = rt::recordOf(at);
  line.update({{"kind", "checkpoint"},
               {"path", fileName(out)},
               {"seconds", std::chrono::duration<double>(lastSave - before).count()}});
  metrics.write(line);
  if (options.onCheckpoint)
    options.onCheckpoint(at);
}

void TrainingRun::checkpoint(rt::Trainer &trainer) {
  try {
    save(trainer);
  } catch (const rt::NotFiniteTensor &) {
    throw;
  } catch (const UserError &problem) {
    lastSave = Clock::now();
    fmt::print(stderr, "snrt: no checkpoint after step {}: {}; training goes on\n", trainer.position().step,
               problem.what());
  }
}

bool TrainingRun::isFinished() const {
  return out == options.resume && begin.position.example == 0 && begin.position.epoch >= settings.epochs;
}

int TrainingRun::run() {
  if (isFinished()) {
    fmt::print(stderr, "snrt: '{}' has finished its {} epochs; --epochs {} goes on\n", out, settings.epochs,
               2 * std::max<int64_t>(1, settings.epochs));
    return 0;
  }
  rt::Trainer trainer(model, settings, data);
  trainer.resume(begin.position, begin.sums);
  interrupt.save();
  announce(trainer);
  lastSave = Clock::now();
  try {
    while (trainer.position().epoch < settings.epochs && trainEpoch(trainer)) {
    }
    save(trainer);
  } catch (const rt::Diverged &problem) {
    diverged(trainer, problem.what());
  } catch (const rt::NotFiniteTensor &problem) {
    const rt::Position &at = trainer.position();
    diverged(trainer, fmt::format("training has diverged by step {} (epoch {}): {}. {}", at.step,
                                  at.epoch + (at.example > 0), problem.what(), rt::divergenceAdvice(lastAlpha)));
  }
  return finish(trainer);
}

int TrainingRun::finish(rt::Trainer &trainer) {
  const rt::Position &at = trainer.position();
  bool finished = at.epoch >= settings.epochs;
  metrics.write(rt::profileOf(trainer.run(), rt::workOf(trainer.run(), model, settings)));
  if (options.run.profile && !options.run.json)
    printProfile("train", trainer.run().profile(), rt::workOf(trainer.run(), model, settings), false);
  nlohmann::json end = rt::recordOf(at);
  end.update({{"kind", "end"},
              {"reason", finished ? "finished" : "interrupted"},
              {"seconds", secondsSinceStart()},
              {"weights", fileName(out)}});
  if (!finished)
    end["resume"] = goOnCommand();
  metrics.write(end);
  if (!options.run.json && !(options.passing && finished))
    fmt::print("weights: {}\n", out);
  if (finished)
    return 0;
  fmt::print(stderr, "snrt: interrupted after step {} (epoch {}, {} of {} examples); to go on:\n{}\n", at.step,
             at.epoch + 1, at.example, data.rows, goOnCommand());
  return 128 + interrupt.signal();
}

void TrainingRun::diverged(rt::Trainer &trainer, const std::string &what) {
  std::string kept = saved                   ? fmt::format("The last checkpoint, of step {}, is '{}'", saved->step, out)
                     : out == options.resume ? fmt::format("'{}' is as it was", out)
                                             : "No weights were written";
  metrics.write(rt::profileOf(trainer.run(), rt::workOf(trainer.run(), model, settings)));
  nlohmann::json end = rt::recordOf(trainer.position());
  end.update({{"kind", "end"},
              {"reason", "diverged"},
              {"seconds", secondsSinceStart()},
              {"weights", saved ? nlohmann::json(fileName(out)) : nlohmann::json()},
              {"message", what}});
  metrics.write(end);
  userError("{}. {}", what, kept);
}

std::string TrainingRun::goOnCommand() const {
  std::string command =
      fmt::format("snrt train {} {} --resume {}", quoted(options.plan), quoted(options.data), quoted(out));
  if (!options.validation.empty())
    command += " --validation " + quoted(options.validation);
  if (!options.heldOut.truth.empty()) {
    command += fmt::format(" --truth {} --at {}", quoted(options.heldOut.truth), fmt::join(options.heldOut.at, ","));
    if (!options.heldOut.exclude.empty())
      command += " --exclude " + quoted(options.heldOut.exclude);
    if (!options.heldOut.layer.empty())
      command += " --layer " + quoted(options.heldOut.layer);
  }
  if (!options.checkpointEvery.empty())
    command += " --checkpoint-every " + quoted(options.checkpointEvery);
  if (options.run.stream)
    command += " --stream";
  if (!options.run.device.level.empty())
    command += " --level " + quoted(options.run.device.level);
  for (const std::string &bind : options.run.bind)
    command += " --bind " + quoted(bind);
  return command;
}
} // namespace sn::snrt
