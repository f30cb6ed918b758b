// snrt train: forward, backward and update, epoch by epoch, to a weights file.
#include "tools/snrt/Options.h"
#include "tools/snrt/Output.h"
#include <filesystem>
#include <fstream>

namespace sn::snrt {
namespace {
struct TrainOptions {
  std::string plan, data, out, from, validation;
  bool force = false;
  RunOptions run;
  rt::Overrides overrides;
};

/// A second data file whose loss is measured after every epoch.
struct Validation {
  rt::Binding data;
  std::optional<rt::EntryRun> run;
};

class Training {
public:
  explicit Training(const TrainOptions &options);
  void run();

private:
  rt::Binding bindValidation() const;
  rt::Model makeModel();
  nlohmann::json record(const rt::EpochReport &report, std::optional<double> validation) const;

  const TrainOptions &options;
  rt::DataFile file;
  std::string out;
  rt::Session session;
  rt::Settings settings;
  rt::Binding data;
  std::optional<rt::CheckpointReader> from;
  rt::Model model;
  Validation validation;
};

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

Training::Training(const TrainOptions &options)
    : options(options), file(rt::DataFile::open(options.data)), out(checkedOutput(options)),
      session(options.plan, options.run.device), settings(trainingSettings(session.plan(), options.overrides)),
      data(rt::bindData(session.plan(), rt::dataSetsOf(session.entry("train")), file,
                        rt::parseAliases(options.run.bind))),
      model(makeModel()) {
  printNotes(data);
  model.allocateStates(*settings.optimizer);
  if (from) {
    rt::checkColumnNames(data, from->header());
    model.load(*from, false);
  } else
    model.initialize(settings.seed);
  int64_t buffers =
      rt::EntryRun::bufferCount(session.entry("train"), model.extents(std::min(settings.batch, data.rows)));
  if (!options.validation.empty()) {
    validation.data = bindValidation();
    for (const auto &[name, set] : validation.data.sets)
      if (auto own = data.sets.find(name); own != data.sets.end())
        rt::checkColumnNames(*set, options.validation, own->second->columnNames.get());
    int64_t rows = std::min(settings.batch, validation.data.rows);
    buffers = std::max(buffers, rt::EntryRun::bufferCount(session.entry("evaluate"), model.extents(rows)));
    model.arena(buffers);
    validation.run.emplace(model, "evaluate", validation.data, rows, nullptr);
  }
}

rt::Model Training::makeModel() {
  if (!options.from.empty())
    from.emplace(options.from);
  return rt::Model(session.plan(), session.device(),
                   rt::resolveSymbols(session.plan(), &data, from ? &from->header() : nullptr), session.workers());
}

rt::Binding Training::bindValidation() const {
  rt::DataFile held = rt::DataFile::open(options.validation);
  return rt::bindData(session.plan(), rt::dataSetsOf(session.entry("evaluate")), held,
                      rt::parseAliases(options.run.bind));
}

void Training::run() {
  rt::Trainer trainer(model, settings, data);
  printNeeds(needsOf(model, data.bytes() + validation.data.bytes()), session.device().description());
  if (!options.run.json)
    fmt::print("{}: {} examples, {} parameters, {}, batch {}, {} epochs, seed {}\n", session.plan().network, data.rows,
               model.parameterBytes() / static_cast<int64_t>(sizeof(float)), settings.optimizer->name, settings.batch,
               settings.epochs, settings.seed);
  std::string metricsPath = (std::filesystem::path(out).parent_path() / "metrics.jsonl").string();
  std::ofstream metrics(metricsPath, std::ios::app);
  if (!metrics)
    userError("cannot write '{}'", metricsPath);
  for (int64_t epoch = 0; epoch < settings.epochs; ++epoch) {
    rt::EpochReport report;
    {
      Progress progress(fmt::format("epoch {}/{}", epoch + 1, settings.epochs), data.rows, "examples",
                        options.run.json);
      report = trainer.trainEpoch([&](int64_t examples) { progress.update(examples); });
    }
    std::optional<double> held;
    if (validation.run)
      held = rt::averageLoss(*validation.run, settings, trainer.position());
    nlohmann::json line = record(report, held);
    metrics << line.dump() << std::endl;
    if (options.run.json)
      fmt::print("{}\n", line.dump());
    else
      fmt::print(
          "epoch {}: average error {:.6f} (training {:.6f}, regularization {:.6f}{}), {:.2f} s, {:.0f} examples/s\n",
          report.epoch, report.training + report.regularization, report.training, report.regularization,
          held ? fmt::format(", validation {:.6f}", *held) : "", report.seconds,
          static_cast<double>(report.examples) / report.seconds);
    std::fflush(stdout);
  }
  session.save(model, session.header(model, settings, trainer.position(), data), out, options.force);
  if (options.run.profile)
    printProfile("train", trainer.run().profile(), options.run.json);
  if (options.run.json)
    fmt::print(
        "{}\n",
        nlohmann::json{{"weights", out}, {"epochs", trainer.position().epoch}, {"steps", trainer.position().step}}
            .dump());
  else
    fmt::print("weights: {}\n", out);
}

nlohmann::json Training::record(const rt::EpochReport &report, std::optional<double> held) const {
  nlohmann::json line = {{"weights", std::filesystem::path(out).filename().string()},
                         {"epoch", report.epoch},
                         {"steps", report.steps},
                         {"examples", report.examples},
                         {"error", report.training + report.regularization},
                         {"training", report.training},
                         {"regularization", report.regularization},
                         {"alpha", report.alpha},
                         {"seconds", report.seconds},
                         {"examples_per_second", static_cast<double>(report.examples) / report.seconds}};
  for (const auto &[name, value] : report.reports)
    line["reports"][name] = value;
  if (held)
    line["validation"] = *held;
  return line;
}
} // namespace

void addTrainCommand(CLI::App &app) {
  auto options = std::make_shared<TrainOptions>();
  CLI::App *command = app.add_subcommand("train", "Train a network");
  command->add_option("plan", options->plan, "Plan file written by snc compile")->required();
  command->add_option("data", options->data, "Data file with the inputs and targets")->required();
  command->add_option("-o,--output", options->out, "Weights file to write (default: NET.weights.h5 beside NET.plan)");
  command->add_option("--from", options->from, "Start from these weights instead of random ones");
  command->add_option("--validation", options->validation, "Measure the loss on this data file after every epoch");
  command->add_flag("--force", options->force, "Overwrite the weights file");
  addTrainingOptions(*command, options->overrides);
  addRunOptions(*command, options->run);
  command->footer("Example: snrt train ae.plan data.h5 --epochs 10 --batch 256 --alpha 0.002\n"
                  "Writes ae.weights.h5, and a line for each epoch to metrics.jsonl beside it.");
  command->callback([options] { Training(*options).run(); });
}
} // namespace sn::snrt
