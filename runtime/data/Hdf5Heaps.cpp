// The heaps in which HDF5 keeps strings of variable length carry no checksum, and HDF5 1.10 runs for ever over one
// whose chain of objects a damaged size has broken. They are walked here first.
#include "runtime/data/Hdf5.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sn::rt::h5 {
namespace {
constexpr std::string_view kHeap("GCOL\x01\0\0\0", 8); // signature, version 1, three bytes of nothing
constexpr uint64_t kHeader = 16;                       // of the heap, and of each object: both end in a size

uint64_t sizeAt(std::string_view bytes, uint64_t at) {
  uint64_t size;
  std::memcpy(&size, bytes.data() + at, sizeof size);
  return size;
}

/// HDF5's own walk over the objects of a heap: whether every step goes forward and none beyond its end.
bool holdsTogether(std::string_view bytes) {
  if (bytes.size() < kHeader)
    return false;
  uint64_t size = sizeAt(bytes, 8);
  if (size > bytes.size())
    return true; // the file is cut off; HDF5 says so
  if (size < kHeader)
    return false;
  for (uint64_t at = kHeader; size - at >= kHeader;) {
    bool used = bytes[at] != 0 || bytes[at + 1] != 0; // number 0 is the space left
    uint64_t length = sizeAt(bytes, at + 8), left = size - at;
    if (length > left)
      return false;
    uint64_t step = used ? kHeader + (length + 7) / 8 * 8 : length;
    if (step < kHeader || step > left)
      return false;
    at += step;
  }
  return true;
}

/// Whether sizes in the file are of eight bytes, as everybody writes them; other files are left to HDF5.
bool hasWideSizes(std::string_view bytes) {
  if (bytes.size() < kHeader)
    return false;
  return bytes[bytes[8] < 2 ? 14 : 10] == 8;
}

/// A file's bytes, mapped; empty where that fails (HDF5 then says what is the matter).
class MappedFile {
public:
  explicit MappedFile(const std::string &path) {
    int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status {};
    if (file >= 0 && ::fstat(file, &status) == 0 && status.st_size > 0)
      address = ::mmap(nullptr, size_t(status.st_size), PROT_READ, MAP_PRIVATE, file, 0);
    if (file >= 0)
      ::close(file);
    size = address == MAP_FAILED ? 0 : size_t(status.st_size);
  }
  ~MappedFile() {
    if (size > 0)
      ::munmap(address, size);
  }
  MappedFile(const MappedFile &) = delete;
  MappedFile &operator=(const MappedFile &) = delete;
  std::string_view bytes() const { return {size > 0 ? static_cast<const char *>(address) : "", size}; }
  /// Pages of [begin, begin + count) need not stay in memory; `begin` is a multiple of kStretch.
  void release(size_t begin, size_t count) { ::madvise(static_cast<char *>(address) + begin, count, MADV_DONTNEED); }

private:
  void *address = MAP_FAILED;
  size_t size = 0;
};
constexpr size_t kStretch = size_t(16) << 20; // searched at a time, so that large files do not fill the memory
} // namespace

void refuseBrokenHeaps(const std::string &path) {
  MappedFile file(path);
  std::string_view bytes = file.bytes();
  if (!hasWideSizes(bytes))
    return;
  for (size_t begin = 0; begin < bytes.size(); begin += kStretch) {
    size_t end = std::min(bytes.size(), begin + kStretch), overlap = std::min(bytes.size(), end + kHeap.size() - 1);
    for (size_t at = begin; at < end;) {
      const void *found = ::memmem(bytes.data() + at, overlap - at, kHeap.data(), kHeap.size());
      if (!found)
        break;
      at = size_t(static_cast<const char *>(found) - bytes.data());
      if (!holdsTogether(bytes.substr(at)))
        userError("{}: is a damaged HDF5 file: its heap of strings at byte {} does not hold together", path, at);
      at += kHeap.size();
    }
    file.release(begin, end - begin);
  }
}
} // namespace sn::rt::h5
