// A thin owner of HDF5's C interface: identifiers close themselves, failures become sn::UserError naming file and
// object, and what is written carries no times, so equal content gives equal bytes. The library is not thread-safe:
// every function here holds one lock while it is inside, so that threads may use it side by side.
#pragma once
#include "runtime/data/Names.h"
#include <cstdint>
#include <hdf5.h>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sn::rt::h5 {
/// Held by whoever is inside the library, process-wide; one thread may hold it several times.
using Guard = std::unique_lock<std::recursive_mutex>;
Guard exclusively();

/// Owns one HDF5 identifier of any kind.
class Id {
public:
  explicit Id(hid_t id = -1) : id_(id) {}
  Id(Id &&other) noexcept : id_(other.release()) {}
  Id &operator=(Id &&other) noexcept {
    std::swap(id_, other.id_);
    return *this;
  }
  ~Id() {
    if (id_ < 0)
      return;
    const Guard guard = exclusively();
    H5Idec_ref(id_);
  }
  hid_t get() const { return id_; }
  hid_t release() { return std::exchange(id_, -1); }

private:
  hid_t id_;
};

/// UserError for a file whose heaps of strings would keep HDF5 busy for ever. Reads the whole file once.
void refuseBrokenHeaps(const std::string &path);

/// Why the last call failed, in the library's words.
std::string lastReason();

/// Whether a file begins as HDF5 files do. False for files that cannot be read.
bool isHdf5(const std::string &path);

enum class Kind { Missing, Group, Array, Other };
enum class Element { Integer, Float, Boolean, String, Other };

template <typename T> hid_t native();
template <> inline hid_t native<int32_t>() { return H5T_NATIVE_INT32; }
template <> inline hid_t native<int64_t>() { return H5T_NATIVE_INT64; }
template <> inline hid_t native<uint64_t>() { return H5T_NATIVE_UINT64; }
template <> inline hid_t native<uint32_t>() { return H5T_NATIVE_UINT32; }
template <> inline hid_t native<int8_t>() { return H5T_NATIVE_INT8; }
template <> inline hid_t native<uint8_t>() { return H5T_NATIVE_UINT8; }
template <> inline hid_t native<float>() { return H5T_NATIVE_FLOAT; }
template <> inline hid_t native<double>() { return H5T_NATIVE_DOUBLE; }

/// An HDF5 file. Object names are paths from the root ("input/indptr"). All members throw UserError.
class File {
public:
  File(File &&) = default;
  File &operator=(File &&) = delete;
  /// A file that is being written and was not closed is given up: its content is lost.
  ~File();
  /// For reading. Says whether the file is missing, is no HDF5 file (and what it is), or is truncated.
  static File open(const std::string &path);
  /// A new file; an existing one is truncated (see AtomicFile). Messages name `shownAs`.
  /// `ordered`: keeps the order in which objects and attributes of the root were made, as the netCDF library asks.
  static File create(const std::string &path, const std::string &shownAs, bool ordered = false);
  /// Writes everything out; needed before the file may be trusted.
  void close();
  const std::string &path() const { return path_; }
  /// For what this interface does not offer. Not owned by the caller.
  hid_t id() const { return id_.get(); }
  /// `id`, owned; UserError naming the object if it is negative.
  Id checked(hid_t id, const std::string &object, const std::string &what) const;
  void check(herr_t status, const std::string &object, const std::string &what) const;

  Kind kind(const std::string &object) const;
  /// Where the object lies in the file: equal for two hard links to one object.
  haddr_t address(const std::string &object) const;
  /// Names of a group's members, sorted.
  std::vector<std::string> members(const std::string &group) const;
  /// Extents of an array, and what its elements are.
  std::vector<int64_t> shape(const std::string &array) const;
  Element element(const std::string &array) const;
  /// Whether the elements are signed, where they are integers of 8 bits.
  std::optional<bool> signOf8Bits(const std::string &array) const;

  /// UserError for an array whose shape promises far more than the file can hold: asked before memory is taken for it.
  void requireStored(const std::string &array) const;

