// Data sets as DSSTNE's tools write them (reference section 2.6).
#include "runtime/data/DsstneData.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <cmath>
#include <limits>

namespace sn::rt {
namespace {
constexpr int64_t kAtOnce = 1 << 20;
constexpr int64_t kMostUInt = std::numeric_limits<uint32_t>::max();
enum Bits : uint32_t { kSparse = 1, kBoolean = 2, kIgnoreZero = 32, kIndexed = 64, kWeighted = 128 };
enum DataType : uint32_t { kUInt = 0, kFloat = 4, kUChar = 8, kChar = 9 };
enum Kind : uint32_t { kNumeric = 0, kImage = 1 };

/// Whether every value is a number of 8 bits times the scale that DSSTNE has for them.
bool fits8Bits(const DataSet &data, float scale, float least) {
  return std::all_of(data.values.begin(), data.values.end(), [&](float value) {
    const float number = value / scale;
    return number >= least && number <= least + 255 && number == std::round(number);
  });
}

DataType typeOf(const DataSet &data) {
  if (data.loader == Loader::CsrBinary)
    return kUInt;
  // A dense input of unsigned bytes is shifted by -0.5, signed ones are not: only then do the bytes mean the same.
  const bool dense = data.loader == Loader::Dense;
  if (data.stored == Stored::Unsigned8 && (!dense || data.inputOffset == -0.5f) && fits8Bits(data, 1.0f / 256, 0))
    return kUChar;
  if (data.stored == Stored::Signed8 && data.inputOffset == 0 && fits8Bits(data, 1.0f / 128, -128))
    return kChar;
  return kFloat;
}

class Writing {
public:
  Writing(nc::Writer &file, const DsstneOutput &output, int64_t number)
      : file_(file), output_(output), data_(*output.data), suffix_(std::to_string(number)), type_(typeOf(data_)) {}

  void run() {
    refuseWhatHasNoPlace();
    attributes();
    file_.dimension(name("examplesDim"), data_.rows);
    rowsDim_ = name("examplesDim");
    if (!data_.index.empty())
      file_.dimension(rowsDim_ = name("uniqueExamplesDim"), data_.storedRows());
    if (data_.loader == Loader::Dense)
      dense();
    else
      sparse();
    if (!data_.index.empty())
      numbers("index", name("examplesDim"), data_.rows, [&](int64_t i) { return uint32_t(data_.index[size_t(i)]); });
    if (!data_.weights.empty()) {
      file_.variable(name("dataWeight"), nc::Writer::Element::Float, name("examplesDim"));
      file_.write(name("dataWeight"), 0, data_.rows, data_.weights.data());
    }
  }

private:
  std::string name(const char *stem) const { return stem + suffix_; }

  void refuseWhatHasNoPlace() const {
    if (data_.entries() == 0)
      userError("{}: has no entries; DSSTNE's NetCDF files cannot hold such a data set", output_.name);
    if (data_.extents.size() > 3)
      userError("{}: has {} extents; DSSTNE's NetCDF files have at most 3", output_.name, data_.extents.size());
    if (data_.loader == Loader::Dense && data_.inputOffset != 0 && type_ != kUChar)
      userError("{}: its inputs are shifted by {}; in DSSTNE's NetCDF files only bytes are, by -0.5", output_.name,
                data_.inputOffset);
    if (output_.width && (output_.width < data_.columns || data_.loader == Loader::Dense))
      userError("{}: cannot be written {} columns wide", output_.name, output_.width);
  }

