// Kernels that all plans share: not templates, since they know no slot. To be included in one translation unit of a
// program.
#pragma once
#include "kernels-templates/cuda/landing.cuh"
#include "kernels-templates/cuda/lanes.cuh"
#include "kernels-templates/cuda/targets.cuh"

namespace sn::cuda {
/// A block for each part, kThreads threads.
__global__ void __launch_bounds__(kThreads, 1) finish_sums(const __grid_constant__ FinishArgs args) {
  __shared__ double scratch[kWarp];
  const PartialSums part = args.parts[blockIdx.x];
  double sum = 0;
  for (Int i = threadIdx.x; i < part.count; i += blockDim.x)
    sum += part.values[i];
  const double total = blockSum(sum, scratch);
  if (threadIdx.x == 0)
    args.results[blockIdx.x] = total;
}

/// A thread for each example. Scattered writes of 4 bytes, a batch of them: nothing beside the rows themselves.
__global__ void __launch_bounds__(kThreads, 1) place_rows(const __grid_constant__ PlaceArgs args) {
  const Int i = static_cast<Int>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < args.count)
    args.index[args.examples[i]] = args.place + static_cast<int>(i);
}

/// source.gradient [rows of the batch, source.inner] = the sum over `wideLanes` lanes of source.partials [wideLanes]
/// [maxRows x inner], by the tree. One thread for each value of [maxRows, inner].
__global__ void __launch_bounds__(kThreads, 1) combine_lanes(const __grid_constant__ StepArgs args) {
  const Int size = args.frame->rows * args.source.inner, stride = args.maxRows * args.source.inner;
  const Int at = static_cast<Int>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (at < size)
    args.source.gradient[at] = laneTree<kWideLanes>(args.source.partials + at, stride, args.wideLanes);
}

/// Work area kTargetRowsArea [maxRows] = what the target's rows hand to slots. A warp for each row.
__global__ void __launch_bounds__(kThreads, 1) target_rows(const __grid_constant__ StepArgs args) {
  const Int row = static_cast<Int>(blockIdx.x) * (blockDim.x / kWarp) + warp();
  if (row >= args.frame->rows)
    return;
  const RowTarget result = fullRowTarget(args, args.ids[row]);
  if (lane() == 0)
    static_cast<RowTarget *>(args.work[kTargetRowsArea])[row] = result;
}
} // namespace sn::cuda
