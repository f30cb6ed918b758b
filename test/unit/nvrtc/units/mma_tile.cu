// instance: Product<Precision::Tf32>
// instance: Product<Precision::Bf16x3>
// instance: Product<Precision::Bf16>
#include "kernels-templates/cuda/mma_tile.cuh"

using namespace sn::cuda;

/// y [64, 64] = x E (+ its transpose's product: operands along both directions).
template <Precision P>
__global__ void __launch_bounds__(kThreads, 1)
    Product(const float *x, const float *e, float *y, Int inner, Int extent) {
#if __CUDA_ARCH__ >= 800 // older ones are refused
  __shared__ typename MmaTile<P>::Shared shared;
  MmaTile<P> tile;
  tile.clear();
  tile.multiply(shared, MatrixOperand{x, inner, extent, true}, MatrixOperand{e, extent, extent, false}, 0, inner);
  tile.multiply(shared, MatrixOperand{x, extent, extent, false}, MatrixOperand{e, inner, extent, true}, 0, inner);
  tile.forEach([&](int i, int j, float value) { y[i * 64 + j] = value; });
  const float *values = tile.toShared(shared);
  y[4096 + threadIdx.x] = values[threadIdx.x];
#endif
}
