// The plan file: a ZIP archive (`unzip -l`, `jq` read it) whose comment ends in the SHA-256 of everything before it.
// Entries carry no dates, so equal content gives equal bytes.
#pragma once
#include "runtime/plan/Plan.h"
#include <map>
#include <string>

namespace sn::plan {
/// Instruction set levels for which a plan carries compiled slots, from plain to rich: entry "cpu/<level>.so".
inline constexpr const char *kCpuLevels[] = {"x86-64-v2", "x86-64-v3", "x86-64-v4"};

/// Everything in a plan file: "plan.json", "net.mlir", "network.json", "cpu/<level>.so", "cuda/..." (CudaManifest.h).
struct Archive {
  std::map<std::string, std::string> entries;
};

/// Writes to a temporary file beside `path`, syncs and renames. Throws UserError if the path cannot be written or,
/// without `force`, exists.
void writeArchive(const Archive &archive, const std::string &path, bool force);
/// Throws UserError naming the file for one that is missing, damaged, truncated or no plan.
Archive readArchive(const std::string &path);
/// The plan of an archive; UserError for a newer schema or a plan that fails verify().
Plan readPlan(const Archive &archive, const std::string &path);
std::string sha256Hex(std::string_view bytes);
/// Temporary file in the same folder, fsync, rename, fsync of the folder. UserError on failure (nothing is left
/// behind).
void writeFileAtomically(const std::string &path, std::string_view bytes);
} // namespace sn::plan
