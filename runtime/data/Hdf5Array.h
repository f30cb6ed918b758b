// An array of an HDF5 file held open for reading many small parts of it, from any thread.
#pragma once
#include "runtime/data/Hdf5.h"

namespace sn::rt::h5 {
/// How an array's elements lie in the file.
struct ArrayLayout {
  int64_t rows = 0, perRow = 1;      // along the outermost axis; elements of each
  int64_t chunks = 0, chunkRows = 0; // 0: in one piece
  int64_t chunkBytes = 0;            // of a chunk in memory
  int64_t storedBytes = 0;           // in the file
  /// Bytes of the chunks that reading keeps.
  int64_t cacheBytes() const;
};

/// Elements of 4 or 8 bytes that lie in one piece are read past the library, at the file's own pace; all others through
/// it, one thread at a time, with the chunks read last kept.
class OpenArray {
public:
  /// UserError if there is no such array. The file may be closed afterwards.
  OpenArray(const File &file, const std::string &array);
  ~OpenArray();
  OpenArray(const OpenArray &) = delete;
  OpenArray &operator=(const OpenArray &) = delete;

  const ArrayLayout &layout() const { return layout_; }
  /// Rows [first, first + count) as numbers of type T: int32_t and int64_t (values beyond the range are clamped), float
  /// (booleans too), all of them rows that the array has. UserError for a file that ends too early, or whose chunks are damaged.
  template <typename T> void read(int64_t first, int64_t count, T *to) const;
  /// These rows will be read before long: the system may fetch them meanwhile.
  void soon(int64_t first, int64_t count) const;

private:
  enum class Direct { None, Int32, UInt32, Int64, UInt64, Float, Double };
  void examine();
  void readBytes(int64_t at, int64_t bytes, void *to) const;
  void readThrough(int64_t first, int64_t count, hid_t memory, void *to) const;
  template <typename Stored, typename T> void convert(int64_t first, int64_t count, T *to) const;

  std::string path_, name_;
  Id array_, space_;
  ArrayLayout layout_;
  Direct direct_ = Direct::None;
  int64_t offset_ = 0; // of the first element in the file
  int file_ = -1;      // a descriptor of our own
};
} // namespace sn::rt::h5
