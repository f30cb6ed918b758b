// expand: a data set as dense rows, for kernels that read buffers; the epilogue takes each element.
#pragma once
#include "kernels-templates/cuda/data_source.cuh"
#include "kernels-templates/cuda/element_tile.cuh"
#include "kernels-templates/cuda/targets.cuh"

namespace sn::cuda {
template <class Epilogue> class Expand {
public:
  template <class Loader, class Optimizer, int Pass> static __device__ void run(const StepArgs &args) {
    __shared__ float values[kSparse<Loader> ? kElements : 1];
    const Frame frame = *args.frame;
    const ElementTiles tiles(frame.rows, args.columns);
    double sum = 0;
    for (unsigned number = blockIdx.x; number < tiles.count; number += gridDim.x) {
      const ElementTile tile = tiles[number];
      if constexpr (kSparse<Loader>)
        stage(args, frame, tile, values);
      tile.forEach(args.ids, [&](int i, Place &at) {
        if constexpr (kSparse<Loader>)
          at.accumulator = values[i];
        else
          at.accumulator = denseValue(args, frame, at.example, at.column);
        Epilogue::run(args, frame, at, sum);
      });
    }
    reportSums(args, sum, 0);
  }

private:
  /// The tile's values of a sparse data set, row by row. Of the tile before, a thread has read just the places that it
  /// zeroes.
  static __device__ __forceinline__ void stage(const StepArgs &args, const Frame &frame, const ElementTile &tile,
                                               float *values) {
    const int thread = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
    for (int i = thread; i < tile.rows * tile.columns; i += threads)
      values[i] = 0;
    __syncthreads();
    const int team = threadsPerRow(threads, tile.rows);
    for (int r = thread / team; r < tile.rows; r += threads / team)
      scatter(args, frame, args.ids[tile.firstRow + r], tile, values + r * tile.columns, thread % team, team);
    __syncthreads();
  }
  static __device__ __forceinline__ void scatter(const StepArgs &args, const Frame &frame, Int example,
                                                 const ElementTile &tile, float *line, int thread, int threads) {
    const DataView &data = args.data;
    const Range entries = entriesOf(data, example);
    const float scale = entryScale(data, example, 1.0f);
    for (Int i = lowerBound(data.indices, entries, tile.firstColumn) + thread; i < entries.end; i += threads) {
      const Int column = data.indices[i];
      if (column >= tile.firstColumn + tile.columns)
        return;
      line[column - tile.firstColumn] = entryValue(args, frame, example, i, column, scale);
    }
  }
};
} // namespace sn::cuda
