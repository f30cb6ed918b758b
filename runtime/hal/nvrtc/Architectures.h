// GPU architectures, and which image of a plan fits a device.
#pragma once
#include "kernels-templates/cuda/Variants.h"
#include "runtime/plan/CudaManifest.h"
#include <string>
#include <string_view>
#include <vector>

namespace sn::rt::cuda {
/// What --arch takes: a compute capability times ten; 'a' = with the instructions that only this capability has.
inline constexpr std::string_view kArchitectures[] = {"sm_75",  "sm_80",  "sm_86",  "sm_87",  "sm_88",
                                                      "sm_89",  "sm_90",  "sm_90a", "sm_100", "sm_103",
                                                      "sm_110", "sm_120", "sm_121"};
/// Most shared memory that a block may have on devices of this capability (times 10): bytes (CUDA C++ Programming
/// Guide, "Technical Specifications per Compute Capability").
int sharedBytesOf(int capability);

/// The variant of a kernel's products; null for one without. UserError for one that this program does not know.
const sn::cuda::Variant *variantOf(const plan::CudaManifest &manifest, const std::string &kernel);
/// Whether devices of this capability (times 10) whose blocks may have so much shared memory run the kernel.
bool runsOn(const plan::CudaManifest &manifest, const std::string &kernel, int capability, int sharedBytes);
/// Whether an image for `architecture` is made of one of a step's `kernels`. A cubin: of the first that its devices run
/// ("sm_90" without "a" leaves out what only 9.0 runs). PTX: of each whose least capability it is; what only one
/// capability runs has none.
bool takes(const plan::CudaManifest &manifest, const std::vector<std::string> &kernels, const std::string &kernel,
           std::string_view architecture);
/// The PTX that travels in plans, from the least capability: "compute_75", which every device since Turing takes, and
/// "compute_80" where a kernel needs tensor cores.
std::vector<std::string> ptxArchitectures(const plan::CudaManifest &manifest);

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
