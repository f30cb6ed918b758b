#include "runtime/data/DataFile.h"
#include "runtime/data/DsstneData.h"
#include "runtime/data/StoredRows.h"
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
  /// `streamed`: rows stay in the file.
  Loading(const h5::File &file, const std::string &name, bool streamed)
      : file_(file), name_(name), streamed_(streamed) {
    data_.name = name;
  }

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
    readExtents(file_.integerAttribute(name_, "extents"));
    std::vector<int64_t> ignoring = file_.integerAttribute(name_, "ignore_zeros");
    data_.ignoreZeros = !ignoring.empty() && ignoring[0] != 0;
    readIndptr();
    readIndices();
    readValues();
    readExamples(name_);
    readNames(name_);
    if (streamed_)
      return leaveInFile(&name_);
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
    if (streamed_)
      return;
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
    if (shape.size() != 1 || shape[0] != data_.indptr.back())
      refuse("data should be a one-dimensional array of {} values, one per index; it has the shape [{}]",
             data_.indptr.back(), fmt::join(shape, ", "));
    file_.requireStored(array);
    data_.loader = Loader::CsrAnalog;
    if (!streamed_) {
      data_.values.resize(shape[0]);
      file_.readFloats(array, 0, shape[0], data_.values.data());
    }
    readScale(array);
    checkFinite();
  }

  /// Where `array`'s numbers stand for others: value = number * scale_factor. `input_offset` is for dense data.
  void readScale(const std::string &array) {
    auto single = [&](const char *attribute, float otherwise) {
      std::optional<std::vector<double>> found = file_.numbersAttribute(array, attribute);
      if (!found && !file_.hasAttribute(array, attribute))
        return otherwise;
      if (!found || found->size() != 1 || !std::isfinite(float((*found)[0])))
        refuse("the attribute {} should be one finite number", attribute);
      return float((*found)[0]);
    };
    if (data_.loader == Loader::Dense)
      data_.inputOffset = single("input_offset", 0);
    float scale = single("scale_factor", 1);
    if (!file_.hasAttribute(array, "scale_factor"))
      return;
    if (scale == 0)
      refuse("the attribute scale_factor should not be 0");
    scale_ = scale;
    for (float &value : data_.values)
      value *= scale;
    if (std::optional<bool> isSigned = file_.signOf8Bits(array))
      data_.stored = *isSigned ? Stored::Signed8 : Stored::Unsigned8, data_.scale = scale;
  }

  /// What belongs to examples and not to rows: which row each of them is, and how much it counts.
  void readExamples(const std::string &group) {
    const std::string index = group + "/index", weights = group + "/weights";
    const int64_t rows = data_.rows;
    if (file_.kind(index) != h5::Kind::Missing) {
      std::vector<int64_t> shape = file_.shape(index);
      if (shape.size() != 1 || file_.element(index) != h5::Element::Integer || shape[0] < 1)
        refuse("{} should be a one-dimensional array of integers, one for each example", index);
      if (rows > kMostColumns)
        refuse("has {} rows; an indexed data set may have {}", rows, kMostColumns);
      file_.requireStored(index);
      data_.rows = shape[0];
      data_.index.resize(size_t(data_.rows));
      file_.readRows(index, 0, data_.rows, data_.index.data());
      auto bad =
          std::find_if(data_.index.begin(), data_.index.end(), [&](int32_t row) { return row < 0 || row >= rows; });
      if (bad != data_.index.end())
        refuse("index[{}] is {}, but rows run from 0 to {}", bad - data_.index.begin(), *bad, rows - 1);
    }
    if (file_.kind(weights) == h5::Kind::Missing)
      return;
    std::vector<int64_t> shape = file_.shape(weights);
    if (shape.size() != 1 || shape[0] != data_.rows)
      refuse("{} should be a one-dimensional array of {} numbers, one for each example; it has the shape [{}]", weights,
             data_.rows, fmt::join(shape, ", "));
    file_.requireStored(weights);
    data_.weights.resize(size_t(data_.rows));
    file_.readFloats(weights, 0, data_.rows, data_.weights.data());
    auto bad = std::find_if(data_.weights.begin(), data_.weights.end(), [](float w) { return !std::isfinite(w); });
    if (bad != data_.weights.end())
      refuse("weights[{}] is {}; weights should be finite", bad - data_.weights.begin(), *bad);
  }

  void readExtents(std::vector<int64_t> extents) {
    int64_t product = 1;
    for (int64_t extent : extents)
      if (extent < 1 || __builtin_mul_overflow(product, extent, &product))
        product = 0;
    if (!extents.empty() && product != data_.columns)
      refuse("the attribute extents is [{}], but there are {} columns", fmt::join(extents, ", "), data_.columns);
    data_.extents = std::move(extents);
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
    if (!streamed_) {
      data_.values.resize(data_.rows * data_.columns);
      file_.readFloats(name_, 0, data_.rows, data_.values.data());
    }
    data_.denseRows = data_.rows;
    readScale(name_);
    checkFinite();
    if (shape.size() > 2)
      data_.extents.assign(shape.rbegin(), shape.rend() - 1);
    readExamples(name_ + kNamesSuffix);
    readNames(name_ + kNamesSuffix);
    if (streamed_)
      leaveInFile(nullptr);
  }

  /// What is in memory is all but the rows. `group`: of a sparse data set.
  void leaveInFile(const std::string *group) {
    StoredRows where;
    where.path = file_.path();
    where.name = name_;
    where.loader = data_.loader;
    where.columns = data_.columns;
    where.indptr = data_.indptr.data(); // stays where it is when the data set moves
    if (group)
      where.indices = numbersOf(file_, *group + "/indices");
    if (data_.loader != Loader::CsrBinary)
      where.values = numbersOf(file_, group ? *group + "/data" : name_);
    if (scale_)
      where.convert = [scale = *scale_](float *values, int64_t count) {
        for (int64_t i = 0; i < count; ++i)
          values[i] *= scale;
      };
    keepInFile(data_, std::move(where));
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
  bool streamed_;
  std::optional<float> scale_;
  DataSet data_;
};
} // namespace

