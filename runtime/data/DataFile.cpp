#include "runtime/data/DataFile.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <cmath>
#include <fmt/ranges.h>
#include <limits>
#include <optional>

namespace sn::rt {
namespace {
constexpr const char *kNamesSuffix = ".names";
constexpr int64_t kMostColumns = std::numeric_limits<int32_t>::max();
constexpr int64_t kMostDense = int64_t(1) << 48; // values; their bytes still fit an int64_t

/// Loads one data set; messages begin with the file's and the object's name.
class Loading {
public:
  Loading(const h5::File &file, const std::string &name) : file_(file), name_(name) { data_.name = name; }

  DataSet run() {
    switch (file_.kind(name_)) {
    case h5::Kind::Group:
      sparse();
      break;
    case h5::Kind::Array:
      dense();
      break;
    default:
      refuse("is neither a group (sparse) nor an array (dense)");
    }
    return std::move(data_);
  }

private:
  template <typename... Args> [[noreturn]] void refuse(fmt::format_string<Args...> format, Args &&...args) const {
    userError("{}: {}: {}", file_.path(), name_, fmt::format(format, std::forward<Args>(args)...));
  }
  template <typename... Args> void note(fmt::format_string<Args...> format, Args &&...args) {
    data_.notes.push_back(
        fmt::format("{}: {}: {}", file_.path(), name_, fmt::format(format, std::forward<Args>(args)...)));
  }

  void checkShape() const {
    if (data_.rows < 1 || data_.columns < 1)
      refuse("has {} rows and {} columns; both should be at least 1", data_.rows, data_.columns);
    if (data_.columns > kMostColumns)
      refuse("has {} columns; at most {} are supported", data_.columns, kMostColumns);
  }

  /// Length of a one-dimensional array of integers in the group.
  int64_t integers(const std::string &array) const {
    if (file_.kind(array) != h5::Kind::Array)
      refuse("has no array {}", array.substr(name_.size() + 1));
    std::vector<int64_t> shape = file_.shape(array);
    if (shape.size() != 1 || file_.element(array) != h5::Element::Integer)
      refuse("{} should be a one-dimensional array of integers", array.substr(name_.size() + 1));
    return shape[0];
  }

  void sparse() {
    std::optional<std::string> encoding = file_.textAttribute(name_, "encoding-type");
    if (!encoding)
      refuse("is a group without the attribute encoding-type; a sparse data set has \"csr_matrix\" there");
    if (*encoding == "csc_matrix")
      refuse("is stored by columns (csc_matrix); store it by rows, in scipy: matrix.tocsr()");
    if (*encoding != "csr_matrix")
      refuse("attribute encoding-type is \"{}\"; a sparse data set has \"csr_matrix\"", *encoding);
    std::vector<int64_t> shape = file_.integerAttribute(name_, "shape");
    if (shape.size() != 2)
      refuse("attribute shape should be [rows, columns]");
    data_.rows = shape[0];
    data_.columns = shape[1];
    checkShape();
    readIndptr();
    readIndices();
    readValues();
    readNames(name_);
    Tidied tidied = tidyRows(data_, Duplicates::Sum);
    bool analog = data_.loader == Loader::CsrAnalog;
    if (tidied.merged) {
      checkFinite();
      note("{} duplicate entries merged ({})", tidied.merged, analog ? "values summed" : "kept once");
    }
    if (tidied.sortedRows)
      note("{} rows were not sorted by column; sorted in memory", tidied.sortedRows);
    if (data_.indices.empty())
      note("has no entries: all its {} rows are empty", data_.rows);
    if (analog && !data_.values.empty() &&
        std::all_of(data_.values.begin(), data_.values.end(), [](float v) { return v == 1; }))
      note("every value is 1; without the array data it would be a binary data set");
  }

