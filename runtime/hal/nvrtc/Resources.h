// What the assembler (ptxas) says of each function: read from the log of a compilation, written to plans.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sn::rt::cuda {
/// Of one function. Bytes per thread, but `shared`: static shared memory of a block.
struct Resources {
  std::string function; // as the log names it (mangled), or a name expression
  int64_t registers = 0, shared = 0, stack = 0, spillStores = 0, spillLoads = 0;
  bool operator==(const Resources &) const = default;
};
/// The functions of a log of cubins made with --ptxas-options=-v, in the order of the log. Other lines are skipped.
std::vector<Resources> resourcesOfLog(std::string_view log);

/// "NAME: 40 registers, 1024 bytes shared, 0 bytes stack, 0 bytes spill stores, 0 bytes spill loads": how plans keep
/// it (plan::CudaImage::resources).
std::string resourcesText(const Resources &resources);
/// The other way; nullopt for what resourcesText does not write.
std::optional<Resources> parseResources(std::string_view text);
} // namespace sn::rt::cuda
