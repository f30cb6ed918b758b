#include "runtime/report/Metrics.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>

namespace sn::report {
namespace {
using Json = nlohmann::json;
constexpr std::streamsize kLongestLine = 1 << 24;
constexpr int64_t kPatience = 1000; // lines without one of ours after which a file is something else
constexpr double kShortest = 0.25;  // seconds; a rate over less is noise
constexpr double kLargest = 1e250;  // beyond it, axes would overflow; below its inverse a number counts as 0

const Json *member(const Json &object, const char *name) {
  if (!object.is_object())
    return nullptr;
  auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}
double value(const Json &json) {
  if (!json.is_number())
    return kMissing;
  double number = json.get<double>();
  if (std::abs(number) < 1 / kLargest)
    return 0;
  return std::abs(number) <= kLargest ? number : kMissing;
}
double number(const Json &object, const char *name) {
  const Json *found = member(object, name);
  return found ? value(*found) : kMissing;
}
int64_t integer(const Json &object, const char *name) {
  double found = number(object, name);
  return std::isfinite(found) ? static_cast<int64_t>(std::clamp(found, 0.0, 9e15)) : 0;
}
std::string text(const Json &object, const char *name) {
  const Json *found = member(object, name);
  return found && found->is_string() ? found->get<std::string>() : "";
}
std::vector<std::string> texts(const Json &object, const char *name) {
  std::vector<std::string> list;
  if (const Json *found = member(object, name); found && found->is_array())
    for (const Json &item : *found)
      if (item.is_string())
        list.push_back(item.get<std::string>());
  return list;
}
std::map<std::string, double> numbers(const Json &object, const char *name) {
  std::map<std::string, double> map;
  if (const Json *found = member(object, name); found && found->is_object())
    for (const auto &[key, item] : found->items())
      if (double number = value(item); std::isfinite(number))
        map[key] = number;
  return map;
}
/// The objects of a list.
std::vector<const Json *> objects(const Json &object, const char *name) {
  std::vector<const Json *> list;
  if (const Json *found = member(object, name); found && found->is_array())
    for (const Json &item : *found)
      if (item.is_object())
        list.push_back(&item);
  return list;
}
/// A setting as it is shown; "" if it has no short form.
std::string shown(const Json &json) {
  if (json.is_string())
    return json.get<std::string>();
  if (json.is_boolean())
    return json.get<bool>() ? "yes" : "no";
  if (json.is_number_integer())
    return json.dump();
  return json.is_number() ? fmt::format("{}", json.get<double>()) : "";
}

std::vector<std::pair<std::string, std::string>> settingsOf(const Json &line) {
  std::vector<std::pair<std::string, std::string>> shownSettings;
  const Json *settings = member(line, "settings");
  if (!settings)
    return shownSettings;
  auto add = [&](const std::string &name, const Json *found) {
    if (std::string as = found ? shown(*found) : ""; !as.empty())
      shownSettings.emplace_back(name, as);
  };
  add("optimizer", member(*settings, "optimizer"));
  if (const Json *hyper = member(*settings, "hyper"); hyper && hyper->is_object())
    for (const auto &[name, item] : hyper->items())
      add(name, &item);
  add("learning rate", member(*settings, "alpha"));
  for (const char *name : {"batch", "epochs", "seed", "shuffle"})
    add(name, member(*settings, name));
  return shownSettings;
}

/// The runs of one file, line by line.
class Reader {
public:
  Reader(std::string file, std::vector<Run> &runs) : file(std::move(file)), runs(runs), first(runs.size()) {}
  /// Takes a line in. "" or why it cannot be.
  std::string take(const std::string &line);
  bool any() const { return runs.size() > first; }

private:
  void begin(const Json &line);
  void resume(const Json &line);
  void takeBatches(const Json &line);
  void takeEpoch(const Json &line);
  void takeCheckpoint(const Json &line);
  void takeProfile(const Json &line);
  void takeEnd(const Json &line);
  Run &run() {
    if (runs.size() == first) // the file's beginning is missing
      runs.emplace_back().file = file;
    return runs.back();
  }

