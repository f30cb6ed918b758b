// How map and expand cut [rows, columns] into the blocks' tiles (pointwise.cuh).
#pragma once
#include "kernels-templates/cuda/pointwise.cuh"
#include "kernels-templates/cuda/slot.cuh"

namespace sn::cuda {
/// A tile of [rows, columns].
struct ElementTile {
  Int firstRow = 0, firstColumn = 0;
  int rows = 0, columns = 0;

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
/// All of them; the blocks of a grid take them in turn.
struct ElementTiles {
  Int rows, columns;
  int width, height;
  unsigned perLine, count;
  __device__ __forceinline__ ElementTiles(Int rows, Int columns) : rows(rows), columns(columns) {
    width = static_cast<int>(greatest(1, least(columns, kElementColumns)));
    height = static_cast<int>(least(kElementRows, kElements / width));
    perLine = (static_cast<unsigned>(columns) + width - 1) / width;
    count = perLine * ((static_cast<unsigned>(rows) + height - 1) / height);
  }
  __device__ __forceinline__ ElementTile operator[](unsigned number) const {
    ElementTile tile;
    tile.firstRow = static_cast<Int>(number / perLine) * height;
    tile.firstColumn = static_cast<Int>(number % perLine) * width;
    tile.rows = static_cast<int>(least(height, rows - tile.firstRow));
    tile.columns = static_cast<int>(least(width, columns - tile.firstColumn));
    return tile;
  }
};
} // namespace sn::cuda
