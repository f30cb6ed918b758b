#include "runtime/data/Hdf5.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <cassert>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fmt/ranges.h>
#include <fstream>
#include <mutex>
#include <unistd.h>

namespace sn::rt::h5 {
Guard exclusively() {
  static std::recursive_mutex library;
  return Guard(library);
}

namespace {
/// The innermost message of HDF5's error stack.
std::string reason() {
  std::string text;
  auto visit = [](unsigned, const H5E_error2_t *error, void *into) -> herr_t {
    auto &out = *static_cast<std::string *>(into);
    if (out.empty() && error->desc)
      out = error->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, visit, &text);
  // Failures of the operating system come wrapped in times and addresses; what counts is the message.
  constexpr std::string_view kMessage = "error message = '";
  if (size_t at = text.find(kMessage); at != std::string::npos) {
    at += kMessage.size();
    return text.substr(at, text.find('\'', at) - at);
  }
  return text.empty() ? "no reason given" : text;
}

void quiet() {
  static std::once_flag once;
  std::call_once(once, [] {
    H5dont_atexit(); // it would close the files that abandon() leaves, and crash on a full disk
    H5open();
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  });
}

Id fileAccess() {
  Id access(H5Pcreate(H5P_FILE_ACCESS));
  // One object header format with checksums and without times; 1.8 and newer read it.
  H5Pset_libver_bounds(access.get(), H5F_LIBVER_V18, H5F_LIBVER_V110);
  H5Pset_file_locking(access.get(), false, true); // network file systems often have no locks
  H5Pset_sieve_buf_size(access.get(), 0); // small writes would be put off until a close whose failure nobody sees
  return access;
}

Id untimed(hid_t propertyClass) {
  Id list(H5Pcreate(propertyClass));
  H5Pset_obj_track_times(list.get(), false);
  return list;
}

Id linkProperties() {
  Id list(H5Pcreate(H5P_LINK_CREATE));
  H5Pset_char_encoding(list.get(), H5T_CSET_UTF8);
  return list;
}

Id textType(size_t size) {
  Id type(H5Tcopy(H5T_C_S1));
  H5Tset_size(type.get(), size);
  H5Tset_strpad(type.get(), H5T_STR_NULLPAD);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  return type;
}

/// A text ends at its first zero, however it is padded: what is read can be written again.
std::string_view trimmed(const char *text, size_t size, H5T_str_t padding) {
  std::string_view all(text, size);
  all = all.substr(0, all.find('\0'));
  if (padding != H5T_STR_SPACEPAD)
    return all;
  const size_t last = all.find_last_not_of(' ');
  return all.substr(0, last == std::string_view::npos ? 0 : last + 1);
}
} // namespace

std::string lastReason() { return reason(); }

void File::fail(const std::string &object, const std::string &what) const {
  userError("{}: {}: {} ({})", path_, object.empty() ? "/" : object, what, reason());
}
Id File::checked(hid_t id, const std::string &object, const std::string &what) const {
  const Guard guard = exclusively();
  if (id < 0)
    fail(object, what);
  return Id(id);
}
void File::check(herr_t status, const std::string &object, const std::string &what) const {
  const Guard guard = exclusively();
  if (status < 0)
    fail(object, what);
}

namespace {
/// Whatever is no HDF5 file, named after what it is instead; HDF5 itself would say "not an HDF5 file", or hang on a
/// pipe.
void refuseOtherFiles(const std::string &path) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::file_status status = fs::status(path, error);
  if (error || ::access(path.c_str(), R_OK) != 0)
    userError("{}: cannot be read: {}", path, std::strerror(error ? error.value() : errno));
  if (fs::is_directory(status))
    userError("{}: is a folder; an HDF5 file is expected", path);
  if (!fs::is_regular_file(status))
    userError("{}: is a device or a pipe; an HDF5 file is expected", path);
  if (fs::file_size(path, error) == 0)
    userError("{}: is empty; an HDF5 file is expected", path);
  if (H5Fis_hdf5(path.c_str()) > 0)
    return;
  std::string start(4, '\0');
  std::ifstream(path, std::ios::binary).read(start.data(), std::streamsize(start.size()));
  if (start == "PK\x03\x04")
    userError("{}: is not an HDF5 file but a ZIP archive, as plans are; the order is: snrt COMMAND PLAN [WEIGHTS] DATA",
              path);
  if (start[0] == '{')
    userError("{}: is not an HDF5 file; it looks like JSON, as networks are written in", path);
  bool text = std::none_of(start.begin(), start.end(), [](unsigned char c) { return c < ' ' && !std::isspace(c); });
  userError("{}: is not an HDF5 file{}", path, text ? "; text becomes one with: snrt import" : "");
}
} // namespace

