// column_reduce: sums of a slot's values over the rows of the batch, by lanes of the batch; then biases, then the slot
// `finish`.
#pragma once
#include "kernels-templates/cuda/lanes.cuh"
#include "kernels-templates/cuda/slot.cuh"

namespace sn::cuda {
/// `Value` gives delta. Pass 0: a block for each 32 columns of each lane, to work area 0 [lanes, columns]. Pass 1: a
/// thread for each column.
template <class Value, class Finish> class ColumnReduce {
public:
  template <class Loader, class Optimizer, int Pass> static __device__ void run(const StepArgs &args) {
    const Frame frame = *args.frame;
    if constexpr (Pass == 0)
      sumRows(args, frame);
    else
      finish<Optimizer>(args, frame);
  }

private:
  static constexpr int kWarps = kThreads / kWarp;

  static __device__ __forceinline__ void sumRows(const StepArgs &args, const Frame &frame) {
    __shared__ float partials[kWarps][kWarp];
    const unsigned tiles = (static_cast<unsigned>(args.columns) + kWarp - 1) / kWarp;
    const Int column = static_cast<Int>(blockIdx.x % tiles) * kWarp + lane();
    const int lanes = batchLanes(frame.rows), mine = static_cast<int>(blockIdx.x / tiles);
    const bool there = mine < lanes && column < args.columns;
    const Range rows = there ? shortLaneRange(frame.rows, mine, lanes) : Range{0, 0};
    double sum = 0;
    float total = 0;
    Place at;
    at.column = column;
    for (at.row = rows.begin + warp(); at.row < rows.end; at.row += kWarps) {
      at.example = args.ids[at.row];
      Value::run(args, frame, at, sum);
      total += at.delta;
    }
    partials[warp()][lane()] = total;
    __syncthreads();
    if (there && warp() == 0)
      static_cast<float *>(args.work[0])[mine * args.columns + column] =
          laneTree<kWarps>(&partials[0][lane()], kWarp, kWarps);
    reportSums(args, sum, 0);
  }

  template <class Optimizer> static __device__ __forceinline__ void finish(const StepArgs &args, const Frame &frame) {
    const Int column = static_cast<Int>(blockIdx.x) * kThreads + threadIdx.x;
    const float scale = -__frcp_rn(static_cast<float>(frame.rows));
    double sum = 0, regularization = 0;
    if (column < args.columns) {
      const float total =
          laneTree<16>(static_cast<const float *>(args.work[0]) + column, args.columns, batchLanes(frame.rows));
      const float gradient = total * scale;
      for (int i = 0; i < args.biasCount; ++i)
        Optimizer::Bias::apply(args, args.biases[i].trained, column, gradient, regularization);
      if constexpr (Finish::kPresent) {
        Place at;
        at.column = column;
        at.accumulator = total;
        Finish::run(args, frame, at, sum);
      }
    }
    reportSums(args, sum, regularization);
  }
};
} // namespace sn::cuda
