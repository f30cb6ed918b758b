// What a weights file holds of training in factored form: groups snc/factored/<matrix>.
#include "runtime/checkpoint/Checkpoint.h"

namespace sn::rt {
namespace {
std::string groupOf(const std::string &parameter) { return "snc/factored/" + parameter; }
std::string rowsOf(const std::string &parameter) { return groupOf(parameter) + "/rows"; }
} // namespace

void CheckpointWriter::writeFactored(const std::string &parameter, const FactoredRecord &record) {
  const std::string group = groupOf(parameter);
  file_.writeVector<int64_t>(group + "/steps", {record.steps});
  file_.writeVector(group + "/generations", record.generations);
  file_.writeVector(group + "/products", record.products);
  file_.writeVector(group + "/gram", record.gram);
}

void CheckpointWriter::writeFactoredRows(const TensorSpec &parameter, const FillTile &fill) {
  writeTensor(rowsOf(parameter.name), "the rows of the parameter '" + parameter.name + "'", parameter, fill);
}

bool CheckpointReader::hasFactored(const std::string &parameter) const {
  return file_ && file_->kind(groupOf(parameter) + "/steps") == h5::Kind::Array;
}

void CheckpointReader::readFactored(const std::string &parameter, FactoredRecord &record) const {
  auto read = [&](const char *name, auto &list) {
    const std::string array = groupOf(parameter) + "/" + name;
    const std::vector<int64_t> shape = file_->shape(array);
    if (shape != std::vector<int64_t>{static_cast<int64_t>(list.size())})
      userError("{}: {} should be {} numbers, found shape [{}]", path(), array, list.size(), fmt::join(shape, ", "));
    file_->readRows(array, 0, shape[0], list.data());
  };
  std::vector<int64_t> steps(1);
  read("steps", steps);
  record.steps = steps[0];
  read("generations", record.generations);
  read("products", record.products);
  read("gram", record.gram);
}

void CheckpointReader::readFactoredRows(const TensorSpec &parameter, const TakeTile &take) const {
  readTensor(rowsOf(parameter.name), parameter, take);
}
} // namespace sn::rt
