#include "runtime/data/DsstneData.h"
#include "runtime/data/StoredRows.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <cmath>
#include <fmt/ranges.h>
#include <limits>

namespace sn::rt {
namespace {
constexpr int64_t kMostColumns = std::numeric_limits<int32_t>::max();
constexpr int64_t kMostRows = int64_t(1) << 40;
constexpr int64_t kMostSets = 1 << 16;
constexpr int64_t kMostOverlap = 1000; // damaged starts and ends should not ask for the earth
constexpr int64_t kAtOnce = 1 << 16;
constexpr int64_t kReading = int64_t(4) << 20; // blocks and HDF5's buffers
enum Bits : int64_t { kSparse = 1, kBoolean = 2, kIgnoreZero = 32, kIndexed = 64, kWeighted = 128 };
enum DataType : int64_t { kUInt, kInt, kLLInt, kULLInt, kFloat, kDouble, kRgb8, kRgb16, kUChar, kChar };

std::string numbered(const char *stem, int64_t number) { return stem + std::to_string(number); }

/// Stored 8-bit numbers become the numbers they stand for. `what`: file and data set.
void scaleNumbers(const std::string &what, Stored stored, float scale, float *values, int64_t count) {
  for (float *value = values; value != values + count; ++value) {
    if (stored == Stored::Unsigned8 && *value < 0) // the classic formats have signed bytes only
      *value += 256;
    const float least = stored == Stored::Signed8 ? -128 : 0, most = least + 255;
    if (*value < least || *value > most)
      userError("{}: holds the 8-bit number {}; {} to {} are possible", what, *value, least, most);
    *value *= scale;
  }
}
} // namespace

/// What the attributes and dimensions of a data set say.
struct DsstneDataFile::Header {
  int64_t bits = 0, type = 0;
  std::vector<int64_t> extents;
  int64_t columns = 1, examples = 0, rows = 0; // rows: stored
  bool is(Bits bit) const { return bits & bit; }
  bool isUnsigned8() const { return type == kUChar || type == kRgb8; }
};

namespace {
/// Fills a data set from the variables of one number.
class Loading {
public:
  Loading(std::shared_ptr<const nc::Reader> file, std::string name, int64_t number, bool streamed)
      : shared_(std::move(file)), file_(*shared_), number_(number), streamed_(streamed) {
    data_.name = std::move(name);
  }
  template <typename H> DataSet run(const H &header) {
    data_.rows = header.examples;
    data_.columns = header.columns;
    if (header.extents.size() > 1)
      data_.extents = header.extents;
    if (!header.is(kBoolean) && header.isUnsigned8())
      data_.stored = Stored::Unsigned8, data_.scale = 1.0f / 256;
    else if (!header.is(kBoolean) && header.type == kChar)
      data_.stored = Stored::Signed8, data_.scale = 1.0f / 128;
    data_.ignoreZeros = header.is(kSparse) && header.is(kIgnoreZero);
    if (header.is(kSparse))
      sparse(header.rows, header.is(kBoolean));
    else if (header.is(kBoolean))
      classes(header.rows);
    else
      dense(header.rows, header.isUnsigned8());
    if (header.is(kIndexed))
      index(header.rows);
    if (header.is(kWeighted))
      data_.weights = floats("dataWeight", header.examples);
    return std::move(data_);
  }

private:
  template <typename... Args> [[noreturn]] void refuse(fmt::format_string<Args...> format, Args &&...args) const {
    userError("{}: {}: {}", file_.path(), data_.name, fmt::format(format, std::forward<Args>(args)...));
  }
  void note(const std::string &text) {
    data_.notes.push_back(fmt::format("{}: {}: {}", file_.path(), data_.name, text));
  }
  std::string variable(const char *stem) const { return numbered(stem, number_); }

  /// Integers of a variable in blocks: take(position, value).
  template <typename Take> void integers(const char *stem, int64_t first, int64_t count, Take take) const {
    std::vector<int64_t> block(static_cast<size_t>(std::min(count, kAtOnce)));
    for (int64_t done = 0; done < count; done += kAtOnce) {
      const int64_t now = std::min(kAtOnce, count - done);
      file_.read(variable(stem), first + done, now, block.data());
      for (int64_t i = 0; i < now; ++i)
        take(done + i, block[static_cast<size_t>(i)]);
    }
  }

