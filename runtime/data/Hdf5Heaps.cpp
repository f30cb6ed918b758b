// The heaps in which HDF5 keeps strings of variable length carry no checksum, and HDF5 1.10 runs for ever over one
// whose chain of objects a damaged size has broken. They are walked here first.
#include "runtime/data/Hdf5.h"
#include "runtime/plan/Error.h"
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
} // namespace

void refuseBrokenHeaps(const std::string &path) {
  int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (file < 0 || ::fstat(file, &status) != 0 || status.st_size == 0) {
    if (file >= 0)
      ::close(file);
    return; // HDF5 says what is the matter
  }
  size_t size = size_t(status.st_size);
  void *mapped = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
  ::close(file);
  if (mapped == MAP_FAILED)
    return;
  std::string_view bytes(static_cast<const char *>(mapped), size);
  const char *broken = nullptr;
  for (size_t at = 0; hasWideSizes(bytes) && !broken && at < size;) {
    const void *found = ::memmem(bytes.data() + at, size - at, kHeap.data(), kHeap.size());
    if (!found)
      break;
    at = size_t(static_cast<const char *>(found) - bytes.data());
    if (!holdsTogether(bytes.substr(at)))
      broken = bytes.data() + at;
    at += kHeap.size();
  }
  int64_t offset = broken ? broken - bytes.data() : 0;
  ::munmap(mapped, size);
  if (broken)
    userError("{}: is a damaged HDF5 file: its heap of strings at byte {} does not hold together", path, offset);
}
} // namespace sn::rt::h5
