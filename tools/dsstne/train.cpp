// train: a network from its JSON and data sets in NetCDF, with DSSTNE's flags (reference 4.4).
#include "dialects/Vocabulary/Records.h"
#include "tools/convert/DsstneJson.h"
#include "tools/dsstne/Flags.h"
#include "tools/snrt/Ending.h"
#include "tools/snrt/TrainingRun.h"
#include "tools/snrt/Workspace.h"
#include <chrono>
#include <filesystem>
#include <fmt/ranges.h>

namespace {
using namespace sn;
using dsstne::Flags;
constexpr int64_t kCheckpointEpochs = 10;

/// "A (default), B, C"
std::string optimizerNames() {
  std::vector<std::string> names;
  for (const vocab::Optimizer &optimizer : vocab::optimizers())
    names.push_back(std::string(optimizer.name) + (optimizer.name == vocab::kDefaultOptimizer ? " (default)" : ""));
  return fmt::format("{}", fmt::join(names, ", "));
}

Flags parsed(int argc, char **argv) {
  return {"train",
          "Trains a network.",
          {{"c", "file", "Network, JSON", true},
           {"i", "file", "NetCDF file with the input data sets", true},
           {"o", "file", "NetCDF file with the output data sets; may be the same", true},
           {"n", "file", "Trained network to write; must not exist", true},
           {"b", "number", "Batch size (default: 1024)", false},
           {"e", "number", "Epochs (default: 40)", false},
           {"alpha", "number", "Learning rate (default: 0.025)", false},
           {"lambda", "number", "L2 weight decay (default: 0.0001)", false},
           {"lambda1", "number", "L1 weight decay (default: 0)", false},
           {"mu", "number", "Momentum (default: 0.5), where the optimizer has one", false},
           {"mu1", "number", "Second momentum (default: 0)", false},
           {"optimizer", "name", optimizerNames(), false},
           {"initial", "file", "Write the untrained network, too (DSSTNE: always, to initial_network.nc)", false}},
          argc,
          argv};
}

snrt::TrainOptions optionsOf(const Flags &flags, const std::string &plan, const std::string &data,
                             const std::string &weights) {
  snrt::TrainOptions options;
  options.plan = plan;
  options.data = data;
  options.out = weights;
  options.passing = true;
  options.checkpointEvery = std::to_string(kCheckpointEpochs);
  options.overrides.batch = flags.integer("b", 1);
  options.overrides.epochs = flags.integer("e", 0);
  if (flags.has("optimizer"))
    options.overrides.optimizer = flags.text("optimizer");
  for (auto [flag, name] :
       {std::pair{"alpha", "Alpha"}, {"lambda", "Lambda"}, {"lambda1", "Lambda1"}, {"mu", "Mu"}, {"mu1", "Mu1"}})
    if (std::optional<double> value = flags.number(flag))
      options.overrides.hyper[name] = *value;
  return options;
}

/// As DSSTNE prints it, for those who read its logs.
void printEpoch(const rt::EpochReport &report) {
  fmt::print(
      "NNNetwork::Train: Epoch {}, average error {:f}, average training error {:f}, average regularization error "
      "{:f}, elapsed time {:f}s\n",
      report.epoch, report.training + report.regularization, report.training, report.regularization, report.seconds);
  std::fflush(stdout);
}

class Training {
public:
  explicit Training(const Flags &flags) : flags(flags), out(checkedOutput(flags)), workspace(out) {
    snrt::compileNetwork(flags.text("c"), workspace("network.plan"));
    data = snrt::combinedData({flags.text("i"), flags.text("o")}, workspace);
    options = optionsOf(flags, workspace("network.plan"), data, workspace("network.weights.h5"));
    options.onEpoch = printEpoch;
    options.onCheckpoint = [this](const rt::Position &at) { exportCheckpoint(at); };
  }

  int run() {
    auto start = std::chrono::steady_clock::now();
    if (flags.has("initial")) {
      const std::string untrained = workspace("initial.weights.h5");
      snrt::runSnrt({"init", options.plan, data, "-o", untrained});
      convert::exportWeights(untrained, flags.text("initial"), true);
    }
    if (int status = snrt::TrainingRun(options).run()) {
      workspace.keep(); // the command that goes on, which has been printed, needs it
      fmt::print(stderr, "train: and then: snrt export {} -o {}\n", options.out, out);
      return status;
    }
    convert::exportWeights(options.out, out, false);
    fmt::print("Total training time {:.3f} secs.\n",
               std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    return 0;
  }

private:
  static std::string checkedOutput(const Flags &flags) {
    const std::string path = flags.text("n");
    if (std::filesystem::exists(path))
      userError("-n {}: the file exists and is not overwritten", path);
    rt::refuseOverwriting(flags.text("initial"), {flags.text("c"), flags.text("i"), flags.text("o")});
    return path;
  }
  /// <-n name><epoch>.nc
  void exportCheckpoint(const rt::Position &at) const {
    if (at.example == 0 && at.epoch > 0 && at.epoch % kCheckpointEpochs == 0)
      convert::exportWeights(options.out, fmt::format("{}{}.nc", out, at.epoch), true);
  }

  const Flags &flags;
  std::string out;
  snrt::Workspace workspace;
  std::string data;
  snrt::TrainOptions options;
};
} // namespace

int main(int argc, char **argv) {
  return snrt::ending("train", false, [&] {
    const Flags flags = parsed(argc, argv);
    if (int status = Training(flags).run())
      throw CLI::RuntimeError(status);
  });
}
