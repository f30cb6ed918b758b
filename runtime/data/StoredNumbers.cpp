// The arrays of data files, number by number.
#include "runtime/data/Hdf5Array.h"
#include "runtime/data/StoredRows.h"
#include <algorithm>
#include <limits>

namespace sn::rt {
namespace {
class Hdf5Numbers final : public StoredNumbers {
public:
  Hdf5Numbers(const h5::File &file, const std::string &array) : array(file, array) {}
  void read(int64_t first, int64_t count, int32_t *to) const override { readRows(first, count, to); }
  void read(int64_t first, int64_t count, int64_t *to) const override { readRows(first, count, to); }
  void read(int64_t first, int64_t count, float *to) const override { readRows(first, count, to); }
  void soon(int64_t first, int64_t count) const override { array.soon(first / perRow(), count / perRow()); }
  int64_t chunkNumbers() const override { return array.layout().chunkRows * perRow(); }
  int64_t chunks() const override { return array.layout().chunks; }
  int64_t chunkBytes() const override { return array.layout().chunkBytes; }
  int64_t cacheBytes() const override { return array.layout().cacheBytes(); }

private:
  int64_t perRow() const { return std::max<int64_t>(1, array.layout().perRow); }
  /// Of dense data sets whole rows are asked for.
  template <typename T> void readRows(int64_t first, int64_t count, T *to) const {
    array.read(first / perRow(), count / perRow(), to);
  }
  const h5::OpenArray array;
};

/// Of the classic formats. The reader has one position in the file.
class ClassicNumbers final : public StoredNumbers {
public:
  ClassicNumbers(std::shared_ptr<const nc::Reader> file, std::string variable)
      : file(std::move(file)), variable(std::move(variable)) {}
  void read(int64_t first, int64_t count, int32_t *to) const override {
    std::vector<int64_t> wide(static_cast<size_t>(count));
    read(first, count, wide.data());
    std::transform(wide.begin(), wide.end(), to, [](int64_t value) {
      return static_cast<int32_t>(
          std::clamp<int64_t>(value, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()));
    });
  }
  void read(int64_t first, int64_t count, int64_t *to) const override {
    const std::lock_guard lock(file->positionMutex());
    file->read(variable, first, count, to);
  }
  void read(int64_t first, int64_t count, float *to) const override {
    const std::lock_guard lock(file->positionMutex());
    file->read(variable, first, count, to);
  }
  void soon(int64_t, int64_t) const override {}
  int64_t chunkNumbers() const override { return 0; }
  int64_t chunks() const override { return 0; }
  int64_t chunkBytes() const override { return 0; }
  int64_t cacheBytes() const override { return 0; }

private:
  const std::shared_ptr<const nc::Reader> file;
  const std::string variable;
};
} // namespace

std::shared_ptr<const StoredNumbers> numbersOf(const h5::File &file, const std::string &array) {
  return std::make_shared<Hdf5Numbers>(file, array);
}
std::shared_ptr<const StoredNumbers> numbersOf(const std::shared_ptr<const nc::Reader> &file,
                                               const std::string &variable) {
  if (const h5::File *hdf5 = file->hdf5())
    return std::make_shared<Hdf5Numbers>(*hdf5, variable);
  return std::make_shared<ClassicNumbers>(file, variable);
}
} // namespace sn::rt