bool isHdf5(const std::string &path) {
  const Guard guard = exclusively();
  quiet();
  std::error_code none;
  return std::filesystem::is_regular_file(path, none) && H5Fis_hdf5(path.c_str()) > 0;
}

File File::open(const std::string &path) {
  const Guard guard = exclusively();
  quiet();
  refuseOtherFiles(path);
  refuseBrokenHeaps(path);
  Id access = fileAccess(); // named: the end of a property list clears the reason
  Id id(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()));
  if (id.get() < 0)
    userError("{}: is a damaged or truncated HDF5 file ({})", path, reason());
  return File(std::move(id), path);
}

File File::create(const std::string &path, const std::string &shownAs, bool ordered) {
  const Guard guard = exclusively();
  quiet();
  Id creation = untimed(H5P_FILE_CREATE), access = fileAccess();
  if (ordered) {
    H5Pset_link_creation_order(creation.get(), H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
    H5Pset_attr_creation_order(creation.get(), H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
  }
  Id id(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.get(), access.get()));
  if (id.get() < 0)
    userError("{}: cannot be created ({})", shownAs, reason());
  File file(std::move(id), shownAs);
  file.writing_ = true;
  return file;
}

File::~File() {
  const Guard guard = exclusively();
  if (writing_ && id_.get() >= 0)
    abandon();
}

/// Closing a file that could not be written flushes again and fails again, and HDF5 then crashes. It is left open
/// instead, emptied so that its name's owner frees the disk by unlinking; nothing more is ever done with it.
void File::abandon() {
  const Guard guard = exclusively();
  void *handle = nullptr;
  hid_t file = id_.release();
  if (H5Fget_vfd_handle(file, H5P_DEFAULT, &handle) >= 0 && handle) [[maybe_unused]]
    int failed = ::ftruncate(*static_cast<int *>(handle), 0);
}

void File::close() {
  const Guard guard = exclusively();
  if (H5Fclose(id_.release()) < 0)
    fail("", "cannot be written");
}

Kind File::kind(const std::string &object) const {
  const Guard guard = exclusively();
  for (size_t end = object.find('/', 1);; end = object.find('/', end + 1)) {
    std::string prefix = object.substr(0, end);
    if (prefix != "/" && H5Lexists(id_.get(), prefix.c_str(), H5P_DEFAULT) <= 0)
      return Kind::Missing;
    if (H5Oexists_by_name(id_.get(), prefix.c_str(), H5P_DEFAULT) <= 0)
      return Kind::Missing;
    if (end == std::string::npos)
      break;
  }
  switch (H5Iget_type(openObject(object).get())) {
  case H5I_GROUP:
    return Kind::Group;
  case H5I_DATASET:
    return Kind::Array;
  default:
    return Kind::Other;
  }
}

haddr_t File::address(const std::string &object) const {
  const Guard guard = exclusively();
  H5O_info_t info;
  check(H5Oget_info_by_name2(id_.get(), object.c_str(), &info, H5O_INFO_BASIC, H5P_DEFAULT), object, "cannot be found");
  return info.addr;
}

std::vector<std::string> File::members(const std::string &group) const {
  const Guard guard = exclusively();
  std::vector<std::string> names;
  auto visit = [](hid_t, const char *name, const H5L_info_t *, void *into) -> herr_t {
    static_cast<std::vector<std::string> *>(into)->push_back(name);
    return 0;
  };
  check(H5Literate_by_name(id_.get(), group.c_str(), H5_INDEX_NAME, H5_ITER_INC, nullptr, visit, &names, H5P_DEFAULT),
        group, "cannot be listed");
  std::sort(names.begin(), names.end());
  return names;
}

Id File::openObject(const std::string &object) const {
  const Guard guard = exclusively();
  return checked(H5Oopen(id_.get(), object.c_str(), H5P_DEFAULT), object, "cannot be opened");
}
Id File::openArray(const std::string &array) const {
  const Guard guard = exclusively();
  return checked(H5Dopen2(id_.get(), array.c_str(), H5P_DEFAULT), array, "is missing or no array");
}

// HDF5 reads the shape and the element type of an array when it opens it: what is open has both.
std::vector<int64_t> File::shape(const std::string &array) const {
  const Guard guard = exclusively();
  Id object = openArray(array), space(H5Dget_space(object.get()));
  int rank = H5Sget_simple_extent_ndims(space.get());
  std::vector<hsize_t> extents(std::max(rank, 0));
  if (rank > 0)
    H5Sget_simple_extent_dims(space.get(), extents.data(), nullptr);
  return {extents.begin(), extents.end()};
}

void File::requireStored(const std::string &array) const {
  const Guard guard = exclusively();
  constexpr uint64_t kSmall = uint64_t(64) << 20, kMostCompressed = 4096; // deflate reaches 1,032
  Id object = openArray(array), type(H5Dget_type(object.get()));
  uint64_t bytes = H5Tget_size(type.get());
  std::vector<int64_t> extents = shape(array);
  for (int64_t extent : extents)
    if (extent < 0 || __builtin_mul_overflow(bytes, uint64_t(extent), &bytes))
      bytes = extent == 0 ? 0 : UINT64_MAX / 2; // with a later extent of 0 nothing is left to check
  std::error_code none;
  uint64_t held = std::min<uint64_t>(H5Dget_storage_size(object.get()), std::filesystem::file_size(path_, none));
  if (bytes > kSmall && bytes / kMostCompressed > held)
    userError("{}: {}: is declared with the shape [{}], {} bytes or more, but the file holds {} bytes of it; it is "
              "damaged or was not written to its end",
              path_, array, fmt::join(extents, ", "), bytes, held);
}

Element File::element(const std::string &array) const {
  const Guard guard = exclusively();
  Id type(H5Dget_type(openArray(array).get()));
  switch (H5Tget_class(type.get())) {
  case H5T_INTEGER:
    return Element::Integer;
  case H5T_FLOAT:
    return Element::Float;
  case H5T_ENUM:
    return H5Tget_size(type.get()) == 1 ? Element::Boolean : Element::Other;
  case H5T_STRING:
    return Element::String;
  default:
    return Element::Other;
  }
}

std::optional<bool> File::signOf8Bits(const std::string &array) const {
  const Guard guard = exclusively();
  Id type(H5Dget_type(openArray(array).get()));
  if (H5Tget_class(type.get()) != H5T_INTEGER || H5Tget_size(type.get()) != 1)
    return std::nullopt;
  return H5Tget_sign(type.get()) == H5T_SGN_2;
}

/// Reads into `to` or writes from `from`, whichever is set.
void File::transferBox(const std::string &array, const std::vector<hsize_t> &start, const std::vector<hsize_t> &count,
                       hid_t memory, void *to, const void *from) const {
  const Guard guard = exclusively();
  Id object = openArray(array), space(H5Dget_space(object.get()));
  int rank = H5Sget_simple_extent_ndims(space.get());
  assert(rank == int(start.size()) && start.size() == count.size());
  // A box beyond the array is refused where it is read or written.
  H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr);
  Id local(H5Screate_simple(rank, count.data(), nullptr));
  if (to)
    check(H5Dread(object.get(), memory, local.get(), space.get(), H5P_DEFAULT, to), array, "cannot be read");
  else
    check(H5Dwrite(object.get(), memory, local.get(), space.get(), H5P_DEFAULT, from), array, "cannot be written");
}