  std::string file;
  std::vector<Run> &runs;
  size_t first; // of this file's runs
};

std::string Reader::take(const std::string &text_) {
  Json line = Json::parse(text_, nullptr, false);
  if (line.is_discarded())
    return "it is not JSON";
  const Json *kind = member(line, "kind");
  if (!kind || !kind->is_string())
    return "it is not an object with a 'kind'";
  const std::string &name = kind->get_ref<const std::string &>();
  if (name == "run")
    member(line, "resumed") ? resume(line) : begin(line);
  else if (name == "batches")
    takeBatches(line);
  else if (name == "epoch")
    takeEpoch(line);
  else if (name == "checkpoint")
    takeCheckpoint(line);
  else if (name == "profile")
    takeProfile(line);
  else if (name == "end")
    takeEnd(line);
  return "";
}

void Reader::begin(const Json &line) {
  Run &run = runs.emplace_back();
  run.file = file;
  run.network = text(line, "network");
  run.plan = text(line, "plan");
  run.data = text(line, "data");
  run.weights = text(line, "weights");
  run.device = text(line, "device");
  run.settings = settingsOf(line);
  run.examples = number(line, "examples");
  run.parameters = number(line, "parameters");
  run.memory = numbers(line, "memory");
  if (const Json *estimate = member(line, "estimate"))
    run.estimate = number(*estimate, "seconds_per_epoch");
  if (const Json *sets = member(line, "datasets"); sets && sets->is_object())
    for (const auto &[name, set] : sets->items())
      run.datasets.push_back({name, number(set, "rows"), number(set, "columns"), number(set, "entries")});
  for (const Json *step : objects(line, "graph"))
    run.graph.push_back({text(*step, "kernel"), text(*step, "sweep"), text(*step, "label"), text(*step, "target"),
                         texts(*step, "reads"), texts(*step, "writes")});
}

/// The run goes on: what it had done after the checkpoint it starts from is void.
void Reader::resume(const Json &line) {
  const Json &from = *member(line, "resumed");
  std::string weights = text(line, "weights"), network = text(line, "network");
  auto earlier = std::find_if(runs.rbegin(), runs.rend() - static_cast<std::ptrdiff_t>(first), [&](const Run &run) {
    return std::tie(run.network, run.weights) == std::tie(network, weights);
  });
  std::optional<Run> before;
  if (earlier != runs.rend() - static_cast<std::ptrdiff_t>(first)) {
    before = std::move(*earlier);
    runs.erase(std::next(earlier).base());
  }
  begin(line);
  Run &run = runs.back();
  Resumption at{integer(from, "step"), integer(from, "epoch"), std::max(0.0, number(from, "example"))};
  if (before) {
    run.resumed = std::move(before->resumed);
    run.batches = std::move(before->batches);
    run.epochs = std::move(before->epochs);
    run.checkpoints = std::move(before->checkpoints);
    run.profiled = std::move(before->profiled);
    run.profile = std::move(before->profile);
    run.trained = before->trained;
    std::erase_if(run.batches, [&](const BatchPoint &point) { return point.step > at.step; });
    std::erase_if(run.epochs, [&](const EpochPoint &point) { return point.epoch > at.epoch; });
    std::erase_if(run.checkpoints, [&](const CheckpointPoint &point) { return point.step > at.step; });
  }
  run.resumed.push_back(at);
}

void Reader::takeBatches(const Json &line) {
  BatchPoint point{integer(line, "epoch"), integer(line, "step")};
  point.examples = number(line, "examples");
  point.training = number(line, "training");
  point.alpha = number(line, "alpha");
  point.seconds = number(line, "seconds");
  point.session = run().resumed.size();
  run().batches.push_back(point);
}

void Reader::takeEpoch(const Json &line) {
  EpochPoint point;
  point.epoch = integer(line, "epoch");
  point.steps = number(line, "steps");
  point.examples = number(line, "examples");
  point.error = number(line, "error");
  point.training = number(line, "training");
  point.regularization = number(line, "regularization");
  point.validation = number(line, "validation");
  point.alpha = number(line, "alpha");
  point.seconds = number(line, "seconds");
  point.rate = number(line, "examples_per_second");
  point.ranking = numbers(line, "ranking");
  point.reports = numbers(line, "reports");
  run().epochs.push_back(std::move(point));
}

void Reader::takeCheckpoint(const Json &line) {
  run().checkpoints.push_back({text(line, "path"), integer(line, "step"), number(line, "epoch"),
                               number(line, "example"), kMissing, number(line, "seconds")});
}

void Reader::takeProfile(const Json &line) {
  std::vector<StepTime> steps;
  for (const Json *step : objects(line, "steps")) {
    StepTime time{text(*step, "kernel"), text(*step, "sweep"), text(*step, "label")};
    time.launches = std::max(0.0, number(*step, "launches"));
    time.seconds = std::max(0.0, number(*step, "seconds"));
    steps.push_back(std::move(time));
  }
  std::vector<StepTime> &sum = run().profile;
  bool same = std::equal(steps.begin(), steps.end(), sum.begin(), sum.end(), [](const StepTime &a, const StepTime &b) {
    return std::tie(a.kernel, a.sweep, a.label) == std::tie(b.kernel, b.sweep, b.label);
  });
  for (size_t i = 0; same && i < steps.size(); ++i)
    steps[i].launches += sum[i].launches, steps[i].seconds += sum[i].seconds;
  sum = std::move(steps);
  run().profiled = text(line, "entry");
}

void Reader::takeEnd(const Json &line) {
  End &end = run().end;
  end = {text(line, "reason"), text(line, "weights"), text(line, "message"),
         number(line, "step"), number(line, "epoch"), number(line, "seconds")};
  if (end.reason.empty())
    end.reason = "finished";
  if (std::isfinite(end.seconds))
    run().trained += end.seconds;
}

/// What only the whole run tells: positions in epochs, rates, each epoch once.
void settle(Run &run) {
  std::stable_sort(run.epochs.begin(), run.epochs.end(),
                   [](const EpochPoint &a, const EpochPoint &b) { return a.epoch < b.epoch; });
  std::vector<EpochPoint> last;
  for (EpochPoint &point : run.epochs) {
    if (!last.empty() && last.back().epoch == point.epoch)
      last.pop_back();
    last.push_back(std::move(point));
  }
  run.epochs = std::move(last);
  double all = run.examples;
  if (!(all > 0)) {
    all = 1;
    for (const BatchPoint &point : run.batches)
      all = std::max(all, std::isfinite(point.examples) ? point.examples : 0);
  }
  auto at = [all](double epochs, double examples) {
    return epochs + (std::isfinite(examples) ? std::clamp(examples / all, 0.0, 1.0) : 0);
  };
  std::stable_sort(run.batches.begin(), run.batches.end(),
                   [](const BatchPoint &a, const BatchPoint &b) { return a.step < b.step; });
  const BatchPoint *before = nullptr;
  for (BatchPoint &point : run.batches) {
    point.at = at(static_cast<double>(std::max<int64_t>(0, point.epoch - 1)), point.examples);
    if (before && before->epoch == point.epoch && before->session == point.session) {
      if (!(point.seconds - before->seconds >= kShortest && point.examples > before->examples))
        continue;
      point.rate = (point.examples - before->examples) / (point.seconds - before->seconds);
    }
    before = &point;
  }
  for (CheckpointPoint &point : run.checkpoints)
    point.at = at(std::isfinite(point.epoch) ? point.epoch : 0, point.example);
  for (Resumption &point : run.resumed)
    point.at = at(static_cast<double>(point.epoch), point.example);
}

/// Feeds a file's lines to a reader.
void readFile(const std::string &path, Metrics &metrics) {
  if (std::filesystem::is_directory(path))
    userError("{}: is a folder; name the metrics file in it (snrt train writes metrics.jsonl beside the weights)",
              path);
  std::ifstream in(path, std::ios::binary);
  if (!in)
    userError("{}: cannot be read: {}; snrt train writes metrics.jsonl beside the weights", path, std::strerror(errno));
  Reader reader(path, metrics.runs);
  std::vector<Skipped> skipped;
  std::vector<char> buffer(kLongestLine);
  int64_t lines = 0, taken = 0, count = 0;
  while (in.getline(buffer.data(), kLongestLine) || in.gcount() > 0) {
    ++lines;
    bool tooLong = in.fail() && !in.eof(), ended = !in.eof();
    std::string why = "it is longer than any line of a metrics file";
    if (tooLong) {
      in.clear();
      in.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
    } else {
      std::string line(buffer.data(), static_cast<size_t>(in.gcount()) - (ended ? 1 : 0));
      if (line.find_first_not_of(" \t\r") == std::string::npos)
        continue;
      why = reader.take(line);
    }
    if (why.empty()) {
      ++taken;
      continue;
    }
    ++count;
    if (!ended && taken > 0)
      why = "half a line: the run ended while it was written";
    if (skipped.size() < kSkippedKept)
      skipped.push_back({path, lines, why});
    if (taken == 0 && count >= kPatience)
      break;
  }
  if (taken == 0 && count == 0)
    userError("{}: is empty; snrt train writes its lines to metrics.jsonl beside the weights", path);
  if (taken == 0)
    userError("{}:{}: no metrics file: {}. Give the metrics.jsonl that snrt train writes beside the weights", path,
              skipped.front().line, skipped.front().why);
  if (!reader.any())
    userError(
        "{}:1: no metrics file: its lines are of other kinds than run, batches, epoch, checkpoint, profile and end",
        path);
  metrics.skippedLines += count;
  size_t room = kSkippedKept - metrics.skipped.size();
  metrics.skipped.insert(metrics.skipped.end(), skipped.begin(),
                         skipped.begin() + static_cast<std::ptrdiff_t>(std::min(room, skipped.size())));
}
} // namespace

Metrics readMetrics(const std::vector<std::string> &paths) {
  Metrics metrics;
  for (const std::string &path : paths)
    readFile(path, metrics);
  for (Run &run : metrics.runs)
    settle(run);
  return metrics;
}
} // namespace sn::report
