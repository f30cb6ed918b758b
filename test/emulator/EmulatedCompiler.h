// Device text to shared objects of the host: the stand-in for NVRTC.
#pragma once
#include "runtime/hal/cuda/KernelCompiler.h"
#include <cstdint>
#include <memory>
#include <string>

namespace sn::emulator {
/// How often the host's compiler ran, in this process.
struct CompilerCounters {
  int64_t images = 0, precompiled = 0;
};

/// Compiles with the build's own compiler and its sanitizers: all units of a call that `cache` does not hold become one
/// shared object, each in a namespace of its own, after all headers (which therefore need #pragma once); the headers
/// kernels-templates/cuda are precompiled. The image of a unit names the shared object, which lies in `cache` ("" = the
/// build tree's). Architectures are not told apart. Several processes may share a cache. `optimization`: as in -O; at 1
/// the 7 kernels of an autoencoder take 0.6 s of a core, at 0 0.2 s, and then run several times slower.
std::shared_ptr<rt::cuda::KernelCompiler> makeCompiler(const std::string &cache = "", int optimization = 1);
CompilerCounters compilerCounters();
} // namespace sn::emulator
