// Whole training steps as snrt runs them, beside the bare matrix products they contain.
#include "bench/Contractions.h"
#include "runtime/exec/EntryRun.h"
#include "runtime/exec/Session.h"
#include "runtime/hal/cpu/OneDnn.h"
#include "runtime/plan/Error.h"
#include <CLI/CLI.hpp>
#include <algorithm>
#include <thread>
#include <time.h>

namespace sn::bench {
namespace {
struct Options {
  std::string plan, data;
  rt::DeviceChoice device;
  rt::Overrides overrides;
  int runs = 15;
  bool json = false, bare = true;
};

/// Wall-clock time, or the calling thread's processor time where there is one thread (a busy machine then disturbs
/// less).
bool processorTime = false;
double now() {
  timespec time;
  clock_gettime(processorTime ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}
template <typename Work> double seconds(Work work) {
  // Threads that still spin after the last product must not share the cores with what is measured.
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  double start = now();
  work();
  return now() - start;
}

struct Spread {
  double low = 0, median = 0, high = 0; // quartiles
  explicit Spread(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    if (values.empty())
      return;
    auto at = [&](double share) { return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1))]; };
    low = at(.25);
    median = at(.5);
    high = at(.75);
  }
};
void to_json(nlohmann::json &j, const Spread &s) { j = {{"low", s.low}, {"median", s.median}, {"high", s.high}}; }

class Training {
public:
  explicit Training(const Options &options)
      : session(options.plan, options.device), settings(rt::settle(session.plan(), options.overrides)),
        file(rt::DataFile::open(options.data)),
        data(rt::bindData(session.plan(), rt::dataSetsOf(session.entry("train")), file, {})),
        model(session.plan(), session.device(), rt::resolveSymbols(session.plan(), &data, nullptr), session.workers()) {
    if (!settings.optimizer)
      userError("the plan has no optimizer");
    settings.batch = std::min(settings.batch, data.rows);
    model.allocateStates(*settings.optimizer);
    model.initialize(settings.seed);
    order = rt::exampleOrder(settings, session.plan().shuffleStream, 1, data.rows);
    run.emplace(model, "train", data, settings.batch, settings.optimizer);
    for (const plan::Step &step : run->entry().steps)
      contractions.push_back(contractionsOf(session.plan(), step, model.extents(settings.batch), settings.batch));
  }

  /// The next batch, always a full one.
  void next() { first = first + 2 * settings.batch <= data.rows ? first + settings.batch : 0; }
  void step() {
    ++steps;
    rt::StepScalars scalars = rt::stepScalars(settings, steps, 1, data.rows / settings.batch, settings.batch);
    run->run({settings.batch, order.data() + first, settings.seed, 1}, scalars);
  }
  /// Of step `index` with the batch at hand.
  double flops(size_t index) const {
    double sum = 0;
    for (const Product &product : contractions[index].dense)
      sum += product.flops();
    for (const auto &[name, each] : contractions[index].perEntry)
      sum += each * static_cast<double>(entries(name));
    return sum;
  }
  double flops() const {
    double sum = 0;
    for (size_t i = 0; i < contractions.size(); ++i)
      sum += flops(i);
    return sum;
  }
  std::vector<Product> products() const {
    std::vector<Product> all;
    for (const StepContractions &step : contractions)
      all.insert(all.end(), step.dense.begin(), step.dense.end());
    return all;
  }

  rt::Session session;
  rt::Settings settings;
  rt::DataFile file;
  rt::Binding data;
  rt::Model model;
  std::optional<rt::EntryRun> run;

private:
  /// What a gather of the batch at hand reads: stored entries, or every column of a dense data set.
  int64_t entries(const std::string &name) const {
    const rt::DataView &view = run->view(name);
    if (view.loader == rt::Loader::Dense)
      return settings.batch * view.storedColumns;
    int64_t count = 0;
    for (int64_t i = first; i < first + settings.batch; ++i)
      count += view.indptr[order[static_cast<size_t>(i)] + 1] - view.indptr[order[static_cast<size_t>(i)]];
    return count;
  }

  std::vector<int64_t> order;
  std::vector<StepContractions> contractions;
  int64_t first = 0, steps = 0;
};

struct Measured {
  std::vector<double> bare, bareRate, step, stepRate;
  std::vector<std::vector<double>> kernels, kernelFlops; // by step of the entry, by run
};

Measured measure(Training &training, const Options &options) {
  BareProducts bare(options.bare ? training.products() : std::vector<Product>{}, options.device.threads);
  Measured found;
  const size_t kernels = training.run->profile().size();
  found.kernels.resize(kernels);
  found.kernelFlops.resize(kernels);
  for (int run = 0; run <= options.runs; ++run, training.next()) {
    double products = options.bare ? seconds([&] { bare.run(); }) : 0;
    std::vector<rt::StepProfile> before = training.run->profile();
    double step = seconds([&] { training.step(); });
    if (run == 0) // warms caches and pages
      continue;
    if (options.bare) {
      found.bare.push_back(products);
      found.bareRate.push_back(bare.flops() / products);
    }
    found.step.push_back(step);
    found.stepRate.push_back(training.flops() / step);
    for (size_t k = 0; k < kernels; ++k) {
      found.kernels[k].push_back(training.run->profile()[k].seconds - before[k].seconds);
      found.kernelFlops[k].push_back(training.flops(k));
    }
  }
  return found;
}

