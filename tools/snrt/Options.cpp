#include "tools/snrt/Options.h"
#include "runtime/exec/SameNetwork.h"
#include "runtime/hal/StepTiming.h"
#include <algorithm>
#include <filesystem>
#include <fmt/ranges.h>

namespace sn::snrt {
void addRunOptions(CLI::App &command, RunOptions &options) {
  command
      .add_option("--device", options.device.name,
                  "Where to run: cpu, or cuda for an NVIDIA GPU (cuda:1 for the second)")
      ->capture_default_str();
  command.add_option("--level", options.device.level,
                     "Instruction set level of the CPU code: x86-64-v2, x86-64-v3 or x86-64-v4");
  command
      .add_option("--threads", options.device.threads,
                  "Threads; 0 = one for each core. The result does not depend on it")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command.add_option_function<std::string>(
      "--memory-limit",
      [&options](const std::string &text) { options.memoryLimit = rt::parseBytes(text, "--memory-limit"); },
      "Take no more memory than this, as in 8GiB or 500MiB (default: what the machine has): data that do not fit are "
      "streamed from the file, and what does not fit then is refused");
  command.add_flag("--stream", options.stream,
                   "Take the rows from the file batch by batch; by itself only where the data do not fit in memory");
  command.add_option("--bind", options.bind,
                     "Take a data set of the plan from another one of the file, as in output=input");
  command.add_flag("--profile", options.profile, "Say afterwards where the time went");
  command.add_flag("--json", options.json, "Answer with JSON, one object a line");
}

void addBatchOption(CLI::App &command, rt::Overrides &overrides) {
  command.add_option("--batch", overrides.batch, "Examples of one step")->check(CLI::PositiveNumber);
}

void addTrainingOptions(CLI::App &command, rt::Overrides &overrides) {
  addBatchOption(command, overrides);
  command.add_option("--epochs", overrides.epochs, "Passes over the data")->check(CLI::NonNegativeNumber);
  command.add_option("--optimizer", overrides.optimizer, "One of the plan's optimizers (snc explain lists them)");
  command.add_option("--seed", overrides.seed, "Seed of all random numbers");
  struct Knob {
    const char *flag, *name, *help;
  };
  for (const Knob &knob :
       {Knob{"--alpha", "Alpha", "Learning rate before the schedule"}, Knob{"--lambda", "Lambda", "L2 weight decay"},
        Knob{"--lambda1", "Lambda1", "L1 weight decay"}, Knob{"--mu", "Mu", "Momentum: decay of the first moment"},
        Knob{"--mu1", "Mu1", "Decay of the second moment"}})
    command.add_option_function<double>(
        knob.flag, [&overrides, name = knob.name](const double &value) { overrides.hyper[name] = value; }, knob.help);
}

std::string rankedLayer(const plan::Plan &plan, const std::string &wish) {
  constexpr const char *kUsual = "Output"; // as DSSTNE's programs have it
  const plan::Entry *entry = plan::findEntry(plan, "predict");
  bool ranked = entry && std::any_of(entry->steps.begin(), entry->steps.end(), [&](const plan::Step &step) {
                  return rt::givesLists(step) && std::count(step.layers.begin(), step.layers.end(), kUsual) > 0;
                });
  return wish.empty() && ranked ? kUsual : wish;
}

std::string weightsPathFor(const std::string &planPath) {
  std::filesystem::path path(planPath);
  if (path.extension() == ".plan")
    path.replace_extension();
  return path.string() + ".weights.h5";
}

void refuseExisting(const std::string &path, bool force) {
  if (!force && std::filesystem::exists(path))
    userError("'{}' exists and is not overwritten; give another name with -o or --force", path);
  std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (!folder.empty() && !std::filesystem::is_directory(folder))
    userError("cannot write '{}': there is no folder '{}'", path, folder.string());
}

void timeSteps(rt::Session &session, const RunOptions &options) {
  if (auto *timing = dynamic_cast<rt::StepTiming *>(&session.device()))
    timing->timeSteps(options.profile);
}

void printNotes(const rt::Binding &data) {
  std::set<const rt::DataSet *> said;
  for (const auto &[name, set] : data.sets)
    if (said.insert(set.get()).second)
      for (const std::string &note : set->notes) // which say of what file and data set they are
        fmt::print(stderr, "snrt: {}\n", note);
}

void sayReading(const rt::Binding &data, const rt::Settings &settings, const RunForecast &forecast) {
  if (forecast.way.streaming.fromFile)
    for (const std::string &note : rt::readingNotes(data, settings))
      fmt::print(stderr, "snrt: {}\n", note);
}

Trained::Trained(const std::string &planPath, const std::string &weightsPath, const std::string &dataPath,
                 const RunOptions &options, const rt::Overrides &overrides, const std::string &entry,
                 const std::vector<HeldData> &held)
    : session(planPath, options.device), settings(rt::settle(session.plan(), overrides)), weights(weightsPath),
      file(rt::DataFile::open(dataPath)), aliases(rt::parseAliases(options.bind)),
      forecast(forecastUse(session, settings, file, weights.header(), entry, held, options)),
      inputs(rt::bindData(session.plan(), rt::dataSetsOf(session.entry("predict")), file, aliases)),
      model(session.plan(), session.device(), rt::resolveSymbols(session.plan(), &inputs, &weights.header()),
            session.workers()) {
  timeSteps(session, options);
  printNotes(inputs);
  sayReading(inputs, settings, forecast);
  const std::string &network = weights.header().network;
  if (plan::findEntry(session.plan(), "evaluate"))
    rt::requireSameNetwork(planPath, session.network(), weightsPath, network);
  else if (std::string found = rt::networkDifference(planPath, session.network(), weightsPath, network); !found.empty())
    // Part of a network: its parameters are in the file, or loading says which are not.
    fmt::print(stderr, "snrt: {}; of its parameters those of the plan are taken\n", found);
  rt::checkColumnNames(inputs, weights.header());
  model.load(weights, false);
}

std::shared_ptr<const rt::DataSet> Trained::load(const std::string &name, const char *option, bool whole) {
  if (!file.has(name))
    userError("{} {}: '{}' has no such data set; it has {}", option, name, file.path(), fmt::join(file.names(), ", "));
  return whole ? file.loadWhole(name) : file.load(name);
}

const rt::Names *Trained::columnNames(const std::string &dataset) {
  if (auto found = weights.header().columnNames.find(dataset); found != weights.header().columnNames.end())
    return found->second.get();
  auto alias = aliases.find(dataset);
  const std::string &stored = alias == aliases.end() ? dataset : alias->second;
  return file.has(stored) ? file.load(stored)->columnNames.get() : nullptr; // the file keeps what it has loaded
}
} // namespace sn::snrt
