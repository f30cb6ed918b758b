// map: pointwise work on [B, N], with or without a target; or on vectors [N] alone.
#pragma once
#include "kernels-templates/cuda/element_tile.cuh"
#include "kernels-templates/cuda/targets.cuh"

namespace sn::cuda {
/// `Vectors`: all results are vectors [N], one row is run.
template <class Slots, bool Vectors> class Map {
public:
  template <class Loader, class Optimizer, int Pass> static __device__ void run(const StepArgs &args) {
    __shared__ float targets[kSparse<Loader> ? kElements : 1];
    const Frame frame = *args.frame;
    const ElementTile tile(Vectors ? 1 : frame.rows, args.columns);
    if constexpr (kSparse<Loader>)
      if (tile.rows > 0)
        stageTargets<Loader>(args, tile.firstRow, tile.rows, tile.firstColumn, tile.columns, targets, tile.columns);
    double sum = 0;
    tile.forEach(Vectors ? nullptr : args.ids, [&](int i, Place &at) {
      bool stored = false;
      if constexpr (kSparse<Loader>) {
        at.target = targets[i];
        stored = isStored(at.target);
      } else if constexpr (operand::same<Loader, Dense>) {
        at.target = denseTarget(args.data, at.example, at.column);
      }
      at.rowTarget = rowTargetOf<Loader, Slots>(args, at.row, at.example);
      Slots::template run<Loader>(args, frame, at, stored, sum);
    });
    reportSums(args, sum, 0);
  }
};
} // namespace sn::cuda