DataFile DataFile::open(const std::string &path) {
  DataFile file(path);
  if (nc::isClassic(path)) {
    file.netcdf_ = std::make_shared<DsstneDataFile>(nc::openClassic(path));
    return file;
  }
  h5::File hdf5 = h5::File::open(path);
  if (holdsDsstneData(hdf5))
    file.netcdf_ = std::make_shared<DsstneDataFile>(nc::openHdf5(std::move(hdf5)));
  else
    file.file_.emplace(std::move(hdf5));
  return file;
}

bool DataFile::has(const std::string &name) const {
  if (netcdf_)
    return netcdf_->find(name) >= 0;
  return !name.empty() && file_->kind(name) != h5::Kind::Missing;
}

uint64_t DataFile::identity(const std::string &name) const {
  return netcdf_ ? uint64_t(netcdf_->find(name)) : uint64_t(file_->address(name));
}

std::vector<std::string> DataFile::names() const {
  std::vector<std::string> names;
  if (netcdf_) {
    names = netcdf_->names();
    std::sort(names.begin(), names.end());
    return names;
  }
  for (const std::string &name : file_->members("/")) {
    h5::Kind kind = file_->kind(name);
    if (kind == h5::Kind::Array ? file_->shape(name).size() >= 2 && file_->element(name) != h5::Element::String
                                : kind == h5::Kind::Group && file_->hasAttribute(name, "encoding-type"))
      names.push_back(name);
  }
  return names;
}

void DataFile::require(const std::string &name) const {
  if (has(name))
    return;
  if (file_ && file_->kind("snc") == h5::Kind::Group && file_->hasAttribute("snc", "format"))
    userError("{}: has no data set \"{}\": it is a weights file; the order is: snrt COMMAND PLAN [WEIGHTS] DATA",
              path(), name);
  if (file_ && file_->hasAttribute("/", "layers") && file_->hasAttribute("/", "weights"))
    refuseTrainedNetwork(path());
  std::vector<std::string> known = names();
  userError("{}: has no data set \"{}\"; it has {}", path(), name,
            known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", ")));
}

std::shared_ptr<const DataSet> DataFile::loaded(const std::string &name, bool streamed) {
  require(name);
  std::shared_ptr<const DataSet> &data = loaded_[{identity(name), streamed}];
  if (!data)
    data = std::make_shared<const DataSet>(netcdf_ ? netcdf_->load(netcdf_->find(name), streamed)
                                                   : Loading(*file_, name, streamed).run());
  return data;
}
std::shared_ptr<const DataSet> DataFile::load(const std::string &name) { return loaded(name, streaming_.fromFile); }
std::shared_ptr<const DataSet> DataFile::loadWhole(const std::string &name) { return loaded(name, false); }