  void readIndptr() {
    std::string array = name_ + "/indptr";
    if (int64_t length = integers(array); length - 1 != data_.rows)
      refuse("indptr has {} elements; {} rows need one more than that", length, data_.rows);
    file_.requireStored(array);
    data_.indptr.resize(data_.rows + 1);
    file_.readRows(array, 0, data_.rows + 1, data_.indptr.data());
    int64_t entries = integers(name_ + "/indices");
    if (data_.indptr[0] != 0)
      refuse("indptr begins with {}, not with 0", data_.indptr[0]);
    for (int64_t row = 0; row < data_.rows; ++row)
      if (data_.indptr[row + 1] < data_.indptr[row])
        refuse("indptr falls from {} to {} at row {}; it should never fall", data_.indptr[row], data_.indptr[row + 1],
               row);
    if (data_.indptr.back() != entries)
      refuse("indptr ends with {}, but there are {} indices", data_.indptr.back(), entries);
  }

  void readIndices() {
    std::string array = name_ + "/indices";
    file_.requireStored(array);
    data_.indices.resize(data_.indptr.back());
    file_.readRows(array, 0, int64_t(data_.indices.size()), data_.indices.data());
    auto bad = std::find_if(data_.indices.begin(), data_.indices.end(),
                            [&](int32_t column) { return column < 0 || column >= data_.columns; });
    if (bad == data_.indices.end())
      return;
    int64_t at = bad - data_.indices.begin();
    int64_t column = 0; // as stored: 64-bit numbers beyond 32 bits were clamped
    file_.readRows(array, at, 1, &column);
    refuse("row {} stores column {} (indices[{}]), but columns run from 0 to {}", rowOfEntry(at), column, at,
           data_.columns - 1);
  }

  void readValues() {
    std::string array = name_ + "/data";
    if (file_.kind(array) == h5::Kind::Missing)
      return;
    std::vector<int64_t> shape = file_.shape(array);
    if (shape.size() != 1 || shape[0] != int64_t(data_.indices.size()))
      refuse("data should be a one-dimensional array of {} values, one per index; it has the shape [{}]",
             data_.indices.size(), fmt::join(shape, ", "));
    file_.requireStored(array);
    data_.loader = Loader::CsrAnalog;
    data_.values.resize(shape[0]);
    file_.readFloats(array, 0, shape[0], data_.values.data());
    checkFinite();
  }

  /// The row that the entry number `at` belongs to.
  int64_t rowOfEntry(int64_t at) const {
    return std::upper_bound(data_.indptr.begin(), data_.indptr.end(), at) - data_.indptr.begin() - 1;
  }

  void checkFinite() const {
    auto bad = std::find_if(data_.values.begin(), data_.values.end(), [](float v) { return !std::isfinite(v); });
    if (bad == data_.values.end())
      return;
    int64_t at = bad - data_.values.begin();
    bool dense = data_.loader == Loader::Dense;
    refuse("row {}, column {} holds the value {} (as float32); values should be finite",
           dense ? at / data_.columns : rowOfEntry(at), dense ? at % data_.columns : data_.indices[at], *bad);
  }

  void dense() {
    std::vector<int64_t> shape = file_.shape(name_);
    if (shape.size() < 2)
      refuse("has {} axes; a dense data set has rows and columns", shape.size());
    data_.loader = Loader::Dense;
    data_.rows = shape[0];
    data_.columns = 1;
    for (size_t axis = 1; axis < shape.size(); ++axis)
      data_.columns = std::min(data_.columns * std::min(shape[axis], kMostColumns + 1), kMostColumns + 1);
    checkShape();
    if (int64_t all; __builtin_mul_overflow(data_.rows, data_.columns, &all) || all > kMostDense)
      refuse("has {} rows of {} columns; a dense data set of so many values does not fit in memory", data_.rows,
             data_.columns);
    file_.requireStored(name_);
    data_.values.resize(data_.rows * data_.columns);
    file_.readFloats(name_, 0, data_.rows, data_.values.data());
    checkFinite();
    readNames(name_ + kNamesSuffix);
  }