  std::vector<float> floats(const char *stem, int64_t expected) const {
    std::vector<float> values = file_.all<float>(variable(stem), expected);
    auto bad = std::find_if(values.begin(), values.end(), [](float v) { return !std::isfinite(v); });
    if (bad != values.end())
      refuse("{}[{}] is {}; values should be finite", variable(stem), bad - values.begin(), *bad);
    return values;
  }

  /// Stored 8-bit numbers become the numbers they stand for.
  void scale(std::vector<float> &values) const {
    if (data_.stored != Stored::Float)
      scaleNumbers(file_.path() + ": " + data_.name, data_.stored, data_.scale, values.data(),
                   static_cast<int64_t>(values.size()));
  }

  /// What is in memory is all but the rows. `begins`: where they lie, if not one behind the other.
  void leaveInFile(std::vector<int64_t> begins) {
    StoredRows where;
    where.path = file_.path();
    where.name = data_.name;
    where.loader = data_.loader;
    where.columns = data_.columns;
    where.indptr = data_.indptr.data(); // stays where it is when the data set moves
    where.begins = std::move(begins);
    where.indicesName = variable("sparseIndex");
    const bool dense = data_.loader == Loader::Dense;
    if (!dense)
      where.indices = numbersOf(shared_, variable("sparseIndex"));
    if (data_.loader != Loader::CsrBinary)
      where.values = numbersOf(shared_, variable(dense ? "data" : "sparseData"));
    if (data_.stored != Stored::Float)
      where.convert = [what = file_.path() + ": " + data_.name, stored = data_.stored, scale = data_.scale](
                          float *values, int64_t count) { scaleNumbers(what, stored, scale, values, count); };
    keepInFile(data_, std::move(where));
  }

  void sparse(int64_t rows, bool boolean) {
    const int64_t stored = file_.length(variable("sparseIndex"));
    file_.requireStored(variable("sparseIndex"));
    if (std::optional<int64_t> told = file_.dimension(variable("sparseDataDim")); told && *told != stored)
      refuse("the dimension {} is {}, but there are {} entries", variable("sparseDataDim"), *told, stored);
    const std::vector<int64_t> begin = file_.all<int64_t>(variable("sparseStart"), rows),
                               end = file_.all<int64_t>(variable("sparseEnd"), rows);
    bool inOrder = true;
    int64_t at = 0, all = 0;
    for (size_t row = 0; row < begin.size(); ++row) {
      if (begin[row] < 0 || begin[row] > end[row] || end[row] > stored)
        refuse("row {} runs from entry {} to {}; there are {} entries", row, begin[row], end[row], stored);
      inOrder &= begin[row] == at;
      at = end[row];
      if (__builtin_add_overflow(all, end[row] - begin[row], &all) || all > stored * kMostOverlap)
        refuse("its rows overlap: they have more than {} times the {} entries stored", kMostOverlap, stored);
    }
    data_.loader = boolean ? Loader::CsrBinary : Loader::CsrAnalog;
    data_.indptr.assign(1, 0);
    for (size_t row = 0; row < begin.size(); ++row)
      data_.indptr.push_back(data_.indptr.back() + end[row] - begin[row]);
    if (!boolean)
      file_.requireLength(variable("sparseData"), stored), file_.requireStored(variable("sparseData"));
    if (streamed_)
      return leaveInFile(inOrder && at == stored ? std::vector<int64_t>() : begin);
    std::vector<int32_t> indices(static_cast<size_t>(stored));
    integers("sparseIndex", 0, stored, [&](int64_t i, int64_t column) {
      if (column < 0 || column >= data_.columns)
        refuse("sparseIndex{}[{}] is {}, but columns run from 0 to {}", number_, i, column, data_.columns - 1);
      indices[static_cast<size_t>(i)] = static_cast<int32_t>(column);
    });
    std::vector<float> values;
    if (!boolean)
      scale(values = floats("sparseData", stored));
    if (inOrder && at == stored) {
      data_.indices = std::move(indices);
      data_.values = std::move(values);
    } else {
      gather(begin, end, indices, values);
    }
    tidy();
  }

