// Data sets in DSSTNE's NetCDF layout (docs/spec/data.md; the reference's section 2): several to a file, numbered, what
// they are in global attributes.
#pragma once
#include "runtime/data/AtomicFile.h"
#include "runtime/data/DataFile.h"
#include "runtime/data/Netcdf.h"

namespace sn::rt {
/// Whether a NetCDF file holds data sets.
bool holdsDsstneData(const nc::Reader &file);
bool holdsDsstneData(const h5::File &file);

/// For a trained network where data sets are wanted.
[[noreturn]] void refuseTrainedNetwork(const std::string &path);

/// The data sets of a NetCDF file. Kept by name; contents are read by load(). UserError for attributes that no data set
/// can have.
class DsstneDataFile {
public:
  explicit DsstneDataFile(std::unique_ptr<nc::Reader> file);
  std::vector<std::string> names() const; // in the file's order
  const std::string &path() const { return file_->path(); }
  /// The number of a data set, or -1.
  int64_t find(const std::string &name) const;
  /// Loads and checks; duplicates inside a row are merged as DataFile says. `streamed`: rows stay in the file, but for
  /// classes, of which there is one number for each row.
  DataSet load(int64_t number, bool streamed = false) const;
  DataShape describe(int64_t number) const;

private:
  struct Header;
  Header header(int64_t number) const;
  std::shared_ptr<nc::Reader> file_; // streamed data sets hold it, too
  std::vector<std::string> names_;
};

/// A data set to be written, under a name, `width` columns wide (0: as wide as it is; generateNetCDF rounds up).
struct DsstneOutput {
  std::string name;
  const DataSet *data = nullptr;
  int64_t width = 0;
};
/// Writes a NetCDF-4 file as DSSTNE's tools do (reference section 2.6); it appears whole or not at all. UserError if
/// `path` exists and `force` is not set, for two sets of one name, and for what the layout cannot hold: a sparse set
/// without entries, and an example of more than three extents.
void writeDsstneData(const std::string &path, bool force, const std::vector<DsstneOutput> &sets);
} // namespace sn::rt