  void readNames(const std::string &group) {
    data_.rowNames = namesFrom(group + "/row_names", data_.rows, "rows");
    data_.columnNames = namesFrom(group + "/column_names", data_.columns, "columns");
  }
  std::shared_ptr<const Names> namesFrom(const std::string &array, int64_t count, const char *what) const {
    if (file_.kind(array) == h5::Kind::Missing)
      return nullptr;
    Names names = file_.readNames(array);
    if (names.size() != count)
      refuse("{} holds {} names for {} {}", array, names.size(), count, what);
    return std::make_shared<const Names>(std::move(names));
  }

  const h5::File &file_;
  const std::string &name_;
  DataSet data_;
};
} // namespace

DataFile DataFile::open(const std::string &path) { return DataFile(h5::File::open(path)); }

bool DataFile::has(const std::string &name) const { return !name.empty() && file_.kind(name) != h5::Kind::Missing; }

std::vector<std::string> DataFile::names() const {
  std::vector<std::string> names;
  for (const std::string &name : file_.members("/")) {
    h5::Kind kind = file_.kind(name);
    if (kind == h5::Kind::Array ? file_.shape(name).size() >= 2 && file_.element(name) != h5::Element::String
                                : kind == h5::Kind::Group && file_.hasAttribute(name, "encoding-type"))
      names.push_back(name);
  }
  return names;
}

void DataFile::require(const std::string &name) const {
  if (has(name))
    return;
  if (file_.kind("snc") == h5::Kind::Group && file_.hasAttribute("snc", "format"))
    userError("{}: has no data set \"{}\": it is a weights file; the order is: snrt COMMAND PLAN [WEIGHTS] DATA",
              path(), name);
  std::vector<std::string> known = names();
  userError("{}: has no data set \"{}\"; it has {}", path(), name,
            known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", ")));
}

std::shared_ptr<const DataSet> DataFile::load(const std::string &name) {
  require(name);
  std::shared_ptr<const DataSet> &data = loaded_[file_.address(name)];
  if (!data)
    data = std::make_shared<const DataSet>(Loading(file_, name).run());
  return data;
}

DataFileWriter::DataFileWriter(const std::string &path, bool force)
    : target_(path, force), file_(h5::File::create(target_.temporary(), path)) {}

void DataFileWriter::write(const std::string &name, const DataSet &data) {
  std::string names = name;
  if (data.loader == Loader::Dense) {
    file_.createArray<float>(name, {data.rows, data.columns});
    file_.writeRows(name, 0, data.rows, data.values.data());
    names += kNamesSuffix;
    if (data.rowNames || data.columnNames)
      file_.createGroup(names);
  } else {
    file_.createGroup(name);
    file_.setAttribute(name, "encoding-type", std::string("csr_matrix"));
    file_.setAttribute(name, "encoding-version", std::string("0.1.0"));
    file_.setAttribute(name, "shape", std::vector<int64_t>{data.rows, data.columns});
    file_.writeVector(name + "/indptr", data.indptr);
    file_.writeVector(name + "/indices", data.indices);
    if (data.loader == Loader::CsrAnalog)
      file_.writeVector(name + "/data", data.values);
  }
  if (data.rowNames)
    file_.writeNames(names + "/row_names", *data.rowNames);
  if (data.columnNames)
    file_.writeNames(names + "/column_names", *data.columnNames);
}

void DataFileWriter::link(const std::string &existing, const std::string &name) {
  file_.hardLink(existing, name);
  if (std::string names = existing + kNamesSuffix; file_.kind(names) != h5::Kind::Missing)
    file_.hardLink(names, name + kNamesSuffix);
}

void DataFileWriter::finish() {
  file_.close();
  target_.finish();
  finished_ = true;
}

void DataFileWriter::commit() {
  if (!finished_)
    finish();
  target_.commit();
}
} // namespace sn::rt
