// snc explain: what runs, what was fused and why, bytes and flops.
#include "runtime/exec/DataWay.h"
#include "runtime/exec/Session.h"
#include "runtime/hal/nvrtc/Images.h"
#include "tools/snc/Commands.h"
#include "tools/snc/KernelReport.h"
#include "tools/snc/Prediction.h"
#include "tools/snc/UntouchedReport.h"
#include <deque>
#include <fmt/format.h>
#include <optional>

namespace {
using namespace sn;
using nlohmann::json;
using plan::Cost;
using plan::CostModel;

struct Options {
  std::string plan, data, memoryLimit;
  rt::Overrides overrides;
  int threads = 0;
  bool stream = false;
  std::vector<std::string> sizes; // name=columns[:entries per row]
  std::vector<std::string> bind;
  std::string device;
  std::optional<double> rows;
  bool json = false;
};

struct Sizes {
  std::map<std::string, double> columns, entries;
};

/// Extents nobody gave are taken as the founding example's: 27,278 columns and 144 entries in a row.
Sizes parseSizes(const Options &options, const plan::Plan &plan) {
  Sizes sizes;
  for (const plan::DataSet &dataset : plan.datasets) {
    sizes.columns[dataset.name] = 27278;
    sizes.entries[dataset.name] = 144;
  }
  for (const std::string &text : options.sizes) {
    size_t equal = text.find('='), colon = text.find(':');
    std::string name = text.substr(0, equal);
    if (equal == std::string::npos || !sizes.columns.count(name))
      userError("--size takes DATASET=COLUMNS or DATASET=COLUMNS:ENTRIES_PER_ROW with a data set of the plan, not '{}'",
                text);
    try {
      sizes.columns[name] = std::stod(text.substr(equal + 1));
      if (colon != std::string::npos)
        sizes.entries[name] = std::stod(text.substr(colon + 1));
    } catch (const std::exception &) {
      userError("--size: '{}' holds no number where one is due", text);
    }
  }
  return sizes;
}

/// Rows of the founding example's data.
constexpr double kFoundingRows = 138493;

/// Of data sets that store columns alone, one for each name.
double sparseBytes(const Sizes &sizes, double rows) {
  double bytes = 0;
  for (const auto &[name, entries] : sizes.entries)
    bytes += rows * (entries * sizeof(int32_t) + sizeof(int64_t));
  return bytes;
}

std::string dimText(const plan::Dim &dim) { return dim.symbol.empty() ? std::to_string(dim.value) : dim.symbol; }

std::string bytesText(double bytes) { return rt::formatBytes(static_cast<int64_t>(bytes)); }

/// What training on a data file takes, from its header, and whether that is there.
struct TrainingForecast {
  int64_t rows = 0;
  std::string device, shortage;
  rt::Needs needs;
  rt::MemoryRoom room;
  double seconds = 0; // per epoch
  rt::DataWay way;
  std::vector<std::string> factoring; // what becomes of steps that may be factored
};

void explainEntry(const plan::Plan &plan, const plan::Entry &entry, const CostModel &model) {
  fmt::print("\n{}: {} kernels\n  {:<3} {:<13} {:<10} {:<34} {:>10} {:>10}\n", entry.name, entry.steps.size(), "",
             "kernel", "sweep", "layer (record)", "Mflop", "bytes");
  Cost total;
  for (size_t i = 0; i < entry.steps.size(); ++i) {
    const plan::Step &step = entry.steps[i];
    Cost cost = costOf(plan, entry, step, model);
    total.flops += cost.flops, total.bytes += cost.bytes;
    fmt::print("  {:<3} {:<13} {:<10} {:<34} {:>10.1f} {:>10}\n", i, step.kernel, step.sweep, step.label,
               cost.flops / 1e6, bytesText(cost.bytes));
  }
  fmt::print("  {:<63} {:>10.1f} {:>10}\n", "sum", total.flops / 1e6, bytesText(total.bytes));
  fmt::print("  buffers:");
  for (const plan::Buffer &buffer : entry.buffers) {
    std::string dims;
    for (const plan::Dim &dim : buffer.dims)
      dims += (dims.empty() ? "" : " x ") + dimText(dim);
    fmt::print(" {} [{}] steps {}-{};", buffer.name, dims, buffer.first, buffer.last);
  }
  fmt::print(" peak {}\n", bytesText(peakBufferBytes(entry, model)));
}

json explainJson(const plan::Plan &plan, const CostModel &model, const plan::Archive &archive,
                 const std::vector<plan::UntouchedRows> &untouched) {
  json out{{"network", plan.network}, {"parameterBytes", parameterBytes(plan, model)}, {"remarks", plan.remarks}};
  out["untouched"] = untouchedJson(untouched);
  out["cuda"] = kernelsJson(archive);
  const plan::CudaManifest manifest = rt::cuda::cudaManifest(archive).value_or(plan::CudaManifest());
  for (const plan::Entry &entry : plan.entries) {
    json steps = json::array();
    for (const plan::Step &step : entry.steps) {
      Cost cost = costOf(plan, entry, step, model);
      steps.push_back({{"kernel", step.kernel},
                       {"precision", nameOf(step.precision)},
                       {"variants", variantsJson(manifest, entry.name, steps.size())},
                       {"sweep", step.sweep},
                       {"label", step.label},
                       {"flops", cost.flops},
                       {"bytes", cost.bytes}});
    }
    out["entries"][entry.name] = {{"steps", steps}, {"peakBufferBytes", peakBufferBytes(entry, model)}};
  }
  return out;
}

/// Always fp32, whatever the parameters are stored as.
double stateBytes(const plan::Plan &plan, CostModel model, const plan::Optimizer &optimizer) {
  model.asStored = false;
  return parameterBytes(plan, model) * static_cast<double>(optimizer.states.size());
}

void explainPlan(const plan::Plan &plan, const CostModel &model, const rt::Settings &settings,
                 const std::vector<plan::UntouchedRows> &untouched) {
  fmt::print("parameters {}", bytesText(parameterBytes(plan, model)));
  if (settings.optimizer)
    fmt::print(", {} state {}", settings.optimizer->name, bytesText(stateBytes(plan, model, *settings.optimizer)));
  fmt::print("\n");
  for (const plan::Parameter &parameter : plan.parameters)
    fmt::print("  {} [{} x {}]{}{}\n", parameter.name, dimText(parameter.in), dimText(parameter.out),
               parameter.layout == "columns" ? ", stored output by output" : "",
               parameter.trained ? "" : ", assigned and not trained");
  printUntouched(untouched);
  for (const plan::Entry &entry : plan.entries)
    explainEntry(plan, entry, model);
  fmt::print("\nwhat was fused, and why\n");
  for (const std::string &remark : plan.remarks)
    fmt::print("  {}\n", remark);
}

void explainSizes(const Options &options, const plan::Archive &archive) {
  plan::Plan plan = plan::readPlan(archive, options.plan);
  Sizes sizes = parseSizes(options, plan);
  rt::Settings settings = rt::settle(plan, options.overrides);
  CostModel model;
  model.extent = [&](const plan::Dim &dim) {
    return dim.symbol.empty()  ? static_cast<double>(dim.value)
           : dim.symbol == "B" ? static_cast<double>(settings.batch)
                               : sizes.columns.at(dim.symbol);
  };
  model.density = [&](const std::string &name) { return sizes.entries.at(name); };
  model.asStored = !options.device.empty();
  if (settings.optimizer) {
    model.states = static_cast<int>(settings.optimizer->states.size());
    model.onlyTouched = plan::keepsUntouched(*settings.optimizer, settings.hyper);
  }
  const auto untouched = untouchedOn(plan, settings, model, options.device, [](const std::string &) { return true; });
  std::optional<Prediction> prediction;
  if (!options.device.empty()) {
    const plan::Machine &machine = plan::machineNamed(options.device);
    const double rows = options.rows.value_or(kFoundingRows);
    prediction.emplace(Prediction{plan, model, machine, rows, sparseBytes(sizes, rows)});
  }
  if (options.json) {
    json out = explainJson(plan, model, archive, untouched);
    if (prediction)
      out["prediction"] = predictionJson(*prediction);
    fmt::print("{}\n", out.dump(1));
    return;
  }
  fmt::print("network {}: batch {}", plan.network, settings.batch);
  for (const auto &[name, columns] : sizes.columns)
    fmt::print(", {} {} columns with {} entries in a row", name, columns, sizes.entries[name]);
  fmt::print("\n");
  explainPlan(plan, model, settings, untouched);
  explainKernels(plan, archive);
  if (prediction)
    printPrediction(*prediction);
}

json forecastJson(const TrainingForecast &training) {
  return {{"rows", training.rows},
          {"device", training.device},
          {"memory", training.needs},
          {"data_way", training.way},
          {"estimate", {{"seconds_per_epoch", training.seconds}}},
          {"room", {{"bytes", training.room.bytes}, {"source", training.room.source}}},
          {"fits", training.shortage.empty()},
          {"shortage", training.shortage},
          {"factoring", training.factoring}};
}

void explainForecast(const Options &options, const plan::Plan &plan, const rt::Settings &settings,
                     const TrainingForecast &training) {
  fmt::print("network {}: batch {}{}, {} rows of '{}', {}\n", plan.network, settings.batch,
             settings.optimizer ? ", " + settings.optimizer->name : "", training.rows, options.data, training.device);
  fmt::print("training takes about {}\n", rt::describe(training.needs));
  if (training.shortage.empty())
    fmt::print("it fits: {} {}; {}\n", training.room.source, rt::formatBytes(training.room.bytes), training.way.text());
  else
    fmt::print("it does not fit: {}\n", training.shortage);
  fmt::print("an epoch takes about {:.3g} s on this machine\n", training.seconds);
  for (const std::string &line : training.factoring)
    fmt::print("{}\n", line);
}

void explainData(const Options &options, const plan::Archive &archive) {
  rt::Session session(options.plan, {"cpu", "", options.threads});
  const plan::Plan &plan = session.plan();
  rt::Settings settings = rt::settle(plan, options.overrides);
  rt::DataFile file = rt::DataFile::open(options.data);
  std::deque<rt::Outline> outlines; // the first is that of data in memory
  auto forecastOf = [&](const rt::Streaming &streaming) {
    file.stream(streaming);
    const rt::Outline &outline = outlines.emplace_back(
        rt::outlineData(plan, rt::dataSetsOf(session.entry("train")), file, rt::parseAliases(options.bind)));
    rt::Forecast forecast(plan, session.device(), rt::resolveSymbols(plan, &outline.binding, nullptr));
    forecast.setHyper(settings.hyper);
    forecast.add("train", outline);
    forecast.setSaves();
    forecast.setProgram(rt::kProgramBytes);
    forecast.setCalibrates();
    return forecast;
  };
  const rt::Forecast forecast = forecastOf({});
  const rt::Outline &outline = outlines.front();
  TrainingForecast training;
  training.rows = outline.binding.rows;
  training.device = session.device().description();
  training.room =
      rt::memoryRoom(options.memoryLimit.empty() ? 0 : rt::parseBytes(options.memoryLimit, "--memory-limit"));
  rt::WayAnswer answer = rt::chooseWay(
      {forecastOf, session.device(), settings, settings.optimizer, training.room, options.stream, "training"}, "train",
      session.device().measureRates());
  training.needs = answer.needs;
  training.shortage = answer.shortage;
  training.seconds = answer.seconds;
  training.way = answer.way;
  for (const rt::FactoringAnswer &one : forecast.factoring(settings.batch, settings.optimizer))
    training.factoring.push_back(one.text());
  CostModel model = forecast.costModel(outline, settings.batch, settings);
  model.asStored = !options.device.empty();
  const auto untouched = untouchedOn(plan, settings, model, options.device, [&outline](const std::string &name) {
    return outline.shapes.at(name).loader != rt::Loader::Dense;
  });
  std::optional<Prediction> prediction;
  if (!options.device.empty()) {
    const plan::Machine &machine = plan::machineNamed(options.device);
    prediction.emplace(
        Prediction{plan, model, machine, static_cast<double>(training.rows), static_cast<double>(outline.bytes)});
  }
  if (options.json) {
    json out = explainJson(plan, model, archive, untouched);
    out["training"] = forecastJson(training);
    if (prediction)
      out["prediction"] = predictionJson(*prediction);
    fmt::print("{}\n", out.dump(1));
    return;
  }
  explainForecast(options, plan, settings, training);
  explainPlan(plan, model, settings, untouched);
  explainKernels(plan, archive);
  if (prediction)
    printPrediction(*prediction);
}

void run(const Options &options) {
  if (!options.data.empty() && !options.sizes.empty())
    userError("--size gives an extent that --data has: give one of the two");
  if (options.data.empty() && !options.memoryLimit.empty())
    userError("--memory-limit: what training needs is known with --data only");
  if (options.data.empty() && options.stream)
    userError("--stream: which way data take is known with --data only");
  if (options.device.empty() && options.rows)
    userError("--rows is for the prediction: name its GPU with --device");
  if (options.rows && !options.data.empty())
    userError("--rows gives a number that --data has: give one of the two");
  const plan::Archive archive = plan::readArchive(options.plan);
  options.data.empty() ? explainSizes(options, archive) : explainData(options, archive);
}
} // namespace

