#include "runtime/data/Hdf5Array.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <limits>
#include <stdexcept>
#include <type_traits>
#include <unistd.h>

namespace sn::rt::h5 {
namespace {
constexpr int64_t kUsualCache = int64_t(16) << 20, kMostCache = int64_t(1) << 30;

/// As HDF5 converts: integers are clamped, floating-point numbers rounded.
template <typename T, typename Stored> T converted(Stored value) {
  if constexpr (std::is_integral_v<T> && std::is_integral_v<Stored>) {
    if constexpr (std::is_unsigned_v<Stored>)
      return static_cast<T>(std::min<uint64_t>(value, static_cast<uint64_t>(std::numeric_limits<T>::max())));
    else
      return static_cast<T>(std::clamp<int64_t>(value, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
  } else {
    return static_cast<T>(value);
  }
}

/// A file access list whose chunk cache is as large as this array wants.
Id arrayAccess(int64_t cache) {
  constexpr size_t kSlots = 12421; // a prime, about 100 for each chunk of 128 KiB
  Id access(H5Pcreate(H5P_DATASET_ACCESS));
  H5Pset_chunk_cache(access.get(), kSlots, static_cast<size_t>(cache), 0.75);
  return access;
}
} // namespace

int64_t ArrayLayout::cacheBytes() const {
  // Less than a chunk would mean to unpack it again for every row.
  return chunks == 0 ? 0 : std::min(std::max(std::min(kUsualCache, chunks * chunkBytes), 2 * chunkBytes), kMostCache);
}

OpenArray::OpenArray(const File &file, const std::string &array) : path_(file.path()), name_(array) {
  const Guard guard = exclusively();
  array_ = file.checked(H5Dopen2(file.id(), array.c_str(), H5P_DEFAULT), array, "is missing or no array");
  space_ = Id(H5Dget_space(array_.get()));
  examine();
  if (layout_.chunks > 0) { // opened again: the cache is sized when an array is opened
    array_ = Id();
    array_ = file.checked(H5Dopen2(file.id(), array.c_str(), arrayAccess(layout_.cacheBytes()).get()), array,
                          "cannot be opened");
  }
  void *handle = nullptr;
  if (direct_ != Direct::None && H5Fget_vfd_handle(file.id(), H5P_DEFAULT, &handle) >= 0 && handle)
    file_ = ::fcntl(*static_cast<int *>(handle), F_DUPFD_CLOEXEC, 0);
  if (file_ < 0)
    direct_ = Direct::None;
}

OpenArray::~OpenArray() {
  if (file_ >= 0)
    ::close(file_);
}

void OpenArray::examine() {
  const int rank = std::max(0, H5Sget_simple_extent_ndims(space_.get()));
  std::vector<hsize_t> extents(static_cast<size_t>(rank)), chunk(static_cast<size_t>(rank));
  if (rank > 0)
    H5Sget_simple_extent_dims(space_.get(), extents.data(), nullptr);
  layout_.rows = rank > 0 ? static_cast<int64_t>(extents[0]) : 1;
  for (int axis = 1; axis < rank; ++axis)
    layout_.perRow *= static_cast<int64_t>(extents[static_cast<size_t>(axis)]);
  layout_.storedBytes = static_cast<int64_t>(H5Dget_storage_size(array_.get()));
  const Id creation(H5Dget_create_plist(array_.get())), type(H5Dget_type(array_.get()));
  const auto size = static_cast<int64_t>(H5Tget_size(type.get()));
  const H5D_layout_t how = H5Pget_layout(creation.get());
  if (how == H5D_CHUNKED && rank > 0) {
    H5Pget_chunk(creation.get(), rank, chunk.data());
    layout_.chunks = 1;
    layout_.chunkBytes = size;
    layout_.chunkRows = static_cast<int64_t>(chunk[0]);
    for (size_t axis = 0; axis < chunk.size(); ++axis) {
      layout_.chunks *= static_cast<int64_t>((extents[axis] + chunk[axis] - 1) / std::max<hsize_t>(1, chunk[axis]));
      layout_.chunkBytes *= static_cast<int64_t>(chunk[axis]);
    }
  }
  const haddr_t at = how == H5D_CONTIGUOUS ? H5Dget_offset(array_.get()) : HADDR_UNDEF;
  if (at == HADDR_UNDEF || H5Pget_external_count(creation.get()) > 0)
    return;
  offset_ = static_cast<int64_t>(at);
  const std::pair<hid_t, Direct> kinds[] = {{H5T_NATIVE_INT32, Direct::Int32}, {H5T_NATIVE_UINT32, Direct::UInt32},
                                            {H5T_NATIVE_INT64, Direct::Int64}, {H5T_NATIVE_UINT64, Direct::UInt64},
                                            {H5T_NATIVE_FLOAT, Direct::Float}, {H5T_NATIVE_DOUBLE, Direct::Double}};
  for (const auto &[native, kind] : kinds)
    if (H5Tequal(type.get(), native) > 0)
      direct_ = kind;
}

void OpenArray::readBytes(int64_t at, int64_t bytes, void *to) const {
  auto *out = static_cast<char *>(to);
  for (int64_t done = 0; done < bytes;) {
    const ssize_t got = ::pread(file_, out + done, static_cast<size_t>(bytes - done), offset_ + at + done);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      userError("{}: {}: cannot be read: {}", path_, name_, std::strerror(errno));
    if (got == 0)
      userError("{}: {}: the file ends inside this array: it was cut off while it was being read", path_, name_);
    done += got;
  }
}

template <typename Stored, typename T> void OpenArray::convert(int64_t first, int64_t count, T *to) const {
  constexpr int64_t kAtOnce = int64_t(1) << 15;
  const int64_t begin = first * layout_.perRow, all = count * layout_.perRow;
  if constexpr (std::is_same_v<Stored, T>) {
    readBytes(begin * int64_t(sizeof(T)), all * int64_t(sizeof(T)), to);
    return;
  }
  std::vector<Stored> block(static_cast<size_t>(std::min(kAtOnce, all)));
  for (int64_t done = 0; done < all; done += kAtOnce) {
    const int64_t now = std::min(kAtOnce, all - done);
    readBytes((begin + done) * int64_t(sizeof(Stored)), now * int64_t(sizeof(Stored)), block.data());
    std::transform(block.begin(), block.begin() + now, to + done, converted<T, Stored>);
  }
}

void OpenArray::readThrough(int64_t first, int64_t count, hid_t memory, void *to) const {
  const int rank = std::max(1, H5Sget_simple_extent_ndims(space_.get()));
  std::vector<hsize_t> start(static_cast<size_t>(rank)), block(static_cast<size_t>(rank));
  H5Sget_simple_extent_dims(space_.get(), block.data(), nullptr);
  start[0] = static_cast<hsize_t>(first);
  block[0] = static_cast<hsize_t>(count);
  H5Sselect_hyperslab(space_.get(), H5S_SELECT_SET, start.data(), nullptr, block.data(), nullptr);
  const Id local(H5Screate_simple(rank, block.data(), nullptr));
  if (H5Dread(array_.get(), memory, local.get(), space_.get(), H5P_DEFAULT, to) < 0)
    userError("{}: {}: rows {} to {} cannot be read ({})", path_, name_, first, first + count - 1, lastReason());
}

template <typename T> void OpenArray::read(int64_t first, int64_t count, T *to) const {
  if (first < 0 || count < 0 || first + count > layout_.rows)
    throw std::logic_error(name_ + ": rows are read that the array does not have");
  if (count == 0)
    return;
  switch (direct_) {
  case Direct::Int32:
    return convert<int32_t>(first, count, to);
  case Direct::UInt32:
    return convert<uint32_t>(first, count, to);
  case Direct::Int64:
    return convert<int64_t>(first, count, to);
  case Direct::UInt64:
    return convert<uint64_t>(first, count, to);
  case Direct::Float:
    return convert<float>(first, count, to);
  case Direct::Double:
    return convert<double>(first, count, to);
  case Direct::None:
    break;
  }
  const Guard guard = exclusively();
  const Id type(H5Dget_type(array_.get()));
  const H5T_class_t kind = H5Tget_class(type.get());
  if (kind == H5T_INTEGER || kind == H5T_FLOAT)
    return readThrough(first, count, native<T>(), to);
  if (H5Tget_size(type.get()) != 1 || (kind != H5T_ENUM && kind != H5T_STRING))
    userError("{}: {}: holds neither integers nor floating-point numbers nor booleans", path_, name_);
  std::vector<int8_t> bytes(static_cast<size_t>(count * layout_.perRow)); // booleans, NetCDF's characters
  readThrough(first, count, type.get(), bytes.data());
  std::copy(bytes.begin(), bytes.end(), to);
}
template void OpenArray::read(int64_t first, int64_t count, int32_t *to) const;
template void OpenArray::read(int64_t first, int64_t count, int64_t *to) const;
template void OpenArray::read(int64_t first, int64_t count, float *to) const;

void OpenArray::soon(int64_t first, int64_t count) const {
  if (direct_ == Direct::None)
    return;
  const int64_t each =
      layout_.perRow * (direct_ == Direct::Int32 || direct_ == Direct::UInt32 || direct_ == Direct::Float ? 4 : 8);
  ::posix_fadvise(file_, offset_ + first * each, count * each, POSIX_FADV_WILLNEED);
}
} // namespace sn::rt::h5
