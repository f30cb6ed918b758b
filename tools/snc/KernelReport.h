// What snc explain says of the CUDA kernels that a plan carries.
#pragma once
#include "runtime/plan/Archive.h"
#include "runtime/plan/CudaManifest.h"
#include "runtime/plan/Plan.h"

/// On stdout: which architectures there are images for, how the products of each step are computed on which devices,
/// and of each function in a cubin registers, shared memory and spills as the assembler told them. Nothing for a plan
/// without CUDA kernels.
void explainKernels(const sn::plan::Plan &plan, const sn::plan::Archive &archive);
/// The images: {"architectures": {"sm_80": bytes}, "functions": [{"architecture", "kernel", "function", "registers",
/// "sharedBytes", "stackBytes", "spillStoreBytes", "spillLoadBytes"}]}; null for a plan without CUDA kernels.
nlohmann::json kernelsJson(const sn::plan::Archive &archive);
/// How the products of a step (its place in the entry) are computed: [{"variant", "devices": "from sm_80" or "on
/// sm_90a", "sharedBytes": of a block, at most, "kernel"}]; a device takes the first that it runs. Empty without
/// products.
nlohmann::json variantsJson(const sn::plan::CudaManifest &manifest, const std::string &entry, size_t step);
