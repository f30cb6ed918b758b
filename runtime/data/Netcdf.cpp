// What both readers share, and NetCDF-4 through HDF5.
#include "runtime/data/Netcdf.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

namespace sn::rt::nc {
namespace {
class Hdf5Reader : public Reader {
public:
  explicit Hdf5Reader(h5::File file) : file_(std::move(file)) {}
  const std::string &path() const override { return file_.path(); }
  const h5::File *hdf5() const override { return &file_; }

  std::optional<Attribute> attribute(const std::string &name) const override {
    if (!file_.hasAttribute("/", name))
      return std::nullopt;
    if (auto numbers = file_.numbersAttribute("/", name))
      return Attribute{false, {}, std::move(*numbers)};
    return Attribute{true, file_.textAttribute("/", name).value_or(""), {}};
  }

  std::optional<int64_t> dimension(const std::string &name) const override {
    if (!isName(name) || file_.kind(name) != h5::Kind::Array)
      return std::nullopt;
    const h5::Guard guard = h5::exclusively();
    h5::Id array = file_.checked(H5Dopen2(file_.id(), name.c_str(), H5P_DEFAULT), name, "cannot be opened");
    h5::Id space(H5Dget_space(array.get()));
    hsize_t length = 0, most = 0;
    if (H5Sget_simple_extent_ndims(space.get()) != 1)
      return std::nullopt;
    H5Sget_simple_extent_dims(space.get(), &length, &most);
    if (most == H5S_UNLIMITED) // its array is not grown with the variables along it
      return std::nullopt;
    return static_cast<int64_t>(length);
  }

  std::optional<Variable> variable(const std::string &name) const override {
    if (!isName(name) || file_.kind(name) != h5::Kind::Array)
      return std::nullopt;
    static constexpr Type kTypes[] = {Type::Integer, Type::Real, Type::Other, Type::Character, Type::Other};
    return Variable{kTypes[static_cast<size_t>(file_.element(name))], file_.shape(name)};
  }

  void requireStored(const std::string &name) const override { file_.requireStored(name); }
  void read(const std::string &name, int64_t first, int64_t count, int64_t *to) const override {
    readAs(name, first, count, to);
  }
  void read(const std::string &name, int64_t first, int64_t count, float *to) const override {
    readAs(name, first, count, to);
  }

private:
  /// What HDF5 would not take for a path.
  static bool isName(const std::string &name) { return !name.empty() && name.find('/') == std::string::npos; }

  template <typename T> void readAs(const std::string &name, int64_t first, int64_t count, T *to) const {
    if (file_.element(name) != h5::Element::String)
      return file_.readRows(name, first, count, to);
    std::vector<int8_t> bytes(static_cast<size_t>(count));
    file_.readCharacters(name, first, count, bytes.data());
    std::copy(bytes.begin(), bytes.end(), to);
  }
  h5::File file_;
};
} // namespace

std::string Reader::text(const std::string &name) const {
  std::optional<Attribute> found = attribute(name);
  if (!found)
    userError("{}: has no attribute {}", path(), name);
  if (!found->isText)
    userError("{}: the attribute {} should be a text", path(), name);
  return found->text;
}

double Reader::real(const std::string &name) const {
  std::optional<Attribute> found = attribute(name);
  if (!found)
    userError("{}: has no attribute {}", path(), name);
  if (found->isText || found->reals.size() != 1 || !std::isfinite(found->reals[0]))
    userError("{}: the attribute {} should be one finite number", path(), name);
  return found->reals[0];
}

int64_t Reader::integer(const std::string &name, int64_t least, int64_t most) const {
  double value = real(name);
  if (value != std::floor(value) || value < static_cast<double>(least) || value > static_cast<double>(most))
    userError("{}: the attribute {} is {}; it should be a whole number from {} to {}", path(), name, value, least,
              most);
  return static_cast<int64_t>(value);
}

int64_t Reader::integer(const std::string &name, int64_t least, int64_t most, int64_t otherwise) const {
  return has(name) ? integer(name, least, most) : otherwise;
}
double Reader::real(const std::string &name, double otherwise) const { return has(name) ? real(name) : otherwise; }

int64_t Reader::length(const std::string &name) const {
  std::optional<Variable> found = variable(name);
  if (!found)
    userError("{}: has no variable {}", path(), name);
  if (found->shape.size() != 1 || found->type == Type::Other)
    userError("{}: the variable {} should be numbers along one dimension", path(), name);
  return found->shape[0];
}

void Reader::requireLength(const std::string &name, int64_t expected) const {
  if (int64_t found = length(name); found != expected)
    userError("{}: the variable {} has {} elements; it should have {}", path(), name, found, expected);
}

std::unique_ptr<Reader> openHdf5(h5::File file) { return std::make_unique<Hdf5Reader>(std::move(file)); }

bool isClassic(const std::string &path) {
  std::string start(4, '\0');
  std::error_code none;
  if (!std::filesystem::is_regular_file(path, none))
    return false;
  std::ifstream(path, std::ios::binary).read(start.data(), std::streamsize(start.size()));
  return start.starts_with("CDF") && (start[3] == 1 || start[3] == 2 || start[3] == 5);
}

std::unique_ptr<Reader> Reader::open(const std::string &path) {
  return isClassic(path) ? openClassic(path) : openHdf5(h5::File::open(path));
}
} // namespace sn::rt::nc
