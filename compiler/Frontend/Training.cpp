// The "Training" object: ours, with the defaults of DSSTNE's `train` (reference 4.4).
#include "compiler/Frontend/Readers.h"

namespace sn::frontend {
namespace {
constexpr std::string_view kHyper[] = {"Alpha", "Lambda", "Lambda1", "Mu", "Mu1"};
const std::map<std::string, double> kTrainDefaults{
    {"Alpha", 0.025}, {"Lambda", 1e-4}, {"Lambda1", 0}, {"Mu", 0.5}, {"Mu1", 0}};

void readOptimizer(const SourceText &source, const Object *training, Position at, Network &network) {
  const Member *member = training ? training->find("Optimizer") : nullptr;
  network.optimizer.at = member ? member->value.at : at;
  network.optimizer.record = member ? chooseRecord(source, vocab::optimizers(), "Optimizer", member->value)
                                    : vocab::find(vocab::optimizers(), vocab::kDefaultOptimizer);
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

void readSchedule(const SourceText &source, const Object *training, Position at, Network &network) {
  const Member *member = training ? training->find("Schedule") : nullptr;
  const vocab::Schedule *record = vocab::find(vocab::schedules(), vocab::kDefaultSchedule);
  network.schedule = {record, {}, member ? member->value.at : at};
  if (!member)
    return;
  const Value *kind = &member->value;
  if (kind->form == kObject) {
    kind = nullptr;
    for (const Member &inner : member->value.members)
      if (vocab::equalsIgnoringCase(inner.key, "Kind"))
        kind = &inner.value;
    if (!kind)
      fail(source, member->value.at, "a 'Schedule' object needs a 'Kind': the schedule's name");
    checkValue(source, {.name = "Kind", .forms = kText}, *kind);
  }
  record = chooseRecord(source, vocab::schedules(), "Schedule", *kind);
  network.schedule.record = record;
  if (member->value.form == kText) {
    network.schedule.params = parameterValues(record->params, nullptr);
    return;
  }
  std::vector<Key> keys = parameterKeys(record->params, true);
  std::string what = fmt::format("a '{}' schedule", record->name);
  Object schedule(source, member->value, keys, what);
  schedule.check();
  network.schedule.params = parameterValues(record->params, &schedule);
}
} // namespace

void readTraining(const SourceText &source, const Value *value, Network &network) {
  std::optional<Object> training;
  Position at;
  if (value) {
    training.emplace(source, *value, trainingKeys(), "'Training'");
    training->check();
    at = value->at;
  }
  const Object *given = training ? &*training : nullptr;
  readOptimizer(source, given, at, network);
  readSchedule(source, given, at, network);
  if (!given)
    return;
  network.batch = static_cast<int64_t>(given->number("Batch", static_cast<double>(network.batch)));
  network.epochs = static_cast<int64_t>(given->number("Epochs", static_cast<double>(network.epochs)));
  network.seed = static_cast<uint64_t>(given->number("Seed", static_cast<double>(network.seed)));
}
} // namespace sn::frontend
