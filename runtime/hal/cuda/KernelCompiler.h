// From the CUDA text of a plan to code that the driver loads: NVRTC opened at run time, or a stand-in (test/emulator).
#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sn::rt::cuda {
/// One translation unit of emitted text and what is wanted of it.
struct Unit {
  std::string name;                 // for messages and profiles: the step's kernel name
  std::string text;                 // CUDA C++
  std::vector<std::string> kernels; // name expressions of __global__ template instances, as
                                    // nvrtcAddNameExpression takes them
  bool operator==(const Unit &) const = default;
};
/// Headers by the names that text includes them under.
using Headers = std::map<std::string, std::string, std::less<>>;

/// What came of a unit.
struct Compiled {
  std::string image;                        // cubin, PTX, or what the stand-in loads
  std::map<std::string, std::string> names; // name expression -> name of the function in the image
  std::string log;                          // the compiler's remarks: registers, shared memory, spills
};

class KernelCompiler {
public:
  virtual ~KernelCompiler() = default;
  /// `architecture`: "sm_90a" for a cubin, "compute_75" for PTX; a device newer than the compiler gets the newest PTX
  /// that it can write, one that it has given up is a UserError. Equal units and headers may give the images of an
  /// earlier call. A text that does not compile is a fault of ours: std::logic_error with the log. May be called from
  /// several threads.
  virtual std::vector<Compiled> compile(const std::vector<Unit> &units, const Headers &headers,
                                        const std::string &architecture) = 0;
};

/// NVRTC of this machine, its results kept in the folder `cache` ("" = none) by the hash of all they depend on.
/// UserError if it cannot be opened, with where it was looked for.
std::unique_ptr<KernelCompiler> openNvrtc(const std::string &cache);
/// Where results are kept unless SNRT_CACHE names another folder: $XDG_CACHE_HOME/snrt or ~/.cache/snrt; "" if there is
/// none.
std::string defaultKernelCache();
} // namespace sn::rt::cuda
