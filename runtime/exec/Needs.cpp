#include "runtime/exec/Needs.h"
#include "runtime/exec/Deferrals.h"
#include "runtime/exec/EntryRun.h"
#include "runtime/hal/Landing.h"
#include "runtime/hal/OwnMemory.h"
#include <algorithm>
#include <cmath>
#include <fmt/ranges.h>

namespace sn::rt {
namespace {
constexpr int64_t kFloat = sizeof(float);
/// What passes through host memory at a time: initial values (Model.cpp), a tile of a tensor being saved
/// (runtime/checkpoint), and the same again if it lies transposed.
constexpr int64_t kInitialBytes = int64_t(16) << 20, kTileBytes = int64_t(16) << 20;
/// Stacks of threads, pages of libraries not touched before, gaps in the heap.
constexpr int64_t kSlack = int64_t(1) << 20;
/// What Device::measureRates takes on the CPU, before anything else is there.
constexpr int64_t kCalibrationBytes = int64_t(32) << 20;
/// Rows that lie close together in a file are read through a block of this size, beside it the order they lie in.
constexpr int64_t kReadAtOnce = int64_t(2) << 20;

std::vector<std::pair<const char *, int64_t>> kindsOf(const Needs &needs) {
  return {{"parameters", needs.parameters},
          {"optimizer state", needs.states},
          {"buffers", needs.buffers},
          {"workspace", needs.workspace},
          {"data", needs.data},
          {"program", needs.program},
          {"in passing", needs.passing}};
}
std::string kindsText(const Needs &needs) {
  std::vector<std::string> parts;
  for (const auto &[name, bytes] : kindsOf(needs))
    if (bytes > 0)
      parts.push_back(fmt::format("{} {}", formatBytes(bytes), name));
  return fmt::format("{}", fmt::join(parts, ", "));
}
} // namespace

std::string describe(const Needs &needs) { return fmt::format("{}: {}", formatBytes(needs.total()), kindsText(needs)); }

void to_json(nlohmann::json &json, const Needs &needs) {
  json = {{"parameters", needs.parameters}, {"states", needs.states}, {"buffers", needs.buffers},
          {"workspace", needs.workspace},   {"data", needs.data},     {"program", needs.program},
          {"passing", needs.passing},       {"total", needs.total()}};
}

namespace {
/// Of a streamed data set all but its rows.
std::shared_ptr<const DataSet> keptOf(DataFile &file, const std::string &stored) {
  const Streaming how = file.streaming();
  file.stream({true, how.toDevice});
  std::shared_ptr<const DataSet> set = file.load(stored);
  file.stream(how);
  return set;
}
int64_t keptBytes(const DataSet &set) {
  return bytesOf(set) + (set.streamed() ? set.readerBytes + kReadAtOnce : 0) +
         (set.rowNames ? set.rowNames->bytes() : 0) + (set.columnNames ? set.columnNames->bytes() : 0);
}
} // namespace

Outline outlineData(const plan::Plan &plan, const std::set<std::string> &names, DataFile &file,
                    const Aliases &aliases) {
  Outline outline;
  outline.streaming = file.streaming();
  const bool streamed = outline.streaming.fromFile || outline.streaming.toDevice;
  std::vector<std::string> counted;
  outline.binding =
      bindFrom(plan, names, file, aliases, [&](const std::string &stored) -> std::shared_ptr<const DataSet> {
        DataShape shape = file.describe(stored);
        const std::shared_ptr<const DataSet> kept = streamed ? keptOf(file, stored) : nullptr;
        if (std::none_of(counted.begin(), counted.end(), [&](const auto &other) { return file.same(other, stored); })) {
          counted.push_back(stored);
          outline.bytes += outline.streaming.fromFile ? keptBytes(*kept) : shape.bytes;
          outline.loading = std::max(outline.loading, shape.loading);
        }
        outline.shapes[stored] = shape;
        if (kept)
          return kept;
        auto set = std::make_shared<DataSet>();
        set->name = stored;
        set->loader = shape.loader;
        set->rows = shape.rows;
        set->columns = shape.columns;
        return set;
      });
  std::map<std::string, DataShape, std::less<>> byPlanName;
  for (const auto &[name, set] : outline.binding.sets)
    byPlanName[name] = outline.shapes.at(set->name);
  outline.shapes = std::move(byPlanName);
  return outline;
}

Forecast::Forecast(const plan::Plan &plan, Device &device, SymbolValues symbols)
    : thePlan(plan), device(device), symbols(std::move(symbols)) {}

void Forecast::add(const std::string &entry, const Outline &outline) {
  if (const plan::Entry *found = plan::findEntry(thePlan, entry))
    runs.push_back({found, &outline});
  addData(outline);
}

void Forecast::addData(const Outline &outline) {
  if (std::find(counted.begin(), counted.end(), &outline) != counted.end())
    return;
  counted.push_back(&outline);
  loading = std::max(loading, outline.loading);
}

int64_t Forecast::rows() const {
  int64_t most = 0;
  for (const Run &run : runs)
    most = std::max(most, run.outline->binding.rows);
  return most;
}

Memory Forecast::emptyMemory(const Run &run, const plan::Optimizer *optimizer, const Extents &extents) const {
  Memory memory;
  for (const plan::Buffer &buffer : run.entry->buffers)
    memory.buffers[buffer.name] = nullptr;
  for (const plan::Parameter &parameter : thePlan.parameters) {
    memory.parameters[parameter.name] = nullptr;
    memory.states[parameter.name].resize(optimizer && parameter.trained ? optimizer->states.size() : 0);
  }
  for (const std::string &name : dataSetsOf(*run.entry)) {
    DataView view = boundView(thePlan, run.outline->binding, name, extents);
    view.entries = run.outline->shapes.at(name).entries;
    memory.data[name] = view;
  }
  if (run.entry->name != "train")
    return memory;
  for (const FactoringAnswer &answer : factoring(extents.maxRows, optimizer))
    if (answer.factored)
      memory.factors[answer.step->sources.front().weights] =
          dynamic_cast<FactorsOutputs &>(device).factor(shapeOf(thePlan, *answer.step, extents));
  return memory;
}

std::vector<FactoringAnswer> Forecast::factoring(int64_t batch, const plan::Optimizer *optimizer) const {
  for (const Run &run : runs)
    if (run.entry->name == "train") {
      const Extents known = extents(std::min(batch, run.outline->binding.rows));
      return decideFactoring(thePlan, {factorsOutputs(device), optimizer, hyper, known, [&](const std::string &name) {
                                         DataView view = boundView(thePlan, run.outline->binding, name, known);
                                         view.entries = run.outline->shapes.at(name).entries;
                                         return view;
                                       }});
    }
  return {};
}

namespace {
/// Where the rows of a run's streamed data sets land, one for each data set.
std::vector<LandingLayout> landingsOf(const plan::Entry &entry, const Outline &outline, int64_t batch) {
  std::vector<LandingLayout> landings;
  std::set<const DataSet *> counted;
  for (const std::string &name : dataSetsOf(entry)) {
    const DataSet &set = *outline.binding.sets.at(name);
    if ((set.streamed() || outline.streaming.toDevice) && counted.insert(&set).second)
      landings.emplace_back(viewOf(set, set.columns), std::min(batch, set.rows));
  }
  return landings;
}
bool isStreamed(const Outline &outline) { return outline.streaming.fromFile || outline.streaming.toDevice; }
} // namespace

int64_t Forecast::dataBytes(int64_t batch) const {
  int64_t bytes = data;
  for (const Outline *outline : counted)
    bytes += share == MemoryShare::Device && isStreamed(*outline) ? 0 : outline->bytes;
  for (const Run &run : runs) {
    if (!isStreamed(*run.outline) || run.entry->name == "trial") // trials take the rows of their steps
      continue;
    for (const LandingLayout &one : landingsOf(*run.entry, *run.outline, batch))
      bytes += share == MemoryShare::Host ? one.halvesBytes() : one.bytes();
  }
  return bytes;
}

int64_t Forecast::batchBytes(int64_t batch) const {
  int64_t most = 0;
  for (const Run &run : runs) {
    int64_t bytes = 0;
    if (isStreamed(*run.outline))
      for (const LandingLayout &one : landingsOf(*run.entry, *run.outline, batch))
        bytes += one.batchBytes();
    most = std::max(most, bytes);
  }
  return most;
}

/// The parameters whose updates a run on these data would put off.
std::vector<std::string> Forecast::putOff(const Outline &outline, int64_t batch, const plan::Optimizer *optimizer,
                                          const plan::HyperValues &values) const {
  if (!optimizer || values.empty())
    return {};
  Settings settings;
  settings.optimizer = optimizer;
  settings.hyper = values;
  settings.batch = batch;
  plan::CostModel model = batchModel(settings, outline.binding, extents(0));
  model.density = [&outline](const std::string &name) {
    const DataShape &shape = outline.shapes.at(name);
    return static_cast<double>(shape.entries) / static_cast<double>(std::max<int64_t>(1, shape.rows));
  };
  return parametersToDefer(thePlan, device, settings, outline.binding, model);
}

int64_t Forecast::deferredBytes(int64_t batch, const plan::Optimizer *optimizer) const {
  int64_t bytes = 0;
  for (const Run &run : runs)
    if (run.entry->name == "train")
      for (const std::string &name : putOff(*run.outline, batch, optimizer, hyper))
        for (const plan::Parameter &parameter : thePlan.parameters)
          if (parameter.name == name)
            bytes +=
                plan::deferralBytes(extents(0).of(parameter.in), 1 + static_cast<int64_t>(optimizer->states.size()));
  return bytes;
}

Needs Forecast::needs(int64_t batch, const plan::Optimizer *optimizer) const {
  Needs needs{.data = dataBytes(batch), .program = program};
  const auto *own = dynamic_cast<const OwnMemory *>(&device);
  int64_t initial = 0, tile = 0;
  for (const plan::Parameter &parameter : thePlan.parameters) {
    const int64_t count = extents(0).of(parameter.in) * extents(0).of(parameter.out), bytes = count * kFloat;
    needs.parameters += own ? count * own->elementBytes(parameter.storage) : bytes;
    needs.states += optimizer && parameter.trained ? bytes * static_cast<int64_t>(optimizer->states.size()) : 0;
    initial = std::max(initial, std::min(bytes, kInitialBytes));
    tile = std::max(tile, std::min(bytes, kTileBytes) * (parameter.layout == "columns" ? 2 : 1));
  }
  int64_t running = 0, order = 0;
  for (const Run &run : runs) {
    const Extents known = extents(std::min(batch, run.outline->binding.rows));
    needs.buffers = std::max(needs.buffers, EntryRun::bufferCount(*run.entry, known) * kFloat);
    const bool trains = run.entry->name == "train";
    const plan::Optimizer *used = trains ? optimizer : nullptr;
    const WorkspaceNeed need = device.workspaceNeed(thePlan, *run.entry, used, emptyMemory(run, used, known), known);
    needs.workspace = std::max(needs.workspace, need.prepared);
    running = std::max(running, need.running);
    // The order of an epoch's examples, and the keys it is sorted by.
    order = std::max(order, run.outline->binding.rows * static_cast<int64_t>(sizeof(int64_t) + sizeof(uint32_t)));
  }
  needs.workspace += running + deferredBytes(batch, optimizer);
  if (share == MemoryShare::Device) {
    needs.program = 0;
    return needs;
  }
  if (share == MemoryShare::Host)
    needs.parameters = needs.states = needs.buffers = needs.workspace = 0;
  needs.workspace += order;
  const int64_t onTop = needs.buffers + needs.workspace, model = needs.parameters + needs.states;
  const bool here = calibrates && share == MemoryShare::All && !own; // else the device asks its driver
  const int64_t calibrating = here ? kCalibrationBytes - model - onTop - needs.data : 0;
  needs.passing =
      std::max({int64_t(0), loading - model - onTop, initial - onTop, saves ? tile : 0, calibrating}) + kSlack;
  return needs;
}

plan::CostModel Forecast::costModel(const Outline &outline, int64_t batch, const Settings &settings) const {
  plan::CostModel model;
  const double rows = static_cast<double>(std::min(batch, std::max<int64_t>(1, outline.binding.rows)));
  model.extent = [this, rows](const plan::Dim &dim) {
    return dim.symbol == "B" ? rows : static_cast<double>(extents(0).of(dim));
  };
  model.density = [&outline](const std::string &name) {
    const DataShape &shape = outline.shapes.at(name);
    return static_cast<double>(shape.entries) / static_cast<double>(std::max<int64_t>(1, shape.rows));
  };
  if (settings.optimizer) {
    model.states = static_cast<int>(settings.optimizer->states.size());
    model.onlyTouched = plan::keepsUntouched(*settings.optimizer, settings.hyper);
    for (std::string &name : putOff(outline, batch, settings.optimizer, settings.hyper))
      model.putOff.insert(std::move(name));
  }
  model.steps = std::ceil(static_cast<double>(outline.binding.rows) / rows);
  std::set<const plan::Step *> factored;
  for (const FactoringAnswer &answer : factoring(batch, settings.optimizer))
    if (answer.factored)
      factored.insert(answer.step);
  if (!factored.empty())
    model.factored = [factored](const plan::Step &step) { return factored.count(&step) > 0; };
  return model;
}

double Forecast::seconds(const std::string &entry, const Settings &settings, const Rates &rates) const {
  for (const Run &run : runs) {
    if (run.entry->name != entry || run.outline->binding.rows == 0)
      continue;
    const int64_t rows = run.outline->binding.rows, batch = std::min(settings.batch, rows);
    const plan::CostModel model = costModel(*run.outline, batch, settings);
    double step = 0;
    for (const plan::Step &one : run.entry->steps)
      step += plan::secondsOf(plan::costOf(thePlan, *run.entry, one, model), {rates.flops, rates.bytes});
    return step * std::ceil(static_cast<double>(rows) / static_cast<double>(batch));
  }
  return 0;
}

namespace {
/// The largest batch below `batch` that fits; 0 if none does.
int64_t largestBatch(const Forecast &forecast, int64_t batch, const plan::Optimizer *optimizer, int64_t room) {
  int64_t fits = 0, tooLarge = batch;
  while (tooLarge - fits > 1) {
    const int64_t middle = fits + (tooLarge - fits) / 2;
    (forecast.needs(middle, optimizer).total() <= room ? fits : tooLarge) = middle;
  }
  return fits;
}

std::string remedies(const Forecast &forecast, int64_t batch, const plan::Optimizer *optimizer, int64_t room) {
  std::vector<std::string> ideas;
  if (const int64_t fits = largestBatch(forecast, batch, optimizer, room))
    ideas.push_back(fmt::format("--batch {} is the largest that fits", fits));
  const plan::Optimizer *fewest = optimizer;
  for (const plan::Optimizer &other : forecast.plan().optimizers)
    if (fewest && other.states.size() < fewest->states.size())
      fewest = &other;
  if (fewest != optimizer) {
    const int64_t total = forecast.needs(batch, fewest).total();
    if (total <= room)
      ideas.push_back(fmt::format("--optimizer {} fits with {}", fewest->name, formatBytes(total)));
    else if (const int64_t fits = largestBatch(forecast, batch, fewest, room))
      ideas.push_back(fmt::format("--optimizer {} with --batch {} fits", fewest->name, fits));
  }
  if (ideas.empty() && forecast.rows() == 0) // nothing runs
    return "smaller hidden layers or a machine with more memory";
  if (ideas.empty())
    return fmt::format("a smaller batch{} is not enough: with a batch of 1 it still needs {}; smaller hidden layers or "
                       "a machine with more memory would help",
                       fewest != optimizer ? " or another optimizer" : "",
                       formatBytes(forecast.needs(1, fewest).total()));
  return fmt::format("{}", fmt::join(ideas, "; "));
}
} // namespace

std::string shortage(const Forecast &forecast, const Settings &settings, const plan::Optimizer *optimizer,
                     const MemoryRoom &room, const std::string &what) {
  const int64_t batch = std::min(settings.batch, std::max<int64_t>(1, forecast.rows()));
  const Needs needs = forecast.needs(batch, optimizer);
  if (needs.total() <= room.bytes)
    return "";
  return fmt::format("{} needs about {} of memory and {} {}, {} ({} bytes) too little: {}. What would help: {}", what,
                     formatBytes(needs.total()), room.source, formatBytes(room.bytes),
                     formatBytes(needs.total() - room.bytes), needs.total() - room.bytes, kindsText(needs),
                     remedies(forecast, batch, optimizer, room.bytes));
}
} // namespace sn::rt