void File::transfer(const std::string &array, int64_t first, int64_t count, hid_t memory, void *to,
                    const void *from) const {
  const Guard guard = exclusively();
  if (count == 0)
    return;
  Id object = openArray(array), space(H5Dget_space(object.get()));
  int rank = H5Sget_simple_extent_ndims(space.get());
  std::vector<hsize_t> block(std::max(rank, 1)), start(std::max(rank, 1));
  H5Sget_simple_extent_dims(space.get(), block.data(), nullptr);
  assert(rank >= 1 && first >= 0 && count > 0 && uint64_t(first + count) <= block[0]);
  start[0] = first;
  block[0] = count;
  transferBox(array, start, block, memory, to, from);
}

void File::readFloats(const std::string &array, int64_t first, int64_t count, float *to) const {
  const Guard guard = exclusively();
  Element kind = element(array);
  if (kind == Element::Integer || kind == Element::Float)
    return readRows(array, first, count, to);
  if (kind != Element::Boolean)
    userError("{}: {}: holds neither integers nor floating-point numbers nor booleans", path_, array);
  Id type(H5Dget_type(openArray(array).get()));
  int64_t perRow = 1;
  std::vector<int64_t> extents = shape(array);
  for (size_t axis = 1; axis < extents.size(); ++axis)
    perRow *= extents[axis];
  std::vector<int8_t> bytes(count * perRow);
  transfer(array, first, count, type.get(), bytes.data(), nullptr);
  std::copy(bytes.begin(), bytes.end(), to);
}

