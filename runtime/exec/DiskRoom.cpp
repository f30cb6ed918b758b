#include "runtime/exec/DiskRoom.h"
#include "runtime/exec/MemoryRoom.h"
#include <filesystem>

namespace sn::rt {
int64_t checkpointBytes(const Model &model, const CheckpointHeader &header) {
  constexpr int64_t kFrame = 64 << 10; // groups, attributes, small texts
  int64_t bytes = model.parameterBytes() + model.stateBytes() + model.factoredBytes() + kFrame +
                  static_cast<int64_t>(header.network.size());
  std::set<const Names *> counted;
  for (const auto &[name, names] : header.columnNames)
    if (names && counted.insert(names.get()).second)
      bytes += names->bytes() + 40 * names->size(); // stored as strings of variable length at worst
  return bytes;
}

void requireDiskRoom(const std::string &path, int64_t bytes, bool again, int64_t available, int64_t standing) {
  int64_t needed = again ? std::max(bytes, 2 * bytes - standing) : bytes;
  if (available >= needed)
    return;
  userError(
      "'{}': a weights file of this network takes {}{}, and the disk has {} free; make room or give another place "
      "with -o",
      path, formatBytes(bytes),
      needed > bytes ? fmt::format(", and {} while one replaces the other", formatBytes(needed)) : "",
      formatBytes(available));
}

void requireDiskRoom(const std::string &path, int64_t bytes, bool again) {
  namespace fs = std::filesystem;
  std::error_code unknown;
  fs::path folder = fs::path(path).parent_path();
  fs::space_info space = fs::space(folder.empty() ? "." : folder, unknown);
  if (unknown)
    return; // the file system does not tell
  uintmax_t standing = fs::file_size(path, unknown);
  if (unknown)
    standing = 0;
  auto bounded = [](uintmax_t count) { return static_cast<int64_t>(std::min<uintmax_t>(count, INT64_MAX)); };
  requireDiskRoom(path, bytes, again, bounded(space.available), bounded(standing));
}
} // namespace sn::rt
