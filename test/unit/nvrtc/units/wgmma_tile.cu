// instance: Product<Precision::Tf32>
// instance: Product<Precision::Bf16x3>
// instance: Product<Precision::Bf16>
#include "kernels-templates/cuda/wgmma_tile.cuh"

using namespace sn::cuda;

/// y [128, 128] = x E + x^T E^T: operands along both directions.
template <Precision P>
__global__ void __launch_bounds__(kThreads, 1)
    Product(const float *x, const float *e, float *y, Int inner, Int extent) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL) // others are refused
  auto &shared = *dynamicShared<typename WgmmaTile<P>::Shared>();
  WgmmaTile<P> tile;
  tile.clear();
  tile.multiply(shared, MatrixOperand{x, inner, extent, true}, MatrixOperand{e, extent, extent, false}, 0, inner);
  tile.multiply(shared, MatrixOperand{x, extent, extent, false}, MatrixOperand{e, inner, extent, true}, 0, inner);
  tile.forEach([&](int i, int j, float value) { y[i * 128 + j] = value; });
  const float *values = tile.toShared(shared);
  y[16384 + threadIdx.x] = values[threadIdx.x];
#endif
}