void File::readCharacters(const std::string &array, int64_t first, int64_t count, int8_t *to) const {
  const Guard guard = exclusively();
  Id type(H5Dget_type(openArray(array).get()));
  if (H5Tget_class(type.get()) != H5T_STRING || H5Tis_variable_str(type.get()) > 0 || H5Tget_size(type.get()) != 1)
    userError("{}: {}: should be an array of single characters", path_, array);
  transfer(array, first, count, type.get(), to, nullptr);
}

Names File::readNames(const std::string &array, int64_t most) const {
  const Guard guard = exclusively();
  std::vector<int64_t> extents = shape(array);
  if (extents.size() != 1 || element(array) != Element::String)
    userError("{}: {}: should be a one-dimensional array of strings", path_, array);
  requireStored(array);
  Id type(H5Dget_type(openArray(array).get()));
  int64_t count = std::min(most, extents[0]);
  return H5Tis_variable_str(type.get()) > 0 ? readVariableNames(array, type.get(), count)
                                            : readFixedNames(array, type.get(), count);
}

namespace {
constexpr int64_t kNamesAtOnce = 1 << 16, kNamesReserved = 1 << 27;
}

Names File::readFixedNames(const std::string &array, hid_t type, int64_t count) const {
  const Guard guard = exclusively();
  Names names;
  size_t size = H5Tget_size(type);
  H5T_str_t padding = H5Tget_strpad(type);
  // What short names leave free is never touched; a damaged count should not ask for the earth.
  names.reserve(std::min(count, kNamesReserved), std::min(count, kNamesReserved) * std::min<int64_t>(size, 64));
  std::vector<char> block(std::min(count, kNamesAtOnce) * size);
  for (int64_t first = 0; first < count; first += kNamesAtOnce) {
    int64_t rows = std::min(kNamesAtOnce, count - first);
    transfer(array, first, rows, type, block.data(), nullptr);
    for (int64_t i = 0; i < rows; ++i)
      names.add(trimmed(block.data() + i * size, size, padding));
  }
  return names;
}

Names File::readVariableNames(const std::string &array, hid_t type, int64_t count) const {
  const Guard guard = exclusively();
  Names names;
  names.reserve(std::min(count, kNamesReserved), 0);
  std::vector<char *> block(std::min(count, kNamesAtOnce));
  for (int64_t first = 0; first < count; first += kNamesAtOnce) {
    int64_t rows = std::min(kNamesAtOnce, count - first);
    transfer(array, first, rows, type, block.data(), nullptr);
    for (int64_t i = 0; i < rows; ++i) {
      names.add(block[i] ? block[i] : "");
      H5free_memory(block[i]);
    }
    if (first == 0) // the others will hardly be longer; untouched memory costs nothing
      names.reserve(0, names.bytes() / rows * std::min(count, kNamesReserved) * 2);
  }
  return names;
}

std::string File::readText(const std::string &array) const {
  const Guard guard = exclusively();
  if (!shape(array).empty() || element(array) != Element::String)
    userError("{}: {}: should be one string", path_, array);
  requireStored(array);
  Id object = openArray(array), type(H5Dget_type(object.get()));
  if (H5Tis_variable_str(type.get()) > 0) {
    char *text = nullptr;
    check(H5Dread(object.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, &text), array, "cannot be read");
    std::string out = text ? text : "";
    H5free_memory(text);
    return out;
  }
  std::string out(H5Tget_size(type.get()), '\0');
  check(H5Dread(object.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, out.data()), array, "cannot be read");
  return std::string(trimmed(out.data(), out.size(), H5Tget_strpad(type.get())));
}

bool File::hasAttribute(const std::string &object, const std::string &name) const {
  const Guard guard = exclusively();
  return H5Aexists_by_name(id_.get(), object.c_str(), name.c_str(), H5P_DEFAULT) > 0;
}
Id File::openAttribute(const std::string &object, const std::string &name) const {
  const Guard guard = exclusively();
  return checked(H5Aopen_by_name(id_.get(), object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT), object,
                 "has no attribute " + name);
}