  /// Rows that lie anywhere, in order.
  void gather(const std::vector<int64_t> &begin, const std::vector<int64_t> &end, const std::vector<int32_t> &indices,
              const std::vector<float> &values) {
    for (size_t row = 0; row < begin.size(); ++row) {
      data_.indices.insert(data_.indices.end(), indices.begin() + begin[row], indices.begin() + end[row]);
      if (!values.empty())
        data_.values.insert(data_.values.end(), values.begin() + begin[row], values.begin() + end[row]);
    }
  }

  void tidy() {
    Tidied tidied = tidyRows(data_, Duplicates::Sum);
    if (tidied.merged) {
      note(fmt::format("{} duplicate entries merged ({})", tidied.merged,
                       data_.loader == Loader::CsrAnalog ? "values summed" : "kept once"));
      // Sums need not be numbers of 8 bits any more.
      if (data_.loader == Loader::CsrAnalog)
        data_.stored = Stored::Float, data_.scale = 1;
      for (float value : data_.values)
        if (!std::isfinite(value))
          refuse("the values of duplicate entries add up to {}; they should stay finite", value);
    }
    if (tidied.sortedRows)
      note(fmt::format("{} rows were not sorted by column; sorted in memory", tidied.sortedRows));
  }

  /// A class for each row, as an entry of the row.
  void classes(int64_t rows) {
    file_.requireLength(variable("data"), rows);
    file_.requireStored(variable("data"));
    data_.loader = Loader::CsrBinary;
    data_.indptr.assign(1, 0);
    integers("data", 0, rows, [&](int64_t row, int64_t label) {
      if (label < 0 || label >= data_.columns)
        refuse("data{}[{}] is the class {}, but classes run from 0 to {}", number_, row, label, data_.columns - 1);
      data_.indices.push_back(static_cast<int32_t>(label));
      data_.indptr.push_back(row + 1);
    });
  }

  void dense(int64_t rows, bool isUnsigned8) {
    int64_t count = 0;
    if (__builtin_mul_overflow(rows, data_.columns, &count))
      refuse("has {} rows of {} columns; a dense data set of so many values does not fit in memory", rows,
             data_.columns);
    data_.loader = Loader::Dense;
    data_.inputOffset = isUnsigned8 ? -0.5f : 0;
    data_.denseRows = rows;
    if (streamed_) {
      file_.requireLength(variable("data"), count);
      file_.requireStored(variable("data"));
      return leaveInFile({});
    }
    data_.values = floats("data", count);
    scale(data_.values);
  }

  void index(int64_t rows) {
    file_.requireLength(variable("index"), data_.rows);
    file_.requireStored(variable("index"));
    data_.index.resize(static_cast<size_t>(data_.rows));
    integers("index", 0, data_.rows, [&](int64_t example, int64_t row) {
      if (row < 0 || row >= rows)
        refuse("index{}[{}] is {}, but rows run from 0 to {}", number_, example, row, rows - 1);
      data_.index[static_cast<size_t>(example)] = static_cast<int32_t>(row);
    });
  }

