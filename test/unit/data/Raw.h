// HDF5 files as others write them, right and wrong.
#pragma once
#include "test/unit/data/Support.h"

namespace sn::rt::test {
/// A file written with the plain C interface, as h5py and scipy would.
class Raw {
public:
  explicit Raw(const std::string &path) : file_(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)) {}
  ~Raw() { H5Fclose(file_); }
  Raw(const Raw &) = delete;
  hid_t id() const { return file_; }
  /// A group of a sparse data set whose shape needs 64 bits.
  void group64(const std::string &name, std::vector<int64_t> shape) { group(name, "csr_matrix", shape, H5T_STD_I64LE); }
  void group(const std::string &name, const std::string &encoding, std::vector<int64_t> shape,
             hid_t stored = H5T_STD_I32BE) {
    hid_t group = H5Gcreate2(file_, name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t text = H5Tcopy(H5T_C_S1), scalar = H5Screate(H5S_SCALAR);
    H5Tset_size(text, H5T_VARIABLE);
    const char *value = encoding.c_str();
    hid_t attribute = H5Acreate2(group, "encoding-type", text, scalar, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, text, &value);
    H5Aclose(attribute);
    hsize_t extent = shape.size();
    hid_t space = H5Screate_simple(1, &extent, nullptr);
    attribute = H5Acreate2(group, "shape", stored, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, H5T_NATIVE_INT64, shape.data());
    H5Aclose(attribute);
    H5Sclose(space), H5Sclose(scalar), H5Tclose(text), H5Gclose(group);
  }
  template <typename T>
  void array(const std::string &name, hid_t stored, const std::vector<T> &values, std::vector<hsize_t> shape = {},
             bool compressed = false) {
    if (shape.empty())
      shape = {values.size()};
    hid_t space = H5Screate_simple(int(shape.size()), shape.data(), nullptr), list = H5Pcreate(H5P_DATASET_CREATE);
    if (compressed) {
      std::vector<hsize_t> chunk(shape.size(), 2);
      H5Pset_chunk(list, int(shape.size()), chunk.data());
      H5Pset_deflate(list, 4);
    }
    hid_t set = H5Dcreate2(file_, name.c_str(), stored, space, H5P_DEFAULT, list, H5P_DEFAULT);
    H5Dwrite(set, h5::native<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    H5Dclose(set), H5Pclose(list), H5Sclose(space);
  }
  void booleans(const std::string &name, std::vector<int8_t> values) { // numpy's bool, as h5py writes it
    hid_t type = H5Tenum_create(H5T_STD_I8LE);
    int8_t no = 0, yes = 1;
    H5Tenum_insert(type, "FALSE", &no), H5Tenum_insert(type, "TRUE", &yes);
    hsize_t extent = values.size();
    hid_t space = H5Screate_simple(1, &extent, nullptr);
    hid_t set = H5Dcreate2(file_, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    H5Dclose(set), H5Sclose(space), H5Tclose(type);
  }
  void strings(const std::string &name, std::vector<const char *> values) { // of variable length
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE), H5Tset_cset(type, H5T_CSET_UTF8);
    hsize_t extent = values.size();
    hid_t space = H5Screate_simple(1, &extent, nullptr);
    hid_t set = H5Dcreate2(file_, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    H5Dclose(set), H5Sclose(space), H5Tclose(type);
  }
  void spacePadded(const std::string &name, const std::string &values, size_t size) {
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, size), H5Tset_strpad(type, H5T_STR_SPACEPAD);
    hsize_t extent = values.size() / size;
    hid_t space = H5Screate_simple(1, &extent, nullptr);
    hid_t set = H5Dcreate2(file_, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    H5Dclose(set), H5Sclose(space), H5Tclose(type);
  }
  /// A sparse data set of 2 rows and 4 columns with the given arrays.
  void sparse(const std::string &name, std::vector<int64_t> indptr, std::vector<int64_t> indices) {
    group(name, "csr_matrix", {2, 4});
    array(name + "/indptr", H5T_STD_I64LE, indptr);
    array(name + "/indices", H5T_STD_I32LE, indices);
  }

private:
  hid_t file_;
};
} // namespace sn::rt::test
