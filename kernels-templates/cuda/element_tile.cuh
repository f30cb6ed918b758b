// How map and expand cut [rows, columns] into the blocks' tiles (pointwise.cuh).
#pragma once
#include "kernels-templates/cuda/pointwise.cuh"
#include "kernels-templates/cuda/slot.cuh"

namespace sn::cuda {
/// The block's tile of [rows, columns]; rows = 0 for a block beyond them.
struct ElementTile {
  Int firstRow = 0, firstColumn = 0;
  int rows = 0, columns = 0;
  __device__ __forceinline__ ElementTile(Int allRows, Int allColumns) {
    const int width = static_cast<int>(greatest(1, least(allColumns, kElementColumns))),
              height = static_cast<int>(least(kElementRows, kElements / width));
    const unsigned tiles = (static_cast<unsigned>(allColumns) + width - 1) / width;
    firstRow = static_cast<Int>(blockIdx.x / tiles) * height;
    firstColumn = static_cast<Int>(blockIdx.x % tiles) * width;
    rows = static_cast<int>(greatest(0, least(height, allRows - firstRow)));
    columns = static_cast<int>(least(width, allColumns - firstColumn));
  }
  /// The tile's element `i`, counted row by row.
  __device__ __forceinline__ Place place(const Int *ids, int i) const {
    const int row = i / columns;
    Place at;
    at.row = firstRow + row;
    at.example = ids ? ids[at.row] : 0;
    at.column = firstColumn + (i - row * columns);
    return at;
  }
  /// f(i, place): for each of the thread's elements.
  template <class F> __device__ __forceinline__ void forEach(const Int *ids, F f) const {
    for (int i = static_cast<int>(threadIdx.x); i < rows * columns; i += static_cast<int>(blockDim.x)) {
      Place at = place(ids, i);
      f(i, at);
    }
  }
};
} // namespace sn::cuda
