#include "tools/snrt/RunForecast.h"
#include "runtime/hal/OwnMemory.h"
#include "runtime/plan/Error.h"
#include "tools/snrt/Output.h"
#include <algorithm>

namespace sn::snrt {
namespace {
void requireRoom(const rt::Forecast &forecast, const rt::Settings &settings, const plan::Optimizer *optimizer,
                 const rt::MemoryRoom &room, const char *what) {
  const std::string shortage = rt::shortage(forecast, settings, optimizer, room, what);
  if (!shortage.empty())
    userError("{}", shortage);
}

/// Refuses what does not fit: into the host's memory and, where the device has its own, into that.
rt::Needs settleNeeds(rt::Session &session, rt::Forecast &forecast, const rt::Settings &settings,
                      const plan::Optimizer *optimizer, const RunOptions &options, const char *what) {
  forecast.setProgram(rt::residentBytes());
  const auto *own = dynamic_cast<const rt::OwnMemory *>(&session.device());
  if (own) {
    forecast.setShare(rt::MemoryShare::Device);
    requireRoom(forecast, settings, optimizer, {own->freeMemory(), "the device has free"}, what);
    forecast.setShare(rt::MemoryShare::Host);
  }
  requireRoom(forecast, settings, optimizer, rt::memoryRoom(options.memoryLimit), what);
  forecast.setShare(rt::MemoryShare::All);
  return forecast.needs(settings.batch, optimizer);
}

void tell(const RunForecast &forecast, const std::string &device, const char *pass) {
  fmt::print(stderr, "{}; memory about {}; {} takes about {}\n", device, rt::describe(forecast.needs), pass,
             forecast.seconds < 10 ? fmt::format("{:.2g} s", forecast.seconds) : formatSeconds(forecast.seconds));
}

/// Data sets of one file that more than one reader names are loaded once.
class LoadedSets {
public:
  LoadedSets(const rt::DataFile &file, const rt::Outline &read) : file(file) {
    for (const auto &[name, set] : read.binding.sets)
      names.push_back(set->name);
  }
  bool has(const std::string &name) const {
    return std::any_of(names.begin(), names.end(), [&](const std::string &other) { return file.same(other, name); });
  }
  const std::string &path() const { return file.path(); }

private:
  const rt::DataFile &file;
  std::vector<std::string> names;
};

void addHeld(rt::Forecast &forecast, const std::vector<HeldData> &held, const LoadedSets &loaded) {
  for (const HeldData &data : held) {
    const rt::DataFile other = rt::DataFile::open(data.file);
    auto name = std::find_if(data.names.begin(), data.names.end(), [&](const auto &one) { return other.has(one); });
    if (name == data.names.end() || (data.file == loaded.path() && loaded.has(*name)))
      continue; // what is missing is told by who loads it
    forecast.addData(other.describe(*name).bytes);
  }
}
} // namespace

RunForecast forecastTraining(rt::Session &session, const rt::Settings &settings, const rt::DataFile &file,
                             const std::string &from, const std::string &validation, const std::vector<HeldData> &held,
                             const RunOptions &options) {
  const plan::Plan &plan = session.plan();
  const rt::Aliases aliases = rt::parseAliases(options.bind);
  rt::returnLargeBlocks();
  const rt::Rates rates = session.device().measureRates(); // first: what it opens and keeps belongs to the program
  std::optional<rt::CheckpointReader> weights;
  if (!from.empty())
    weights.emplace(from);
  const rt::Outline own = rt::outlineData(plan, rt::dataSetsOf(session.entry("train")), file, aliases);
  rt::Outline validated;
  rt::Forecast forecast(plan, session.device(),
                        rt::resolveSymbols(plan, &own.binding, weights ? &weights->header() : nullptr));
  forecast.add("train", own);
  forecast.add("trial", own);
  if (!validation.empty()) {
    validated =
        rt::outlineData(plan, rt::dataSetsOf(session.entry("evaluate")), rt::DataFile::open(validation), aliases);
    forecast.add("evaluate", validated);
  }
  if (!held.empty()) {
    forecast.add("predict", own);
    addHeld(forecast, held, LoadedSets(file, own));
  }
  forecast.setSaves();
  RunForecast result{settleNeeds(session, forecast, settings, settings.optimizer, options, "training"),
                     forecast.seconds("train", settings, rates)};
  tell(result, session.device().description(), "an epoch");
  return result;
}

RunForecast forecastUse(rt::Session &session, const rt::Settings &settings, const rt::DataFile &file,
                        const rt::CheckpointHeader &weights, const std::string &entry,
                        const std::vector<HeldData> &held, const RunOptions &options) {
  const plan::Plan &plan = session.plan();
  const rt::Aliases aliases = rt::parseAliases(options.bind);
  rt::returnLargeBlocks();
  const rt::Rates rates = session.device().measureRates();
  const rt::Outline inputs = rt::outlineData(plan, rt::dataSetsOf(session.entry("predict")), file, aliases);
  const rt::Outline read = rt::outlineData(plan, rt::dataSetsOf(session.entry(entry)), file, aliases);
  rt::Forecast forecast(plan, session.device(), rt::resolveSymbols(plan, &inputs.binding, &weights));
  forecast.add(entry, read);
  LoadedSets loaded(file, read);
  for (const auto &[name, set] : inputs.binding.sets)
    if (!loaded.has(set->name))
      forecast.addData(inputs.shapes.at(name).bytes);
  addHeld(forecast, held, loaded);
  RunForecast result{
      settleNeeds(session, forecast, settings, nullptr, options, entry == "predict" ? "prediction" : "evaluation"),
      forecast.seconds(entry, settings, rates)};
  tell(result, session.device().description(), "a pass over the data");
  return result;
}

void requireRoomToInitialize(rt::Session &session, const rt::Settings &settings, const rt::DataFile &file,
                             const std::set<std::string> &names, const RunOptions &options) {
  const plan::Plan &plan = session.plan();
  rt::Outline outline;
  if (!names.empty())
    outline = rt::outlineData(plan, names, file, rt::parseAliases(options.bind));
  rt::Forecast forecast(plan, session.device(), rt::resolveSymbols(plan, &outline.binding, nullptr));
  forecast.addData(outline);
  forecast.setSaves();
  settleNeeds(session, forecast, settings, nullptr, options, "writing untrained weights");
}
} // namespace sn::snrt
