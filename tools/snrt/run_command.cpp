// snrt run: DSSTNE's CDL files (reference 4.6).
#include "runtime/exec/GradientCheck.h"
#include "runtime/exec/Recommender.h"
#include "tools/convert/Cdl.h"
#include "tools/convert/DsstneJson.h"
#include "tools/snrt/Output.h"
#include "tools/snrt/TrainingRun.h"
#include "tools/snrt/Workspace.h"
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <numeric>

namespace sn::snrt {
namespace {
using convert::Cdl;
using plan::Expr;
/// What the encoder has where the file says nothing.
const std::map<std::string, double> kEncoderDefaults = {{"Alpha", 0.1}, {"Mu", 0.9}, {"Lambda", 0.001}};
constexpr int64_t kGradientsEach = 20; // values of a parameter that Validate looks at

/// The file's values, else the network's own, else the encoder's.
rt::Overrides overridesOf(const Cdl &cdl, const plan::Plan &plan) {
  rt::Overrides overrides;
  overrides.optimizer = cdl.optimizer;
  overrides.batch = cdl.batch;
  overrides.seed = cdl.seed;
  overrides.shuffle = cdl.shuffle;
  overrides.epochs = cdl.epochs;
  const std::vector<std::string> &given = plan.training.given;
  for (const auto &[name, value] : kEncoderDefaults)
    if (std::find(given.begin(), given.end(), name) == given.end())
      overrides.hyper[name] = value;
  for (const auto &[name, value] : cdl.hyper)
    overrides.hyper[name] = value;
  if (cdl.alphaInterval > 0) { // Alpha * multiplier^floor((Epoch - 1) / interval)
    const Expr begun("floor", {Expr("div", {Expr("sub", {Expr("Epoch"), Expr(1.0)}),
                                            Expr(static_cast<double>(cdl.alphaInterval))})});
    overrides.schedule = Expr("mul", {Expr("Alpha"), Expr("pow", {Expr(cdl.alphaMultiplier), begun})});
  }
  return overrides;
}

int train(const Cdl &cdl, const RunOptions &run) {
  Workspace workspace(cdl.results);
  compileNetwork(cdl.network, workspace("network.plan"));
  TrainOptions options;
  options.plan = workspace("network.plan");
  options.data = combinedData(cdl.data, workspace);
  options.out = workspace("network.weights.h5");
  options.run = run;
  options.passing = true;
  {
    plan::Archive archive = plan::readArchive(options.plan);
    options.overrides = overridesOf(cdl, plan::readPlan(archive, options.plan));
  }
  if (cdl.checkpointInterval > 0) {
    options.checkpointEvery = std::to_string(cdl.checkpointInterval);
    options.onCheckpoint = [&](const rt::Position &at) {
      if (at.example == 0 && at.epoch > 0 && at.epoch % cdl.checkpointInterval == 0)
        convert::exportWeights(options.out, fmt::format("{}{}.nc", cdl.checkpointName, at.epoch), true);
    };
  }
  if (int status = TrainingRun(options).run()) {
    workspace.keep(); // the command that goes on, which has been printed, needs it
    return status;
  }
  convert::exportWeights(options.out, cdl.results, true);
  fmt::print("{}: trained network\n", cdl.results);
  return 0;
}

/// Averages over the examples that have something to find (T-67).
void predict(const Cdl &cdl, const RunOptions &run) {
  Workspace workspace(cdl.network);
  std::string network = convert::importNetwork(cdl.network, workspace("network.weights.h5"), true);
  workspace.write("network.json", network);
  compileNetwork(workspace("network.json"), workspace("network.plan"));
  rt::Overrides overrides;
  overrides.batch = cdl.batch;
  Trained trained(workspace("network.plan"), workspace("network.weights.h5"), combinedData(cdl.data, workspace), run,
                  overrides);
  rt::Recommender recommender(trained.model, trained.settings, trained.inputs,
                              rankedLayer(trained.session.plan(), cdl.layer));
  const std::string wanted = rt::rankedDataSet(trained.session.plan(), recommender.step());
  rt::Truth truth = rt::alignTruth(trained.load(wanted, "Data", true), trained.file.path(),
                                   *trained.inputs.sets.begin()->second, trained.columnNames(wanted));
  std::vector<int64_t> at(static_cast<size_t>(std::min(cdl.k, recommender.columns())));
  std::iota(at.begin(), at.end(), 1);
  const rt::RankingReport report = rt::rank(recommender.source(), truth, at, recommender.block());
  for (const rt::RankingAt &one : report.at)
    fmt::print("{},{:6.4f},{:6.4f},{:6.4f}\n", one.k, one.precision, one.recall, one.ndcg);
  if (report.skipped > 0)
    fmt::print(stderr, "snrt: {} examples without anything to find are left out of the averages\n", report.skipped);
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

/// Takes out what changes deltas and not the loss, limits of weights, and roundings larger than the differences: no
/// differences of the loss show them.
bool stripped(nlohmann::json &object) {
  constexpr std::string_view kKeys[] = {"sparsenesspenalty", "deltaboost", "deltanorm", "weightnorm",
                                        "weightsdata",       "weightdata", "precision"};
  bool any = false;
  for (auto it = object.begin(); it != object.end();)
    if (std::find(std::begin(kKeys), std::end(kKeys), lower(it.key())) != std::end(kKeys)) {
      it = object.erase(it);
      any = true;
    } else {
      if (lower(it.key()) == "layers")
        for (nlohmann::json &layer : *it)
          any |= layer.is_object() && stripped(layer);
      ++it;
    }
  return any;
}

/// The network's own file, or one without what the check cannot see.
std::string checkableNetwork(const std::string &path, const Workspace &workspace) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  nlohmann::json network = nlohmann::json::parse(text, nullptr, false, true);
  if (!network.is_object() || !stripped(network)) // what is no network, the compiler says
    return path;
  workspace.write("network.json", network.dump(2));
  fmt::print(stderr,
             "snrt: SparsenessPenalty, DeltaBoost, DeltaNorm, WeightNorm, WeightsData and Precision are left out of the "
             "check\n");
  return workspace("network.json");
}

int validate(const Cdl &cdl, const RunOptions &run) {
  Workspace workspace(std::filesystem::temp_directory_path() / "validate");
  compileNetwork(checkableNetwork(cdl.network, workspace), workspace("network.plan"));
  rt::Session session(workspace("network.plan"), run.device);
  rt::Overrides overrides;
  overrides.batch = cdl.batch;
  overrides.seed = cdl.seed;
  const rt::Settings settings = rt::settle(session.plan(), overrides);
  rt::DataFile file = rt::DataFile::open(combinedData(cdl.data, workspace));
  rt::Binding data =
      rt::bindData(session.plan(), rt::dataSetsOf(session.entry("train")), file, rt::parseAliases(run.bind));
  printNotes(data);
  rt::Model model(session.plan(), session.device(), rt::resolveSymbols(session.plan(), &data, nullptr),
                  session.workers());
  model.initialize(settings.seed);
  const rt::GradientReport report = rt::checkGradients(model, settings, data, kGradientsEach);
  double largest = 0;
  for (const rt::GradientSample &sample : report.samples) {
    largest = std::max(largest, std::fabs(sample.analytic - sample.numeric));
    if (!sample.agrees())
      fmt::print("failed: {} [{}, {}]: gradient {:g}, by differences {:g}, tolerance {:g}\n", sample.parameter,
                 sample.in, sample.out, sample.analytic, sample.numeric, sample.tolerance);
  }
  fmt::print("loss {:f}; {} gradients looked at, {} failed, largest difference {:g}\n", report.loss,
             report.samples.size(), report.failures, largest);
  return report.failures > 0 ? 1 : 0;
}

int runCdl(const std::string &path, const RunOptions &run) {
  const Cdl cdl = convert::readCdl(path);
  switch (cdl.command) {
  case Cdl::Command::Train:
    return train(cdl, run);
  case Cdl::Command::Validate:
    return validate(cdl, run);
  case Cdl::Command::Predict:
    break;
  }
  predict(cdl, run);
  return 0;
}
} // namespace

void addRunCommand(CLI::App &app) {
  struct Options {
    std::string file;
    RunOptions run;
  };
  auto options = std::make_shared<Options>();
  CLI::App *command = app.add_subcommand("run", "Do what a CDL file of DSSTNE's says");
  command->add_option("file", options->file, "CDL file")->required();
  addRunOptions(*command, options->run);
  command->footer("Example: snrt run train.cdl\n"
                  "Train writes the trained network that Results names, and checkpoints. Predict prints\n"
                  "k,precision,recall,NDCG for k = 1 to 10. Validate compares gradients with differences of the loss,\n"
                  "and ends with 1 if they disagree.");
  command->callback([options] {
    if (int status = runCdl(options->file, options->run))
      throw CLI::RuntimeError(status);
  });
}
} // namespace sn::snrt
