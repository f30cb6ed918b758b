// Rows of streamed data sets (runtime/hal/Device.h, Landing): where the examples of a batch have landed. For device and
// host.
#pragma once
#include "kernels-templates/cuda/abi.cuh"

namespace sn::cuda {
/// What place_rows (common.cuh) is launched with: index[examples[i]] = place + i.
struct PlaceArgs {
  const Int *examples = nullptr; // distinct
  int *index = nullptr;          // of all examples of the data set
  Int count = 0;
  int place = 0; // of the first one
};
} // namespace sn::cuda
