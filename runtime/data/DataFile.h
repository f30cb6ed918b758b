// Data files (*.h5): one HDF5 object per data set, named as in the network's JSON.
// - sparse: a group with attributes encoding-type = "csr_matrix" and shape = [rows, columns]; arrays indptr, indices,
//   optional data (absent = binary), optional row_names and column_names (the AnnData/scipy convention)
// - dense: an array, rows first (further axes are flattened); its names, if any, are in the group "<name>.names"
// - either, in the group: optional index (indexed: the row of each example) and weights (of each example); sparse:
//   attribute ignore_zeros; on the array of the values: attributes scale_factor and, dense, input_offset
// DSSTNE's NetCDF files (*.nc) are read as they are. docs/spec/data.md says it all.
#pragma once
#include "runtime/data/AtomicFile.h"
#include "runtime/data/DataSet.h"
#include "runtime/data/Hdf5.h"
#include <algorithm>
#include <map>

namespace sn::rt {
/// What a data set is and takes in memory, from the file's header and a sample of its names.
struct DataShape {
  Loader loader = Loader::CsrBinary;
  int64_t rows = 0, columns = 0, entries = 0; // entries: of all examples (indexed: as if rows were referred to evenly)
  int64_t bytes = 0;                          // once loaded, names included (about: names are of different lengths)
  int64_t loading = 0;                        // beside them while it is read

  /// The stored rows are referred to by `examples`.
  void index(int64_t examples) {
    const double each = rows > 0 ? static_cast<double>(entries) / static_cast<double>(rows) : 0;
    entries = static_cast<int64_t>(std::min(each * static_cast<double>(examples), 0x1p60));
    rows = examples;
  }
};

class DsstneDataFile;

/// Where the rows of data sets are while a network runs.
struct Streaming {
  bool fromFile = false; // they stay in the file, and come into memory batch by batch
  bool toDevice = false; // they cross to a device with memory of its own batch by batch
};

/// A data file open for reading, recognised by its content. Data sets stay in memory as long as someone holds them or
/// the file is open.
class DataFile {
public:
  /// UserError for a file that is missing, truncated or neither HDF5 nor NetCDF.
  static DataFile open(const std::string &path);
  /// The names of the data sets, sorted.
  std::vector<std::string> names() const;
  bool has(const std::string &name) const;
  /// UserError saying what the file has, or is, if it has no such data set.
  void require(const std::string &name) const;
  /// Loads and checks a data set: shape, row bounds, column indices, finite values. Rows are sorted and duplicates
  /// merged (binary: kept once; analog: summed), which is said in `notes`. Two names of one object (hard links) give
  /// the same pointer.
  /// Streamed from the file: the rows are not read, and what is wrong with one is found when it is (docs/spec/data.md).
  std::shared_ptr<const DataSet> load(const std::string &name);
  /// Lets go of what was loaded and nobody holds.
  void forget() { loaded_.clear(); }
  /// Into memory, whatever stream() says.
  std::shared_ptr<const DataSet> loadWhole(const std::string &name);
  /// How data sets are loaded and bound from here on.
  void stream(const Streaming &how) { streaming_ = how; }
  const Streaming &streaming() const { return streaming_; }
  /// The same without loading anything. Says less: contents are not checked. UserError if there is no such data set or
  /// it has no shape.
  DataShape describe(const std::string &name) const;
  /// Whether two names are one object.
  bool same(const std::string &a, const std::string &b) const { return identity(a) == identity(b); }
  const std::string &path() const { return path_; }

private:
  explicit DataFile(const std::string &path) : path_(path) {}
  uint64_t identity(const std::string &name) const;
  std::shared_ptr<const DataSet> loaded(const std::string &name, bool streamed);
  std::string path_;
  Streaming streaming_;
  std::optional<h5::File> file_;                                               // of our layout, or
  std::shared_ptr<DsstneDataFile> netcdf_;                                     // of DSSTNE's
  std::map<std::pair<uint64_t, bool>, std::shared_ptr<const DataSet>> loaded_; // by identity, whether streamed
};

/// Writes a data file; it appears at commit(). Equal content gives equal bytes.
class DataFileWriter {
public:
  /// UserError if `path` exists and `force` is not set.
  DataFileWriter(const std::string &path, bool force);
  /// Writes `data` under `name` (not under data.name). CSR rows must be tidy.
  void write(const std::string &name, const DataSet &data);
  /// A further name for a data set written before.
  void link(const std::string &existing, const std::string &name);
  /// Everything is on disk after this; commit() only gives the file its name.
  void finish();
  void commit();

private:
  void writeValues(const std::string &array, const std::vector<int64_t> &shape, const DataSet &data);
  void writeExamples(const std::string &group, const DataSet &data);
  AtomicFile target_;
  h5::File file_;
  bool finished_ = false;
};
} // namespace sn::rt