  const std::shared_ptr<const nc::Reader> shared_;
  const nc::Reader &file_;
  int64_t number_;
  bool streamed_;
  DataSet data_;
};
} // namespace

bool holdsDsstneData(const nc::Reader &file) { return file.has("datasets"); }
bool holdsDsstneData(const h5::File &file) { return file.hasAttribute("/", "datasets"); }

void refuseTrainedNetwork(const std::string &path) {
  userError("{}: is a trained network of DSSTNE's, which has no data sets; the order is: snrt COMMAND PLAN [WEIGHTS] "
            "DATA",
            path);
}

DsstneDataFile::DsstneDataFile(std::unique_ptr<nc::Reader> file) : file_(std::move(file)) {
  if (!file_->has("datasets") && file_->has("layers") && file_->has("weights"))
    refuseTrainedNetwork(path());
  const int64_t sets = file_->integer("datasets", 0, kMostSets);
  for (int64_t number = 0; number < sets; ++number) {
    std::string name = file_->text(numbered("name", number));
    if (std::count(names_.begin(), names_.end(), name))
      userError("{}: has two data sets named \"{}\"", path(), name);
    names_.push_back(std::move(name));
  }
}

std::vector<std::string> DsstneDataFile::names() const { return names_; }

int64_t DsstneDataFile::find(const std::string &name) const {
  auto found = std::find(names_.begin(), names_.end(), name);
  return found == names_.end() ? -1 : found - names_.begin();
}

DsstneDataFile::Header DsstneDataFile::header(int64_t number) const {
  auto named = [&](const char *stem) { return numbered(stem, number); };
  Header header;
  header.bits = file_->integer(named("attributes"), 0, std::numeric_limits<uint32_t>::max());
  header.type = file_->integer(named("dataType"), 0, kChar);
  if (header.type == kRgb16 && !header.is(kBoolean))
    userError("{}: {}: is of the data type RGB16, which nothing defines; write it as Float (4)", path(),
              names_[static_cast<size_t>(number)]);
  const int64_t axes = file_->integer(named("dimensions"), 1, 3);
  for (int64_t axis = 0; axis < axes; ++axis) {
    static constexpr const char *kExtents[] = {"width", "height", "length"};
    header.extents.push_back(file_->integer(named(kExtents[axis]), 1, kMostColumns));
    header.columns *= header.extents.back();
    if (header.columns > kMostColumns)
      userError("{}: {}: has {} columns or more; at most {} are supported", path(), names_[static_cast<size_t>(number)],
                header.columns, kMostColumns);
  }
  const char *perRow = header.is(kSparse) ? "sparseStart" : "data";
  auto extentOf = [&](const char *dimension, const char *variable, int64_t each) {
    std::optional<int64_t> told = file_->dimension(named(dimension));
    return told ? *told : file_->length(named(variable)) / each;
  };
  const bool perUnit = !header.is(kSparse) && !header.is(kBoolean);
  header.examples = header.is(kIndexed) ? extentOf("examplesDim", "index", 1)
                                        : extentOf("examplesDim", perRow, perUnit ? header.columns : 1);
  header.rows = header.examples;
  if (header.is(kIndexed))
    header.rows = extentOf("uniqueExamplesDim", perRow, perUnit ? header.columns : 1);
  else if (std::optional<int64_t> unique = file_->dimension(named("uniqueExamplesDim"));
           unique && *unique != header.examples)
    userError("{}: {}: has {} rows for {} examples, but is not marked Indexed (64 in attributes{})", path(),
              names_[static_cast<size_t>(number)], *unique, header.examples, number);
  if (header.examples < 1 || header.rows < 1 || header.examples > kMostRows ||
      header.rows > (header.is(kIndexed) ? kMostColumns : kMostRows))
    userError("{}: {}: has {} examples in {} rows; both should be at least 1", path(),
              names_[static_cast<size_t>(number)], header.examples, header.rows);
  return header;
}

DataSet DsstneDataFile::load(int64_t number, bool streamed) const {
  return Loading(file_, names_[static_cast<size_t>(number)], number, streamed).run(header(number));
}

DataShape DsstneDataFile::describe(int64_t number) const {
  const Header header = this->header(number);
  DataShape shape{.loader = Loader::CsrBinary, .rows = header.rows, .columns = header.columns};
  shape.loading = kReading;
  const int64_t starts = (header.rows + 1) * int64_t(sizeof(int64_t));
  if (header.is(kSparse)) {
    shape.entries = file_->length(numbered("sparseIndex", number));
    if (!header.is(kBoolean))
      shape.loader = Loader::CsrAnalog;
    shape.bytes = starts + shape.entries * (header.is(kBoolean) ? 4 : 8);
    shape.loading += 2 * header.rows * int64_t(sizeof(int64_t));
  } else if (header.is(kBoolean)) {
    shape.entries = header.rows;
    shape.bytes = starts + shape.entries * 4;
  } else {
    shape.loader = Loader::Dense;
    if (__builtin_mul_overflow(header.rows, header.columns, &shape.entries) || shape.entries > INT64_MAX / 8)
      shape.entries = INT64_MAX / 8;
    shape.bytes = shape.entries > INT64_MAX / 8 ? INT64_MAX / 8 : shape.entries * 4;
  }
  if (header.is(kIndexed)) {
    shape.index(header.examples);
    shape.bytes += header.examples * int64_t(sizeof(int32_t));
  }
  shape.bytes += header.is(kWeighted) ? header.examples * int64_t(sizeof(float)) : 0;
  return shape;
}
} // namespace sn::rt