  void attributes() {
    uint32_t bits = data_.loader == Loader::Dense ? 0 : kSparse;
    bits |= data_.loader == Loader::CsrBinary ? kBoolean : 0;
    bits |= data_.ignoreZeros ? kIgnoreZero : 0;
    bits |= data_.index.empty() ? 0 : kIndexed;
    bits |= data_.weights.empty() ? 0 : kWeighted;
    std::vector<int64_t> extents = data_.extents.empty() ? std::vector<int64_t>{data_.columns} : data_.extents;
    if (output_.width)
      extents = {output_.width};
    file_.attribute(name("name"), output_.name);
    file_.attribute(name("attributes"), bits);
    file_.attribute(name("kind"), uint32_t(extents.size() == 3 ? kImage : kNumeric));
    file_.attribute(name("dataType"), uint32_t(type_));
    file_.attribute(name("dimensions"), uint32_t(extents.size()));
    static constexpr const char *kExtents[] = {"width", "height", "length"};
    for (size_t axis = 0; axis < extents.size(); ++axis)
      file_.attribute(name(kExtents[axis]), uint32_t(extents[axis]));
  }

  /// A variable of unsigned integers, from a function of the position.
  template <typename Of> void numbers(const char *stem, const std::string &dimension, int64_t count, Of of) {
    using T = decltype(of(0));
    file_.variable(name(stem), sizeof(T) == 8 ? nc::Writer::Element::UInt64 : nc::Writer::Element::UInt, dimension);
    std::vector<T> block;
    for (int64_t first = 0; first < count; first += kAtOnce) {
      block.resize(size_t(std::min(kAtOnce, count - first)));
      for (size_t i = 0; i < block.size(); ++i)
        block[i] = of(first + int64_t(i));
      file_.write(name(stem), first, int64_t(block.size()), block.data());
    }
  }

  void sparse() {
    const int64_t entries = data_.entries();
    file_.dimension(name("sparseDataDim"), entries);
    for (int side = 0; side < 2; ++side) {
      const char *stem = side == 0 ? "sparseStart" : "sparseEnd";
      auto bound = [&](int64_t row) { return uint64_t(data_.indptr[size_t(row + side)]); };
      if (entries > kMostUInt)
        numbers(stem, rowsDim_, data_.storedRows(), bound);
      else
        numbers(stem, rowsDim_, data_.storedRows(), [&](int64_t row) { return uint32_t(bound(row)); });
    }
    numbers("sparseIndex", name("sparseDataDim"), entries,
            [&](int64_t i) { return uint32_t(data_.indices[size_t(i)]); });
    if (data_.loader == Loader::CsrAnalog)
      values("sparseData", name("sparseDataDim"));
  }

  void dense() {
    file_.dimension(name("dataDim"), int64_t(data_.values.size()));
    values("data", name("dataDim"));
  }

  void values(const char *stem, const std::string &dimension) {
    using Element = nc::Writer::Element;
    const Element element = type_ == kUChar ? Element::UByte : type_ == kChar ? Element::Char : Element::Float;
    const auto count = int64_t(data_.values.size());
    file_.variable(name(stem), element, dimension);
    if (element == Element::Float)
      return file_.write(name(stem), 0, count, data_.values.data());
    std::vector<uint8_t> block;
    for (int64_t first = 0; first < count; first += kAtOnce) {
      block.resize(size_t(std::min(kAtOnce, count - first)));
      for (size_t i = 0; i < block.size(); ++i)
        block[i] = uint8_t(int32_t(data_.values[size_t(first) + i] * (element == Element::UByte ? 256.0f : 128.0f)));
      if (element == Element::UByte)
        file_.write(name(stem), first, int64_t(block.size()), block.data());
      else
        file_.write(name(stem), first, int64_t(block.size()), reinterpret_cast<const char *>(block.data()));
    }
  }

  nc::Writer &file_;
  const DsstneOutput &output_;
  const DataSet &data_;
  std::string suffix_, rowsDim_;
  DataType type_;
};
} // namespace

void writeDsstneData(const std::string &path, bool force, const std::vector<DsstneOutput> &sets) {
  for (size_t i = 0; i < sets.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (sets[i].name == sets[j].name)
        userError("{}: two data sets are named \"{}\"", path, sets[i].name);
  AtomicFile target(path, force);
  nc::Writer file(target.temporary(), path);
  file.attribute("datasets", uint32_t(sets.size()));
  for (size_t i = 0; i < sets.size(); ++i)
    Writing(file, sets[i], int64_t(i)).run();
  file.close();
  target.finish();
  target.commit();
}
} // namespace sn::rt
