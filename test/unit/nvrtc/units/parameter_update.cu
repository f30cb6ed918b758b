// instance: Weights<sn::cuda::NoData, optimizer::Adam, 0>
// instance: Biases<sn::cuda::NoData, optimizer::Adam, 0>
#include "kernels-templates/cuda/parameter_update.cuh"
#include "test/unit/nvrtc/units/slots.cuh"

SN_KERNEL(Weights, ParameterUpdate<true>)
SN_KERNEL(Biases, ParameterUpdate<false>)
