#include "runtime/report/Summary.h"
#include "runtime/report/Text.h"
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

namespace sn::report {
namespace {
using Json = nlohmann::json;

Json orNull(double value) { return std::isfinite(value) ? Json(value) : Json(); }

using Features = std::vector<std::pair<std::string, std::string>>;

/// What may set a run apart, by name, what says most first; the files only where nothing else does.
Features settingsThatMayDiffer(const Run &run) {
  Features list = {{"network", run.network}, {"data", std::filesystem::path(run.data).filename().string()}};
  list.insert(list.end(), run.settings.begin(), run.settings.end());
  return list;
}
Features filesThatMayDiffer(const Run &run) {
  return {{"weights", std::filesystem::path(run.weights).filename().string()}, {"file", run.file}};
}

std::string featureText(const std::string &name, const std::string &value) {
  bool plain = name == "network" || name == "data" || name == "optimizer" || name == "weights" || name == "file";
  return (plain ? "" : name + " ") + shortened(value, 40);
}

/// The features of run `r` whose values are not the same in all runs.
std::string difference(const std::vector<Run> &runs, size_t r, Features (*features)(const Run &)) {
  constexpr size_t kMost = 3;
  std::map<std::string, std::set<std::string>> values;
  for (const Run &run : runs)
    for (const auto &[name, value] : features(run))
      values[name].insert(value);
  std::string text;
  size_t said = 0;
  for (const auto &[name, value] : features(runs[r]))
    if (said < kMost && values[name].size() > 1 && !value.empty())
      text += (said++ ? ", " : "") + featureText(name, value);
  return text;
}

Json epochJson(const EpochPoint &point) {
  Json json = {{"epoch", point.epoch},
               {"steps", orNull(point.steps)},
               {"training", orNull(point.training)},
               {"regularization", orNull(point.regularization)},
               {"validation", orNull(point.validation)},
               {"alpha", orNull(point.alpha)},
               {"seconds", orNull(point.seconds)},
               {"examples_per_second", orNull(point.rate)}};
  if (!point.ranking.empty())
    json["ranking"] = point.ranking;
  if (!point.reports.empty())
    json["reports"] = point.reports;
  return json;
}

Json profileJson(const Run &run) {
  std::vector<double> share = shares(run);
  Json steps = Json::array(), kernels = Json::array();
  double all = 0;
  for (size_t i = 0; i < run.profile.size(); ++i) {
    const StepTime &step = run.profile[i];
    all += step.seconds;
    steps.push_back({{"kernel", step.kernel},
                     {"sweep", step.sweep},
                     {"label", step.label},
                     {"launches", step.launches},
                     {"seconds", step.seconds},
                     {"share", share.empty() ? Json() : Json(share[i])}});
  }
  for (const StepTime &kernel : byKernel(run))
    kernels.push_back({{"kernel", kernel.kernel}, {"launches", kernel.launches}, {"seconds", kernel.seconds}});
  return {{"entry", run.profiled}, {"seconds", all}, {"steps", steps}, {"kernels", kernels}};
}

Json runJson(const Run &run, const std::string &label) {
  Json json = {{"name", label},
               {"file", run.file},
               {"network", run.network},
               {"plan", run.plan},
               {"data", run.data},
               {"weights", run.weights},
               {"device", run.device},
               {"memory", run.memory},
               {"settings", Json::object()},
               {"epochs", Json::array()},
               {"resumed", run.resumed.size()},
               {"checkpoints", run.checkpoints.size()},
               {"seconds", run.trained}};
  json["examples"] = orNull(run.examples);
  json["parameters"] = orNull(run.parameters);
  for (const auto &[name, value] : run.settings)
    json["settings"][name] = value;
  for (const EpochPoint &point : run.epochs)
    json["epochs"].push_back(epochJson(point));
  if (Best best = bestValidation(run); best.epoch)
    json["best"]["validation"] = {{"value", best.value}, {"epoch", best.epoch}};
  for (const auto &[name, best] : bestRanking(run))
    json["best"][name] = {{"value", best.value}, {"epoch", best.epoch}};
  if (!run.profile.empty())
    json["profile"] = profileJson(run);
  json["end"] = run.end.reason.empty() ? Json() : Json(run.end.reason);
  json["message"] = run.end.message;
  return json;
}
} // namespace

Best bestValidation(const Run &run) {
  Best best;
  for (const EpochPoint &point : run.epochs)
    if (std::isfinite(point.validation) && !(best.value <= point.validation))
      best = {point.validation, point.epoch};
  return best;
}

std::map<std::string, Best> bestRanking(const Run &run) {
  std::map<std::string, Best> best;
  for (const EpochPoint &point : run.epochs)
    for (const auto &[name, value] : point.ranking)
      if (!(best[name].value >= value))
        best[name] = {value, point.epoch};
  return best;
}

std::vector<double> shares(const Run &run) {
  double all = 0;
  for (const StepTime &step : run.profile)
    all += step.seconds;
  std::vector<double> list;
  for (const StepTime &step : run.profile)
    if (all > 0 && std::isfinite(all))
      list.push_back(step.seconds / all);
  return list;
}

std::vector<StepTime> byKernel(const Run &run) {
  std::vector<StepTime> kernels;
  for (const StepTime &step : run.profile) {
    auto found =
        std::find_if(kernels.begin(), kernels.end(), [&](const StepTime &k) { return k.kernel == step.kernel; });
    if (found == kernels.end())
      found = kernels.insert(kernels.end(), {step.kernel, "", ""});
    found->launches += step.launches;
    found->seconds += step.seconds;
  }
  std::stable_sort(kernels.begin(), kernels.end(),
                   [](const StepTime &a, const StepTime &b) { return a.seconds > b.seconds; });
  return kernels;
}

double typicalRate(const Run &run) {
  std::vector<double> rates;
  for (const EpochPoint &point : run.epochs)
    if (std::isfinite(point.rate))
      rates.push_back(point.rate);
  if (rates.empty())
    for (const BatchPoint &point : run.batches)
      if (std::isfinite(point.rate))
        rates.push_back(point.rate);
  if (rates.empty())
    return kMissing;
  std::sort(rates.begin(), rates.end());
  return rates[rates.size() / 2];
}

std::string ending(const Run &run) {
  std::string done = run.epochs.size() == 1 ? "1 epoch" : fmt::format("{} epochs", whole(double(run.epochs.size())));
  double steps = run.end.step;
  if (!std::isfinite(steps) && !run.batches.empty())
    steps = static_cast<double>(run.batches.back().step);
  if (std::isfinite(steps))
    done += fmt::format(" and {} steps", whole(steps));
  if (run.trained > 0)
    done += " in " + duration(run.trained);
  std::string again = run.resumed.empty()       ? ""
                      : run.resumed.size() == 1 ? ", resumed once"
                                                : fmt::format(", resumed {} times", run.resumed.size());
  if (run.end.reason.empty())
    return fmt::format("No end is written: the run still goes on, or was killed. So far {}{}.", done, again);
  if (run.end.reason == "interrupted")
    return fmt::format("Interrupted after {}{}.", done, again);
  if (run.end.reason == "diverged")
    return fmt::format("Diverged after {}{}. {}", done, again, run.end.message);
  return fmt::format("Finished after {}{}.", done, again);
}

std::vector<std::string> labels(const std::vector<Run> &runs) {
  if (runs.size() == 1)
    return {"training"};
  std::vector<std::string> names;
  for (size_t i = 0; i < runs.size(); ++i) {
    std::string text = difference(runs, i, settingsThatMayDiffer);
    if (text.empty())
      text = difference(runs, i, filesThatMayDiffer);
    names.push_back(fmt::format("{}{}{}", i + 1, text.empty() ? "" : ": ", text));
  }
  return names;
}

Json summary(const Metrics &metrics) {
  Json runs = Json::array(), skipped = Json::array();
  std::vector<std::string> names = labels(metrics.runs);
  for (size_t i = 0; i < metrics.runs.size(); ++i)
    runs.push_back(runJson(metrics.runs[i], names[i]));
  for (const Skipped &line : metrics.skipped)
    skipped.push_back({{"file", line.file}, {"line", line.line}, {"why", line.why}});
  return {{"runs", runs}, {"skipped", skipped}, {"skipped_lines", metrics.skippedLines}};
}
} // namespace sn::report
