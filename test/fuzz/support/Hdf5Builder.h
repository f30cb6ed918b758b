// HDF5 files written object by object: plain where the choices are zero, else in any of the shapes, types
// and storages that HDF5 has.
#pragma once
#include "test/fuzz/support/Choices.h"
#include <hdf5.h>
#include <string>
#include <vector>

namespace sn::fuzz {
class Hdf5Builder {
public:
  /// A new file at `path`; complete when this has gone.
  explicit Hdf5Builder(const std::string &path);
  ~Hdf5Builder();
  Hdf5Builder(const Hdf5Builder &) = delete;
  Hdf5Builder &operator=(const Hdf5Builder &) = delete;

  void group(const std::string &path);
  /// An array of these numbers, of `type` and `shape` unless the choices say otherwise.
  void numbers(const std::string &path, hid_t type, std::vector<hsize_t> shape, std::vector<long double> values,
               Choices &choices);
  /// A one-dimensional array of strings, or (scalar) one string.
  void strings(const std::string &path, std::vector<std::string> texts, bool scalar, Choices &choices);
  void textAttribute(const std::string &object, const std::string &name, std::string text, Choices &choices);
  void integerAttribute(const std::string &object, const std::string &name, std::vector<long double> values,
                        bool scalar, Choices &choices);
  void hardLink(const std::string &existing, const std::string &path);
  void softLink(const std::string &target, const std::string &path);

private:
  struct Shape {
    std::vector<hsize_t> extents;
    bool scalar = false, none = false;
    hsize_t count() const;
  };
  void oddShape(Shape &shape, Choices &choices);
  void writeRaw(hid_t object, bool attribute, hid_t type, hsize_t count, Choices &choices);
  void create(const std::string &path, hid_t type, const Shape &shape, const void *values, hid_t memoryType,
              Choices &choices);
  void attribute(const std::string &object, const std::string &name, hid_t type, const Shape &shape, const void *values,
                 hid_t memoryType, Choices &choices);
  hid_t file_;
};
} // namespace sn::fuzz
