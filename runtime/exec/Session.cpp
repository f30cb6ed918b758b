#include "runtime/exec/Session.h"
#include "runtime/exec/Resume.h"

namespace sn::rt {
namespace {
std::unique_ptr<Device> openNamed(const plan::Archive &archive, const plan::Plan &plan, const std::string &path,
                                  const DeviceChoice &choice) {
  try {
    return openDevice(archive, plan, choice);
  } catch (const UserError &problem) {
    if (std::string_view(problem.what()).starts_with("--device")) // of the machine, not of the plan
      throw;
    userError("'{}': {}", path, problem.what());
  }
}
} // namespace

Session::Session(const std::string &planPath, const DeviceChoice &choice)
    : archive(plan::readArchive(planPath)), thePlan(plan::readPlan(archive, planPath)), pool(choice.threads),
      theDevice(openNamed(archive, thePlan, planPath, choice)) {}

Session::Session(plan::Archive archive, plan::Plan plan, std::unique_ptr<Device> device, int threads)
    : archive(std::move(archive)), thePlan(std::move(plan)), pool(threads), theDevice(std::move(device)) {}

const plan::Entry &Session::entry(const std::string &name) const {
  const plan::Entry *found = plan::findEntry(thePlan, name);
  if (!found)
    userError("the plan of the network '{}' has no entry '{}'{}", thePlan.network, name,
              name == "predict" ? "" : ", because it has no Output layer: it can only predict");
  return *found;
}

std::string Session::network() const {
  auto found = archive.entries.find("network.json");
  return found == archive.entries.end() ? "" : found->second;
}

CheckpointHeader Session::header(const Model &model, const Settings &settings, const Position &position,
                                 const Binding &data, const EpochSums &sums) const {
  CheckpointHeader header;
  if (model.optimizer()) {
    header.optimizer = model.optimizer()->name;
    header.examples = data.rows;
  }
  if (position.example > 0)
    header.sums = storedSums(sums);
  header.step = position.step;
  header.epoch = position.epoch;
  header.position = position.example;
  header.seed = settings.seed;
  header.network = network();
  header.training = {{"optimizer", settings.optimizer ? settings.optimizer->name : ""},
                     {"hyper", settings.hyper},
                     {"alpha", settings.alpha},
                     {"batch", settings.batch},
                     {"epochs", settings.epochs},
                     {"shuffle", settings.shuffle}};
  for (const auto &[name, value] : model.symbols())
    header.symbols[name] = value;
  for (const auto &[name, set] : data.sets)
    if (set->columnNames)
      header.columnNames[name] = set->columnNames;
  return header;
}

void Session::save(const Model &model, const CheckpointHeader &header, const std::string &path, bool force) const {
  CheckpointWriter writer(path, force);
  writer.writeHeader(header);
  model.save(writer);
  writer.commit();
}
} // namespace sn::rt
