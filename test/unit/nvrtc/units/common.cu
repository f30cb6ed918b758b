// instance: sn::cuda::finish_sums
// instance: sn::cuda::place_rows
// instance: sn::cuda::combine_lanes
// instance: sn::cuda::target_rows
#include "kernels-templates/cuda/common.cuh"