std::optional<std::string> File::textAttribute(const std::string &object, const std::string &name) const {
  const Guard guard = exclusively();
  if (!hasAttribute(object, name))
    return std::nullopt;
  Id attribute = openAttribute(object, name), type(H5Aget_type(attribute.get())), space(H5Aget_space(attribute.get()));
  hssize_t strings = H5Sget_simple_extent_npoints(space.get());
  if (H5Tget_class(type.get()) != H5T_STRING || strings > 1 || strings < 0)
    userError("{}: {}: attribute {} should be one string", path_, object, name);
  if (strings == 0) // the netCDF library's empty text
    return "";
  if (H5Tis_variable_str(type.get()) > 0) {
    char *text = nullptr;
    check(H5Aread(attribute.get(), type.get(), &text), object, "cannot read attribute " + name);
    std::string out = text ? text : "";
    H5free_memory(text);
    return out;
  }
  std::string out(H5Tget_size(type.get()), '\0');
  check(H5Aread(attribute.get(), type.get(), out.data()), object, "cannot read attribute " + name);
  return std::string(trimmed(out.data(), out.size(), H5Tget_strpad(type.get())));
}

std::vector<int64_t> File::integerAttribute(const std::string &object, const std::string &name) const {
  const Guard guard = exclusively();
  if (!hasAttribute(object, name))
    return {};
  Id attribute = openAttribute(object, name), type(H5Aget_type(attribute.get())), space(H5Aget_space(attribute.get()));
  constexpr hssize_t kMostValues = 1 << 16; // an attribute is a few numbers; more is damage
  hssize_t count = H5Sget_simple_extent_npoints(space.get());
  if (H5Tget_class(type.get()) != H5T_INTEGER || count > kMostValues)
    userError("{}: {}: attribute {} should hold a few integers", path_, object, name);
  std::vector<int64_t> values(std::max<hssize_t>(0, count));
  if (!values.empty())
    check(H5Aread(attribute.get(), H5T_NATIVE_INT64, values.data()), object, "cannot read attribute " + name);
  return values;
}

std::optional<std::vector<double>> File::numbersAttribute(const std::string &object, const std::string &name) const {
  const Guard guard = exclusively();
  constexpr hssize_t kMostValues = 1 << 16;
  if (!hasAttribute(object, name))
    return std::nullopt;
  Id attribute = openAttribute(object, name), type(H5Aget_type(attribute.get())), space(H5Aget_space(attribute.get()));
  hssize_t count = H5Sget_simple_extent_npoints(space.get());
  H5T_class_t kind = H5Tget_class(type.get());
  if ((kind != H5T_INTEGER && kind != H5T_FLOAT) || count < 0 || count > kMostValues)
    return std::nullopt;
  std::vector<double> values(static_cast<size_t>(count));
  if (!values.empty())
    check(H5Aread(attribute.get(), H5T_NATIVE_DOUBLE, values.data()), object, "cannot read attribute " + name);
  return values;
}

uint64_t File::unsignedAttribute(const std::string &object, const std::string &name) const {
  const Guard guard = exclusively();
  Id attribute = openAttribute(object, name), type(H5Aget_type(attribute.get())), space(H5Aget_space(attribute.get()));
  if (H5Tget_class(type.get()) != H5T_INTEGER || H5Sget_simple_extent_npoints(space.get()) != 1)
    userError("{}: {}: attribute {} should be one integer", path_, object, name);
  uint64_t value = 0;
  check(H5Aread(attribute.get(), H5T_NATIVE_UINT64, &value), object, "cannot read attribute " + name);
  return value;
}

void File::makeGroupsAbove(const std::string &object) {
  const Guard guard = exclusively();
  // Made one by one: groups that HDF5 makes on the way would carry times.
  for (size_t end = object.find('/', 1); end != std::string::npos; end = object.find('/', end + 1))
    if (kind(object.substr(0, end)) == Kind::Missing)
      createGroup(object.substr(0, end));
}

void File::createGroup(const std::string &group) {
  const Guard guard = exclusively();
  makeGroupsAbove(group);
  checked(H5Gcreate2(id_.get(), group.c_str(), linkProperties().get(), untimed(H5P_GROUP_CREATE).get(), H5P_DEFAULT),
          group, "cannot be created");
}

