// A data set in host memory: rows of a sparse (CSR) or dense float32 matrix, and the names of its rows and columns.
#pragma once
#include "runtime/data/Names.h"
#include "runtime/hal/Device.h"
#include <memory>

namespace sn::rt {
/// How the values of a data set lie in a file; in memory they are floats. Of 8 bits: value = stored number * scale.
enum class Stored { Float, Unsigned8, Signed8 };

/// A data set whose rows stay in the file ("streamed", `rowsFrom`) has neither indices nor values here, all else.
/// Its source points into it: it may be moved, not copied.
struct DataSet {
  std::string name; // its name in the file; the first one asked for where there are several
  Loader loader = Loader::CsrBinary;
  int64_t rows = 0, columns = 0; // rows: examples
  std::vector<int64_t> indptr;   // CSR: stored rows + 1
  std::vector<int32_t> indices;  // CSR: sorted and distinct inside a row
  std::vector<float> values;     // CsrAnalog: one per index; dense: rows x columns, row-major; CsrBinary: empty
  std::shared_ptr<const Names> rowNames, columnNames; // null where the file has none
  std::vector<int32_t> index; // indexed: the stored row of each example; empty: one stored row per example, in order
  std::vector<float> weights; // of each example; empty: 1
  bool ignoreZeros = false;   // as a target: entries not stored contribute nothing
  Stored stored = Stored::Float;
  float scale = 1;              // of 8-bit values: 1/256 unsigned, 1/128 signed (T-22)
  std::vector<int64_t> extents; // of an example: x (fastest), y, z, ..., their product is `columns`; empty: x alone
  float inputOffset = 0; // dense: added to every stored value where the data set is an input (8-bit images: T-22)
  std::vector<std::string> notes;      // what was mended while loading, one sentence each, for the user
  std::shared_ptr<RowSource> rowsFrom; // streamed: gives the rows; null: they are here
  int64_t denseRows = 0;               // streamed, dense: rows in the file
  int64_t chunks = 0,
          readerBytes = 0; // streamed: chunks that no memory keeps (0: none); memory of reading
  bool streamed() const { return rowsFrom != nullptr; }
  int64_t storedRow(int64_t example) const { return index.empty() ? example : index[static_cast<size_t>(example)]; }
  /// Rows of the matrix: fewer or more than examples where the data set is indexed.
  int64_t storedRows() const {
    if (loader != Loader::Dense)
      return indptr.empty() ? 0 : static_cast<int64_t>(indptr.size()) - 1;
    if (streamed())
      return denseRows;
    return columns > 0 ? static_cast<int64_t>(values.size()) / columns : 0;
  }
  /// What is stored, not how often examples refer to it.
  int64_t entries() const {
    if (streamed())
      return loader == Loader::Dense ? denseRows * columns : indptr.back();
    return static_cast<int64_t>(loader == Loader::Dense ? values.size() : indices.size());
  }
};

/// What to do with the values of entries that name the same row and column. Binary data sets keep one entry either way.
enum class Duplicates { Sum, Last };

/// Sorts the rows of a CSR data set by column where needed, keeping the order of equal columns, and merges entries of
/// the same row and column. The index arrays are otherwise taken as valid.
struct Tidied {
  int64_t sortedRows = 0; // rows that were out of order
  int64_t merged = 0;     // entries that went into another
};
Tidied tidyRows(DataSet &data, Duplicates duplicates);

/// The columns of an example of a CSR data set.
inline std::pair<const int32_t *, const int32_t *> rowOf(const DataSet &data, int64_t example) {
  int64_t row = data.storedRow(example);
  return {data.indices.data() + data.indptr[row], data.indices.data() + data.indptr[row + 1]};
}

/// The device's view of a data set, bound to a layer of `layerColumns` columns. Valid while `data` lives. Of a streamed
/// data set it has a source (Device::land). UserError if the data set has more columns than the layer.
DataView viewOf(const DataSet &data, int64_t layerColumns);
/// Bytes that a data set takes in memory, without its names.
int64_t bytesOf(const DataSet &data);
} // namespace sn::rt
