// Images made ahead: which instances of a plan's kernels its devices will ask for, compiled into the plan's archive.
#pragma once
#include "kernels-templates/cuda/Variants.h"
#include "runtime/hal/cuda/KernelCompiler.h"
#include "runtime/plan/Archive.h"
#include "runtime/plan/CudaManifest.h"
#include <optional>

namespace sn::rt::cuda {
/// Instances of one kernel that are wanted together: of one way of storing data and one optimizer.
struct KernelInstances {
  std::string kernel;             // id in the manifest, or plan::kCudaCommon
  std::string loader, optimizer;  // as in plan::CudaImage
  std::vector<std::string> names; // name expressions, one for each pass; of the common unit its kernels
  bool operator==(const KernelInstances &) const = default;
};
/// For which ways of storing data images are made: sparse data, of targets those whose zeros count; or every way.
enum class Storage { Sparse, All };

/// The numbers that the template argument `Pass` of a step's kernel can have (Launches.h, Pass::number) with data of
/// this loader and products of this variant, ascending; of a contraction whose extents the plan does not know all that
/// they may come to.
std::vector<int> passNumbers(const plan::Plan &plan, const plan::Step &step, std::string_view loader,
                             const sn::cuda::Variant &variant = sn::cuda::kPlainVariant);

/// What the steps of `plan` can ask for on devices of `architecture` (Architectures.h, takes) when they run with
/// `optimizer` ("" = the plan is not trained): the kernels that all plans share, found in `common`, the text of
/// kernels-templates/cuda/common.cuh, then the plan's own in the order of their ids. PTX above compute_75 adds to that
/// of it, and so leaves out the shared ones.
std::vector<KernelInstances> kernelInstances(const plan::Plan &plan, const plan::CudaManifest &manifest,
                                             const std::string &optimizer, Storage storage, const std::string &common,
                                             const std::string &architecture);

/// Compiles the kernels of an archive that each of the architectures ("sm_90a", "compute_75") takes with the plan's own
/// optimizer and adds images, their names and what the assembler said of them to it. Equal archives and compilers give
/// equal bytes. UserError for an architecture that the compiler does not know.
void addImages(plan::Archive &archive, const plan::Plan &plan, const std::vector<std::string> &architectures,
               Storage storage, KernelCompiler &compiler);
/// The archive's list of kernels; nothing for a plan without CUDA text.
std::optional<plan::CudaManifest> cudaManifest(const plan::Archive &archive);
} // namespace sn::rt::cuda