nlohmann::json resultOf(Training &training, const Measured &found, const Options &options) {
  nlohmann::json result = {{"network", training.session.plan().network},
                           {"optimizer", training.settings.optimizer->name},
                           {"batch", training.settings.batch},
                           {"device", training.session.device().description()},
                           {"threads", options.device.threads},
                           {"runs", options.runs},
                           {"parameters", training.model.parameterBytes() / 4},
                           {"workspace", training.session.device().workspaceBytes()},
                           {"step", Spread(found.step)},
                           {"step_rate", Spread(found.stepRate)}};
  if (options.bare) {
    result["bare"] = Spread(found.bare);
    result["bare_rate"] = Spread(found.bareRate);
    std::vector<double> ratios;
    for (size_t i = 0; i < found.step.size(); ++i)
      ratios.push_back(found.stepRate[i] / found.bareRate[i]);
    result["ratio"] = Spread(ratios);
  }
  double total = 0;
  for (const auto &times : found.kernels)
    total += Spread(times).median;
  for (size_t k = 0; k < found.kernels.size(); ++k) {
    const rt::StepProfile &profile = training.run->profile()[k];
    double time = Spread(found.kernels[k]).median;
    result["kernels"].push_back({{"kernel", profile.kernel},
                                 {"label", profile.label},
                                 {"seconds", time},
                                 {"share", time / total},
                                 {"rate", Spread(found.kernelFlops[k]).median / time}});
  }
  return result;
}

void print(const nlohmann::json &result) {
  auto milliseconds = [](const nlohmann::json &spread) {
    return fmt::format("{:8.2f} ms ({:.2f} to {:.2f})", spread["median"].get<double>() * 1e3,
                       spread["low"].get<double>() * 1e3, spread["high"].get<double>() * 1e3);
  };
  auto rate = [](const nlohmann::json &value) { return value.get<double>() * 1e-9; };
  fmt::print("{}, {}, batch {}, {}, median (quartiles) of {} runs\n", result["network"].get<std::string>(),
             result["optimizer"].get<std::string>(), result["batch"].get<int64_t>(),
             result["device"].get<std::string>(), result["runs"].get<int>());
  if (result.contains("bare"))
    fmt::print("  bare dense products {}  {:6.1f} GFLOP/s\n", milliseconds(result["bare"]),
               rate(result["bare_rate"]["median"]));
  fmt::print("  the training step   {}  {:6.1f} GFLOP/s\n", milliseconds(result["step"]),
             rate(result["step_rate"]["median"]));
  if (result.contains("ratio"))
    fmt::print("  share of bare       {:8.1f} %  ({:.1f} to {:.1f})\n", result["ratio"]["median"].get<double>() * 100,
               result["ratio"]["low"].get<double>() * 100, result["ratio"]["high"].get<double>() * 100);
  for (const nlohmann::json &kernel : result["kernels"])
    fmt::print("  {:>16} {:8.2f} ms {:5.1f} % {:7.1f} GFLOP/s  {}\n", kernel["kernel"].get<std::string>(),
               kernel["seconds"].get<double>() * 1e3, kernel["share"].get<double>() * 100, rate(kernel["rate"]),
               kernel["label"].get<std::string>());
}

void run(Options options) {
  if (options.device.threads == 0)
    options.device.threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  processorTime = options.device.threads == 1;
  Training training(options);
  Measured found = measure(training, options);
  nlohmann::json result = resultOf(training, found, options);
  if (options.json)
    fmt::print("{}\n", result.dump());
  else
    print(result);
}
} // namespace
} // namespace sn::bench

int main(int argc, char **argv) {
  sn::bench::Options options;
  bool noBare = false;
  CLI::App app("Times training steps as snrt runs them beside the bare matrix products they contain, in turns.",
               "bench-steps");
  app.add_option("plan", options.plan, "Plan file")->required();
  app.add_option("data", options.data, "Data file")->required();
  app.add_option("--batch", options.overrides.batch, "Examples of one step")->check(CLI::PositiveNumber);
  app.add_option("--optimizer", options.overrides.optimizer, "One of the plan's optimizers");
  app.add_option("--threads", options.device.threads, "Threads; 0 = one for each core, 1 = measured in processor time");
  app.add_option("--level", options.device.level, "Instruction set level of the slots");
  app.add_option("--runs", options.runs, "Runs measured, after one that warms up")->capture_default_str();
  app.add_flag("--no-bare", noBare, "Leave out the bare products (they need memory for batch x outputs)");
  app.add_flag("--json", options.json, "Answer with one JSON object");
  try {
    app.parse(argc, argv);
    options.bare = !noBare;
    sn::bench::run(options);
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? 0 : 1;
  } catch (const std::exception &error) {
    fmt::print(stderr, "bench-steps: error: {}\n", error.what());
    return 1;
  }
  return 0;
}
