// map: pointwise work on [B, N], with or without a target; or on vectors [N] alone.
#pragma once
#include "kernels-templates/cuda/element_tile.cuh"
#include "kernels-templates/cuda/targets.cuh"

namespace sn::cuda {
namespace operand {
template <class Slots> struct BodyOf;
template <class Body, class... Others> struct BodyOf<TargetSlots<Body, Others...>> { using Type = Body; };
} // namespace operand

/// `Vectors`: all results are vectors [N], one row is run.
template <class Slots, bool Vectors> class Map {
public:
  template <class Loader, class Optimizer, int Pass> static __device__ void run(const StepArgs &args) {
    __shared__ float targets[kSparse<Loader> ? kElements : 1];
    const Frame frame = *args.frame;
    const ElementTiles tiles(Vectors ? 1 : frame.rows, args.columns);
    double sum = 0;
    for (unsigned number = blockIdx.x; number < tiles.count; number += gridDim.x) {
      const ElementTile tile = tiles[number];
      if constexpr (operand::same<Loader, NoData>) {
        takeElements(args, frame, tile, sum);
      } else {
        if constexpr (kSparse<Loader>) {
          __syncthreads(); // nobody reads the tile before
          stageTargets<Loader>(args, tile.firstRow, tile.rows, tile.firstColumn, tile.columns, targets, tile.columns);
        }
        tile.forEach(args.ids, [&](int i, Place &at) { takeTarget<Loader>(args, frame, at, targets, i, sum); });
      }
    }
    reportSums(args, sum, 0);
  }

private:
  /// Without a target: the loads of several elements before the first store, which the compiler cannot know to be of
  /// other memory.
  static __device__ __forceinline__ void takeElements(const StepArgs &args, const Frame &frame, const ElementTile &tile,
                                                      double &sum) {
    using Body = typename operand::BodyOf<Slots>::Type;
    constexpr int kTogether = 4;
    const int stride = static_cast<int>(blockDim.x), elements = tile.rows * tile.columns;
    for (int first = static_cast<int>(threadIdx.x); first < elements; first += kTogether * stride) {
      Place at[kTogether];
      typename Body::Outputs out[kTogether];
#pragma unroll
      for (int n = 0; n < kTogether; ++n)
        if (first + n * stride < elements) {
          at[n] = tile.place(Vectors ? nullptr : args.ids, first + n * stride);
          out[n] = Body::evaluate(args, frame, at[n], sum);
        }
#pragma unroll
      for (int n = 0; n < kTogether; ++n)
        if (first + n * stride < elements)
          Body::write(args, at[n], out[n]);
    }
  }
  /// `i`: the element's number in the tile; `targets`: the tile's values where the target is sparse.
  template <class Loader>
  static __device__ __forceinline__ void takeTarget(const StepArgs &args, const Frame &frame, Place &at,
                                                    const float *targets, int i, double &sum) {
    bool stored = false;
    if constexpr (kSparse<Loader>) {
      at.target = targets[i];
      stored = isStored(at.target);
    } else {
      at.target = denseTarget(args.data, at.example, at.column);
    }
    at.rowTarget = rowTargetOf<Loader, Slots>(args, at.row, at.example);
    Slots::template run<Loader>(args, frame, at, stored, sum);
  }
};
} // namespace sn::cuda
