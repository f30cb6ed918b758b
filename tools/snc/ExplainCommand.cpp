// snc explain: what runs, what was fused and why, bytes and flops.
#include "compiler/Analysis/Cost.h"
#include "runtime/plan/Archive.h"
#include "runtime/plan/Error.h"
#include "tools/snc/Commands.h"
#include <fmt/format.h>

namespace {
using namespace sn;

struct Options {
  std::string plan;
  int64_t batch = 0;
  std::vector<std::string> sizes; // name=columns[:entries per row]
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

std::string dimText(const plan::Dim &dim) { return dim.symbol.empty() ? std::to_string(dim.value) : dim.symbol; }

std::string bytesText(double bytes) {
  const char *units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  int unit = 0;
  for (; bytes >= 1024 && unit < 4; ++unit)
    bytes /= 1024;
  return fmt::format("{:.3g} {}", bytes, units[unit]);
}

const plan::Optimizer &chosenOptimizer(const plan::Plan &plan) {
  for (const plan::Optimizer &optimizer : plan.optimizers)
    if (optimizer.name == plan.training.optimizer)
      return optimizer;
  throw std::logic_error("the plan's optimizer is not among its update rules");
}

void explainEntry(const plan::Plan &plan, const plan::Entry &entry, const CostModel &model) {
  int states = static_cast<int>(chosenOptimizer(plan).states.size());
  fmt::print("\n{}: {} kernels\n  {:<3} {:<13} {:<10} {:<34} {:>10} {:>10}\n", entry.name, entry.steps.size(), "",
             "kernel", "sweep", "layer (record)", "Mflop", "bytes");
  Cost total;
  for (size_t i = 0; i < entry.steps.size(); ++i) {
    const plan::Step &step = entry.steps[i];
    Cost cost = costOf(plan, entry, step, states, model);
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

nlohmann::json explainJson(const plan::Plan &plan, const CostModel &model) {
  int states = static_cast<int>(chosenOptimizer(plan).states.size());
  nlohmann::json out{
      {"network", plan.network}, {"parameterBytes", parameterBytes(plan, model)}, {"remarks", plan.remarks}};
  for (const plan::Entry &entry : plan.entries) {
    nlohmann::json steps = nlohmann::json::array();
    for (const plan::Step &step : entry.steps) {
      Cost cost = costOf(plan, entry, step, states, model);
      steps.push_back({{"kernel", step.kernel},
                       {"sweep", step.sweep},
                       {"label", step.label},
                       {"flops", cost.flops},
                       {"bytes", cost.bytes}});
    }
    out["entries"][entry.name] = {{"steps", steps}, {"peakBufferBytes", peakBufferBytes(entry, model)}};
  }
  return out;
}

void run(const Options &options) {
  plan::Plan plan = plan::readPlan(plan::readArchive(options.plan), options.plan);
  Sizes sizes = parseSizes(options, plan);
  int64_t batch = options.batch > 0 ? options.batch : plan.training.batch;
  CostModel model;
  model.extent = [&](const plan::Dim &dim) {
    return dim.symbol.empty()  ? static_cast<double>(dim.value)
           : dim.symbol == "B" ? static_cast<double>(batch)
                               : sizes.columns.at(dim.symbol);
  };
  model.density = [&](const std::string &name) { return sizes.entries.at(name); };
  if (options.json) {
    fmt::print("{}\n", explainJson(plan, model).dump(1));
    return;
  }
  fmt::print("network {}: batch {}", plan.network, batch);
  for (const auto &[name, columns] : sizes.columns)
    fmt::print(", {} {} columns with {} entries in a row", name, columns, sizes.entries[name]);
  const plan::Optimizer &optimizer = chosenOptimizer(plan);
  fmt::print("\nparameters {}, {} state {}\n", bytesText(parameterBytes(plan, model)), optimizer.name,
             bytesText(parameterBytes(plan, model) * static_cast<double>(optimizer.states.size())));
  for (const plan::Parameter &parameter : plan.parameters)
    fmt::print("  {} [{} x {}]{}\n", parameter.name, dimText(parameter.in), dimText(parameter.out),
               parameter.layout == "columns" ? ", stored output by output" : "");
  for (const plan::Entry &entry : plan.entries)
    explainEntry(plan, entry, model);
  fmt::print("\nwhat was fused, and why\n");
  for (const std::string &remark : plan.remarks)
    fmt::print("  {}\n", remark);
}
} // namespace

void addExplainCommand(CLI::App &app) {
  auto options = std::make_shared<Options>();
  CLI::App *command = app.add_subcommand("explain", "say what a plan runs, what was fused and why, bytes and flops\n"
                                                    "Example: snc explain ae.plan --size input=27278:144");
  command->add_option("plan", options->plan, "the plan file")->required()->type_name("FILE");
  command->add_option("--batch", options->batch, "rows of a batch (default: the plan's)")->check(CLI::PositiveNumber);
  command->add_option("--size", options->sizes, "extent of a data set (default 27278:144)")
      ->type_name("DATASET=COLUMNS[:ENTRIES]");
  command->add_flag("--json", options->json, "machine-readable");
  command->callback([options] { run(*options); });
}
