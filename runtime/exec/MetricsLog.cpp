#include "runtime/exec/MetricsLog.h"
#include <cerrno>
#include <cstring>

namespace sn::rt {
namespace {
/// True if the file ends inside a line.
bool isCutOff(const std::string &path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in || in.tellg() <= 0)
    return false;
  in.seekg(-1, std::ios::end);
  return in.get() != '\n';
}
} // namespace

MetricsLog::MetricsLog(std::string where, bool echo) : path(std::move(where)), echo(echo) {
  bool cut = isCutOff(path);
  file.open(path, std::ios::app);
  if (!file)
    userError("cannot write '{}': {}", path, std::strerror(errno));
  if (cut)
    file << std::endl;
}

void MetricsLog::write(const nlohmann::json &line) {
  std::string text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
  if (echo) {
    fmt::print("{}", text);
    std::fflush(stdout);
  }
  if (failed)
    return;
  file << text << std::flush;
  failed = !file;
  if (failed)
    fmt::print(stderr, "snrt: cannot write '{}': {}; the run goes on without it\n", path, std::strerror(errno));
}

nlohmann::json recordOf(const Position &at) {
  return {{"step", at.step}, {"epoch", at.epoch}, {"example", at.example}};
}

nlohmann::json recordOf(const Settings &settings) {
  return {{"optimizer", settings.optimizer ? settings.optimizer->name : ""},
          {"hyper", settings.hyper},
          {"alpha", textOf(settings.alpha)},
          {"batch", settings.batch},
          {"epochs", settings.epochs},
          {"seed", settings.seed},
          {"shuffle", settings.shuffle}};
}

nlohmann::json recordOf(const Binding &data) {
  nlohmann::json sets = nlohmann::json::object();
  for (const auto &[name, set] : data.sets)
    sets[name] = {{"rows", set->rows}, {"columns", set->columns}, {"entries", set->entries()}};
  return sets;
}

nlohmann::json recordOf(const EpochReport &report) {
  nlohmann::json line = {{"kind", "epoch"},
                         {"epoch", report.epoch},
                         {"steps", report.steps},
                         {"examples", report.examples},
                         {"error", report.training + report.regularization},
                         {"training", report.training},
                         {"regularization", report.regularization},
                         {"alpha", report.alpha},
                         {"seconds", report.seconds},
                         {"examples_per_second", report.examplesPerSecond}};
  for (const auto &[name, value] : report.reports)
    line["reports"][name] = value;
  return line;
}

nlohmann::json recordOf(const StepWork &work) {
  nlohmann::json record = {{"bytes", work.bytes}, {"flops", work.flops}, {"roofline", nullptr}};
  if (work.roofline)
    record["roofline"] = *work.roofline;
  return record;
}

nlohmann::json profileOf(const EntryRun &run, const std::vector<StepWork> &work) {
  nlohmann::json steps = nlohmann::json::array();
  double total = 0;
  for (size_t i = 0; i < run.profile().size(); ++i) {
    const StepProfile &step = run.profile()[i];
    total += step.seconds;
    steps.push_back({{"kernel", step.kernel},
                     {"sweep", run.entry().steps[i].sweep},
                     {"label", step.label},
                     {"launches", step.launches},
                     {"seconds", step.seconds}});
    if (!work.empty())
      steps.back().update(recordOf(work[i]));
  }
  return {{"kind", "profile"}, {"entry", run.entry().name}, {"seconds", total}, {"steps", steps}};
}

namespace {
/// Names in the order of their first mention.
class NameList {
public:
  void add(const std::string &name) {
    if (!name.empty() && seen.insert(name).second)
      list.push_back(name);
  }
  void add(const std::vector<std::string> &names) {
    for (const std::string &name : names)
      add(name);
  }
  nlohmann::json list = nlohmann::json::array();

private:
  std::set<std::string> seen;
};
} // namespace

nlohmann::json graphOf(const plan::Entry &entry) {
  nlohmann::json graph = nlohmann::json::array();
  for (const plan::Step &step : entry.steps) {
    NameList reads, writes;
    for (const plan::Source &source : step.sources) {
      reads.add(source.ref);
      writes.add(source.gradient);
      (step.kernel == "update" ? reads : writes).add(source.weightGradient);
    }
    reads.add(step.delta);
    reads.add(plan::parametersRead(step));
    for (const auto &[name, slot] : step.slots) {
      for (const plan::SlotArg &arg : slot.in)
        reads.add(arg.ref);
      for (const plan::SlotArg &arg : slot.scalars)
        reads.add(arg.ref);
      for (const plan::SlotArg &arg : slot.out)
        writes.add(arg.ref);
    }
    writes.add(step.rows);
    writes.add(plan::parametersUpdated(step));
    graph.push_back({{"kernel", step.kernel},
                     {"sweep", step.sweep},
                     {"label", step.label},
                     {"reads", reads.list},
                     {"writes", writes.list},
                     {"target", step.target}});
  }
  return graph;
}
} // namespace sn::rt
