// The classic formats, as the netCDF library's "File Format Specifications" define them: a header of dimensions,
// attributes and variables, then the data, big-endian. Variables along the unlimited dimension lie in records.
#include "runtime/data/Netcdf.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>

namespace sn::rt::nc {
namespace {
/// nc_type, from 1: byte, char, short, int, float, double, ubyte, ushort, uint, int64, uint64.
constexpr int64_t kSizes[] = {0, 1, 1, 2, 4, 4, 8, 1, 2, 4, 8, 8};
constexpr int kChar = 2, kFloat = 5, kDouble = 6;
constexpr int64_t kAtOnce = 1 << 16;

uint64_t bigEndian(const unsigned char *bytes, int64_t size) {
  uint64_t value = 0;
  for (int64_t i = 0; i < size; ++i)
    value = value << 8 | bytes[i];
  return value;
}

/// An integer of `size` bytes, or a floating-point number cut, clamped to T's range where T is an integer.
template <typename T> T element(const unsigned char *bytes, int type) {
  const int64_t size = kSizes[type];
  const uint64_t raw = bigEndian(bytes, size);
  if (type == kFloat || type == kDouble) {
    const double value = type == kFloat ? std::bit_cast<float>(static_cast<uint32_t>(raw)) : std::bit_cast<double>(raw);
    if constexpr (std::is_integral_v<T>) {
      if (!(std::fabs(value) < 9.2e18))
        return value > 0 ? std::numeric_limits<T>::max() : std::numeric_limits<T>::min();
    }
    return static_cast<T>(value);
  }
  const bool isSigned = type <= 4 || type == 10;
  if (isSigned) // the sign is spread over the upper bytes
    return static_cast<T>(static_cast<int64_t>(raw << (64 - 8 * size)) >> (64 - 8 * size));
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(std::min<uint64_t>(raw, INT64_MAX));
  return static_cast<T>(raw);
}

class ClassicReader : public Reader {
public:
  explicit ClassicReader(const std::string &path) : path_(path), stream_(path, std::ios::binary) {
    std::error_code error;
    size_ = static_cast<int64_t>(std::filesystem::file_size(path, error));
    if (error || !stream_)
      userError("{}: cannot be read", path);
    header();
  }
  const std::string &path() const override { return path_; }

  std::optional<Attribute> attribute(const std::string &name) const override {
    auto found = attributes_.find(name);
    return found == attributes_.end() ? std::nullopt : std::optional(found->second);
  }
  std::optional<int64_t> dimension(const std::string &name) const override {
    for (const auto &[known, length] : dimensions_)
      if (known == name)
        return length == 0 ? records_ : length;
    return std::nullopt;
  }
  std::optional<Variable> variable(const std::string &name) const override {
    auto found = variables_.find(name);
    if (found == variables_.end())
      return std::nullopt;
    const int type = found->second.type;
    return Variable{type == kChar                       ? Type::Character
                    : type == kFloat || type == kDouble ? Type::Real
                                                        : Type::Integer,
                    found->second.shape};
  }
  void requireStored(const std::string &name) const override {
    const Place &place = variables_.at(name);
    const int64_t count = place.shape.empty() ? 1 : place.shape[0], each = kSizes[place.type];
    // The last element must lie inside the file.
    const int64_t stride = place.record ? recordBytes_ : each;
    int64_t last = 0;
    if (count > 0 && (__builtin_mul_overflow(count - 1, stride, &last) || last > size_ || place.begin > size_ - last ||
                      each > size_ - last - place.begin))
      userError("{}: the variable {} reaches beyond the end of the file; it is damaged or was not written to its end",
                path_, name);
  }
  void read(const std::string &name, int64_t first, int64_t count, int64_t *to) const override {
    readAs(name, first, count, to);
  }
  void read(const std::string &name, int64_t first, int64_t count, float *to) const override {
    readAs(name, first, count, to);
  }

private:
  struct Place {
    int type = 0;
    std::vector<int64_t> shape;
    int64_t begin = 0;
    bool record = false; // its first axis is the unlimited dimension
  };

  [[noreturn]] void damaged(const std::string &what) const {
    userError("{}: is a damaged or truncated NetCDF file: {}", path_, what);
  }
  std::vector<unsigned char> bytes(int64_t count) {
    if (count < 0 || count > size_ - at_)
      damaged("its header ends too early");
    std::vector<unsigned char> out(static_cast<size_t>(count));
    stream_.seekg(at_);
    stream_.read(reinterpret_cast<char *>(out.data()), count);
    if (!stream_)
      damaged("its header cannot be read");
    at_ += count;
    return out;
  }
  int64_t number(int64_t size) {
    const uint64_t value = bigEndian(bytes(size).data(), size);
    if (value > static_cast<uint64_t>(INT64_MAX))
      damaged("a number of its header is negative");
    return static_cast<int64_t>(value);
  }
  int64_t word() { return number(4); }
  int64_t count() { return number(version_ == 5 ? 8 : 4); }
  /// A count of things of which each takes `each` bytes of the header or more.
  int64_t listed(int64_t each) {
    const int64_t found = count();
    if (found > (size_ - at_) / each)
      damaged("a list of its header is longer than the file");
    return found;
  }
  void padded(int64_t length) { bytes((4 - length % 4) % 4); }
  std::string name() {
    const int64_t length = listed(1);
    const std::vector<unsigned char> text = bytes(length);
    padded(length);
    return {text.begin(), text.end()};
  }
  int type() {
    const int64_t found = word();
    if (found < 1 || found > 11)
      damaged("a type of its header is unknown");
    return static_cast<int>(found);
  }
  /// A list's tag and length; an absent list has neither.
  int64_t list(int64_t tag, int64_t each) {
    const int64_t found = word(), entries = listed(each);
    if (found != tag && (found != 0 || entries != 0))
      damaged("a list of its header is missing");
    return entries;
  }

