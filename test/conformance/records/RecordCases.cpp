#include "test/conformance/records/RecordCases.h"

namespace sn::test {
namespace {
void add(std::vector<Case> &cases, const std::string &name, const Tiny &tiny) {
  cases.push_back(tinyCase(tiny));
  cases.back().name = name;
}
} // namespace

std::vector<Case> hiddenActivationCases() {
  std::vector<Case> cases;
  for (const vocab::Activation &record : vocab::activations()) {
    const std::string name(record.name);
    add(cases, name, {.hiddenActivation = name, .denoising = 0.2});
    if (!record.params.empty())
      add(cases, name, {.hiddenActivation = name, .denoising = 0.2, .parameters = 0.6});
  }
  return cases;
}

std::vector<Case> lossCases() {
  std::vector<Case> cases;
  size_t turn = 0;
  for (const vocab::Loss &loss : vocab::losses()) {
    std::vector<const vocab::Activation *> fitting = activationsFor(loss);
    for (size_t i = 0; i < fitting.size(); ++i)
      for (size_t j = 0; j < kStorages.size(); ++j) {
        if (j != (i + turn) % kStorages.size() && fitting.size() > 2 && i != turn % fitting.size())
          continue;
        add(cases,
            std::string(loss.name) + " behind " + std::string(fitting[i]->name) + ", storage " + std::to_string(j),
            {.outputActivation = std::string(fitting[i]->name),
             .loss = std::string(loss.name),
             .target = kStorages[j],
             .parameters = j == 1 ? 0.6 : 1});
      }
    ++turn;
  }
  return cases;
}

std::vector<Case> inputCases() {
  std::vector<Case> cases;
  for (Storage storage : kStorages)
    for (double denoising : {0.0, 0.3})
      add(cases, "input of storage " + std::to_string(static_cast<int>(storage)),
          {.input = storage, .denoising = denoising});
  return cases;
}

std::vector<Case> optimizerCases() {
  std::vector<Case> cases;
  for (const vocab::Optimizer &record : vocab::optimizers()) {
    const std::string name(record.name);
    add(cases, name, {.optimizer = name, .lambda1 = 0.002});
    if (!record.dsstneScalars.empty())
      add(cases, name + ", dsstne", {.optimizer = name, .lambda1 = 0.002, .dsstne = true});
  }
  return cases;
}

std::vector<Case> initializerCases() {
  std::vector<Case> cases;
  for (const vocab::Initializer &record : vocab::initializers()) {
    const std::string name(record.name);
    add(cases, name, {.initializer = name});
    if (record.dsstneShift)
      add(cases, name + ", dsstne", {.initializer = name, .dsstne = true});
  }
  return cases;
}

std::vector<Case> scheduleCases() {
  std::vector<Case> cases;
  for (const vocab::Schedule &record : vocab::schedules())
    add(cases, std::string(record.name), {.schedule = std::string(record.name)});
  return cases;
}
} // namespace sn::test
