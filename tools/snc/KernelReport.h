// What snc explain says of the CUDA kernels that a plan carries.
#pragma once
#include "runtime/plan/Archive.h"
#include <nlohmann/json.hpp>

/// On stdout: which architectures there are images for, and of each function in a cubin registers, shared memory and
/// spills as the assembler told them. Nothing for a plan without CUDA kernels.
void explainKernels(const sn::plan::Archive &archive);
/// The same: {"architectures": {"sm_80": bytes}, "functions": [{"architecture", "kernel", "function", "registers",
/// "sharedBytes", "stackBytes", "spillStoreBytes", "spillLoadBytes"}]}; null for a plan without CUDA kernels.
nlohmann::json kernelsJson(const sn::plan::Archive &archive);