DataFileWriter::DataFileWriter(const std::string &path, bool force)
    : target_(path, force), file_(h5::File::create(target_.temporary(), path)) {}

namespace {
constexpr int64_t kValuesAtOnce = 1 << 20;

/// Whether every value is a number of 8 bits times the data set's scale: only then may it be stored as one.
bool fits8Bits(const DataSet &data) {
  if (data.stored == Stored::Float)
    return false;
  const float least = data.stored == Stored::Signed8 ? -128 : 0, most = least + 255;
  return std::all_of(data.values.begin(), data.values.end(), [&](float value) {
    const float number = std::round(value / data.scale);
    return number >= least && number <= most && number * data.scale == value;
  });
}
} // namespace

void DataFileWriter::writeValues(const std::string &array, const std::vector<int64_t> &shape, const DataSet &data) {
  if (!fits8Bits(data)) {
    file_.createArray<float>(array, shape);
    file_.writeRows(array, 0, shape[0], data.values.data());
    return;
  }
  const bool isSigned = data.stored == Stored::Signed8;
  isSigned ? file_.createArray<int8_t>(array, shape) : file_.createArray<uint8_t>(array, shape);
  const int64_t perRow = shape[0] > 0 ? int64_t(data.values.size()) / shape[0] : 1;
  const int64_t rowsAtOnce = std::max<int64_t>(1, kValuesAtOnce / std::max<int64_t>(1, perRow));
  std::vector<uint8_t> block;
  for (int64_t first = 0; first < shape[0]; first += rowsAtOnce) {
    const int64_t rows = std::min(rowsAtOnce, shape[0] - first);
    block.resize(size_t(rows * perRow));
    for (int64_t i = 0; i < rows * perRow; ++i)
      block[size_t(i)] = uint8_t(int32_t(std::round(data.values[size_t(first * perRow + i)] / data.scale)));
    if (isSigned)
      file_.writeRows(array, first, rows, reinterpret_cast<const int8_t *>(block.data()));
    else
      file_.writeRows(array, first, rows, block.data());
  }
  file_.setAttribute(array, "scale_factor", data.scale);
}

void DataFileWriter::writeExamples(const std::string &group, const DataSet &data) {
  if (!data.index.empty())
    file_.writeVector(group + "/index", data.index);
  if (!data.weights.empty())
    file_.writeVector(group + "/weights", data.weights);
}

void DataFileWriter::write(const std::string &name, const DataSet &data) {
  std::string group = name;
  if (data.loader == Loader::Dense) {
    std::vector<int64_t> shape{data.storedRows()};
    if (data.extents.empty())
      shape.push_back(data.columns);
    shape.insert(shape.end(), data.extents.rbegin(), data.extents.rend());
    writeValues(name, shape, data);
    if (data.inputOffset != 0)
      file_.setAttribute(name, "input_offset", data.inputOffset);
    group += kNamesSuffix;
    if (data.rowNames || data.columnNames || !data.index.empty() || !data.weights.empty())
      file_.createGroup(group);
  } else {
    file_.createGroup(name);
    file_.setAttribute(name, "encoding-type", std::string("csr_matrix"));
    file_.setAttribute(name, "encoding-version", std::string("0.1.0"));
    file_.setAttribute(name, "shape", std::vector<int64_t>{data.storedRows(), data.columns});
    if (!data.extents.empty())
      file_.setAttribute(name, "extents", data.extents);
    if (data.ignoreZeros)
      file_.setAttribute(name, "ignore_zeros", std::vector<int64_t>{1});
    file_.writeVector(name + "/indptr", data.indptr);
    file_.writeVector(name + "/indices", data.indices);
    if (data.loader == Loader::CsrAnalog)
      writeValues(name + "/data", {int64_t(data.values.size())}, data);
  }
  writeExamples(group, data);
  if (data.rowNames)
    file_.writeNames(group + "/row_names", *data.rowNames);
  if (data.columnNames)
    file_.writeNames(group + "/column_names", *data.columnNames);
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
