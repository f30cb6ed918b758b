// Images made ahead: which instances of a plan's kernels its devices will ask for, compiled into the plan's archive.
#pragma once
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
/// What steps of `plan` can ask for when they run with `optimizer` ("" = the plan is not trained): sparse and dense
/// data; of sparse targets those whose zeros count and, with `ignoredZeros`, the others. In the order of kernel ids.
/// `common`: the text of kernels-templates/cuda/common.cuh, whose kernels come first.
std::vector<KernelInstances> kernelInstances(const plan::Plan &plan, const plan::CudaManifest &manifest,
                                             const std::string &optimizer, bool ignoredZeros,
                                             const std::string &common);

/// How many numbers the template argument `Pass` of the step's kernel can have, from 0 (Launches.h, Pass::number).
int passesOf(const plan::Step &step);

/// Compiles the kernels of an archive for the architectures ("sm_90a", "compute_75") with the plan's own optimizer and
/// adds images, their names and what the assembler said of them to it. Equal archives and compilers give equal bytes.
/// Cubins hold all instances; PTX leaves out those of targets whose zeros are ignored. UserError for an architecture
/// that the compiler does not know.
void addImages(plan::Archive &archive, const plan::Plan &plan, const std::vector<std::string> &architectures,
               KernelCompiler &compiler);
/// The archive's list of kernels; nothing for a plan without CUDA text.
std::optional<plan::CudaManifest> cudaManifest(const plan::Archive &archive);
} // namespace sn::rt::cuda
