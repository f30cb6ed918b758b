// Importing interactions and features from text into data files: what `snrt import` does.
#pragma once
#include "runtime/data/DataFile.h"
#include "runtime/data/IndexFile.h"
#include "runtime/data/TextFormats.h"

namespace sn::rt {
struct ImportOptions {
  std::string source{}, output{};
  std::string format = "auto"; // or one of TextFormat's names
  std::string name{};          // data set to write; "" = "input" with "output" as a second name for it
  CsvColumns columns{};
  std::optional<double> minimum{}; // leave entries of a lower value out
  bool values = false;             // keep values: an analog data set. libsvm keeps them anyway unless all are 1
  Duplicates duplicates = Duplicates::Sum;
  std::string mostRejects = "0"; // a number of records, or a share of all with "%"
  std::string vocabulary{};      // a data file whose column names keep their ids; others are dropped
  bool alignRows = false;        // also take its rows: one per row name it has, in its order, others dropped
  std::string featureIndex{};    // label<TAB>number lines (reference section 4.2) that fix the ids; others are dropped
  std::string sampleIndex{};     // the same for rows: one for each number, in order; others are dropped
  std::string test{}, testOutput{}; // a second source with the vocabularies and rows of the first
  double holdOut = 0;               // share of each row's entries that goes to testOutput instead
  uint64_t seed = 1;
  bool force = false;
  ReadProgress progress{};
};

/// What import did, for its report.
struct ImportResult {
  struct File {
    std::string path;
    std::vector<std::string> names; // data sets in it
    int64_t rows = 0, emptyRows = 0, columns = 0, entries = 0;
    bool analog = false;
    int64_t labels = 0; // libsvm: columns of the labels, which are the data set "output"
  };
  /// One text that was read.
  struct Source {
    std::string path;
    int64_t merged = 0, rejected = 0;
    std::vector<std::string> firstRejects; // "file:17:3: why"
    std::vector<std::string> notes;        // what was done with values, columns, unknown names
  };
  std::string format; // name of the format
  bool detected = false;
  std::vector<Source> sources;
  std::vector<File> files;
  double seconds = 0;
};

/// Reads all, then writes; no file appears if anything fails. Columns (and rows) are numbered in order of first
/// appearance, unless a vocabulary, a feature index or the format (libsvm) fixes them. Throws UserError.
ImportResult importText(const ImportOptions &options);

/// Writes `data` as `name`; or, if that is "", as "input", with `labels` as "output" (null: a second name for the same
/// object). Returns the names written. The data generator writes its files the same way.
std::vector<std::string> writeDataSets(DataFileWriter &writer, const DataSet &data, const DataSet *labels,
                                       const std::string &name);
} // namespace sn::rt
