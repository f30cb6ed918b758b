#include "tools/snrt/TrainingRun.h"
#include "tools/snrt/Output.h"
#include <filesystem>

namespace sn::snrt {
namespace {
constexpr int64_t kLinesPerEpoch = 50; // of kind `batches`

std::string checkedOutput(const TrainOptions &options) {
  std::string out = options.out.empty() ? weightsPathFor(options.plan) : options.out;
  refuseExisting(out, options.force);
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
} // namespace

TrainingRun::TrainingRun(const TrainOptions &options)
    : options(options), file(rt::DataFile::open(options.data)), out(checkedOutput(options)),
      session(options.plan, options.run.device), settings(trainingSettings(session.plan(), options.overrides)),
      data(rt::bindData(session.plan(), rt::dataSetsOf(session.entry("train")), file,
                        rt::parseAliases(options.run.bind))),
      model(makeModel()), metrics(metricsPathFor(out), options.run.json) {
  printNotes(data);
  model.allocateStates(*settings.optimizer);
  if (from) {
    rt::checkColumnNames(data, from->header());
    model.load(*from, false);
    from.reset();
  } else
    model.initialize(settings.seed);
  if (!options.validation.empty())
    prepareValidation();
}

rt::Model TrainingRun::makeModel() {
  if (!options.from.empty())
    from.emplace(options.from);
  return rt::Model(session.plan(), session.device(),
                   rt::resolveSymbols(session.plan(), &data, from ? &from->header() : nullptr), session.workers());
}

void TrainingRun::prepareValidation() {
  rt::DataFile held = rt::DataFile::open(options.validation);
  validationData =
      rt::bindData(session.plan(), rt::dataSetsOf(session.entry("evaluate")), held, rt::parseAliases(options.run.bind));
  for (const auto &[name, set] : validationData.sets)
    if (auto own = data.sets.find(name); own != data.sets.end())
      rt::checkColumnNames(*set, options.validation, own->second->columnNames.get());
  int64_t rows = std::min(settings.batch, validationData.rows);
  int64_t training =
      rt::EntryRun::bufferCount(session.entry("train"), model.extents(std::min(settings.batch, data.rows)));
  model.arena(std::max(training, rt::EntryRun::bufferCount(session.entry("evaluate"), model.extents(rows))));
  validation.emplace(model, "evaluate", validationData, rows, nullptr);
}

double TrainingRun::secondsSinceStart() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void TrainingRun::announce(rt::Trainer &trainer) {
  printNeeds(needsOf(model, data.bytes() + validationData.bytes()), session.device().description());
  if (!options.run.json)
    fmt::print("{}: {} examples, {} parameters, {}, batch {}, {} epochs, seed {}\n", session.plan().network, data.rows,
               model.parameterBytes() / static_cast<int64_t>(sizeof(float)), settings.optimizer->name, settings.batch,
               settings.epochs, settings.seed);
  metrics.write(runRecord(trainer));
}

nlohmann::json TrainingRun::runRecord(rt::Trainer &trainer) {
  Needs needs = needsOf(model, data.bytes() + validationData.bytes());
  return {{"kind", "run"},
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
          {"memory",
           {{"parameters", needs.parameters},
            {"states", needs.states},
            {"buffers", needs.buffers},
            {"workspace", needs.workspace},
            {"data", needs.data},
            {"total", needs.total()}}},
          {"graph", rt::graphOf(trainer.run().entry())}};
}

rt::Trainer::OnBatch TrainingRun::watcher(rt::Trainer &trainer, Progress &progress) {
  int64_t every = (trainer.stepsPerEpoch() + kLinesPerEpoch - 1) / kLinesPerEpoch;
  return [this, &trainer, &progress, every, loss = 0.0, rows = int64_t(0)](const rt::BatchReport &batch) mutable {
    const rt::Position &at = trainer.position();
    progress.update(at.example);
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
    return true;
  };
}

nlohmann::json TrainingRun::measure(const rt::Position &at) {
  nlohmann::json measured = nlohmann::json::object();
  if (validation)
    measured["validation"] = rt::averageLoss(*validation, settings, at);
  return measured;
}

void TrainingRun::reportEpoch(const rt::EpochReport &report, const nlohmann::json &measured) {
  nlohmann::json line = rt::recordOf(report);
  line["weights"] = fileName(out);
  line.update(measured);
  metrics.write(line);
  if (options.run.json)
    return;
  std::string more;
  if (measured.contains("validation"))
    more = fmt::format(", validation {:.6f}", measured["validation"].get<double>());
  fmt::print("epoch {}: average error {:.6f} (training {:.6f}, regularization {:.6f}{}), {:.2f} s, {:.0f} examples/s\n",
             report.epoch, report.training + report.regularization, report.training, report.regularization, more,
             report.seconds, report.examplesPerSecond);
  std::fflush(stdout);
}

void TrainingRun::run() {
  rt::Trainer trainer(model, settings, data);
  announce(trainer);
  while (trainer.position().epoch < settings.epochs) {
    {
      Progress progress(fmt::format("epoch {}/{}", trainer.position().epoch + 1, settings.epochs), data.rows,
                        "examples", options.run.json);
      trainer.runEpoch(watcher(trainer, progress));
    }
    rt::EpochReport report = trainer.closeEpoch();
    reportEpoch(report, measure(trainer.position()));
  }
  session.save(model, session.header(model, settings, trainer.position(), data), out, options.force);
  metrics.write(rt::profileOf(trainer.run()));
  if (options.run.profile && !options.run.json)
    printProfile("train", trainer.run().profile(), false);
  nlohmann::json end = rt::recordOf(trainer.position());
  end.update({{"kind", "end"}, {"reason", "finished"}, {"seconds", secondsSinceStart()}, {"weights", fileName(out)}});
  metrics.write(end);
  if (!options.run.json)
    fmt::print("weights: {}\n", out);
}
} // namespace sn::snrt
