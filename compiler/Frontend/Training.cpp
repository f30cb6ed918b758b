// The "Training" object: ours, with the defaults of DSSTNE's `train` (reference 4.4). And its `Decay` (5.3).
#include "compiler/Frontend/Readers.h"
#include "dialects/Vocabulary/Dependence.h"

namespace sn::frontend {
namespace {
constexpr std::string_view kHyper[] = {"Alpha", "Lambda", "Lambda1", "Mu", "Mu1"};
const std::map<std::string, double> kTrainDefaults{
    {"Alpha", 0.025}, {"Lambda", 1e-4}, {"Lambda1", 0}, {"Mu", 0.5}, {"Mu1", 0}};

void readOptimizer(Diagnostics &report, Object *training, Position at, Network &network) {
  const Member *member = training ? training->find("Optimizer") : nullptr;
  network.optimizer.at = member ? member->value.at : at;
  if (const vocab::Optimizer *record =
          member ? chooseRecord(report, vocab::optimizers(), "Optimizer", member->value) : nullptr)
    network.optimizer.record = record;
  else // where a wrong name was reported, too
    network.optimizer.record = vocab::find(vocab::optimizers(), vocab::kDefaultOptimizer);
  network.hyper = kTrainDefaults;
  for (const vocab::Param &param : network.optimizer.record->defaults)
    network.hyper[std::string(param.name)] = param.byDefault;
  for (std::string_view name : kHyper) {
    bool given = training && training->find(name);
    network.hyperGiven[std::string(name)] = given;
    if (given)
      network.hyper[std::string(name)] = training->number(name, 0);
  }
}

/// Keys of an object whose schedule is not known: those of all.
std::vector<Key> keysOfAnySchedule() {
  std::vector<Key> keys{{.name = "Kind", .forms = kText}};
  for (const vocab::Schedule &schedule : vocab::schedules())
    for (const Key &key : parameterKeys(schedule.params, false))
      keys.push_back(key);
  return keys;
}

/// The word that names the schedule, in either form of the key; null, and reported, if there is none.
const Value *scheduleKind(Diagnostics &report, const Value &schedule) {
  if (schedule.form == kText)
    return &schedule;
  const Value *kind = nullptr;
  for (const Member &inner : schedule.members)
    if (vocab::equalsIgnoringCase(inner.key, "Kind"))
      kind = &inner.value;
  if (kind)
    return checkValue(report, {.name = "Kind", .forms = kText}, *kind) ? kind : nullptr;
  std::vector<Key> keys = keysOfAnySchedule();
  if (!Object(report, schedule, keys, "a schedule").mentions("Kind"))
    report.error(Rule::Schedule, schedule.at, "a 'Schedule' object needs a 'Kind': the schedule's name");
  return nullptr;
}

void readSchedule(Diagnostics &report, Object *training, Position at, Network &network) {
  const Member *member = training ? training->find("Schedule") : nullptr;
  const vocab::Schedule *record = vocab::find(vocab::schedules(), vocab::kDefaultSchedule);
  network.schedule = {record, parameterValues(record->params, nullptr), member ? member->value.at : at};
  const Value *kind = member ? scheduleKind(report, member->value) : nullptr;
  record = kind ? chooseRecord(report, vocab::schedules(), "Schedule", *kind) : nullptr;
  if (!record)
    return;
  network.schedule.record = record;
  network.schedule.params = parameterValues(record->params, nullptr);
  if (member->value.form == kText)
    return;
  std::vector<Key> keys = parameterKeys(record->params, true);
  std::string what = fmt::format("a '{}' schedule", record->name);
  Object schedule(report, member->value, keys, what);
  schedule.check();
  network.schedule.params = parameterValues(record->params, &schedule);
}
/// The network's own key for the schedule that has a parameter of its name.
void applyDecay(Diagnostics &report, Object *training, const Member &decay, Network &network) {
  if (const Member *schedule = training ? training->find("Schedule") : nullptr)
    return report.error(Rule::Schedule, decay.at, "'Decay' and a 'Schedule' exclude each other",
                        {{schedule->at, "the schedule is chosen here"}});
  if (decay.value.number == 0)
    return;
  for (const vocab::Schedule &record : vocab::schedules())
    for (size_t i = 0; i < record.params.size(); ++i)
      if (record.params[i].key == "Decay") {
        network.schedule = {&record, parameterValues(record.params, nullptr), decay.value.at};
        network.schedule.params[i] = decay.value.number;
      }
}
/// What the optimizer's formulas do not read changes nothing (AdaDelta has no learning rate of its own).
void warnOfUnread(Diagnostics &report, Object *training, const Member *decay, const Network &network) {
  const Member *chosen = training ? training->find("Optimizer") : nullptr;
  const vocab::Optimizer &optimizer = *network.optimizer.record;
  if (chosen && !vocab::find(vocab::optimizers(), chosen->value.text))
    return; // reported
  std::vector<Diagnostic> notes;
  if (chosen)
    notes.push_back({chosen->value.at, "the optimizer is chosen here"});
  auto warn = [&](const Member *member) {
    if (member)
      report.warning(Rule::NoEffect, member->at,
                     fmt::format("'{}' has no effect: the optimizer {} does not read it", member->key, optimizer.name),
                     notes);
  };
  for (std::string_view name : {"Alpha", "Mu", "Mu1"})
    if (!vocab::reads(optimizer, name))
      warn(training ? training->find(name) : nullptr);
  if (!vocab::reads(optimizer, "Alpha")) {
    warn(training ? training->find("Schedule") : nullptr);
    warn(decay);
  }
}
} // namespace

void readTraining(Diagnostics &report, const Value *value, const Member *decay, Network &network) {
  std::optional<Object> training;
  Position at;
  if (value) {
    training.emplace(report, *value, trainingKeys(), "'Training'");
    training->check();
    at = value->at;
  }
  Object *given = training ? &*training : nullptr;
  readOptimizer(report, given, at, network);
  readSchedule(report, given, at, network);
  if (decay)
    applyDecay(report, given, *decay, network);
  warnOfUnread(report, given, decay, network);
  if (!given)
    return;
  network.batch = static_cast<int64_t>(given->number("Batch", static_cast<double>(network.batch)));
  network.epochs = static_cast<int64_t>(given->number("Epochs", static_cast<double>(network.epochs)));
  network.seed = static_cast<uint64_t>(given->number("Seed", static_cast<double>(network.seed)));
}
} // namespace sn::frontend