  /// Rows [first, first + count) of an array (its outermost axis), converted to T; values out of T's range are clamped.
  template <typename T> void readRows(const std::string &array, int64_t first, int64_t count, T *to) const {
    transfer(array, first, count, native<T>(), to, nullptr);
  }
  /// Rows [row, row + rows) and columns [column, column + columns) of a matrix.
  template <typename T>
  void readTile(const std::string &array, int64_t row, int64_t rows, int64_t column, int64_t columns, T *to) const {
    transferBox(array, {hsize_t(row), hsize_t(column)}, {hsize_t(rows), hsize_t(columns)}, native<T>(), to, nullptr);
  }
  /// As readRows; also reads the booleans that h5py writes.
  void readFloats(const std::string &array, int64_t first, int64_t count, float *to) const;
  /// Elements of an array of single characters (NetCDF's NC_CHAR), as signed numbers.
  void readCharacters(const std::string &array, int64_t first, int64_t count, int8_t *to) const;
  /// A one-dimensional array of strings, of fixed or variable length; at most the first `most` of them.
  Names readNames(const std::string &array, int64_t most = INT64_MAX) const;
  /// A scalar string.
  std::string readText(const std::string &array) const;

  bool hasAttribute(const std::string &object, const std::string &name) const;
  /// Empty if the attribute is missing; UserError if it is of another type.
  std::optional<std::string> textAttribute(const std::string &object, const std::string &name) const;
  std::vector<int64_t> integerAttribute(const std::string &object, const std::string &name) const;
  /// Of integers or floating-point numbers; nothing if the attribute is missing or holds something else.
  std::optional<std::vector<double>> numbersAttribute(const std::string &object, const std::string &name) const;
  uint64_t unsignedAttribute(const std::string &object, const std::string &name) const;

  /// Creates the group and those above it as needed.
  void createGroup(const std::string &group);
  template <typename T> void createArray(const std::string &array, const std::vector<int64_t> &shape) {
    createArray(array, native<T>(), shape);
  }
  template <typename T> void writeRows(const std::string &array, int64_t first, int64_t count, const T *from) {
    transfer(array, first, count, native<T>(), nullptr, from);
  }
  template <typename T>
  void writeTile(const std::string &array, int64_t row, int64_t rows, int64_t column, int64_t columns, const T *from) {
    transferBox(array, {hsize_t(row), hsize_t(column)}, {hsize_t(rows), hsize_t(columns)}, native<T>(), nullptr, from);
  }
  template <typename T> void writeVector(const std::string &array, const std::vector<T> &values) {
    createArray<T>(array, {int64_t(values.size())});
    writeRows(array, 0, int64_t(values.size()), values.data());
  }
  /// As UTF-8 strings, of fixed length where that is the smaller file. Names hold no zero bytes.
  void writeNames(const std::string &array, const Names &names);
  void writeText(const std::string &array, std::string_view text);
  void setAttribute(const std::string &object, const std::string &name, const std::string &text);
  void setAttribute(const std::string &object, const std::string &name, const std::vector<int64_t> &values);
  void setAttribute(const std::string &object, const std::string &name, uint64_t value);
  void setAttribute(const std::string &object, const std::string &name, float value);
  void hardLink(const std::string &existing, const std::string &name);

private:
  File(Id id, std::string path) : id_(std::move(id)), path_(std::move(path)) {}
  [[noreturn]] void fail(const std::string &object, const std::string &what) const;
  Id openObject(const std::string &object) const;
  Id openArray(const std::string &array) const;
  Id openAttribute(const std::string &object, const std::string &name) const;
  void createArray(const std::string &array, hid_t type, const std::vector<int64_t> &shape);
  void transfer(const std::string &array, int64_t first, int64_t count, hid_t memory, void *to, const void *from) const;
  void transferBox(const std::string &array, const std::vector<hsize_t> &start, const std::vector<hsize_t> &count,
                   hid_t memory, void *to, const void *from) const;
  void makeGroupsAbove(const std::string &object);
  Names readFixedNames(const std::string &array, hid_t type, int64_t count) const;
  Names readVariableNames(const std::string &array, hid_t type, int64_t count) const;
  void abandon();
  Id id_;
  std::string path_;
  bool writing_ = false;
};
} // namespace sn::rt::h5