  std::map<std::string, Attribute> attributeList() {
    std::map<std::string, Attribute> attributes;
    for (int64_t left = list(12, 12); left > 0; --left) {
      const std::string label = name();
      const int kind = type();
      const int64_t entries = listed(kSizes[kind]);
      const std::vector<unsigned char> content = bytes(entries * kSizes[kind]);
      padded(entries * kSizes[kind]);
      Attribute attribute{kind == kChar, {}, {}};
      if (attribute.isText)
        attribute.text = std::string(content.begin(), content.end());
      else
        for (int64_t i = 0; i < entries; ++i)
          attribute.reals.push_back(element<double>(content.data() + i * kSizes[kind], kind));
      while (!attribute.text.empty() && attribute.text.back() == '\0')
        attribute.text.pop_back();
      attributes[label] = std::move(attribute);
    }
    return attributes;
  }

  void header() {
    version_ = static_cast<int>(bytes(4)[3]);
    const int64_t unknown = version_ == 5 ? -1 : 0xFFFFFFFF; // written by a stream that did not know yet
    const std::vector<unsigned char> records = bytes(version_ == 5 ? 8 : 4);
    records_ = static_cast<int64_t>(bigEndian(records.data(), static_cast<int64_t>(records.size())));
    for (int64_t left = list(10, 8); left > 0; --left) {
      std::string label = name();
      dimensions_.emplace_back(std::move(label), count());
    }
    attributes_ = attributeList();
    std::vector<std::pair<std::string, int64_t>> sizes; // of a record's part, of the variables in records
    for (int64_t left = list(11, 16); left > 0; --left)
      variableEntry(sizes);
    for (const auto &[label, bytes] : sizes)
      if (__builtin_add_overflow(recordBytes_, sizes.size() == 1 ? bytes : (bytes + 3) / 4 * 4, &recordBytes_))
        damaged("its records are too long");
    if (records_ == unknown || records_ < 0) {
      int64_t begin = size_;
      for (const auto &[label, bytes] : sizes)
        begin = std::min(begin, variables_[label].begin);
      records_ = recordBytes_ > 0 ? (size_ - begin) / recordBytes_ : 0;
    }
    for (auto &[label, place] : variables_)
      if (place.record)
        place.shape[0] = records_;
  }

  void variableEntry(std::vector<std::pair<std::string, int64_t>> &sizes) {
    const std::string label = name();
    Place place;
    int64_t inRecord = 1;
    for (int64_t axes = listed(4), axis = 0; axis < axes; ++axis) {
      const int64_t dimension = count();
      if (dimension >= static_cast<int64_t>(dimensions_.size()))
        damaged("a variable names a dimension that is not there");
      const int64_t length = dimensions_[static_cast<size_t>(dimension)].second;
      place.record |= axis == 0 && length == 0;
      place.shape.push_back(length);
      if (!(axis == 0 && length == 0) && __builtin_mul_overflow(inRecord, length, &inRecord))
        damaged("a variable is too large");
    }
    attributeList();
    place.type = type();
    count(); // its size, which is 2^32 - 1 where it does not fit
    place.begin = number(version_ == 1 ? 4 : 8);
    if (__builtin_mul_overflow(inRecord, kSizes[place.type], &inRecord))
      damaged("a variable is too large");
    if (place.record)
      sizes.emplace_back(label, inRecord);
    variables_[label] = std::move(place);
  }

  template <typename T> void readAs(const std::string &name, int64_t first, int64_t count, T *to) const {
    requireStored(name);
    const Place &place = variables_.at(name);
    const int64_t each = kSizes[place.type], stride = place.record ? recordBytes_ : each;
    std::vector<unsigned char> block;
    for (int64_t done = 0; done < count;) {
      // Records one by one: what lies between them belongs to other variables.
      const int64_t now = stride == each ? std::min(kAtOnce, count - done) : 1;
      block.resize(static_cast<size_t>(now * each));
      stream_.clear();
      stream_.seekg(place.begin + (first + done) * stride);
      stream_.read(reinterpret_cast<char *>(block.data()), now * each);
      if (!stream_)
        damaged("the variable " + name + " cannot be read");
      for (int64_t i = 0; i < now; ++i)
        to[done + i] = element<T>(block.data() + i * each, place.type);
      done += now;
    }
  }

  std::string path_;
  mutable std::ifstream stream_;
  int64_t size_ = 0, at_ = 0, records_ = 0, recordBytes_ = 0;
  int version_ = 1;
  std::vector<std::pair<std::string, int64_t>> dimensions_; // 0: unlimited
  std::map<std::string, Attribute> attributes_;
  std::map<std::string, Place> variables_;
};
} // namespace

std::unique_ptr<Reader> openClassic(const std::string &path) { return std::make_unique<ClassicReader>(path); }
} // namespace sn::rt::nc
