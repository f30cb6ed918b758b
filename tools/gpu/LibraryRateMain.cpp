// sn-gpu-library BATCH INNER COLUMNS PRECISION: the rate of cuBLASLt on the first CUDA device.
#include "runtime/plan/Error.h"
#include "tools/gpu/LibraryRate.h"
#include <cstdio>

int main(int argc, char **argv) {
  try {
    return sn::gpu::runLibraryRates(sn::rt::cuda::systemDriver(), sn::rt::cuda::systemLibrary, argc, argv);
  } catch (const sn::UserError &problem) { // no driver
    return std::fprintf(stderr, "%s\n", problem.what()), 1;
  }
}
