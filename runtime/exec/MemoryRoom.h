// How much memory there is, and how amounts of it are written.
#pragma once
#include <cstdint>
#include <string>

namespace sn::rt {
/// "1.5 GiB"
std::string formatBytes(int64_t bytes);
/// "24GiB", "500MiB", "8G" (as GiB), "2GB" (decimal), plain bytes; a fraction is fine. UserError naming `option` for
/// anything else, and for nothing at all.
int64_t parseBytes(const std::string &text, const std::string &option);

/// What one process may come to hold, and who says so.
struct MemoryRoom {
  int64_t bytes = INT64_MAX;
  std::string source; // "--memory-limit allows", "this machine has free", "its control group allows"
};
/// The user's limit (0 = none given), else what the process holds now and the least of the machine's free memory and
/// what its control groups (version 2 or 1, and those above them) leave. The folders are parameters for tests.
MemoryRoom memoryRoom(int64_t limit, const std::string &proc = "/proc", const std::string &cgroups = "/sys/fs/cgroup");
/// From here on blocks of 4 MiB and more go back to the system when they are freed. By itself the C library raises that
/// border with every large block freed, and then keeps holes of their size in its heap.
void returnLargeBlocks();
/// Resident memory of this process in bytes; 0 where the system does not tell.
int64_t residentBytes(const std::string &proc = "/proc");
} // namespace sn::rt
