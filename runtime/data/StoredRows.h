// Rows of streamed data sets: fetched from where the data set lies when a batch asks for them.
#pragma once
#include "runtime/data/DataSet.h"
#include "runtime/data/Netcdf.h"
#include <functional>

namespace sn::rt {
/// The numbers of one array of a data set in a file, by position. Read on any thread, one call at a time. UserError
/// where the file cannot be read.
class StoredNumbers {
public:
  virtual ~StoredNumbers() = default;
  /// Clamped to the range of the result.
  virtual void read(int64_t first, int64_t count, int32_t *to) const = 0;
  virtual void read(int64_t first, int64_t count, int64_t *to) const = 0;
  virtual void read(int64_t first, int64_t count, float *to) const = 0;
  /// These will be read before long.
  virtual void soon(int64_t first, int64_t count) const = 0;
  /// Of the chunks that are read and unpacked as a whole: numbers in each, or 0 where all lie in one piece.
  virtual int64_t chunkNumbers() const = 0;
  virtual int64_t chunks() const = 0;
  virtual int64_t chunkBytes() const = 0; // of one, in memory
  /// Memory that reading takes: the chunks that are kept.
  virtual int64_t cacheBytes() const = 0;
};

/// An array of an HDF5 file, which may be closed; a variable of a NetCDF file.
std::shared_ptr<const StoredNumbers> numbersOf(const h5::File &file, const std::string &array);
std::shared_ptr<const StoredNumbers> numbersOf(const std::shared_ptr<const nc::Reader> &file,
                                               const std::string &variable);

/// Where the rows of a data set lie in a file.
struct StoredRows {
  std::string path, name; // of file and data set, for messages
  std::string indicesName = "indices";
  Loader loader = Loader::CsrBinary;
  int64_t columns = 0;
  const int64_t *indptr = nullptr;                      // CSR: the data set's own; it must outlive the source
  std::vector<int64_t> begins;                          // CSR: where each row's entries begin, if not where indptr says
  std::shared_ptr<const StoredNumbers> indices, values; // CSR: by entry; dense values: by element, row-major
  std::function<void(float *values, int64_t count)> convert; // stored numbers to what they stand for, or none
};

/// Reads rows sorted by where they lie, what lies close together at once. What load-time checks look at in a data set
/// in memory is checked here, row by row, with the same words: columns in range, values finite; rows out of order are
/// sorted, duplicates merged (DataFile::load). Rows are converted as in memory, so that they have the same bits.
std::shared_ptr<RowSource> rowsInFile(StoredRows where);
/// The same as the rows of `data`, with what is known about reading them.
void keepInFile(DataSet &data, StoredRows where);

/// The rows of a data set in memory, which must outlive the source.
std::shared_ptr<RowSource> rowsInMemory(const DataSet &data);

/// How many times a shuffled pass in batches of `batch` rows reads an array in `chunks` chunks: 1 where no chunk is
/// unpacked more often than once.
double timesRead(int64_t chunks, int64_t rows, int64_t batch);
} // namespace sn::rt
