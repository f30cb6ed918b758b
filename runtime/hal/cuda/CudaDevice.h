// The CUDA device over a driver and a compiler of kernels.
#pragma once
#include "runtime/hal/Device.h"
#include "runtime/hal/cuda/Driver.h"
#include "runtime/hal/cuda/KernelCompiler.h"
#include "runtime/hal/cuda/Library.h"
#include "runtime/hal/cuda/LibraryUse.h"

namespace sn::rt::cuda {
/// Device `ordinal` of `driver`. Kernels come from the archive's "cuda/" entries: images made ahead where they fit the
/// device, else text that `compiler` (may be null) compiles, else PTX. UserError for an archive without what is needed.
/// `driver` must outlive the device. Dense products from `least` on go to the library that `open` gives, if it gives
/// one (LibraryProducts.h); without `open`, none do.
std::unique_ptr<Device> makeCudaDevice(const plan::Archive &archive, const DriverApi &driver,
                                       std::shared_ptr<KernelCompiler> compiler, int ordinal = 0,
                                       LibraryOpener open = {}, const LibraryLimits &least = {});
} // namespace sn::rt::cuda
