// NetCDF files, as far as DSSTNE's need them: global attributes, dimensions, one-dimensional variables, no groups.
// NetCDF-4 is HDF5 with conventions and goes through h5::File; the classic formats (CDF-1, CDF-2, CDF-5) have a reader
// of our own, which checks every offset against the file's size. Only NetCDF-4 is written.
#pragma once
#include "runtime/data/Hdf5.h"
#include <map>
#include <memory>

namespace sn::rt::nc {
enum class Type { Integer, Real, Character, Other };

/// A global attribute: a text, or numbers.
struct Attribute {
  bool isText = false;
  std::string text;
  std::vector<double> reals;
};
struct Variable {
  Type type = Type::Other;
  std::vector<int64_t> shape;
};

/// A NetCDF file being read. All members throw UserError for damage, naming the file.
class Reader {
public:
  virtual ~Reader() = default;
  /// UserError for a file that is missing, damaged or neither NetCDF nor HDF5.
  static std::unique_ptr<Reader> open(const std::string &path);
  virtual const std::string &path() const = 0;
  /// The file below, NetCDF-4 only; else null.
  virtual const h5::File *hdf5() const { return nullptr; }
  /// To be held around read() where several threads read.
  std::mutex &positionMutex() const { return position_; }
  virtual std::optional<Attribute> attribute(const std::string &name) const = 0;
  /// The length of a dimension; nothing if there is none of this name or it is unlimited: variables then tell.
  virtual std::optional<int64_t> dimension(const std::string &name) const = 0;
  virtual std::optional<Variable> variable(const std::string &name) const = 0;
  /// UserError for a variable that the file cannot hold whole: asked before memory is taken for it.
  virtual void requireStored(const std::string &name) const = 0;
  /// Elements [first, first + count) of a variable with one axis. Numbers beyond the range of the result are clamped,
  /// characters are signed numbers.
  virtual void read(const std::string &name, int64_t first, int64_t count, int64_t *to) const = 0;
  virtual void read(const std::string &name, int64_t first, int64_t count, float *to) const = 0;

  bool has(const std::string &attribute) const { return this->attribute(attribute).has_value(); }
  /// Attributes that must be there, once and of this kind: a text, a whole number from `least` to `most`, a number.
  std::string text(const std::string &name) const;
  int64_t integer(const std::string &name, int64_t least, int64_t most) const;
  double real(const std::string &name) const;
  /// The same, or `otherwise` where the attribute is missing.
  int64_t integer(const std::string &name, int64_t least, int64_t most, int64_t otherwise) const;
  double real(const std::string &name, double otherwise) const;
  /// The length of a variable that must be there, with one axis of numbers or characters.
  int64_t length(const std::string &name) const;
  /// A whole variable of `expected` elements.
  template <typename T> std::vector<T> all(const std::string &name, int64_t expected) const {
    requireLength(name, expected);
    requireStored(name);
    std::vector<T> values(static_cast<size_t>(expected));
    read(name, 0, expected, values.data());
    return values;
  }
  void requireLength(const std::string &name, int64_t expected) const;

private:
  mutable std::mutex position_;
};

/// Whether a file begins as the classic formats do. False for files that cannot be read.
bool isClassic(const std::string &path);
std::unique_ptr<Reader> openClassic(const std::string &path);
/// NetCDF-4: takes over an open HDF5 file.
std::unique_ptr<Reader> openHdf5(h5::File file);

/// Writes a NetCDF-4 file that the netCDF library reads: attributes and dimensions in the order they were made. Equal
/// content gives equal bytes. UserError where the disk is full. What is not closed is lost.
class Writer {
public:
  /// Truncates `path`; messages name `shownAs`.
  Writer(const std::string &path, const std::string &shownAs);
  void attribute(const std::string &name, std::string_view text); // NC_CHAR
  void attribute(const std::string &name, uint32_t value);        // NC_UINT
  void attribute(const std::string &name, int32_t value);         // NC_INT
  void attribute(const std::string &name, uint64_t value);        // NC_UINT64
  void attribute(const std::string &name, float value);           // NC_FLOAT
  /// `length` is at least 1: NetCDF takes 0 for "unlimited".
  void dimension(const std::string &name, int64_t length);
  /// How a variable's elements lie in the file.
  enum class Element { UInt, UInt64, Float, UByte, Char };
  /// A variable along a dimension that was made before.
  void variable(const std::string &name, Element element, const std::string &dimension);
  template <typename T> void write(const std::string &name, int64_t first, int64_t count, const T *from) {
    file_.writeRows(name, first, count, from);
  }
  /// Of a variable of characters.
  void write(const std::string &name, int64_t first, int64_t count, const char *from);
  void close() { file_.close(); }

private:
  void number(const std::string &name, hid_t stored, const void *value);
  h5::File file_;
  std::map<std::string, int64_t> dimensions_;
};
} // namespace sn::rt::nc
