#include "tools/snrt/RunForecast.h"
#include "runtime/plan/Error.h"
#include "tools/snrt/Output.h"
#include <algorithm>
#include <deque>

namespace sn::snrt {
namespace {
/// Refuses what fits no way, into the host's memory and, where the device has its own, into that; sets `file` to the
/// way that its data take.
RunForecast settle(rt::WayQuestion &question, rt::DataFile &file, const std::string &entry, const RunOptions &options,
                   const rt::Rates &rates) {
  question.room = rt::memoryRoom(options.memoryLimit);
  question.stream = options.stream;
  rt::WayAnswer answer = rt::chooseWay(question, entry, rates);
  if (!answer.shortage.empty())
    userError("{}", answer.shortage);
  file.stream(answer.way.streaming);
  if (!answer.way.streaming.fromFile)
    file.forget(); // what was looked at to choose
  return {answer.needs, std::move(answer.way), answer.seconds};
}

void tell(const RunForecast &forecast, const std::string &device, const char *pass) {
  fmt::print(stderr, "{}; memory about {}; {} takes about {}; {}\n", device, rt::describe(forecast.needs), pass,
             forecast.seconds < 10 ? fmt::format("{:.2g} s", forecast.seconds) : formatSeconds(forecast.seconds),
             forecast.way.text());
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

RunForecast forecastTraining(rt::Session &session, const rt::Settings &settings, rt::DataFile &file,
                             const std::string &from, const std::string &validation, const std::vector<HeldData> &held,
                             const RunOptions &options) {
  const plan::Plan &plan = session.plan();
  const rt::Aliases aliases = rt::parseAliases(options.bind);
  rt::returnLargeBlocks();
  const rt::Rates rates = session.device().measureRates(); // first: what it opens and keeps belongs to the program
  const int64_t program = rt::residentBytes();
  std::optional<rt::CheckpointReader> weights;
  if (!from.empty())
    weights.emplace(from);
  std::deque<rt::Outline> outlines; // forecasts refer to them
  std::optional<rt::DataFile> validated;
  if (!validation.empty())
    validated.emplace(rt::DataFile::open(validation));
  auto forecastOf = [&](const rt::Streaming &streaming) {
    file.stream(streaming);
    const rt::Outline &own =
        outlines.emplace_back(rt::outlineData(plan, rt::dataSetsOf(session.entry("train")), file, aliases));
    rt::Forecast forecast(plan, session.device(),
                          rt::resolveSymbols(plan, &own.binding, weights ? &weights->header() : nullptr));
    forecast.setHyper(settings.hyper);
    forecast.add("train", own);
    forecast.add("trial", own);
    if (validated) {
      validated->stream(streaming);
      forecast.add("evaluate", outlines.emplace_back(rt::outlineData(plan, rt::dataSetsOf(session.entry("evaluate")),
                                                                     *validated, aliases)));
    }
    if (!held.empty()) {
      forecast.add("predict", own);
      addHeld(forecast, held, LoadedSets(file, own));
    }
    forecast.setSaves();
    forecast.setProgram(program);
    forecast.setCalibrates();
    return forecast;
  };
  rt::WayQuestion question{forecastOf, session.device(), settings, settings.optimizer, {}, false, "training"};
  RunForecast result = settle(question, file, "train", options, rates);
  tell(result, session.device().description(), "an epoch");
  return result;
}

RunForecast forecastUse(rt::Session &session, const rt::Settings &settings, rt::DataFile &file,
                        const rt::CheckpointHeader &weights, const std::string &entry,
                        const std::vector<HeldData> &held, const RunOptions &options) {
  const plan::Plan &plan = session.plan();
  const rt::Aliases aliases = rt::parseAliases(options.bind);
  rt::returnLargeBlocks();
  const rt::Rates rates = session.device().measureRates();
  const int64_t program = rt::residentBytes();
  std::deque<rt::Outline> outlines;
  auto forecastOf = [&](const rt::Streaming &streaming) {
    file.stream(streaming);
    const rt::Outline &inputs =
        outlines.emplace_back(rt::outlineData(plan, rt::dataSetsOf(session.entry("predict")), file, aliases));
    const rt::Outline &read =
        outlines.emplace_back(rt::outlineData(plan, rt::dataSetsOf(session.entry(entry)), file, aliases));
    rt::Forecast forecast(plan, session.device(), rt::resolveSymbols(plan, &inputs.binding, &weights));
    forecast.add(entry, read);
    LoadedSets loaded(file, read);
    for (const auto &[name, set] : inputs.binding.sets)
      if (!loaded.has(set->name))
        forecast.addData(streaming.fromFile ? rt::bytesOf(*set) : inputs.shapes.at(name).bytes);
    addHeld(forecast, held, loaded);
    forecast.setProgram(program);
    forecast.setCalibrates();
    return forecast;
  };
  rt::WayQuestion question{
      forecastOf, session.device(), settings, nullptr, {}, false, entry == "predict" ? "prediction" : "evaluation"};
  RunForecast result = settle(question, file, entry, options, rates);
  tell(result, session.device().description(), "a pass over the data");
  return result;
}

void requireRoomToInitialize(rt::Session &session, const rt::Settings &settings, rt::DataFile &file,
                             const std::set<std::string> &names, const RunOptions &options) {
  const plan::Plan &plan = session.plan();
  const int64_t program = rt::residentBytes();
  std::deque<rt::Outline> outlines;
  auto forecastOf = [&](const rt::Streaming &streaming) {
    file.stream(streaming);
    rt::Outline &outline = outlines.emplace_back();
    if (!names.empty())
      outline = rt::outlineData(plan, names, file, rt::parseAliases(options.bind));
    rt::Forecast forecast(plan, session.device(), rt::resolveSymbols(plan, &outline.binding, nullptr));
    forecast.addData(outline);
    forecast.setSaves();
    forecast.setProgram(program);
    return forecast;
  };
  rt::WayQuestion question{forecastOf, session.device(), settings, nullptr, {}, false, "writing untrained weights"};
  settle(question, file, "", options, {});
}
} // namespace sn::snrt
