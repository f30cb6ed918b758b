// GPU architectures, and which image of a plan fits a device.
#pragma once
#include "runtime/plan/CudaManifest.h"
#include <string_view>

namespace sn::rt::cuda {
/// What --arch takes: a compute capability times ten; 'a' = with the instructions that only this capability has.
inline constexpr std::string_view kArchitectures[] = {"sm_75",  "sm_80",  "sm_86",  "sm_87",  "sm_88",
                                                      "sm_89",  "sm_90",  "sm_90a", "sm_100", "sm_103",
                                                      "sm_110", "sm_120", "sm_121"};
/// The PTX that travels in plans: every device since Turing takes it.
inline constexpr std::string_view kPtxArchitecture = "compute_75";

/// "sm_80,sm_90a" as a list without repetitions, in the order given. "80" is read as "sm_80". UserError for any other,
/// with the list of those known and the place of the bad one. "" and "none" give none.
std::vector<std::string> parseArchitectures(std::string_view text);

/// What text is compiled for on a device of this compute capability: "sm_90a" on 9.0, else "sm_<major><minor>".
std::string deviceArchitecture(int major, int minor);

/// Images of a plan that a device takes. The device tries them in this order: the cubin, the text compiled on the spot
/// (where there is a compiler), the PTX.
struct ImageSelection {
  const plan::CudaImage *cubin = nullptr; // of this very device, else of the same major and the highest lower minor
  const plan::CudaImage *ptx = nullptr;   // the highest that is not above the device
};
/// Of the images of `kernel` (its id) for this loader and optimizer ("" = none). The pointers are into `manifest`.
ImageSelection selectImage(const plan::CudaManifest &manifest, int major, int minor, std::string_view kernel,
                           std::string_view loader, std::string_view optimizer);
} // namespace sn::rt::cuda