void File::createArray(const std::string &array, hid_t type, const std::vector<int64_t> &shape) {
  const Guard guard = exclusively();
  makeGroupsAbove(array);
  std::vector<hsize_t> extents(shape.begin(), shape.end());
  Id space(shape.empty() ? H5Screate(H5S_SCALAR) : H5Screate_simple(int(shape.size()), extents.data(), nullptr));
  checked(H5Dcreate2(id_.get(), array.c_str(), type, space.get(), linkProperties().get(),
                     untimed(H5P_DATASET_CREATE).get(), H5P_DEFAULT),
          array, "cannot be created");
}

void File::writeNames(const std::string &array, const Names &names) {
  const Guard guard = exclusively();
  // A string of variable length costs a 16-byte reference, a 16-byte heap header and padding besides its bytes.
  constexpr int64_t kVariableOverhead = 36;
  int64_t count = names.size(), size = std::max<int64_t>(1, names.longest());
  bool fixed = count * size <= names.bytes() + count * kVariableOverhead;
  Id type = textType(fixed ? size_t(size) : H5T_VARIABLE);
  createArray(array, type.get(), {count});
  std::vector<char> block;
  std::vector<const char *> pointers;
  for (int64_t first = 0; first < count; first += kNamesAtOnce) {
    int64_t rows = std::min(kNamesAtOnce, count - first);
    block.clear();
    pointers.clear();
    for (int64_t i = first; i < first + rows; ++i) {
      if (names[i].find('\0') != std::string_view::npos)
        userError("{}: {}: the name of number {} holds a zero byte", path_, array, i);
      block.insert(block.end(), names[i].begin(), names[i].end());
      block.resize(fixed ? (i - first + 1) * size : block.size() + 1);
    }
    if (!fixed)
      for (const char *at = block.data(); int64_t(pointers.size()) < rows; at += std::strlen(at) + 1)
        pointers.push_back(at);
    const void *from = fixed ? static_cast<const void *>(block.data()) : pointers.data();
    transfer(array, first, rows, type.get(), nullptr, from);
  }
}

void File::writeText(const std::string &array, std::string_view text) {
  const Guard guard = exclusively();
  Id type = textType(std::max<size_t>(1, text.size()));
  createArray(array, type.get(), {});
  std::string padded(text);
  padded.resize(std::max<size_t>(1, text.size()));
  check(H5Dwrite(openArray(array).get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, padded.data()), array,
        "cannot be written");
}

namespace {
herr_t writeAttribute(hid_t object, const std::string &name, hid_t type, hid_t space, const void *value) {
  Id attribute(H5Acreate2(object, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT));
  return attribute.get() < 0 ? -1 : H5Awrite(attribute.get(), type, value);
}
} // namespace

void File::setAttribute(const std::string &object, const std::string &name, const std::string &text) {
  const Guard guard = exclusively();
  // Of variable length, as h5py and anndata write and compare them.
  const char *value = text.c_str();
  Id space(H5Screate(H5S_SCALAR)), type = textType(H5T_VARIABLE);
  check(writeAttribute(openObject(object).get(), name, type.get(), space.get(), &value), object, "cannot set " + name);
}
void File::setAttribute(const std::string &object, const std::string &name, const std::vector<int64_t> &values) {
  const Guard guard = exclusively();
  hsize_t extent = values.size();
  Id space(H5Screate_simple(1, &extent, nullptr));
  check(writeAttribute(openObject(object).get(), name, H5T_NATIVE_INT64, space.get(), values.data()), object,
        "cannot set " + name);
}
void File::setAttribute(const std::string &object, const std::string &name, uint64_t value) {
  const Guard guard = exclusively();
  Id space(H5Screate(H5S_SCALAR));
  check(writeAttribute(openObject(object).get(), name, H5T_NATIVE_UINT64, space.get(), &value), object,
        "cannot set " + name);
}

void File::setAttribute(const std::string &object, const std::string &name, float value) {
  const Guard guard = exclusively();
  Id space(H5Screate(H5S_SCALAR));
  check(writeAttribute(openObject(object).get(), name, H5T_NATIVE_FLOAT, space.get(), &value), object,
        "cannot set " + name);
}

void File::hardLink(const std::string &existing, const std::string &name) {
  const Guard guard = exclusively();
  makeGroupsAbove(name);
  check(H5Lcreate_hard(id_.get(), existing.c_str(), id_.get(), name.c_str(), linkProperties().get(), H5P_DEFAULT), name,
        "cannot be linked");
}
} // namespace sn::rt::h5
