#include "test/fuzz/support/DataSets.h"
#include "runtime/data/DsstneData.h"
#include "runtime/plan/Error.h"
#include "test/fuzz/support/Target.h"
#include <cmath>
#include <fstream>
#include <iterator>
#include <set>

namespace sn::fuzz {
namespace {
void checkRows(const rt::DataSet &data) {
  const int64_t rows = data.storedRows();
  demand((!data.index.empty() || rows == data.rows) && data.indptr.front() == 0 &&
             data.indptr.back() == int64_t(data.indices.size()),
         "the rows do not cover the indices");
  for (int64_t row = 0; row < rows; ++row) {
    demand(data.indptr[size_t(row)] <= data.indptr[size_t(row) + 1], "a row ends before it begins");
    for (int64_t at = data.indptr[size_t(row)]; at < data.indptr[size_t(row) + 1]; ++at) {
      int64_t column = data.indices[size_t(at)];
      demand(column >= 0 && column < data.columns, "a column outside the data set");
      demand(at == data.indptr[size_t(row)] || data.indices[size_t(at) - 1] < column, "a row that is not increasing");
    }
  }
}
bool sameNames(const std::shared_ptr<const rt::Names> &a, const std::shared_ptr<const rt::Names> &b) {
  if (!a || !b || a->size() != b->size())
    return !a == !b && !a;
  for (int64_t i = 0; i < a->size(); ++i)
    if ((*a)[i] != (*b)[i])
      return false;
  return true;
}
/// Numbers or names whose bytes begin as a heap of HDF5's does: Hdf5Heaps takes them for a broken one. A sparse data
/// set has one true heap, of its encoding-type.
bool looksLikeMoreHeaps(const std::string &path, const rt::DataSet &data) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  constexpr std::string_view heap("GCOL\x01\0\0\0", 8);
  int count = 0;
  for (size_t at = bytes.find(heap); at != std::string::npos; at = bytes.find(heap, at + 1))
    ++count;
  return count > (data.loader == rt::Loader::Dense ? 0 : 1);
}
bool sameNumbers(const rt::DataSet &a, const rt::DataSet &b) {
  return a.loader == b.loader && a.rows == b.rows && a.columns == b.columns && a.indptr == b.indptr &&
         a.indices == b.indices && a.values == b.values && a.index == b.index && a.weights == b.weights &&
         a.ignoreZeros == b.ignoreZeros && a.inputOffset == b.inputOffset && a.extents == b.extents;
}
/// The same through DSSTNE's layout, which cannot hold everything.
void checkNetcdfRoundTrip(const rt::DataSet &data) {
  const std::string path = scratch("again.nc");
  try {
    rt::writeDsstneData(path, true, {{"again", &data}});
  } catch (const UserError &error) {
    demand(std::string_view(error.what()).find("DSSTNE's NetCDF files") != std::string_view::npos, error.what());
    return;
  }
  demand(sameNumbers(*rt::DataFile::open(path).load("again"), data), "a data set changes when written as NetCDF");
}
void checkRoundTrip(const rt::DataSet &data) {
  std::string path = scratch("again.h5");
  rt::DataFileWriter writer(path, true);
  try {
    writer.write("again", data);
  } catch (const UserError &error) {
    demand(std::string_view(error.what()).find("zero byte") != std::string_view::npos, error.what());
    return; // a name that HDF5's strings cannot hold
  }
  writer.commit();
  if (looksLikeMoreHeaps(path, data))
    return;
  rt::DataFile file = rt::DataFile::open(path);
  std::shared_ptr<const rt::DataSet> again = file.load("again");
  demand(sameNumbers(*again, data) && sameNames(again->rowNames, data.rowNames) &&
             sameNames(again->columnNames, data.columnNames),
         "a data set changes when written and read");
}
} // namespace

void checkDataSet(const rt::DataSet &data) {
  demand(data.rows >= 1 && data.columns >= 1 && data.columns < int64_t(1) << 31, "an empty data set");
  if (data.loader != rt::Loader::Dense)
    checkRows(data);
  size_t values = data.loader == rt::Loader::Dense
                      ? size_t((data.index.empty() ? data.rows : data.storedRows()) * data.columns)
                  : data.loader == rt::Loader::CsrAnalog ? data.indices.size()
                                                         : 0;
  demand(data.values.size() == values, "the number of values does not fit");
  for (float value : data.values)
    demand(std::isfinite(value), "a value that is not finite");
  demand(data.index.empty() || int64_t(data.index.size()) == data.rows, "an index of another length");
  for (int32_t row : data.index)
    demand(row >= 0 && row < data.storedRows(), "an example whose row is not there");
  demand(data.weights.empty() || int64_t(data.weights.size()) == data.rows, "weights of another number");
  for (float weight : data.weights)
    demand(std::isfinite(weight), "a weight that is not finite");
  demand(!data.rowNames || data.rowNames->size() == data.rows, "row names do not fit");
  demand(!data.columnNames || data.columnNames->size() == data.columns, "column names do not fit");
}

int loadAll(const std::string &path, const std::vector<std::string> &names) {
  int loaded = 0;
  std::set<std::string> wanted(names.begin(), names.end());
  try {
    rt::DataFile file = rt::DataFile::open(path);
    for (const std::string &name : file.names())
      wanted.insert(name);
    for (const std::string &name : wanted) {
      std::shared_ptr<const rt::DataSet> data;
      try {
        data = file.load(name);
      } catch (const UserError &error) {
        say(error.what());
        demand(std::string_view(error.what()).find(path) != std::string_view::npos, "a message without the file");
        continue;
      }
      checkDataSet(*data);
      checkRoundTrip(*data);
      checkNetcdfRoundTrip(*data);
      ++loaded;
    }
  } catch (const UserError &error) {
    say(error.what());
    demand(std::string_view(error.what()).find(path) != std::string_view::npos, "a message without the file");
  }
  return loaded;
}

void closeAbandonedFiles() {
  ssize_t count = H5Fget_obj_count(hid_t(H5F_OBJ_ALL), H5F_OBJ_FILE);
  if (count <= 0)
    return;
  std::vector<hid_t> files(static_cast<size_t>(count));
  H5Fget_obj_ids(hid_t(H5F_OBJ_ALL), H5F_OBJ_FILE, files.size(), files.data());
  for (hid_t file : files)
    H5Fclose(file);
}
} // namespace sn::fuzz
