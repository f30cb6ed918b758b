// An output layer of a million units with squared error on sparse targets, trained in its dense and in its factored
// form on the same batches.
#include "runtime/exec/Session.h"
#include "runtime/exec/Trainer.h"
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>

namespace sn::bench {
namespace {
struct Options {
  std::string dense, factored;
  int64_t outputs = 1000000, inputs = 1000, entries = 5, inputEntries = 20, batch = 256, steps = 1000, denseSteps = 5;
  double alpha = 0.025;
  int threads = 0;
  bool agree = false;
};

/// Rows with `entries` different columns each, all equally likely.
std::shared_ptr<rt::DataSet> random(const char *name, int64_t rows, int64_t columns, int64_t entries, uint64_t seed) {
  auto set = std::make_shared<rt::DataSet>();
  set->name = name;
  set->loader = rt::Loader::CsrBinary;
  set->rows = rows;
  set->columns = columns;
  set->indptr.push_back(0);
  uint64_t state = seed;
  auto next = [&] {
    uint64_t z = (state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  };
  for (int64_t row = 0; row < rows; ++row) {
    std::vector<int32_t> mine;
    while (static_cast<int64_t>(mine.size()) < entries)
      if (auto column = static_cast<int32_t>(next() % static_cast<uint64_t>(columns));
          !std::count(mine.begin(), mine.end(), column))
        mine.push_back(column);
    std::sort(mine.begin(), mine.end());
    set->indices.insert(set->indices.end(), mine.begin(), mine.end());
    set->indptr.push_back(static_cast<int64_t>(set->indices.size()));
  }
  return set;
}

/// One form of the network in training.
class Run {
public:
  Run(const std::string &plan, const Options &options, const rt::Binding &data)
      : session(plan, {"cpu", "", options.threads}),
        settings(rt::settle(session.plan(), {.hyper = {{"Alpha", options.alpha}, {"Lambda", 0}, {"Lambda1", 0}},
                                             .batch = options.batch})),
        model(session.plan(), session.device(), rt::resolveSymbols(session.plan(), &data, nullptr), session.workers()) {
    model.allocateStates(*settings.optimizer);
    model.initialize(settings.seed);
    trainer.emplace(model, settings, data);
  }
  /// Seconds of each of the first steps of an epoch.
  std::vector<double> train(int64_t steps) {
    std::vector<double> times;
    auto last = std::chrono::steady_clock::now();
    trainer->runEpoch([&](const rt::BatchReport &batch) {
      const auto now = std::chrono::steady_clock::now();
      times.push_back(std::chrono::duration<double>(now - last).count());
      loss = batch.loss / static_cast<double>(batch.rows);
      last = now;
      return static_cast<int64_t>(times.size()) < steps;
    });
    return times;
  }
  /// What the form was chosen by.
  std::string form(const rt::Binding &data) {
    for (const rt::FactoringAnswer &answer : model.factor(settings, data))
      return answer.text();
    return "dense";
  }

  rt::Session session;
  rt::Settings settings;
  rt::Model model;
  std::optional<rt::Trainer> trainer;
  double loss = 0; // of the last batch, an example
};

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<int64_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}
double mean(const std::vector<double> &values) {
  double sum = 0;
  for (double value : values)
    sum += value;
  return sum / static_cast<double>(values.size());
}

/// Of every parameter: the length of the difference, and its largest element, against the length and the largest
/// element of the dense form's.
void compare(const Run &dense, const Run &factored) {
  for (const plan::Parameter &parameter : dense.session.plan().parameters) {
    const std::vector<float> a = dense.model.parameter(parameter.name), b = factored.model.parameter(parameter.name);
    double difference = 0, length = 0, farthest = 0, largest = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      const double d = static_cast<double>(a[i]) - static_cast<double>(b[i]);
      difference += d * d;
      length += static_cast<double>(a[i]) * a[i];
      farthest = std::max(farthest, std::abs(d));
      largest = std::max(largest, std::abs(static_cast<double>(a[i])));
    }
    fmt::print("{}: differs by {:.2e} of its length, by {:.2e} of its largest element\n", parameter.name,
               std::sqrt(difference / length), farthest / largest);
  }
}

void run(const Options &options) {
  rt::Binding data;
  data.path = "generated";
  data.rows = options.steps * options.batch;
  data.sets["input"] = random("input", data.rows, options.inputs, options.inputEntries, 1);
  data.sets["output"] = random("output", data.rows, options.outputs, options.entries, 2);
  Run factored(options.factored, options, data);
  fmt::print("{}\n{} steps of {} examples, alpha {:g}; {}\n", factored.session.device().description(), options.steps,
             options.batch, options.alpha, factored.form(data));
  std::vector<double> times = factored.train(options.steps);
  const double closing = times.back(); // with the fold of an epoch's end
  fmt::print(
      "factored: first step {:.1f} ms, then {:.3f} ms in the mean and {:.3f} ms in the median; the last, with the "
      "fold, {:.1f} ms; loss {:.6f}\n",
      times.front() * 1e3, mean({times.begin() + 1, times.end() - 1}) * 1e3, median(times) * 1e3, closing * 1e3,
      factored.loss);
  const double all = mean(times), inside = mean({times.begin() + 1, times.end() - 1});
  for (const rt::StepProfile &step : factored.trainer->run().profile())
    fmt::print("  {:>16} {:8.3f} ms  {}\n", step.kernel, step.seconds / static_cast<double>(step.launches) * 1e3,
               step.label);
  Run dense(options.dense, options, data);
  times = dense.train(options.agree ? options.steps : options.denseSteps);
  times.erase(times.begin());
  fmt::print("dense: {:.1f} ms in the median of {} steps; loss {:.6f}\n", median(times) * 1e3, times.size(),
             dense.loss);
  fmt::print("ratio: {:.0f} inside an epoch; {:.0f} with the first step and the fold of an epoch of {} steps\n",
             median(times) / inside, median(times) / all, options.steps);
  if (options.agree)
    compare(dense, factored);
}
} // namespace
} // namespace sn::bench

int main(int argc, char **argv) {
  sn::bench::Options options;
  CLI::App app("Times an output layer in its dense and in its factored form.", "bench-factored");
  app.add_option("dense", options.dense, "Plan compiled with --schedule=single")->required();
  app.add_option("factored", options.factored, "Plan of the same network compiled without")->required();
  app.add_option("--outputs", options.outputs, "Columns of the target")->capture_default_str();
  app.add_option("--entries", options.entries, "Stored in a row of the target")->capture_default_str();
  app.add_option("--batch", options.batch, "Examples of a step")->capture_default_str();
  app.add_option("--steps", options.steps, "Steps of the factored form")->capture_default_str();
  app.add_option("--dense-steps", options.denseSteps, "Steps of the dense form, at least 2")->capture_default_str();
  app.add_option("--alpha", options.alpha, "Learning rate")->capture_default_str();
  app.add_option("--threads", options.threads, "0 = one for each core");
  app.add_flag("--agree", options.agree, "As many dense steps, then compare the parameters");
  try {
    app.parse(argc, argv);
    sn::bench::run(options);
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? 0 : 1;
  } catch (const std::exception &error) {
    fmt::print(stderr, "bench-factored: error: {}\n", error.what());
    return 1;
  }
  return 0;
}
