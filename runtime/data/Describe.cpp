#include "runtime/data/DataFile.h"
#include "runtime/data/DsstneData.h"
#include "runtime/plan/Error.h"
#include <algorithm>

namespace sn::rt {
namespace {
/// HDF5's conversion buffer and chunk cache, 1 MiB each.
constexpr int64_t kReading = int64_t(2) << 20;

/// Bytes of an array of names in memory, from the length of the first ones.
int64_t namesBytes(const h5::File &file, const std::string &array) {
  constexpr int64_t kSample = 1024;
  if (file.kind(array) != h5::Kind::Array)
    return 0;
  const Names sample = file.readNames(array, kSample);
  if (sample.empty())
    return 0;
  const double each = static_cast<double>(sample.bytes()) / static_cast<double>(sample.size());
  return static_cast<int64_t>(static_cast<double>(file.shape(array)[0]) * (each + sizeof(int64_t)));
}

int64_t product(const std::vector<int64_t> &extents) {
  int64_t count = 1;
  for (int64_t extent : extents)
    if (__builtin_mul_overflow(count, extent, &count))
      return INT64_MAX;
  return count;
}
} // namespace

DataShape DataFile::describe(const std::string &name) const {
  require(name);
  if (netcdf_)
    return netcdf_->describe(netcdf_->find(name));
  DataShape shape{.loading = kReading};
  std::string names = name;
  if (file_->kind(name) == h5::Kind::Array) {
    const std::vector<int64_t> extents = file_->shape(name);
    shape.loader = Loader::Dense;
    shape.rows = extents.empty() ? 0 : extents[0];
    shape.entries = product(extents);
    shape.columns = shape.rows > 0 ? shape.entries / shape.rows : 0;
    shape.bytes = shape.entries > INT64_MAX / 8 ? INT64_MAX / 8 : shape.entries * 4;
    if (file_->element(name) == h5::Element::Boolean)
      shape.loading += shape.entries;
    names += ".names";
  } else {
    const std::vector<int64_t> extents = file_->integerAttribute(name, "shape");
    if (extents.size() != 2 || file_->kind(name + "/indices") != h5::Kind::Array)
      userError("{}: {}: has no attribute shape = [rows, columns] or no array indices", path(), name);
    const bool analog = file_->kind(name + "/data") != h5::Kind::Missing;
    shape.loader = analog ? Loader::CsrAnalog : Loader::CsrBinary;
    shape.rows = extents[0];
    shape.columns = extents[1];
    shape.entries = product(file_->shape(name + "/indices"));
    shape.bytes = (shape.rows + 1) * int64_t(sizeof(int64_t)) + shape.entries * (analog ? 8 : 4);
    if (analog && file_->element(name + "/data") == h5::Element::Boolean)
      shape.loading += shape.entries;
  }
  if (file_->kind(names + "/index") == h5::Kind::Array) {
    shape.index(product(file_->shape(names + "/index")));
    shape.bytes += std::min(shape.rows, INT64_MAX / 16) * int64_t(sizeof(int32_t));
  }
  if (file_->kind(names + "/weights") == h5::Kind::Array)
    shape.bytes += std::min(shape.rows, INT64_MAX / 16) * int64_t(sizeof(float));
  shape.bytes += namesBytes(*file_, names + "/row_names") + namesBytes(*file_, names + "/column_names");
  return shape;
}
} // namespace sn::rt