void addExplainCommand(CLI::App &app) {
  auto options = std::make_shared<Options>();
  CLI::App *command = app.add_subcommand("explain", "say what a plan runs, what was fused and why, bytes and flops;\n"
                                                    "with --data also the memory and time that training takes\n"
                                                    "Example: snc explain ae.plan --data data.h5 --batch 1024");
  command->add_option("plan", options->plan, "the plan file")->required()->type_name("FILE");
  command->add_option("--data", options->data, "data file to train on; only its header is read")->type_name("FILE");
  command->add_option("--batch", options->overrides.batch, "rows of a batch (default: the plan's)")
      ->check(CLI::PositiveNumber);
  command->add_option("--optimizer", options->overrides.optimizer, "one of the plan's optimizers (default: its own)");
  for (const char *name : {"Lambda", "Lambda1"})
    command->add_option_function<double>(
        std::string(name) == "Lambda" ? "--lambda" : "--lambda1",
        [options, name](double value) { options->overrides.hyper[name] = value; },
        std::string(name) == "Lambda" ? "L2 weight decay (default: the plan's)"
                                      : "L1 weight decay (default: the plan's)");
  command->add_option("--threads", options->threads, "threads; 0 = one for each core")->check(CLI::Range(0, 1024));
  command->add_option("--memory-limit", options->memoryLimit, "say whether training fits in so much, as in 8GiB");
  command->add_flag("--stream", options->stream, "of training that takes the rows from the file batch by batch");
  command->add_option("--bind", options->bind, "take a data set of the plan from another one of the file");
  command->add_option("--size", options->sizes, "extent of a data set (default 27278:144)")
      ->type_name("DATASET=COLUMNS[:ENTRIES]");
  command->add_option("--device", options->device,
                      "a GPU by the name of its data sheet, as h200: predict the time of each kernel\n"
                      "and of a pass over the data, and whether it fits");
  command->add_option("--rows", options->rows, "examples of the data, in the prediction (default 138493)")
      ->check(CLI::PositiveNumber);
  command->add_flag("--json", options->json, "machine-readable");
  command->callback([options] { run(*options); });
}
