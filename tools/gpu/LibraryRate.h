// How fast cuBLASLt multiplies on a device, as a yardstick for kernels of our own.
#pragma once
#include "runtime/hal/cuda/Library.h"
#include "runtime/plan/Precision.h"
#include <nlohmann/json.hpp>

namespace sn::gpu {
/// An output layer: batch x inner activations, inner x columns weights.
struct LayerShape {
  int64_t batch = 0, inner = 0, columns = 0;
  plan::Precision precision = plan::Precision::Fp32; // one that the library is used for
};
/// The three products of training the layer, by their extents: activations by weights, deltas by transposed weights,
/// transposed activations by deltas. Of each the time of the best of several rounds, on random values; more than
/// 2^18 columns are not measured, since the rate does not depend on them any more. UserError without a device or
/// library, or if the library has no algorithm.
nlohmann::json libraryRates(const rt::cuda::DriverApi &driver, const rt::cuda::LibraryOpener &open,
                            const LayerShape &shape);
/// The same as a program: BATCH INNER COLUMNS PRECISION, one JSON object on standard output. The exit code.
int runLibraryRates(const rt::cuda::DriverApi &driver, const rt::cuda::LibraryOpener &open, int argc, char **argv);
} // namespace sn::gpu
